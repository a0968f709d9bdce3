-- Agendas, their drafts and versions, endorsements, proposals, positions and decisions. All of it follows from events.

create table agenda.drafts (
    reference text primary key,
    initiative text not null,
    tree jsonb not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index drafts_initiative on agenda.drafts (initiative, reference);
comment on table agenda.drafts is 'Agendas that live here, as they are being worked on. Nothing of it leaves the node.';
comment on column agenda.drafts.reference is 'Reference of the agenda.';
comment on column agenda.drafts.initiative is 'Reference of the initiative.';
comment on column agenda.drafts.tree is 'The whole agenda: {display_name, problem, vision, population, results: [{reference, title, description, measures, strategies: [{reference, title, description}]}]}.';
comment on column agenda.drafts.version is 'How many events of the draft made it so; its etag.';
comment on column agenda.drafts.created_at is 'When its first event was made.';
comment on column agenda.drafts.updated_at is 'When its last event was made.';

create table agenda.agendas (
    reference text primary key,
    space text not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index agendas_space on agenda.agendas (space, reference);
comment on table agenda.agendas is 'Agendas of which a version was published.';
comment on column agenda.agendas.reference is 'Name on every node.';
comment on column agenda.agendas.space is 'Who may hold it: the members of its initiative.';
comment on column agenda.agendas.version is 'How many events made it so, which is how many versions it has; its etag.';
comment on column agenda.agendas.created_at is 'When its first event was made, by its home''s clock.';
comment on column agenda.agendas.updated_at is 'When its last event was made, by its home''s clock.';

create table agenda.versions (
    agenda text not null,
    number integer not null,
    reference text not null,
    published_by uuid not null,
    tree jsonb not null,
    proposals jsonb not null,
    published_at timestamptz not null,
    primary key (agenda, number)
);
create index versions_reference on agenda.versions (reference);
comment on table agenda.versions is 'What was published of an agenda, version by version.';
comment on column agenda.versions.agenda is 'Reference of the agenda.';
comment on column agenda.versions.number is 'From 1.';
comment on column agenda.versions.reference is 'Name on every node: the agenda''s home and the id of the event that published it.';
comment on column agenda.versions.published_by is 'The event that published it.';
comment on column agenda.versions.tree is 'The whole agenda, as in drafts.';
comment on column agenda.versions.proposals is 'Array of references of the proposals that it carries out.';
comment on column agenda.versions.published_at is 'When it was published, by its home''s clock.';

create table agenda.endorsements (
    reference text primary key,
    space text not null,
    agenda_version text not null,
    organization text not null,
    statement text not null,
    state integer not null,
    state_reason text not null default '',
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index endorsements_space on agenda.endorsements (space, reference);
create index endorsements_agenda_version on agenda.endorsements (agenda_version, organization);
comment on table agenda.endorsements is 'Which organization stands behind which version.';
comment on column agenda.endorsements.reference is 'Name on every node.';
comment on column agenda.endorsements.space is 'Who may hold it: the members of its initiative.';
comment on column agenda.endorsements.agenda_version is 'Reference of the version, which may not be here yet.';
comment on column agenda.endorsements.organization is 'Reference of the organization.';
comment on column agenda.endorsements.statement is 'What it says about it.';
comment on column agenda.endorsements.state is 'Number of commonweal.agenda.v1.EndorsementState.';
comment on column agenda.endorsements.state_reason is 'Why it is void or was withdrawn; else empty.';
comment on column agenda.endorsements.version is 'How many events made it so; its etag.';
comment on column agenda.endorsements.created_at is 'When its first event was made, by its home''s clock.';
comment on column agenda.endorsements.updated_at is 'When its last event was made, by its home''s clock.';

create table agenda.proposals (
    reference text primary key,
    space text not null,
    agenda_version text not null,
    organization text not null,
    void_reason text not null,
    withdrawn_by uuid,
    withdrawn_reason text not null default '',
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index proposals_space on agenda.proposals (space, reference);
comment on table agenda.proposals is 'Changes of an agenda that were proposed.';
comment on column agenda.proposals.reference is 'Name on every node.';
comment on column agenda.proposals.space is 'Who may hold it: the members of its initiative.';
comment on column agenda.proposals.agenda_version is 'Reference of the version it is made against, which may not be here yet.';
comment on column agenda.proposals.organization is 'Reference of the organization that proposes.';
comment on column agenda.proposals.void_reason is 'Why nobody can decide on it; empty where one can.';
comment on column agenda.proposals.withdrawn_by is 'The event that took it back, whose place in the order says whether it came in time; null where none did.';
comment on column agenda.proposals.withdrawn_reason is 'Why it was taken back; else empty.';
comment on column agenda.proposals.version is 'How many events made it so; its etag.';
comment on column agenda.proposals.created_at is 'When its first event was made, by its home''s clock.';
comment on column agenda.proposals.updated_at is 'When its last event was made, by its home''s clock.';

create table agenda.revisions (
    proposal text not null,
    number integer not null,
    told_by uuid not null,
    title text not null,
    rationale text not null,
    amendment text not null,
    tree jsonb,
    method integer not null,
    threshold integer not null,
    quorum_unit integer not null,
    quorum integer not null,
    closes_at timestamptz not null,
    primary key (proposal, number)
);
comment on table agenda.revisions is 'What was proposed, revision by revision. Which is in force follows from their places in the order.';
comment on column agenda.revisions.proposal is 'Reference of the proposal.';
comment on column agenda.revisions.number is 'From 1.';
comment on column agenda.revisions.told_by is 'The event that told it.';
comment on column agenda.revisions.title is 'What it is about.';
comment on column agenda.revisions.rationale is 'Why.';
comment on column agenda.revisions.amendment is 'The change in words; empty where there is a tree only.';
comment on column agenda.revisions.tree is 'The whole agenda as it would be, as in drafts; null where the change is in words only.';
comment on column agenda.revisions.method is 'Number of commonweal.agenda.v1.DecisionMethod.';
comment on column agenda.revisions.threshold is 'With a majority: more than this share must agree, in percent; else 0.';
comment on column agenda.revisions.quorum_unit is '1: the quorum is a share in percent; 2: it is a count.';
comment on column agenda.revisions.quorum is 'The quorum, in its unit.';
comment on column agenda.revisions.closes_at is 'Until when positions are taken.';

create table agenda.positions (
    reference text primary key,
    space text not null,
    proposal text not null,
    revision integer not null,
    organization text not null,
    stance integer not null,
    reason text not null,
    void_reason text not null,
    taken_by uuid not null,
    withdrawn_by uuid,
    withdrawn_reason text not null default '',
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index positions_space on agenda.positions (space, reference);
create index positions_proposal on agenda.positions (proposal, space, reference);
comment on table agenda.positions is 'What organizations think of a proposal. Which of them count follows from their places in the order.';
comment on column agenda.positions.reference is 'Name on every node.';
comment on column agenda.positions.space is 'Who may hold it: the members of its initiative.';
comment on column agenda.positions.proposal is 'Reference of the proposal, which may not be here yet.';
comment on column agenda.positions.revision is 'Number of the revision.';
comment on column agenda.positions.organization is 'Reference of the organization.';
comment on column agenda.positions.stance is 'Number of commonweal.agenda.v1.Stance.';
comment on column agenda.positions.reason is 'Why; may be empty unless it objects.';
comment on column agenda.positions.void_reason is 'Why it can never count; empty where it can.';
comment on column agenda.positions.taken_by is 'The event that took it, whose place in the order says whether it came in time.';
comment on column agenda.positions.withdrawn_by is 'The event that took it back; null where none did.';
comment on column agenda.positions.withdrawn_reason is 'Why it was taken back; else empty.';
comment on column agenda.positions.version is 'How many events made it so; its etag.';
comment on column agenda.positions.created_at is 'When its first event was made, by its home''s clock.';
comment on column agenda.positions.updated_at is 'When its last event was made, by its home''s clock.';

create table agenda.decisions (
    reference text primary key,
    space text not null,
    proposal text not null,
    revision integer not null,
    eligible integer not null,
    agree integer not null,
    abstain integer not null,
    object integer not null,
    quorum_met boolean not null,
    outcome integer not null,
    as_of_position bigint not null,
    decided_by uuid not null,
    version bigint not null,
    created_at timestamptz not null
);
create index decisions_space on agenda.decisions (space, reference);
create index decisions_proposal on agenda.decisions (proposal, space);
comment on table agenda.decisions is 'What the backbone said that proposals came to. Which of them stand follows from the order.';
comment on column agenda.decisions.reference is 'Name on every node.';
comment on column agenda.decisions.space is 'Who may hold it: the members of its initiative.';
comment on column agenda.decisions.proposal is 'Reference of the proposal.';
comment on column agenda.decisions.revision is 'Number of the revision, as the backbone has it.';
comment on column agenda.decisions.eligible is 'Organizations that may take a position, as the backbone counted them.';
comment on column agenda.decisions.agree is 'How many agree, as the backbone counted them.';
comment on column agenda.decisions.abstain is 'How many abstain, as the backbone counted them.';
comment on column agenda.decisions.object is 'How many object, as the backbone counted them.';
comment on column agenda.decisions.quorum_met is 'Whether enough have a position, as the backbone has it.';
comment on column agenda.decisions.outcome is 'Number of commonweal.agenda.v1.Outcome, as the backbone has it.';
comment on column agenda.decisions.as_of_position is 'Up to which place in the order the backbone counted.';
comment on column agenda.decisions.decided_by is 'The event that decided, whose place in the order is where the tally is cut.';
comment on column agenda.decisions.version is 'How many events made it so: 1.';
comment on column agenda.decisions.created_at is 'When it was made, by its home''s clock.';
