-- The end of a role gets its place in the order when the backbone has accepted it, as its grant does.

alter table roles add column ended_by uuid;
create index roles_ended_by on roles (ended_by) where ended_by is not null;
comment on column roles.ended_by is 'The event that ended it before its term did.';
