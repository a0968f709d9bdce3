//! A proposal with everything said about it, and where each event came to stand in the members' order.

use chassis::event::Place;
use chassis::roles;
use proto::common::Role;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{decision, position, proposal, spot};
use crate::domain::Proposal;
use crate::domain::ballot::{Ballot, Spot, Term};

/// The roles that let an organization take positions: all but the observer's.
const VOICES: &[Role] = &[Role::BackboneStaff, Role::SteeringCommittee, Role::Partner, Role::DataLead, Role::Funder];

/// Everything said about a proposal.
pub async fn load(connection: &mut PgConnection, proposal: &Proposal) -> Result<Ballot, sqlx::Error> {
    let mut ballot = without_voices(connection, proposal).await?;
    add_voices(connection, proposal, &mut ballot).await?;
    Ok(ballot)
}

/// What tells whether a proposal is open. Positions, and who may take them, tell that only where somebody has decided:
/// else they are left out, so that the last of many organizations takes its position as quickly as the first.
pub async fn openness(connection: &mut PgConnection, proposal: &Proposal) -> Result<Ballot, sqlx::Error> {
    let mut ballot = without_voices(connection, proposal).await?;
    if !ballot.decisions.is_empty() {
        add_voices(connection, proposal, &mut ballot).await?;
    }
    Ok(ballot)
}

async fn without_voices(connection: &mut PgConnection, proposal: &Proposal) -> Result<Ballot, sqlx::Error> {
    Ok(Ballot {
        void: !proposal.void_reason.is_empty(),
        revisions: proposal::revisions(connection, &proposal.reference).await?,
        withdrawn: withdrawal(connection, proposal).await?,
        decisions: decision::on(connection, &proposal.reference, &proposal.space).await?,
        ..Ballot::default()
    })
}

async fn add_voices(
    connection: &mut PgConnection,
    proposal: &Proposal,
    ballot: &mut Ballot,
) -> Result<(), sqlx::Error> {
    ballot.positions = position::on(connection, &proposal.reference, &proposal.space).await?;
    if let Some(initiative) = proposal.space.initiative() {
        let terms = roles::terms(connection, initiative, VOICES).await?;
        ballot.terms = terms.into_iter().map(term).collect();
    }
    Ok(())
}

fn term(term: roles::Term) -> Term {
    let placed = |(event, place): (Uuid, Option<Place>)| {
        spot(event, place.map(|place| place.position), place.map(|place| place.at))
    };
    Term {
        organization: term.organization,
        granted: placed(term.granted),
        ended: term.ended.and_then(placed),
        starts: term.starts,
        ends: term.ends,
    }
}

async fn withdrawal(connection: &mut PgConnection, proposal: &Proposal) -> Result<Option<Option<Spot>>, sqlx::Error> {
    let row = sqlx::query!(
        r#"select p.withdrawn_by as "withdrawn_by!", l.accepted_position as "position?", l.accepted_at as "at?"
             from agenda.proposals p
             left join agenda.log l on l.event_id = p.withdrawn_by
            where p.reference = $1 and p.withdrawn_by is not null"#,
        proposal.reference.to_string(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| spot(row.withdrawn_by, row.position, row.at)))
}
