-- Which of its services told an entry of this node: a verdict says how far they must be heard to know what it is about.

alter table federation.entries add column told_by text, add column told_number bigint;
comment on column federation.entries.told_by is 'The service of this node that told it; null where the border did, or another node.';
comment on column federation.entries.told_number is 'A number in that service''s sequence that it is not beyond.';
