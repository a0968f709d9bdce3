-- Working groups, circles, and what organizations offer and need. All of it follows from events.

create table membership.working_groups (
    reference text primary key,
    initiative text not null,
    space text not null,
    display_name text not null,
    charge text not null,
    chair text not null,
    organizations text[] not null,
    state integer not null,
    reason text not null default '',
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index working_groups_initiative on membership.working_groups (initiative, reference);
comment on table membership.working_groups is 'Organizations that work together on one charge.';
comment on column membership.working_groups.reference is 'Reference; the node in it is the backbone''s.';
comment on column membership.working_groups.initiative is 'Reference of the initiative.';
comment on column membership.working_groups.space is 'Who may hold it.';
comment on column membership.working_groups.display_name is 'How people call it.';
comment on column membership.working_groups.charge is 'What it is charged with.';
comment on column membership.working_groups.chair is 'Reference of the organization that chairs it, one of its members.';
comment on column membership.working_groups.organizations is 'References of its members, sorted; may be of organizations that are not here yet.';
comment on column membership.working_groups.state is 'Number of commonweal.membership.v1.WorkingGroupState.';
comment on column membership.working_groups.reason is 'Why it was dissolved; empty otherwise.';
comment on column membership.working_groups.version is 'How many events made it so; its etag.';
comment on column membership.working_groups.created_at is 'When its first event was made, by the backbone''s clock.';
comment on column membership.working_groups.updated_at is 'When its last event was made, by the backbone''s clock.';

create table membership.circle_profiles (
    reference text primary key,
    initiative text not null,
    space text not null,
    display_name text not null,
    purpose text not null,
    nodes text[] not null,
    state integer not null,
    reason text not null default '',
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index circle_profiles_initiative on membership.circle_profiles (initiative, reference);
comment on table membership.circle_profiles is 'Circles as people know them. Who may tell and hold what is in them follows from the table circles, which every service has.';
comment on column membership.circle_profiles.reference is 'Reference; the node in it is the backbone''s.';
comment on column membership.circle_profiles.initiative is 'Reference of the initiative.';
comment on column membership.circle_profiles.space is 'Who may hold it: the circle itself.';
comment on column membership.circle_profiles.display_name is 'How people call it.';
comment on column membership.circle_profiles.purpose is 'What it is for.';
comment on column membership.circle_profiles.nodes is 'Ids of the nodes in it, sorted.';
comment on column membership.circle_profiles.state is 'Number of commonweal.membership.v1.CircleState.';
comment on column membership.circle_profiles.reason is 'Why it was ended; empty otherwise.';
comment on column membership.circle_profiles.version is 'How many events made it so; its etag.';
comment on column membership.circle_profiles.created_at is 'When its first event was made, by the backbone''s clock.';
comment on column membership.circle_profiles.updated_at is 'When its last event was made, by the backbone''s clock.';

create table membership.postings (
    reference text primary key,
    initiative text not null,
    space text not null,
    organization text not null,
    direction integer not null,
    kind integer not null,
    description text not null,
    quantity text not null,
    open_until timestamptz,
    state integer not null,
    reason text not null default '',
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index postings_initiative on membership.postings (initiative, reference);
create index postings_organization on membership.postings (organization);
comment on table membership.postings is 'What organizations offer one another, and what they need of one another.';
comment on column membership.postings.reference is 'Reference; the node in it is where the organization lives.';
comment on column membership.postings.initiative is 'Reference of the initiative.';
comment on column membership.postings.space is 'Who may hold it.';
comment on column membership.postings.organization is 'Reference of the organization that offers or needs.';
comment on column membership.postings.direction is 'Number of commonweal.membership.v1.PostingDirection.';
comment on column membership.postings.kind is 'Number of commonweal.membership.v1.PostingKind.';
comment on column membership.postings.description is 'What it is.';
comment on column membership.postings.quantity is 'How much of it, in words.';
comment on column membership.postings.open_until is 'Last instant at which it is of use; null where it stays open.';
comment on column membership.postings.state is 'Number of commonweal.membership.v1.PostingState.';
comment on column membership.postings.reason is 'Who or what met it, or why it was withdrawn; empty while open.';
comment on column membership.postings.version is 'How many events made it so; its etag.';
comment on column membership.postings.created_at is 'When its first event was made, by its home''s clock.';
comment on column membership.postings.updated_at is 'When its last event was made, by its home''s clock.';
