-- Which nodes are in which circle, as every service knows it: who may tell and hold what is in the circle's space.

create table circles (
    space text not null,
    node text not null,
    circle text not null,
    since_by uuid not null,
    since_position bigint,
    until_by uuid,
    until_position bigint,
    ended boolean not null default false,
    primary key (space, node, since_by)
);
create index circles_circle on circles (circle);
create index circles_since_by on circles (since_by);
create index circles_until_by on circles (until_by) where until_by is not null;
comment on table circles is 'Which nodes are in which circle: the same table in every service. A node that comes back has another row.';
comment on column circles.space is 'The circle''s space.';
comment on column circles.node is 'Id of a node that is in it, or was.';
comment on column circles.circle is 'Reference of the circle.';
comment on column circles.since_by is 'The event that brought it in.';
comment on column circles.since_position is 'Place of that event in the space''s own order; null while pending.';
comment on column circles.until_by is 'The event that took it out, or ended the circle; null while it is in it.';
comment on column circles.until_position is 'Place of that event in the space''s own order; null while pending.';
comment on column circles.ended is 'It was in the circle when that ended: it keeps what it holds.';
