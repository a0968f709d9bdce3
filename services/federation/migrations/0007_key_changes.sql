-- Changes of a node's key: of the backbone's by position, and of this node's own until they are accepted.

create table federation.backbone_keys (
    initiative text not null references federation.initiatives,
    changed_position bigint not null,
    keys bytea[] not null,
    primary key (initiative, changed_position)
);
comment on table federation.backbone_keys is 'Which keys a backbone had after each change of its key; before the first it had the key that sealed the first step of the members space. Those of other nodes stand in nodes.';
comment on column federation.backbone_keys.initiative is 'Reference of the initiative.';
comment on column federation.backbone_keys.changed_position is 'Where in the members space''s order it changed: what is judged by this position or a later one is sealed with the last of these keys.';
comment on column federation.backbone_keys.keys is 'Its public keys, first to current.';

create table federation.key_changes (
    initiative text not null references federation.initiatives,
    public_key bytea not null,
    event_id uuid not null,
    told_at timestamptz not null default clock_timestamp(),
    primary key (initiative, public_key)
);
comment on table federation.key_changes is 'That this node told an initiative of a new key of its own.';
comment on column federation.key_changes.initiative is 'Reference of the initiative.';
comment on column federation.key_changes.public_key is 'The new key.';
comment on column federation.key_changes.event_id is 'The event that tells it: its entry says whether it was judged, and whether it was refused.';
comment on column federation.key_changes.told_at is 'When it was told.';

comment on table federation.key_chains is 'All keys of a node with what proves them, this node''s own among them: a follower is shown them, since it is not sent who belongs to an initiative.';

-- Of a backbone with one key that key is all there is; chains of more come with the next word on it.
insert into federation.key_chains (node, keys, signatures)
select distinct backbone, backbone_keys, array['\x'::bytea] from federation.initiatives where cardinality(backbone_keys) = 1
on conflict do nothing;
