-- A node that was restored from a backup finds its place among the others before it goes on.

create table federation.restored (
    one boolean primary key default true check (one),
    marked boolean not null default false,
    epoch integer not null default 1,
    since timestamptz,
    reason text not null default '',
    review_before timestamptz
);
insert into federation.restored default values;
comment on table federation.restored is 'Whether this node was restored and has not found its place yet; and which run of its feeds it writes.';
comment on column federation.restored.one is 'There is one row.';
comment on column federation.restored.marked is 'A marker was laid beside the key for this database: were it missing, this would be a copy.';
comment on column federation.restored.epoch is 'Which run of its feeds this node writes: the next one after each restore.';
comment on column federation.restored.since is 'Since when it is known to be restored; null once the others have said what they hold.';
comment on column federation.restored.reason is 'How that was found, in words for a person.';
comment on column federation.restored.review_before is 'What its rooms told earlier and nobody holds is looked at by a person before it goes out; null where it may go.';

create table federation.reissues (
    id bigint generated always as identity primary key,
    space text not null,
    epoch integer not null,
    sequence bigint not null,
    event_id uuid not null,
    type text not null,
    resource text not null,
    event bytea not null,
    withdrawn_at timestamptz not null default clock_timestamp()
);
comment on table federation.reissues is 'What this node told before it knew that it was restored, and the others hold something else in its place: to be told again, or dropped, by a person.';
comment on column federation.reissues.id is 'The number by which a person names it.';
comment on column federation.reissues.space is 'In which space it was told.';
comment on column federation.reissues.epoch is 'Run of the feed in which it stood; 0 where it stood in none yet.';
comment on column federation.reissues.sequence is 'Its place there; 0 where it had none.';
comment on column federation.reissues.event_id is 'The event as it was told: refused, as far as the rooms of this node know.';
comment on column federation.reissues.type is 'Full name of its message.';
comment on column federation.reissues.resource is 'What it is about.';
comment on column federation.reissues.event is 'The CloudEvent, as it was told.';
comment on column federation.reissues.withdrawn_at is 'When it was taken out of the feed.';
