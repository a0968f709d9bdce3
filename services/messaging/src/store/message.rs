//! Messages as rows.

use chassis::database::unreadable;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::Message;
use crate::domain::channel::Kind;
use crate::domain::message::{Heading, State};

/// A message as its columns have it.
pub(super) struct Row {
    pub(super) reference: Reference,
    pub(super) space: Space,
    pub(super) channel: Reference,
    pub(super) thread: Option<Reference>,
    pub(super) organization: Reference,
    pub(super) written_at: Option<OffsetDateTime>,
    pub(super) body: String,
    pub(super) byline: String,
    pub(super) state: i32,
    pub(super) void_reason: String,
    pub(super) edited_at: Option<OffsetDateTime>,
    pub(super) posted_position: Option<i64>,
    pub(super) version: i64,
    pub(super) created_at: OffsetDateTime,
    pub(super) updated_at: OffsetDateTime,
}

macro_rules! select_messages {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select m.reference as "reference: Reference", m.space as "space: Space", m.channel as "channel: Reference",
                      m.thread as "thread: Reference", m.organization as "organization: Reference", m.written_at, m.body,
                      m.byline, m.state, m.void_reason, m.edited_at, m.posted_position, m.version, m.created_at,
                      m.updated_at
                 from messaging.messages m "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Message {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let heading = Heading {
            channel: row.channel,
            thread: row.thread,
            organization: row.organization,
            written_at: row.written_at,
        };
        Ok(Self {
            reference: row.reference,
            space: row.space,
            heading,
            body: row.body,
            byline: row.byline,
            state: row.state.try_into().map_err(unreadable)?,
            void_reason: row.void_reason,
            edited_at: row.edited_at,
            posted_position: row.posted_position,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// What a message says, and where.
pub struct Said<'a> {
    /// Where it belongs.
    pub heading: &'a Heading,
    /// What it says.
    pub body: &'a str,
    /// How the author signs.
    pub byline: &'a str,
}

/// Adds a message; one that is there already stays as it is, and the answer is no.
pub async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    said: &Said<'_>,
    (state, void_reason): &(State, String),
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "insert into messaging.messages
             (reference, space, channel, thread, organization, written_at, body, byline, state, void_reason, posted_by,
              posted_position, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $13)
         on conflict (reference) do nothing",
        event.resource.to_string(),
        event.space.to_string(),
        said.heading.channel.to_string(),
        said.heading.thread.as_ref().map(ToString::to_string),
        said.heading.organization.to_string(),
        said.heading.written_at,
        said.body,
        said.byline,
        state.number(),
        void_reason,
        event.id,
        event.accepted.map(|place| place.position),
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Gives a message another body.
pub async fn edit(
    connection: &mut PgConnection,
    reference: &Reference,
    body: &str,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update messaging.messages set body = $2, edited_at = $3, version = version + 1, updated_at = $3
          where reference = $1",
        reference.to_string(),
        body,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts one more event that changes nothing else.
pub async fn touch(
    connection: &mut PgConnection,
    reference: &Reference,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update messaging.messages set version = version + 1, updated_at = $2 where reference = $1",
        reference.to_string(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts what is left of a message that was taken back in the place of all that was there.
pub async fn withdraw(
    connection: &mut PgConnection,
    event: &Event,
    heading: &Heading,
    (state, void_reason): &(State, String),
    (posted_at, version): (OffsetDateTime, i64),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.messages as before
             (reference, space, channel, thread, organization, written_at, body, byline, state, void_reason, version,
              created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, '', '', $7, $8, $9, $10, $11)
         on conflict (reference) do update
            set space = excluded.space, channel = excluded.channel, thread = excluded.thread,
                organization = excluded.organization, written_at = excluded.written_at, body = '', byline = '',
                state = excluded.state, void_reason = excluded.void_reason, edited_at = null, posted_by = null,
                posted_position = null, version = excluded.version, created_at = excluded.created_at,
                updated_at = excluded.updated_at",
        event.resource.to_string(),
        event.space.to_string(),
        heading.channel.to_string(),
        heading.thread.as_ref().map(ToString::to_string),
        heading.organization.to_string(),
        heading.written_at,
        state.number(),
        void_reason,
        version,
        posted_at,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One message.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Message>, sqlx::Error> {
    let row = select_messages!("where m.reference = $1", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One message, which nobody else changes until the end of the transaction.
pub async fn load_locked(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Message>, sqlx::Error> {
    let row = select_messages!("where m.reference = $1 for update", reference.to_string());
    row.fetch_optional(connection).await?.map(TryInto::try_into).transpose()
}

/// Every message of a space, sorted by reference.
pub async fn list(connection: &mut PgConnection, space: &Space) -> Result<Vec<Message>, sqlx::Error> {
    let rows = select_messages!("where m.space = $1 order by m.reference", space.to_string());
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Question {
    /// In channels of these spaces.
    pub spaces: Vec<String>,
    /// In this channel only.
    pub channel: Option<Reference>,
    /// The words.
    pub words: String,
}

/// Messages that say all the words, the last posted first. What is void in its channel (see
/// `domain::message::void_in`) is not found.
pub async fn search(
    connection: &mut PgConnection,
    question: &Question,
    after: Option<(OffsetDateTime, String)>,
    limit: i64,
) -> Result<Vec<Message>, sqlx::Error> {
    let (before, reference) = after.unzip();
    let rows = select_messages!(
        "join messaging.channels c on c.reference = m.channel and c.space = m.space
         where m.words @@ websearch_to_tsquery('simple', $1) and m.state = $2 and m.space = any($3)
           and ($4::text is null or m.channel = $4)
           and (c.kind <> $5 or split_part(m.reference, '/', 1) = split_part(m.space, '/', 1))
           and (c.closed_position is null or m.posted_position <= c.closed_position)
           and ($6::timestamptz is null or (m.created_at, m.reference) < ($6, $7))
         order by m.created_at desc, m.reference desc limit $8",
        question.words,
        State::Posted.number(),
        &question.spaces,
        question.channel.as_ref().map(ToString::to_string),
        Kind::Announcements.number(),
        before,
        reference,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}
