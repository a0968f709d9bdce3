-- The step of the members space that changed last what nodes are judged by: what is known of them is kept in memory under
-- its digest.

alter table federation.spaces
    add column changed_position bigint not null default 0,
    add column changed_digest bytea not null default '\x0000000000000000000000000000000000000000000000000000000000000000';
update federation.spaces set changed_position = position, changed_digest = digest;
comment on column federation.spaces.changed_position is 'Position of the step that changed last what nodes are judged by; in the members space.';
comment on column federation.spaces.changed_digest is 'Digest of that step; 32 zero bytes where there is none.';
