-- Nodes that only follow an initiative: they are sent its public space and nothing else.

alter table federation.links
    add column follower boolean not null default false,
    add column display_name text not null default '';
comment on column federation.links.follower is 'Whether the node that is not the backbone only follows the initiative.';
comment on column federation.links.display_name is 'How the other node called itself when it was let in; of members the members space says it.';

alter table federation.invitations add column follower boolean not null default false;
comment on column federation.invitations.follower is 'Whether it lets a node only follow.';

create table federation.key_chains (
    node text primary key,
    keys bytea[] not null,
    signatures bytea[] not null
);
comment on table federation.key_chains is 'All keys of other nodes with what proves them: a follower is shown them, since it is not sent who belongs to an initiative.';
comment on column federation.key_chains.node is 'Id of the node: the hash of its first key.';
comment on column federation.key_chains.keys is 'Its public keys, first to current.';
comment on column federation.key_chains.signatures is 'What the key before each signed it with; empty for the first.';

-- Of a node with one key that key is all there is; chains of more come with the next word on the node.
insert into federation.key_chains (node, keys, signatures)
select distinct node, keys, array['\x'::bytea] from federation.nodes where cardinality(keys) = 1;
