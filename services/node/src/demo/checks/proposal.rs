//! What became of the proposal, counted by every node for itself.

use proto::agenda::*;

use super::{Check, everywhere};
use crate::demo::{Memory, proposal};
use crate::error::NodeError;
use crate::fleet::Coalition;

pub(super) async fn decision(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    everywhere(coalition, "decision on the proposal", "adopted in its 2nd wording, by 1 decision", async |node| {
        let proposal = proposal::stand(&node.operator()?, &memory.proposal).await?;
        let state = match proposal.state() {
            ProposalState::Adopted => "adopted",
            other => other.as_str_name(),
        };
        let number = match proposal.revision.map(|revision| revision.number) {
            Some(2) => "2nd".to_owned(),
            other => format!("{other:?}"),
        };
        let standing = proposal.decisions.iter().filter(|decision| decision.state() == DecisionState::Stands).count();
        Ok(format!("{state} in its {number} wording, by {standing} decision"))
    })
    .await
}

/// Everybody agrees but one, which leaves it to the others.
pub(super) async fn tally(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    let all = memory.organizations;
    let expected = format!("{} agree, 1 abstains, 0 object, of {all}", all.saturating_sub(1));
    everywhere(coalition, "tally of the proposal", expected, async |node| {
        let request = GetTallyRequest { proposal: memory.proposal.clone() };
        let tally = node.operator()?.agenda().get_tally(request).await?.into_inner().tally.unwrap_or_default();
        Ok(format!("{} agree, {} abstains, {} object, of {}", tally.agree, tally.abstain, tally.object, tally.eligible))
    })
    .await
}

/// What beta thought of each wording, and what counts of it.
pub(super) async fn objection(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    let beta = &coalition.node("beta")?.id;
    let expected = "objects to the 1st wording (outdated), agrees to the 2nd (counts)";
    everywhere(coalition, "Bridgeport's positions on the proposal", expected, async |node| {
        let request = ListPositionsRequest {
            proposal: memory.proposal.clone(),
            page_size: 1000,
            ..ListPositionsRequest::default()
        };
        let positions = node.operator()?.agenda().list_positions(request).await?.into_inner().positions;
        let mut said = Vec::new();
        for position in &positions {
            let Some(definition) = &position.definition else { continue };
            if definition.organization.starts_with(beta.as_str()) {
                said.push((definition.revision, definition.stance(), position.state()));
            }
        }
        said.sort_by_key(|(revision, ..)| *revision);
        Ok(match said.as_slice() {
            [(1, Stance::Object, PositionState::Outdated), (2, Stance::Agree, PositionState::Counts)] => {
                expected.to_owned()
            }
            other => format!("{other:?}"),
        })
    })
    .await
}
