-- A verdict of the backbone may be heard before the event that it is about: its place is kept until then.

create table ahead (
    event_id uuid not null,
    source text not null,
    sequence bigint not null,
    position bigint not null,
    accepted_at timestamptz not null,
    primary key (event_id, source)
);
create index ahead_source on ahead (source, sequence);
comment on table ahead is 'Places in the acceptance order of events that this service has not heard yet; gone once it has.';
comment on column ahead.event_id is 'The event.';
comment on column ahead.source is 'The service of this node that may have told it.';
comment on column ahead.sequence is 'Once so much of that service is heard, the event was among it or never comes.';
comment on column ahead.position is 'Its place in the order of its space.';
comment on column ahead.accepted_at is 'When the backbone accepted it.';
