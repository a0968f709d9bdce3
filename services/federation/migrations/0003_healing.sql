-- What was begun at the hub is finished after a crash; replies hold no secrets; what is looked up is indexed; and the
-- rooms learn which of their events a verdict is about.

alter table federation.links add column ending text, add column closed_at timestamptz;
comment on column federation.links.ending is 'Why the link is to end, once that is decided: carried out until it is done.';
comment on column federation.links.closed_at is 'When, after its end, the mailbox was taken down at the hub.';

-- The answers kept so far name secrets.
delete from requests where method = '/commonweal.federation.v1.FederationService/CreateInvitation';

create index log_space on log (space, position);
