-- Meetings and practice cards. All of it follows from events.

create table messaging.meetings (
    reference text primary key,
    space text not null,
    organization text not null,
    title text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    place text not null,
    link text not null,
    agenda jsonb not null,
    channel text,
    state integer not null,
    cancelled_reason text not null default '',
    minutes text not null default '',
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index meetings_space on messaging.meetings (space, starts_at, reference);
comment on table messaging.meetings is 'When people come together.';
comment on column messaging.meetings.reference is 'Name on every node.';
comment on column messaging.meetings.space is 'Who may hold it.';
comment on column messaging.meetings.organization is 'Reference of the organization that holds it.';
comment on column messaging.meetings.title is 'Title in plain language.';
comment on column messaging.meetings.starts_at is 'When it begins.';
comment on column messaging.meetings.ends_at is 'When it ends.';
comment on column messaging.meetings.place is 'Where people meet.';
comment on column messaging.meetings.link is 'Where those meet who are not there.';
comment on column messaging.meetings.agenda is 'Array of {title, notes}, in order.';
comment on column messaging.meetings.channel is 'Reference of a channel in which it is talked about; null for none.';
comment on column messaging.meetings.state is 'Number of commonweal.messaging.v1.MeetingState.';
comment on column messaging.meetings.cancelled_reason is 'Why it was cancelled; else empty.';
comment on column messaging.meetings.minutes is 'What came of it; empty until written down.';
comment on column messaging.meetings.version is 'How many events made it so; its etag.';
comment on column messaging.meetings.created_at is 'When its first event was made, by its home''s clock.';
comment on column messaging.meetings.updated_at is 'When its last event was made, by its home''s clock.';

create table messaging.practice_cards (
    reference text primary key,
    space text not null,
    organization text not null,
    said jsonb,
    state integer not null,
    reason text not null default '',
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index practice_cards_space on messaging.practice_cards (space, reference);
comment on table messaging.practice_cards is 'What one initiative teaches another.';
comment on column messaging.practice_cards.reference is 'Name on every node.';
comment on column messaging.practice_cards.space is 'Who may hold it: everyone who follows its initiative.';
comment on column messaging.practice_cards.organization is 'Reference of the organization that publishes it.';
comment on column messaging.practice_cards.said is 'What it says: {title, challenge, tried, cost, result, series, failed}; null once retracted.';
comment on column messaging.practice_cards.state is 'Number of commonweal.messaging.v1.PracticeCardState.';
comment on column messaging.practice_cards.reason is 'Why it was retracted or is void; else empty.';
comment on column messaging.practice_cards.version is 'How many events made it so; its etag.';
comment on column messaging.practice_cards.created_at is 'When its first event was made, by its home''s clock.';
comment on column messaging.practice_cards.updated_at is 'When its last event was made, by its home''s clock.';
