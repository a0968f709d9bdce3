-- Who takes part in an initiative, in which role, for how long. Runs in this room's own schema.
-- References and spaces are kept in their written form; numbers of states, sectors and roles are the contract's.

create table membership.initiatives (
    reference text primary key,
    space text not null,
    display_name text not null,
    purpose text not null,
    region text not null,
    state integer not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table membership.initiatives is 'Coalitions that this node takes part in.';
comment on column membership.initiatives.reference is 'Reference; the node in it is the backbone''s.';
comment on column membership.initiatives.space is 'Who may hold it.';
comment on column membership.initiatives.display_name is 'How people call it.';
comment on column membership.initiatives.purpose is 'What it is for.';
comment on column membership.initiatives.region is 'Where it works, in words.';
comment on column membership.initiatives.state is 'Number of commonweal.membership.v1.InitiativeState.';
comment on column membership.initiatives.version is 'How many events made it so; its etag.';
comment on column membership.initiatives.created_at is 'When its first event was made, by its home''s clock.';
comment on column membership.initiatives.updated_at is 'When its last event was made, by its home''s clock.';

create table membership.organizations (
    reference text primary key,
    initiative text not null,
    space text not null,
    node text not null,
    display_name text not null,
    sector integer not null,
    website text not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index organizations_initiative on membership.organizations (initiative, reference);
comment on table membership.organizations is 'Organizations known in an initiative, members or not. No personal data.';
comment on column membership.organizations.reference is 'Reference.';
comment on column membership.organizations.initiative is 'Reference of the initiative.';
comment on column membership.organizations.space is 'Who may hold it.';
comment on column membership.organizations.node is 'Id of the node on which it lives.';
comment on column membership.organizations.display_name is 'How people call it.';
comment on column membership.organizations.sector is 'Number of commonweal.membership.v1.Sector.';
comment on column membership.organizations.website is 'Address of its website; empty for none.';
comment on column membership.organizations.version is 'How many events made it so; its etag.';
comment on column membership.organizations.created_at is 'When its first event was made, by its home''s clock.';
comment on column membership.organizations.updated_at is 'When its last event was made, by its home''s clock.';

create table membership.identifiers (
    organization text not null,
    place integer not null,
    scheme text not null,
    value text not null,
    primary key (organization, place)
);
create index identifiers_value on membership.identifiers (scheme, value);
comment on table membership.identifiers is 'What registers know organizations by.';
comment on column membership.identifiers.organization is 'Reference of the organization.';
comment on column membership.identifiers.place is 'Place in its list, from 1.';
comment on column membership.identifiers.scheme is 'The register.';
comment on column membership.identifiers.value is 'The identifier there.';

create table membership.join_requests (
    reference text primary key,
    initiative text not null,
    space text not null,
    organization text not null,
    statement text not null,
    state integer not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index join_requests_initiative on membership.join_requests (initiative, reference);
create index join_requests_organization on membership.join_requests (organization);
comment on table membership.join_requests is 'Organizations that ask, or asked, to be admitted.';
comment on column membership.join_requests.reference is 'Reference.';
comment on column membership.join_requests.initiative is 'Reference of the initiative.';
comment on column membership.join_requests.space is 'Who may hold it.';
comment on column membership.join_requests.organization is 'Reference of the organization that asks.';
comment on column membership.join_requests.statement is 'What it says, in its own words.';
comment on column membership.join_requests.state is 'Number of commonweal.membership.v1.JoinRequestState.';
comment on column membership.join_requests.version is 'How many events made it so; its etag.';
comment on column membership.join_requests.created_at is 'When its first event was made, by its home''s clock.';
comment on column membership.join_requests.updated_at is 'When its last event was made, by its home''s clock.';

create table membership.memberships (
    reference text primary key,
    initiative text not null,
    space text not null,
    organization text,
    invitee text not null,
    state integer not null,
    reason text not null,
    join_request text,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index memberships_initiative on membership.memberships (initiative, reference);
create index memberships_organization on membership.memberships (organization);
create index memberships_join_request on membership.memberships (join_request);
comment on table membership.memberships is 'What organizations are to an initiative.';
comment on column membership.memberships.reference is 'Reference; the node in it is the backbone''s.';
comment on column membership.memberships.initiative is 'Reference of the initiative.';
comment on column membership.memberships.space is 'Who may hold it.';
comment on column membership.memberships.organization is 'Reference of the organization; null while one is invited that is not registered.';
comment on column membership.memberships.invitee is 'How the invitation calls one that was not registered then; empty for others.';
comment on column membership.memberships.state is 'Number of commonweal.membership.v1.MembershipState.';
comment on column membership.memberships.reason is 'Why it is suspended or ended; empty otherwise.';
comment on column membership.memberships.join_request is 'Reference of the request that it answers; null where nobody had asked.';
comment on column membership.memberships.version is 'How many events made it so; its etag.';
comment on column membership.memberships.created_at is 'When its first event was made, by the backbone''s clock.';
comment on column membership.memberships.updated_at is 'When its last event was made, by the backbone''s clock.';

create table membership.role_terms (
    membership text not null,
    role integer not null,
    starts timestamptz not null,
    ends timestamptz,
    resting boolean not null,
    primary key (membership, role)
);
comment on table membership.role_terms is 'Roles of memberships. Who may call what follows from the table roles, which every service has.';
comment on column membership.role_terms.membership is 'Reference of the membership.';
comment on column membership.role_terms.role is 'Number of commonweal.common.v1.Role.';
comment on column membership.role_terms.starts is 'First instant of the term.';
comment on column membership.role_terms.ends is 'First instant after the term; null for an open one.';
comment on column membership.role_terms.resting is 'The membership is suspended, and the role with it.';

create table membership.nodes (
    initiative text not null,
    node text not null,
    resource text not null,
    display_name text not null,
    state integer not null,
    reason text not null,
    primary key (initiative, node)
);
create index nodes_resource on membership.nodes (resource);
comment on table membership.nodes is 'Nodes of initiatives, as the border tells of them.';
comment on column membership.nodes.initiative is 'Reference of the initiative.';
comment on column membership.nodes.node is 'Id of the node.';
comment on column membership.nodes.resource is 'Reference of the resource that the border''s events are about.';
comment on column membership.nodes.display_name is 'How people call it.';
comment on column membership.nodes.state is 'Number of commonweal.membership.v1.NodeState.';
comment on column membership.nodes.reason is 'Why it was ended; empty otherwise.';
