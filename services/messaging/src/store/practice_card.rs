//! Practice cards as rows.

use chassis::database::unreadable;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

use crate::domain::PracticeCard;
use crate::domain::practice_card::{Said, State};

struct Row {
    reference: Reference,
    space: Space,
    organization: Reference,
    said: Option<Json<Said>>,
    state: i32,
    reason: String,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_cards {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", space as "space: Space",
                      organization as "organization: Reference", said as "said: Json<Said>", state, reason, version,
                      created_at, updated_at
                 from messaging.practice_cards "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for PracticeCard {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            reference: row.reference,
            space: row.space,
            organization: row.organization,
            said: row.said.map(|said| said.0),
            state: row.state.try_into().map_err(unreadable)?,
            reason: row.reason,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// Adds a card; one that is there already stays as it is.
pub async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    organization: &Reference,
    said: &Said,
    (state, reason): &(State, String),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.practice_cards
             (reference, space, organization, said, state, reason, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, 1, $7, $7)
         on conflict (reference) do nothing",
        event.resource.to_string(),
        event.space.to_string(),
        organization.to_string(),
        Json(said) as _,
        state.number(),
        reason,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Lets a card that stands say something else; one that does not is counted and says nothing.
pub async fn revise(
    connection: &mut PgConnection,
    reference: &Reference,
    said: &Said,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update messaging.practice_cards
            set said = case when state = $2 then $3 else said end, version = version + 1, updated_at = $4
          where reference = $1",
        reference.to_string(),
        State::Published.number(),
        Json(said) as _,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts what is left of a card that was taken back in the place of all that was there.
pub async fn retract(
    connection: &mut PgConnection,
    event: &Event,
    organization: &Reference,
    (state, reason): &(State, String),
    (published_at, version): (OffsetDateTime, i64),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.practice_cards
             (reference, space, organization, said, state, reason, version, created_at, updated_at)
         values ($1, $2, $3, null, $4, $5, $6, $7, $8)
         on conflict (reference) do update
            set space = excluded.space, organization = excluded.organization, said = null, state = excluded.state,
                reason = excluded.reason, version = excluded.version, created_at = excluded.created_at,
                updated_at = excluded.updated_at",
        event.resource.to_string(),
        event.space.to_string(),
        organization.to_string(),
        state.number(),
        reason,
        version,
        published_at,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One card.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<PracticeCard>, sqlx::Error> {
    let row = select_cards!("where reference = $1", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One card, which nobody else changes until the end of the transaction.
pub async fn load_locked(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<PracticeCard>, sqlx::Error> {
    let row =
        select_cards!("where reference = $1 for update", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// Cards of a space, or of all, sorted by reference; only those in a state, if one is given.
pub async fn list(
    connection: &mut PgConnection,
    space: Option<&Space>,
    state: Option<State>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<PracticeCard>, sqlx::Error> {
    let rows = select_cards!(
        "where ($1::text is null or space = $1) and ($2::integer is null or state = $2)
           and ($3::text is null or reference > $3)
         order by reference limit $4",
        space.map(ToString::to_string),
        state.map(State::number),
        after,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}
