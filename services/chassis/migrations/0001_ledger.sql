-- What every service keeps beside its own tables. Runs in the service's schema (search_path).

create table log (
    position bigint generated always as identity primary key,
    event_id uuid not null unique,
    source text not null,
    type text not null,
    space text not null,
    resource text not null,
    bytes bytea,
    standing text not null default 'folded' check (standing in ('folded', 'held', 'refused')),
    reason text,
    accepted_position bigint,
    accepted_at timestamptz,
    traceparent text,
    recorded_at timestamptz not null default clock_timestamp()
);
create index log_resource on log (resource, position);
create index log_not_folded on log (standing) where standing <> 'folded';
comment on table log is 'Every event this service applied or heard, in local order; folding it again gives the same tables.';
comment on column log.position is 'Local order.';
comment on column log.event_id is 'The event''s own id (UUIDv7), made at its home: what makes a second arrival harmless.';
comment on column log.source is 'The service of this node that told it: this service itself, another, or the border.';
comment on column log.type is 'Full name of the event''s protobuf message.';
comment on column log.space is 'Who may hold it.';
comment on column log.resource is 'Reference of the resource it is about.';
comment on column log.bytes is 'The CloudEvent as received, so that fields unknown here survive; null once erased.';
comment on column log.standing is 'folded: in the tables; held: waits, together with later events of its resource; refused: the backbone said no, and the tables are as if it had not been.';
comment on column log.reason is 'Why it is held or refused, in words for a person.';
comment on column log.accepted_position is 'Place in the acceptance order of its space; null while pending or for what never leaves the node.';
comment on column log.accepted_at is 'When the backbone accepted it.';
comment on column log.traceparent is 'W3C trace context of the work that told it or brought it here; no part of any state.';
comment on column log.recorded_at is 'When it was written here; no part of any state.';

create table unsequenced (
    position bigint primary key references log
);
comment on table unsequenced is 'Told and committed, and not yet numbered by the relay.';
comment on column unsequenced.position is 'Which event.';

create table relayed (
    sequence bigint primary key,
    position bigint not null unique references log
);
comment on table relayed is 'The gap-free order in which this service''s events are handed to the others.';
comment on column relayed.sequence is 'From 1, without gaps, given after commit.';
comment on column relayed.position is 'Which event.';

create table published (
    one boolean primary key default true check (one),
    sequence bigint not null
);
insert into published (sequence) values (0);
comment on table published is 'How far the broker has confirmed what the relay published; what is after is sent again.';
comment on column published.one is 'There is one row.';
comment on column published.sequence is 'Highest sequence confirmed.';

create table heard (
    source text primary key,
    sequence bigint not null
);
comment on table heard is 'How far this service has taken in what each other service of the node tells.';
comment on column heard.source is 'The telling service.';
comment on column heard.sequence is 'Highest sequence taken in; the next is one more.';

create table requests (
    caller text not null,
    method text not null,
    request_id text not null,
    digest bytea not null,
    reply bytea,
    at timestamptz not null default clock_timestamp(),
    primary key (caller, method, request_id)
);
create index requests_at on requests (at);
comment on table requests is 'Calls already answered, for 7 days: the same request_id again has no second effect.';
comment on column requests.caller is 'Pseudonym of the caller.';
comment on column requests.method is 'Path of the method.';
comment on column requests.request_id is 'The id the caller gave.';
comment on column requests.digest is 'SHA-256 of the request; another payload under the same id is refused.';
comment on column requests.reply is 'The answer, to be given again.';
comment on column requests.at is 'When.';

create table roles (
    initiative text not null,
    membership text not null,
    role integer not null,
    organization text not null,
    node text not null,
    starts timestamptz not null,
    ends timestamptz,
    granted_by uuid primary key,
    granted_position bigint,
    ended boolean not null default false,
    ended_position bigint
);
create index roles_organization on roles (initiative, organization) where not ended;
create index roles_membership on roles (membership, role);
comment on table roles is 'Which organization holds which role in which initiative: the same table in every service.';
comment on column roles.initiative is 'Reference of the initiative.';
comment on column roles.membership is 'Reference of the membership through which it is held.';
comment on column roles.role is 'Number of commonweal.common.v1.Role.';
comment on column roles.organization is 'Reference of the organization.';
comment on column roles.node is 'Id of the node the organization lives on.';
comment on column roles.starts is 'First instant of the term.';
comment on column roles.ends is 'First instant after the term; null for an open one.';
comment on column roles.granted_by is 'The event that granted it.';
comment on column roles.granted_position is 'Place of the grant in the members space''s order; null while pending.';
comment on column roles.ended is 'Ended before its term did.';
comment on column roles.ended_position is 'Place of the end in the members space''s order.';
