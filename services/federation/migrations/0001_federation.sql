-- The border: initiatives this node takes part in, nodes, feeds, entries, the acceptance order, links, quarantine.

create table federation.initiatives (
    initiative text primary key,
    name text not null,
    backbone text not null,
    root_key bytea not null,
    appointment bytea not null,
    appointment_signature bytea not null,
    backbone_keys bytea[] not null,
    joined_at timestamptz not null default clock_timestamp()
);
comment on table federation.initiatives is 'Initiatives this node takes part in, and who their backbone is by the root''s word.';
comment on column federation.initiatives.initiative is 'Reference of the initiative.';
comment on column federation.initiatives.name is 'How people call it.';
comment on column federation.initiatives.backbone is 'Id of the backbone''s node; this node''s own id where it is the backbone.';
comment on column federation.initiatives.root_key is 'The initiative root''s ed25519 public key.';
comment on column federation.initiatives.appointment is 'The Appointment, as signed.';
comment on column federation.initiatives.appointment_signature is 'The root''s signature over it.';
comment on column federation.initiatives.backbone_keys is 'The backbone node''s public keys, first to current.';
comment on column federation.initiatives.joined_at is 'When this node joined.';

create table federation.nodes (
    initiative text not null,
    node text not null,
    keys bytea[] not null,
    display_name text not null,
    admitted_position bigint not null,
    ended_position bigint,
    reason text,
    primary key (initiative, node, admitted_position)
);
comment on table federation.nodes is 'Which nodes belong to an initiative, with which keys, from and until which place in the members space''s order.';
comment on column federation.nodes.initiative is 'Reference of the initiative.';
comment on column federation.nodes.node is 'Id of the node.';
comment on column federation.nodes.keys is 'Its public keys, first to current.';
comment on column federation.nodes.display_name is 'How people call it.';
comment on column federation.nodes.admitted_position is 'Where it was admitted.';
comment on column federation.nodes.ended_position is 'Where its link was ended; null while it belongs.';
comment on column federation.nodes.reason is 'Why it ended.';

create table federation.spaces (
    space text primary key,
    initiative text not null references federation.initiatives,
    position bigint not null default 0,
    digest bytea not null default '\x0000000000000000000000000000000000000000000000000000000000000000',
    accepted_at timestamptz not null default '-infinity'
);
comment on table federation.spaces is 'How far the acceptance order of each space is held.';
comment on column federation.spaces.space is 'Written form of the space.';
comment on column federation.spaces.initiative is 'Whose.';
comment on column federation.spaces.position is 'Highest position committed.';
comment on column federation.spaces.digest is 'Digest of the acceptance there; 32 zero bytes at 0.';
comment on column federation.spaces.accepted_at is 'Its instant: the next is never earlier.';

create table federation.feeds (
    space text not null,
    origin text not null,
    epoch integer not null,
    sequence bigint not null default 0,
    digest bytea not null default '\x0000000000000000000000000000000000000000000000000000000000000000',
    judged bigint not null default 0,
    primary key (space, origin, epoch)
);
comment on table federation.feeds is 'One gap-free chain of entries for each origin, space and epoch.';
comment on column federation.feeds.space is 'Written form of the space.';
comment on column federation.feeds.origin is 'Id of the node that writes it.';
comment on column federation.feeds.epoch is 'Which run of it.';
comment on column federation.feeds.sequence is 'Highest sequence held.';
comment on column federation.feeds.digest is 'Digest of the header there; 32 zero bytes at 0.';
comment on column federation.feeds.judged is 'Highest sequence on which the backbone has said yes or no.';

create table federation.entries (
    space text not null,
    origin text not null,
    epoch integer not null,
    sequence bigint not null,
    event_id uuid,
    header bytea not null,
    digest bytea not null,
    event bytea,
    salt bytea,
    refused text,
    written_at timestamptz not null default clock_timestamp(),
    primary key (space, origin, epoch, sequence)
);
create index entries_event on federation.entries (event_id);
comment on table federation.entries is 'Every entry held: header for ever, body until erased.';
comment on column federation.entries.space is 'Written form of the space.';
comment on column federation.entries.origin is 'Id of the node that made it.';
comment on column federation.entries.epoch is 'Which run of the feed.';
comment on column federation.entries.sequence is 'Place in the feed.';
comment on column federation.entries.event_id is 'The event in its body; null where it was refused and came without.';
comment on column federation.entries.header is 'The EntryHeader, as its origin made it.';
comment on column federation.entries.digest is 'SHA-256 of the header.';
comment on column federation.entries.event is 'The CloudEvent, as its home made it; null once erased, or where it was refused and came without.';
comment on column federation.entries.salt is 'What was hashed with the event; erased with it.';
comment on column federation.entries.refused is 'The backbone''s reason, where it said no.';
comment on column federation.entries.written_at is 'When it was written here; for showing how far behind a link is.';

create table federation.acceptances (
    space text not null,
    position bigint not null,
    origin text not null,
    epoch integer not null,
    first bigint not null,
    last bigint not null,
    acceptance bytea not null,
    digest bytea not null,
    seal_key bytea not null,
    seal_signature bytea not null,
    frame_key bytea not null,
    frame_signature bytea not null,
    accepted_at timestamptz not null,
    primary key (space, position)
);
create index acceptances_feed on federation.acceptances (space, origin, epoch, last);
comment on table federation.acceptances is 'The order of each space: the backbone''s verdict on one frame after the other.';
comment on column federation.acceptances.space is 'Written form of the space.';
comment on column federation.acceptances.position is 'Place in its order.';
comment on column federation.acceptances.origin is 'Whose feed.';
comment on column federation.acceptances.epoch is 'Which run of it.';
comment on column federation.acceptances.first is 'First sequence covered.';
comment on column federation.acceptances.last is 'Last sequence covered.';
comment on column federation.acceptances.acceptance is 'The Acceptance, as the backbone made it.';
comment on column federation.acceptances.digest is 'SHA-256 of it.';
comment on column federation.acceptances.seal_key is 'The backbone''s key that sealed it.';
comment on column federation.acceptances.seal_signature is 'The seal.';
comment on column federation.acceptances.frame_key is 'The origin''s key that sealed the frame.';
comment on column federation.acceptances.frame_signature is 'That seal.';
comment on column federation.acceptances.accepted_at is 'When, by the backbone''s clock.';

create table federation.links (
    node text not null,
    initiative text not null references federation.initiatives,
    mailbox jsonb not null,
    last_contact timestamptz,
    ended_at timestamptz,
    primary key (node, initiative)
);
comment on table federation.links is 'The other nodes this one exchanges with: on the backbone every partner, on a partner the backbone.';
comment on column federation.links.node is 'Id of the node at the other end.';
comment on column federation.links.initiative is 'In which initiative.';
comment on column federation.links.mailbox is 'What is needed to reach the mailbox on the hub; holds secrets.';
comment on column federation.links.last_contact is 'When the other end last said something.';
comment on column federation.links.ended_at is 'When the link was ended.';

create table federation.cursors (
    node text not null,
    space text not null,
    position bigint not null,
    primary key (node, space)
);
comment on table federation.cursors is 'How far each partner has confirmed the order of each space it may hold.';
comment on column federation.cursors.node is 'The partner.';
comment on column federation.cursors.space is 'Written form of the space.';
comment on column federation.cursors.position is 'Highest position it has committed.';

create table federation.invitations (
    invitation text primary key,
    initiative text not null references federation.initiatives,
    display_name text not null,
    secret_digest bytea not null,
    expires_at timestamptz not null,
    node text,
    used_at timestamptz
);
comment on table federation.invitations is 'Invitations given out by this backbone.';
comment on column federation.invitations.invitation is 'Its id.';
comment on column federation.invitations.initiative is 'To which initiative.';
comment on column federation.invitations.display_name is 'For whom, in words.';
comment on column federation.invitations.secret_digest is 'SHA-256 of the secret in it.';
comment on column federation.invitations.expires_at is 'Refused from then on.';
comment on column federation.invitations.node is 'The one node that used it.';
comment on column federation.invitations.used_at is 'When.';

create table federation.quarantine (
    id bigint generated always as identity primary key,
    node text not null,
    space text not null default '',
    origin text not null default '',
    sequence bigint not null default 0,
    code text not null,
    reason text not null,
    bytes bytea not null,
    at timestamptz not null default clock_timestamp()
);
create index quarantine_node on federation.quarantine (node, id);
comment on table federation.quarantine is 'What was refused or held at the border, bounded for each node: shown, never applied.';
comment on column federation.quarantine.id is 'Order of arrival.';
comment on column federation.quarantine.node is 'Through whose link it came.';
comment on column federation.quarantine.space is 'The space it claimed.';
comment on column federation.quarantine.origin is 'The origin it claimed.';
comment on column federation.quarantine.sequence is 'The sequence it claimed.';
comment on column federation.quarantine.code is 'Stable code of the reason.';
comment on column federation.quarantine.reason is 'The same in words for a person.';
comment on column federation.quarantine.bytes is 'The beginning of what came.';
comment on column federation.quarantine.at is 'When.';
