//! Channels as rows.

use chassis::database::unreadable;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::Channel;
use crate::domain::channel::{Definition, State};

struct Row {
    reference: Reference,
    space: Space,
    organization: Reference,
    name: String,
    purpose: String,
    subject: Option<Reference>,
    kind: i32,
    state: i32,
    closed_reason: String,
    closed_position: Option<i64>,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_channels {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", space as "space: Space",
                      organization as "organization: Reference", name, purpose, subject as "subject: Reference", kind,
                      state, closed_reason, closed_position, version, created_at, updated_at
                 from messaging.channels "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Channel {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let initiative = row.space.initiative().cloned();
        let definition = Definition {
            organization: row.organization,
            name: row.name,
            purpose: row.purpose,
            subject: row.subject,
            kind: row.kind.try_into().map_err(unreadable)?,
        };
        let state = State::try_from(row.state).map_err(unreadable)?;
        Ok(Self {
            reference: row.reference,
            initiative: initiative
                .ok_or_else(|| sqlx::Error::Protocol("a channel without an initiative".to_owned()))?,
            space: row.space,
            definition,
            closed: (state == State::Closed).then_some(row.closed_reason),
            closed_position: row.closed_position,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// Adds a channel; one that is there already stays as it is.
pub async fn insert(
    connection: &mut PgConnection,
    reference: &Reference,
    space: &Space,
    definition: &Definition,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.channels
             (reference, space, organization, name, purpose, subject, kind, state, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)
         on conflict (reference) do nothing",
        reference.to_string(),
        space.to_string(),
        definition.organization.to_string(),
        definition.name,
        definition.purpose,
        definition.subject.as_ref().map(ToString::to_string),
        definition.kind.number(),
        State::Open.number(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Closes a channel by an event, at its place in the space's order. One that is closed stays as it was closed.
pub async fn close(
    connection: &mut PgConnection,
    reference: &Reference,
    reason: &str,
    (event, position): (Uuid, Option<i64>),
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update messaging.channels
            set closed_reason = case when state = $2 then closed_reason else $3 end,
                closed_by = coalesce(closed_by, $4),
                closed_position = case when state = $2 then closed_position else $5 end,
                state = $2, version = version + 1, updated_at = $6
          where reference = $1",
        reference.to_string(),
        State::Closed.number(),
        reason,
        event,
        position,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One channel.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Channel>, sqlx::Error> {
    let row = select_channels!("where reference = $1", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One channel, which nobody else changes until the end of the transaction.
pub async fn load_locked(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Channel>, sqlx::Error> {
    let row =
        select_channels!("where reference = $1 for update", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One channel, which nobody closes until the end of the transaction; others may post in it meanwhile.
pub async fn load_open(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Channel>, sqlx::Error> {
    let row =
        select_channels!("where reference = $1 for share", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// Which channels a list is to hold.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Those of these spaces.
    pub spaces: Vec<String>,
    /// Only those about this.
    pub subject: Option<Reference>,
    /// Only those in this state.
    pub state: Option<State>,
}

impl Filter {
    /// All channels of some spaces.
    pub fn within(spaces: Vec<String>) -> Self {
        Self { spaces, subject: None, state: None }
    }
}

/// Channels sorted by reference, which is by home and then by time.
pub async fn list(
    connection: &mut PgConnection,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Channel>, sqlx::Error> {
    let rows = select_channels!(
        "where space = any($1) and ($2::text is null or subject = $2) and ($3::integer is null or state = $3)
           and ($4::text is null or reference > $4)
         order by reference limit $5",
        &filter.spaces,
        filter.subject.as_ref().map(ToString::to_string),
        filter.state.map(State::number),
        after,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// The spaces of an initiative in which there are channels.
pub async fn spaces(connection: &mut PgConnection, initiative: &Reference) -> Result<Vec<Space>, sqlx::Error> {
    // Every space of an initiative begins with its reference and a slash; a zero follows the slash.
    sqlx::query_scalar!(
        r#"select distinct space as "space: Space" from messaging.channels
            where space >= $1 || '/' and space < $1 || '0' order by 1"#,
        initiative.to_string(),
    )
    .fetch_all(connection)
    .await
}
