//! Decisions as rows.

use chassis::database::unreadable;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{small, spot};
use crate::domain::Tally;
use crate::domain::ballot::Decision;

struct Row {
    reference: Reference,
    proposal: Reference,
    revision: i32,
    eligible: i32,
    agree: i32,
    abstain: i32,
    object: i32,
    quorum_met: bool,
    outcome: i32,
    as_of_position: i64,
    decided_by: Uuid,
    created_at: OffsetDateTime,
    accepted_position: Option<i64>,
    accepted_at: Option<OffsetDateTime>,
}

macro_rules! select_decisions {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select d.reference as "reference: Reference", d.proposal as "proposal: Reference", d.revision, d.eligible,
                      d.agree, d.abstain, d.object, d.quorum_met, d.outcome, d.as_of_position, d.decided_by,
                      d.created_at, l.accepted_position as "accepted_position?", l.accepted_at as "accepted_at?"
                 from agenda.decisions d
                 left join agenda.log l on l.event_id = d.decided_by "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Decision {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let tally = Tally {
            revision: row.revision.try_into().map_err(unreadable)?,
            eligible: row.eligible.try_into().map_err(unreadable)?,
            agree: row.agree.try_into().map_err(unreadable)?,
            abstain: row.abstain.try_into().map_err(unreadable)?,
            object: row.object.try_into().map_err(unreadable)?,
            quorum_met: row.quorum_met,
            outcome: row.outcome.try_into().map_err(unreadable)?,
            as_of: row.as_of_position,
        };
        Ok(Self {
            reference: row.reference,
            proposal: row.proposal,
            tally,
            spot: spot(row.decided_by, row.accepted_position, row.accepted_at),
            made_at: row.created_at,
        })
    }
}

/// Adds a decision; one that is there already stays as it is.
pub async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    proposal: &Reference,
    tally: &Tally,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into agenda.decisions
             (reference, space, proposal, revision, eligible, agree, abstain, object, quorum_met, outcome,
              as_of_position, decided_by, version, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13) on conflict (reference) do nothing",
        event.resource.to_string(),
        event.space.to_string(),
        proposal.to_string(),
        small(tally.revision),
        small(tally.eligible),
        small(tally.agree),
        small(tally.abstain),
        small(tally.object),
        tally.quorum_met,
        tally.outcome.number(),
        tally.as_of,
        event.id,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every decision on a proposal in its space.
pub async fn on(
    connection: &mut PgConnection,
    proposal: &Reference,
    space: &Space,
) -> Result<Vec<Decision>, sqlx::Error> {
    let rows = select_decisions!(
        "where d.proposal = $1 and d.space = $2 order by d.reference",
        proposal.to_string(),
        space.to_string(),
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Every decision in a space, sorted by reference.
pub async fn all(connection: &mut PgConnection, space: &Space) -> Result<Vec<Decision>, sqlx::Error> {
    let rows = select_decisions!("where d.space = $1 order by d.reference", space.to_string());
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}
