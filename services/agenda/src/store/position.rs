//! Positions as rows.

use chassis::database::unreadable;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{small, spot};
use crate::domain::Opinion;
use crate::domain::ballot::Position;

struct Row {
    reference: Reference,
    space: Space,
    proposal: Reference,
    revision: i32,
    organization: Reference,
    stance: i32,
    reason: String,
    void_reason: String,
    taken_by: Uuid,
    taken_position: Option<i64>,
    taken_at: Option<OffsetDateTime>,
    withdrawn_by: Option<Uuid>,
    withdrawn_position: Option<i64>,
    withdrawn_at: Option<OffsetDateTime>,
    withdrawn_reason: String,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_positions {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select p.reference as "reference: Reference", p.space as "space: Space",
                      p.proposal as "proposal: Reference", p.revision, p.organization as "organization: Reference",
                      p.stance, p.reason, p.void_reason, p.taken_by, t.accepted_position as "taken_position?",
                      t.accepted_at as "taken_at?", p.withdrawn_by, w.accepted_position as "withdrawn_position?",
                      w.accepted_at as "withdrawn_at?", p.withdrawn_reason, p.version, p.created_at, p.updated_at
                 from agenda.positions p
                 left join agenda.log t on t.event_id = p.taken_by
                 left join agenda.log w on w.event_id = p.withdrawn_by "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Position {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let opinion = Opinion {
            proposal: row.proposal,
            revision: row.revision.try_into().map_err(unreadable)?,
            organization: row.organization,
            stance: row.stance.try_into().map_err(unreadable)?,
            reason: row.reason,
        };
        Ok(Self {
            reference: row.reference,
            space: row.space,
            opinion,
            void_reason: row.void_reason,
            spot: spot(row.taken_by, row.taken_position, row.taken_at),
            withdrawn: row.withdrawn_by.map(|event| spot(event, row.withdrawn_position, row.withdrawn_at)),
            withdrawn_reason: row.withdrawn_reason,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// Adds a position; one that is there already stays as it is.
pub async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    opinion: &Opinion,
    void_reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into agenda.positions
             (reference, space, proposal, revision, organization, stance, reason, void_reason, taken_by, version,
              created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10) on conflict (reference) do nothing",
        event.resource.to_string(),
        event.space.to_string(),
        opinion.proposal.to_string(),
        small(opinion.revision),
        opinion.organization.to_string(),
        opinion.stance.number(),
        opinion.reason,
        void_reason,
        event.id,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a position back, by an event whose place says whether it came in time; only the first such event does.
pub async fn withdraw(connection: &mut PgConnection, event: &Event, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update agenda.positions
            set withdrawn_reason = case when withdrawn_by is null then $3 else withdrawn_reason end,
                withdrawn_by = coalesce(withdrawn_by, $2), version = version + 1, updated_at = $4
          where reference = $1",
        event.resource.to_string(),
        event.id,
        reason,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One position.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Position>, sqlx::Error> {
    let row = select_positions!("where p.reference = $1", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// Every position on a proposal in its space, sorted by reference.
pub async fn on(
    connection: &mut PgConnection,
    proposal: &Reference,
    space: &Space,
) -> Result<Vec<Position>, sqlx::Error> {
    let rows = select_positions!(
        "where p.proposal = $1 and p.space = $2 order by p.reference",
        proposal.to_string(),
        space.to_string(),
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Every position in a space, sorted by reference.
pub async fn all(connection: &mut PgConnection, space: &Space) -> Result<Vec<Position>, sqlx::Error> {
    let rows = select_positions!("where p.space = $1 order by p.reference", space.to_string());
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}
