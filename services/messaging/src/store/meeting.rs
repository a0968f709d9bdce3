//! Meetings as rows.

use chassis::database::unreadable;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

use crate::domain::Meeting;
use crate::domain::meeting::{AgendaItem, Definition, State};

struct Row {
    reference: Reference,
    space: Space,
    organization: Reference,
    title: String,
    starts_at: OffsetDateTime,
    ends_at: OffsetDateTime,
    place: String,
    link: String,
    agenda: Json<Vec<AgendaItem>>,
    channel: Option<Reference>,
    state: i32,
    cancelled_reason: String,
    minutes: String,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_meetings {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", space as "space: Space",
                      organization as "organization: Reference", title, starts_at, ends_at, place, link,
                      agenda as "agenda: Json<Vec<AgendaItem>>", channel as "channel: Reference", state,
                      cancelled_reason, minutes, version, created_at, updated_at
                 from messaging.meetings "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Meeting {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let definition = Definition {
            organization: row.organization,
            title: row.title,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            place: row.place,
            link: row.link,
            agenda: row.agenda.0,
            channel: row.channel,
        };
        let state = State::try_from(row.state).map_err(unreadable)?;
        Ok(Self {
            reference: row.reference,
            space: row.space,
            definition,
            cancelled: (state == State::Cancelled).then_some(row.cancelled_reason),
            minutes: row.minutes,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// Adds a meeting; one that is there already stays as it is.
pub async fn insert(
    connection: &mut PgConnection,
    reference: &Reference,
    space: &Space,
    definition: &Definition,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.meetings
             (reference, space, organization, title, starts_at, ends_at, place, link, agenda, channel, state, version,
              created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12)
         on conflict (reference) do nothing",
        reference.to_string(),
        space.to_string(),
        definition.organization.to_string(),
        definition.title,
        definition.starts_at,
        definition.ends_at,
        definition.place,
        definition.link,
        Json(&definition.agenda) as _,
        definition.channel.as_ref().map(ToString::to_string),
        State::Scheduled.number(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives a meeting another definition; what never changes of it is not looked at.
pub async fn revise(
    connection: &mut PgConnection,
    reference: &Reference,
    definition: &Definition,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update messaging.meetings
            set title = $2, starts_at = $3, ends_at = $4, place = $5, link = $6, agenda = $7, channel = $8,
                version = version + 1, updated_at = $9
          where reference = $1",
        reference.to_string(),
        definition.title,
        definition.starts_at,
        definition.ends_at,
        definition.place,
        definition.link,
        Json(&definition.agenda) as _,
        definition.channel.as_ref().map(ToString::to_string),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes down what came of a meeting.
pub async fn record_minutes(
    connection: &mut PgConnection,
    reference: &Reference,
    minutes: &str,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update messaging.meetings set minutes = $2, version = version + 1, updated_at = $3 where reference = $1",
        reference.to_string(),
        minutes,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Cancels a meeting.
pub async fn cancel(
    connection: &mut PgConnection,
    reference: &Reference,
    reason: &str,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update messaging.meetings
            set state = $2, cancelled_reason = $3, version = version + 1, updated_at = $4 where reference = $1",
        reference.to_string(),
        State::Cancelled.number(),
        reason,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One meeting.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Meeting>, sqlx::Error> {
    let row = select_meetings!("where reference = $1", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One meeting, which nobody else changes until the end of the transaction.
pub async fn load_locked(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Meeting>, sqlx::Error> {
    let row =
        select_meetings!("where reference = $1 for update", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// Meetings of an initiative, or of some spaces of it, by the time they begin.
pub async fn list(
    connection: &mut PgConnection,
    spaces: &[String],
    ends_after: Option<OffsetDateTime>,
    after: Option<(OffsetDateTime, String)>,
    limit: i64,
) -> Result<Vec<Meeting>, sqlx::Error> {
    let (begins, reference) = after.unzip();
    let rows = select_meetings!(
        "where space = any($1) and ($2::timestamptz is null or ends_at > $2)
           and ($3::timestamptz is null or (starts_at, reference) > ($3, $4))
         order by starts_at, reference limit $5",
        spaces,
        ends_after,
        begins,
        reference,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// The spaces of an initiative in which there are meetings.
pub async fn spaces(connection: &mut PgConnection, initiative: &Reference) -> Result<Vec<Space>, sqlx::Error> {
    // Every space of an initiative begins with its reference and a slash; a zero follows the slash.
    sqlx::query_scalar!(
        r#"select distinct space as "space: Space" from messaging.meetings
            where space >= $1 || '/' and space < $1 || '0' order by 1"#,
        initiative.to_string(),
    )
    .fetch_all(connection)
    .await
}
