-- Activities, commitments, needs, pledges and awards. All of it follows from events.
--
-- The five tables are alike: what is searched for stands in columns, what is only read as a whole in one document.

create table activities.activities (
    reference text primary key,
    space text not null,
    names text[] not null,
    state integer not null,
    reason text not null,
    content jsonb not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index activities_space on activities.activities (space, reference);
create index activities_names on activities.activities using gin (names);
comment on table activities.activities is 'Who does what, where and when, towards which strategy.';
comment on column activities.activities.reference is 'Name on every node.';
comment on column activities.activities.space is 'Who may hold it: the members of its initiative.';
comment on column activities.activities.names is 'References that it names, known here or not: its strategy, its measures, lead, supporting and funding organizations.';
comment on column activities.activities.state is 'Number of commonweal.activities.v1.ActivityState.';
comment on column activities.activities.reason is 'Why it is in this state, where that needs a reason; else empty.';
comment on column activities.activities.content is 'What the activity says of itself, as the domain has it.';
comment on column activities.activities.version is 'How many events made it so; its etag.';
comment on column activities.activities.created_at is 'When its first event was made, by its home''s clock.';
comment on column activities.activities.updated_at is 'When its last event was made, by its home''s clock.';

create table activities.commitments (
    reference text primary key,
    space text not null,
    names text[] not null,
    state integer not null,
    reason text not null,
    content jsonb not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index commitments_space on activities.commitments (space, reference);
create index commitments_names on activities.commitments using gin (names);
comment on table activities.commitments is 'What organizations have promised to activities, and by when.';
comment on column activities.commitments.reference is 'Name on every node.';
comment on column activities.commitments.space is 'Who may hold it: the members of its initiative.';
comment on column activities.commitments.names is 'References that it names, known here or not: its organization and its activity.';
comment on column activities.commitments.state is 'Number of commonweal.activities.v1.CommitmentState.';
comment on column activities.commitments.reason is 'Why it is in this state, where that needs a reason; else empty.';
comment on column activities.commitments.content is 'What the commitment says of itself, as the domain has it.';
comment on column activities.commitments.version is 'How many events made it so; its etag.';
comment on column activities.commitments.created_at is 'When its first event was made, by its home''s clock.';
comment on column activities.commitments.updated_at is 'When its last event was made, by its home''s clock.';

create table activities.needs (
    reference text primary key,
    space text not null,
    names text[] not null,
    state integer not null,
    reason text not null,
    content jsonb not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index needs_space on activities.needs (space, reference);
create index needs_names on activities.needs using gin (names);
comment on table activities.needs is 'Money and goods that organizations ask for.';
comment on column activities.needs.reference is 'Name on every node.';
comment on column activities.needs.space is 'Who may hold it: the members of its initiative.';
comment on column activities.needs.names is 'References that it names, known here or not: its organization and its activity.';
comment on column activities.needs.state is 'Number of commonweal.activities.v1.NeedState.';
comment on column activities.needs.reason is 'Why it is in this state, where that needs a reason; else empty.';
comment on column activities.needs.content is 'What the need says of itself, as the domain has it.';
comment on column activities.needs.version is 'How many events made it so; its etag.';
comment on column activities.needs.created_at is 'When its first event was made, by its home''s clock.';
comment on column activities.needs.updated_at is 'When its last event was made, by its home''s clock.';

create table activities.pledges (
    reference text primary key,
    space text not null,
    names text[] not null,
    state integer not null,
    reason text not null,
    content jsonb not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index pledges_space on activities.pledges (space, reference);
create index pledges_names on activities.pledges using gin (names);
comment on table activities.pledges is 'Money and goods promised towards needs.';
comment on column activities.pledges.reference is 'Name on every node.';
comment on column activities.pledges.space is 'Who may hold it: the members of its initiative.';
comment on column activities.pledges.names is 'References that it names, known here or not: its organization and its need.';
comment on column activities.pledges.state is 'Number of commonweal.activities.v1.PledgeState.';
comment on column activities.pledges.reason is 'Why it is in this state, where that needs a reason; else empty.';
comment on column activities.pledges.content is 'What the pledge says of itself, as the domain has it.';
comment on column activities.pledges.version is 'How many events made it so; its etag.';
comment on column activities.pledges.created_at is 'When its first event was made, by its home''s clock.';
comment on column activities.pledges.updated_at is 'When its last event was made, by its home''s clock.';

create table activities.awards (
    reference text primary key,
    space text not null,
    names text[] not null,
    state integer not null,
    reason text not null,
    content jsonb not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index awards_space on activities.awards (space, reference);
create index awards_names on activities.awards using gin (names);
comment on table activities.awards is 'Money and goods granted, and how they are paid out.';
comment on column activities.awards.reference is 'Name on every node.';
comment on column activities.awards.space is 'Who may hold it: the members of its initiative.';
comment on column activities.awards.names is 'References that it names, known here or not: both organizations, its activity and its need.';
comment on column activities.awards.state is 'Number of commonweal.activities.v1.AwardState.';
comment on column activities.awards.reason is 'Why it is in this state, where that needs a reason; else empty.';
comment on column activities.awards.content is 'What the award says of itself, as the domain has it.';
comment on column activities.awards.version is 'How many events made it so; its etag.';
comment on column activities.awards.created_at is 'When its first event was made, by its home''s clock.';
comment on column activities.awards.updated_at is 'When its last event was made, by its home''s clock.';
