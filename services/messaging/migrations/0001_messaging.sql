-- Channels, messages and how far people have read. All of it follows from events.

create table messaging.channels (
    reference text primary key,
    space text not null,
    organization text not null,
    name text not null,
    purpose text not null,
    subject text,
    kind integer not null,
    state integer not null,
    closed_reason text not null default '',
    closed_by uuid,
    closed_position bigint,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index channels_space on messaging.channels (space, reference);
create index channels_closed_by on messaging.channels (closed_by) where closed_by is not null;
comment on table messaging.channels is 'Where people talk.';
comment on column messaging.channels.reference is 'Name on every node.';
comment on column messaging.channels.space is 'Who may hold it and its messages.';
comment on column messaging.channels.organization is 'Reference of the organization that opened it.';
comment on column messaging.channels.name is 'Name in plain language.';
comment on column messaging.channels.purpose is 'What it is for.';
comment on column messaging.channels.subject is 'Reference of what it is about, which may not be here; null for the initiative.';
comment on column messaging.channels.kind is 'Number of commonweal.messaging.v1.ChannelKind.';
comment on column messaging.channels.state is 'Number of commonweal.messaging.v1.ChannelState.';
comment on column messaging.channels.closed_reason is 'Why it was closed; empty while open.';
comment on column messaging.channels.closed_by is 'The event that closed it.';
comment on column messaging.channels.closed_position is 'Place of that event in the space''s order: what was posted after it is void. Null while pending.';
comment on column messaging.channels.version is 'How many events made it so; its etag.';
comment on column messaging.channels.created_at is 'When its first event was made, by its home''s clock.';
comment on column messaging.channels.updated_at is 'When its last event was made, by its home''s clock.';

create table messaging.messages (
    reference text primary key,
    space text not null,
    channel text not null,
    thread text,
    organization text not null,
    written_at timestamptz,
    body text not null,
    byline text not null,
    state integer not null,
    void_reason text not null default '',
    edited_at timestamptz,
    posted_by uuid,
    posted_position bigint,
    words tsvector generated always as (to_tsvector('simple'::regconfig, body)) stored,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index messages_space on messaging.messages (space, reference);
create index messages_words on messaging.messages using gin (words);
create index messages_posted_by on messaging.messages (posted_by) where posted_by is not null;
comment on table messaging.messages is 'What is said in channels.';
comment on column messaging.messages.reference is 'Name on every node.';
comment on column messaging.messages.space is 'Who may hold it.';
comment on column messaging.messages.channel is 'Reference of the channel, which may not be here yet.';
comment on column messaging.messages.thread is 'Reference of the first message of the thread it answers in; null for none.';
comment on column messaging.messages.organization is 'Reference of the organization it is written for.';
comment on column messaging.messages.written_at is 'When it was written, for what was first said elsewhere.';
comment on column messaging.messages.body is 'What it says. Personal; empty once withdrawn.';
comment on column messaging.messages.byline is 'How the author signs. Personal; empty once withdrawn.';
comment on column messaging.messages.state is 'Number of commonweal.messaging.v1.MessageState.';
comment on column messaging.messages.void_reason is 'Why it is void by itself; empty otherwise.';
comment on column messaging.messages.edited_at is 'When it was last edited; null if never.';
comment on column messaging.messages.posted_by is 'The event that posted it; null once withdrawn, when nothing is left of that event.';
comment on column messaging.messages.posted_position is 'Place of that event in the space''s order; null while pending.';
comment on column messaging.messages.words is 'The words of the body, for the search.';
comment on column messaging.messages.version is 'How many events made it so; its etag.';
comment on column messaging.messages.created_at is 'When its first event was made, by its home''s clock.';
comment on column messaging.messages.updated_at is 'When its last event was made, by its home''s clock.';

create table messaging.entries (
    event uuid primary key,
    message text not null,
    space text not null,
    channel text not null,
    thread text,
    change integer not null,
    position bigint
);
create index entries_message on messaging.entries (message);
create index entries_channel on messaging.entries (channel, position, event);
create index entries_pending on messaging.entries (channel, event) where position is null;
comment on table messaging.entries is 'What happened in a channel, in the order of its space: what a cursor goes along.';
comment on column messaging.entries.event is 'The event.';
comment on column messaging.entries.message is 'Reference of the message it is about.';
comment on column messaging.entries.space is 'Space of the message.';
comment on column messaging.entries.channel is 'Reference of the channel.';
comment on column messaging.entries.thread is 'Reference of the first message of the thread; null for none.';
comment on column messaging.entries.change is 'Number of commonweal.messaging.v1.Change.';
comment on column messaging.entries.position is 'Place in the space''s order; null while pending. Several may share one: then the event''s id decides.';

create table messaging.read_positions (
    reference text primary key,
    person text not null,
    channel text not null,
    cursor text not null,
    version bigint not null,
    updated_at timestamptz not null
);
create index read_positions_person on messaging.read_positions (person, channel);
comment on table messaging.read_positions is 'How far people have read. Never leaves the node.';
comment on column messaging.read_positions.reference is 'Name on this node.';
comment on column messaging.read_positions.person is 'Pseudonym of the person.';
comment on column messaging.read_positions.channel is 'Reference of the channel.';
comment on column messaging.read_positions.cursor is 'Cursor of the last entry that was read.';
comment on column messaging.read_positions.version is 'How many events made it so.';
comment on column messaging.read_positions.updated_at is 'When it was last moved.';
