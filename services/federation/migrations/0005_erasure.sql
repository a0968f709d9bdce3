-- An accepted event may erase the bodies of earlier entries: which resource a body is about, and which entry erased it.

alter table federation.entries add column resource text not null default '', add column erased_by bigint;
comment on column federation.entries.resource is 'Resource of the event, kept after its erasure; empty where such an event cannot be erased, or came without body.';
comment on column federation.entries.erased_by is 'Sequence of the accepted entry of the same feed whose header says that this body is erased.';

-- Of what is held already: the event's attribute "subject", a reference of 69 bytes, as CloudEvents encode it.
update federation.entries
   set resource = encode(substring(event from position('\x0a077375626a65637412471a45'::bytea in event) + 13 for 69), 'escape')
 where position('commonweal.messaging.'::bytea in header) > 0
   and position('\x0a077375626a65637412471a45'::bytea in event) > 0;

create index entries_resource on federation.entries (resource) where resource <> '' and event is not null;
create index entries_missing on federation.entries (space, origin, sequence)
 where event is null and refused is null and erased_by is null;
