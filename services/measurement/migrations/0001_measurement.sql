-- Measures, submissions and their observations. All of it follows from events.

create table measurement.measures (
    reference text primary key,
    space text not null,
    node text not null,
    code text not null,
    name text not null,
    kind integer not null,
    unit text not null,
    direction integer not null,
    aggregation integer not null,
    dimensions jsonb not null,
    numerator text not null,
    denominator text not null,
    decimals integer not null,
    per integer not null,
    numerator_may_exceed boolean not null,
    may_be_negative boolean not null,
    state integer not null,
    retired_reason text not null default '',
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index measures_space on measurement.measures (space, reference);
create index measures_code on measurement.measures (code, space);
comment on table measurement.measures is 'What an initiative agrees to count.';
comment on column measurement.measures.reference is 'Name on every node.';
comment on column measurement.measures.space is 'Who may hold it: the members of its initiative.';
comment on column measurement.measures.node is 'Id of the node that defined it.';
comment on column measurement.measures.code is 'Short name for programs; unique among the active measures of one home in one initiative.';
comment on column measurement.measures.name is 'Name in plain language.';
comment on column measurement.measures.kind is 'Number of commonweal.measurement.v1.MeasureKind.';
comment on column measurement.measures.unit is 'What one is one of.';
comment on column measurement.measures.direction is 'Number of commonweal.measurement.v1.Direction.';
comment on column measurement.measures.aggregation is 'Number of commonweal.measurement.v1.Aggregation.';
comment on column measurement.measures.dimensions is 'Array of {name, codes: [{code, name}]}.';
comment on column measurement.measures.numerator is 'Who is counted above the line; empty unless a ratio of sums.';
comment on column measurement.measures.denominator is 'Who is counted below the line, or what weighs a mean; else empty.';
comment on column measurement.measures.decimals is 'Decimals to which rates and means are rounded.';
comment on column measurement.measures.per is 'A rate is so many per this; at least 1.';
comment on column measurement.measures.numerator_may_exceed is 'The numerator is no part of the denominator.';
comment on column measurement.measures.may_be_negative is 'Values below zero make sense.';
comment on column measurement.measures.state is 'Number of commonweal.measurement.v1.MeasureState.';
comment on column measurement.measures.retired_reason is 'Why it was retired; empty while active.';
comment on column measurement.measures.version is 'How many events made it so; its etag.';
comment on column measurement.measures.created_at is 'When its first event was made, by its home''s clock.';
comment on column measurement.measures.updated_at is 'When its last event was made, by its home''s clock.';

create table measurement.submissions (
    reference text primary key,
    key uuid not null unique,
    series uuid not null,
    space text not null,
    measure text not null,
    organization text not null,
    basis integer not null,
    source text not null,
    state integer not null,
    state_reason text not null default '',
    observations bigint not null default 0,
    digest bytea not null,
    revision_reason text not null default '',
    sealed_at timestamptz,
    sealed_by uuid,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index submissions_space on measurement.submissions (space, reference);
create index submissions_measure on measurement.submissions (measure, space, basis, series);
comment on table measurement.submissions is 'Batches of observations that count as a whole or not at all.';
comment on column measurement.submissions.reference is 'Name on every node.';
comment on column measurement.submissions.key is 'First 16 bytes of the SHA-256 of the reference: its name within this schema, a quarter as long.';
comment on column measurement.submissions.series is 'First 16 bytes of the SHA-256 of space, measure, basis and organization: what one reporter says on one measure.';
comment on column measurement.submissions.space is 'Who may hold it.';
comment on column measurement.submissions.measure is 'Reference of the measure, which may not be here yet.';
comment on column measurement.submissions.organization is 'Reference of the organization that reports.';
comment on column measurement.submissions.basis is 'Number of commonweal.measurement.v1.Basis.';
comment on column measurement.submissions.source is 'Where the figures come from.';
comment on column measurement.submissions.state is 'Number of commonweal.measurement.v1.SubmissionState.';
comment on column measurement.submissions.state_reason is 'Why it is void or was withdrawn; else empty.';
comment on column measurement.submissions.observations is 'How many observations were recorded.';
comment on column measurement.submissions.digest is 'Digest of the observations recorded, in their order.';
comment on column measurement.submissions.revision_reason is 'Why it changes values reported before; empty where it changes none.';
comment on column measurement.submissions.sealed_at is 'When it was sealed, by its home''s clock.';
comment on column measurement.submissions.sealed_by is 'The event that sealed it: of two values for one cell the one sealed by the later event counts.';
comment on column measurement.submissions.version is 'How many events made it so; its etag.';
comment on column measurement.submissions.created_at is 'When its first event was made, by its home''s clock.';
comment on column measurement.submissions.updated_at is 'When its last event was made, by its home''s clock.';

create table measurement.observations (
    series uuid not null,
    submission uuid not null,
    breakdown text not null,
    starts date not null,
    ends date not null,
    dimensions text not null,
    level text not null,
    code text not null,
    name text not null,
    value numeric,
    value_state smallint,
    numerator numeric,
    numerator_state smallint,
    denominator numeric,
    denominator_state smallint,
    rate_withheld boolean not null
);
create unique index observations_cell on measurement.observations
    (series, breakdown, starts, ends, dimensions, level, code, submission);
comment on table measurement.observations is 'What was seen in one place, in one period, for one group of people. Counts while its submission is sealed.';
comment on column measurement.observations.series is 'Series of the submission: leads the index, so that whatever a reporter said of a cell stands together.';
comment on column measurement.observations.submission is 'Key of the submission. No foreign key: checking it for every row would cost a third of the rate at which rows come in.';
comment on column measurement.observations.breakdown is 'Names of the dimensions it is broken down by, sorted: gender;race. Empty for all people.';
comment on column measurement.observations.starts is 'First day of the period.';
comment on column measurement.observations.ends is 'Last day of the period.';
comment on column measurement.observations.dimensions is 'The group, sorted: gender=female;race=black. Empty for all people.';
comment on column measurement.observations.level is 'Kind of place.';
comment on column measurement.observations.code is 'The place''s code, as its source writes it.';
comment on column measurement.observations.name is 'The place''s name.';
comment on column measurement.observations.value is 'The value, where reported.';
comment on column measurement.observations.value_state is 'Number of commonweal.measurement.v1.ValueState; null where the part does not belong to the measure.';
comment on column measurement.observations.numerator is 'Above the line, where reported.';
comment on column measurement.observations.numerator_state is 'As value_state.';
comment on column measurement.observations.denominator is 'Below the line or the weight of a mean, where reported.';
comment on column measurement.observations.denominator_state is 'As value_state.';
comment on column measurement.observations.rate_withheld is 'The source published both counts and withheld the rate: it is never shown.';

create function measurement.forget_observations() returns trigger language plpgsql as $$
begin
    delete from measurement.observations o using gone where o.series = gone.series and o.submission = gone.key;
    return null;
end
$$;
comment on function measurement.forget_observations() is 'Observations go with their submission, when the log is folded again.';
create trigger submissions_gone after delete on measurement.submissions
    referencing old table as gone for each statement execute function measurement.forget_observations();
