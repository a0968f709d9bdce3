//! The agenda, and who stands behind it.

use proto::agenda::{AgendaVersion, EndorsementState, GetAgendaRequest, ListEndorsementsRequest};
use proto::membership::GetOrganizationRequest;

use super::{Check, everywhere};
use crate::client::Client;
use crate::demo::Memory;
use crate::error::NodeError;
use crate::fleet::Coalition;

pub(super) async fn in_force(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    everywhere(coalition, "agenda in force", "version 2, which carries out the proposal", async |node| {
        let version = current(&node.operator()?, memory).await?;
        let done =
            if version.proposals == [memory.proposal.as_str()] { "carries out the proposal" } else { "does not" };
        Ok(format!("version {}, which {done}", version.number))
    })
    .await
}

pub(super) async fn endorsed(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    let both = "Bridgeport School District, Hartford School District";
    everywhere(coalition, "endorsements of the agenda", both, async |node| {
        let node = node.operator()?;
        let request = ListEndorsementsRequest {
            initiative: memory.initiative.clone(),
            version: current(&node, memory).await?.reference,
            state: EndorsementState::Given.into(),
            ..ListEndorsementsRequest::default()
        };
        let mut names = Vec::new();
        for endorsement in node.agenda().list_endorsements(request).await?.into_inner().endorsements {
            let request = GetOrganizationRequest { organization: endorsement.organization };
            let organization = node.membership().get_organization(request).await?.into_inner().organization;
            names.push(organization.unwrap_or_default().display_name);
        }
        names.sort();
        Ok(names.join(", "))
    })
    .await
}

async fn current(node: &Client, memory: &Memory) -> Result<AgendaVersion, NodeError> {
    let request = GetAgendaRequest { agenda: memory.agenda.clone() };
    let agenda = node.agenda().get_agenda(request).await?.into_inner().agenda.unwrap_or_default();
    Ok(agenda.current.unwrap_or_default())
}
