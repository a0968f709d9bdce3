//! What happened in a channel, as rows: what a cursor goes along.

use chassis::event::Event;
use chassis::names::{Reference, Space};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::message;
use crate::domain::cursor::Place;
use crate::domain::message::{Change, Heading, State};
use crate::domain::{Channel, Message};

/// One line of what happened in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event.
    pub event: Uuid,
    /// What happened.
    pub change: Change,
    /// Its place in the space's order; `None` while pending.
    pub position: Option<i64>,
    /// The message as it stands.
    pub message: Message,
}

struct Row {
    event: Uuid,
    change: i32,
    position: Option<i64>,
    reference: Reference,
    space: Space,
    channel: Reference,
    thread: Option<Reference>,
    organization: Reference,
    written_at: Option<OffsetDateTime>,
    body: String,
    byline: String,
    state: i32,
    void_reason: String,
    edited_at: Option<OffsetDateTime>,
    posted_position: Option<i64>,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

// What is void in its channel is not listed: the same conditions as `domain::message::void_in`.
macro_rules! select_entries {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select e.event, e.change, e.position, m.reference as "reference: Reference", m.space as "space: Space",
                      m.channel as "channel: Reference", m.thread as "thread: Reference",
                      m.organization as "organization: Reference", m.written_at, m.body, m.byline, m.state,
                      m.void_reason, m.edited_at, m.posted_position, m.version, m.created_at, m.updated_at
                 from messaging.entries e join messaging.messages m on m.reference = e.message
                where e.channel = $1 and e.space = $2 and ($3::text is null or e.thread = $3 or e.message = $3)
                  and m.state <> $4 and ($5::text is null or split_part(m.reference, '/', 1) = $5)
                  and ($6::bigint is null or m.posted_position <= $6 or m.state = $7)
                  and e.event <> all($8) "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Entry {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let message = message::Row {
            reference: row.reference,
            space: row.space,
            channel: row.channel,
            thread: row.thread,
            organization: row.organization,
            written_at: row.written_at,
            body: row.body,
            byline: row.byline,
            state: row.state,
            void_reason: row.void_reason,
            edited_at: row.edited_at,
            posted_position: row.posted_position,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        let change = row.change.try_into().map_err(chassis::database::unreadable)?;
        Ok(Self { event: row.event, change, position: row.position, message: message.try_into()? })
    }
}

/// Adds what happened to a message by an event.
pub async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    heading: &Heading,
    change: Change,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.entries (event, message, space, channel, thread, change, position)
         values ($1, $2, $3, $4, $5, $6, $7)",
        event.id,
        event.resource.to_string(),
        event.space.to_string(),
        heading.channel.to_string(),
        heading.thread.as_ref().map(ToString::to_string),
        change.number(),
        event.accepted.map(|place| place.position),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets what happened to a message.
pub async fn forget(connection: &mut PgConnection, message: &Reference) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from messaging.entries where message = $1", message.to_string()).execute(connection).await?;
    Ok(())
}

/// Notes the place of events of this node, wherever a row hangs on it.
pub async fn place(connection: &mut PgConnection, events: &[Uuid], position: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with entry as (update messaging.entries set position = $2 where event = any($1)),
              channel as (update messaging.channels set closed_position = $2 where closed_by = any($1))
         update messaging.messages set posted_position = $2 where posted_by = any($1)",
        events,
        position,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How entries stand now: those that are gone are not among them.
pub async fn standing(
    connection: &mut PgConnection,
    channel: &Reference,
    events: &[Uuid],
) -> Result<Vec<(Uuid, Option<i64>)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select event, position from messaging.entries where event = any($1) and channel = $2 order by event",
        events,
        channel.to_string(),
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(|row| (row.event, row.position)).collect())
}

/// What is asked of a channel.
pub struct Question<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// This thread only.
    pub thread: Option<&'a Reference>,
}

/// Accepted entries after a place, without some.
pub async fn accepted(
    connection: &mut PgConnection,
    question: &Question<'_>,
    without: &[Uuid],
    (position, event): Place,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = select_entries!(
        "and (e.position, e.event) > ($9, $10) order by e.position, e.event limit $11",
        question.channel.reference.to_string(),
        question.channel.space.to_string(),
        question.thread.map(ToString::to_string),
        State::Void.number(),
        question.channel.only_home().map(ToString::to_string),
        question.channel.closed_position,
        State::Withdrawn.number(),
        without,
        position,
        event,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Pending entries, without some.
pub async fn pending(
    connection: &mut PgConnection,
    question: &Question<'_>,
    without: &[Uuid],
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = select_entries!(
        "and e.position is null order by e.event limit $9",
        question.channel.reference.to_string(),
        question.channel.space.to_string(),
        question.thread.map(ToString::to_string),
        State::Void.number(),
        question.channel.only_home().map(ToString::to_string),
        question.channel.closed_position,
        State::Withdrawn.number(),
        without,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// How many messages were posted after a place, some excepted, and still stand; counted up to a limit.
pub async fn posted_after(
    connection: &mut PgConnection,
    question: &Question<'_>,
    without: &[Uuid],
    (position, event): Place,
    limit: i64,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!"
             from (select from messaging.entries e join messaging.messages m on m.reference = e.message
                    where e.channel = $1 and e.space = $2 and e.change = $3 and m.state = $4
                      and ($5::text is null or split_part(m.reference, '/', 1) = $5)
                      and ($6::bigint is null or m.posted_position <= $6)
                      and e.event <> all($7) and (e.position is null or (e.position, e.event) > ($8, $9))
                    limit $10) unread"#,
        question.channel.reference.to_string(),
        question.channel.space.to_string(),
        Change::Posted.number(),
        State::Posted.number(),
        question.channel.only_home().map(ToString::to_string),
        question.channel.closed_position,
        without,
        position,
        event,
        limit,
    )
    .fetch_one(connection)
    .await
}
