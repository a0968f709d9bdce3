-- A node never takes a step that was judged by older governance than the step before.

alter table federation.spaces add column governance_position bigint not null default 0;
comment on column federation.spaces.governance_position is 'Position of the members space by which the last step was judged: the next is never judged by an older one.';
