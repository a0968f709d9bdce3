//! A proposal: made by one partner, objected to by the other, amended, decided by everybody, and carried out.

use chassis::clock;
use chassis::event::timestamp;
use proto::agenda::*;
use time::Duration;

use super::tale::{Speaker, Tale};
use super::{Voice, agenda, crowd};
use crate::cli::request_id;
use crate::client::Client;
use crate::error::NodeError;
use crate::fleet::{Coalition, heard, until};
use crate::import::connecticut::STATE;

const TITLE: &str = "Look at absences together every week";
const RATIONALE: &str = "We see too late who misses school. A list every week shows it while help still counts.";
const WITH_NAMES: &str = "Every school sends all partners a list each week of the students who missed three days.";
const OBJECTION: &str = "Names of students must not leave their school: the law forbids it, and families would no \
                         longer trust us.";
const WITHOUT_NAMES: &str = "Every school sends all partners each week how many students of each grade missed three \
                             days. Small counts are withheld, and names stay at the school.";
const OPEN_FOR: Duration = Duration::days(14);

/// Takes a proposal through from first to last; its reference.
pub(super) async fn take_through(
    coalition: &Coalition,
    tale: &Tale,
    agenda: &Agenda,
    voice: &Voice,
) -> Result<String, NodeError> {
    let (alpha, beta) = (tale.speaker(coalition, "alpha")?, tale.speaker(coalition, "beta")?);
    let proposal = propose(&alpha, agenda).await?;
    take(&beta, &proposal, 1, Stance::Object, OBJECTION).await?;
    voice.say("Hartford proposes to share lists of absent students every week; Bridgeport objects: names of students");
    voice.add("must not leave their school");
    amend(&alpha, &proposal).await?;
    voice.say("Hartford amends its proposal: counts and no names. What was said of the first wording counts no more");
    let backbone = tale.speaker(coalition, "backbone")?;
    for speaker in [&backbone, &beta] {
        amended(&speaker.client, &proposal).await?;
    }
    let asked = everybody(coalition, tale, &proposal, voice).await?;
    decide(&backbone, &proposal).await?;
    voice.say(format!(
        "All {asked} organisations have taken a position, and no objection is left: the backbone decides,"
    ));
    voice.add("and the proposal is adopted");
    let carried_out = carry_out(&backbone, agenda, &proposal).await?;
    agenda::endorse(coalition, tale, &carried_out).await?;
    voice
        .say("The backbone publishes the agenda's second version, which carries it out; both partners endorse it, too");
    Ok(proposal)
}

fn revision(amendment: &str) -> ProposalRevision {
    ProposalRevision {
        title: TITLE.to_owned(),
        rationale: RATIONALE.to_owned(),
        amendment: amendment.to_owned(),
        rule: Some(DecisionRule {
            method: DecisionMethod::Consent.into(),
            quorum: Some(decision_rule::Quorum::QuorumPercent(50)),
            ..DecisionRule::default()
        }),
        close_time: Some(timestamp(clock::now() + OPEN_FOR)),
        ..ProposalRevision::default()
    }
}

async fn propose(alpha: &Speaker, agenda: &Agenda) -> Result<String, NodeError> {
    let request = CreateProposalRequest {
        version: agenda.current.as_ref().map(|version| version.reference.clone()).unwrap_or_default(),
        organization: alpha.organization.clone(),
        revision: Some(revision(WITH_NAMES)),
        request_id: request_id(),
    };
    let made = alpha.client.agenda().create_proposal(request).await?.into_inner().proposal;
    Ok(made.unwrap_or_default().reference)
}

/// An organisation takes a position, once its node knows the proposal.
async fn take(speaker: &Speaker, proposal: &str, revision: u32, stance: Stance, reason: &str) -> Result<(), NodeError> {
    let request = TakePositionRequest {
        definition: Some(PositionDefinition {
            proposal: proposal.to_owned(),
            revision,
            organization: speaker.organization.clone(),
            stance: stance.into(),
            reason: reason.to_owned(),
        }),
        request_id: request_id(),
    };
    heard("the proposal", async || speaker.client.agenda().take_position(request.clone()).await).await?;
    Ok(())
}

/// The proposer reads the objection and answers it.
async fn amend(alpha: &Speaker, proposal: &str) -> Result<(), NodeError> {
    until("the objection at alpha", async || {
        let request = ListPositionsRequest { proposal: proposal.to_owned(), ..ListPositionsRequest::default() };
        let listed = alpha.client.agenda().list_positions(request).await?.into_inner();
        let read = |position: &Position| position.definition.as_ref().is_some_and(|said| said.reason == OBJECTION);
        Ok(listed.positions.iter().any(read).then_some(()))
    })
    .await?;
    let request = AmendProposalRequest {
        proposal: proposal.to_owned(),
        revision: Some(revision(WITHOUT_NAMES)),
        etag: String::new(),
        request_id: request_id(),
    };
    alpha.client.agenda().amend_proposal(request).await?;
    Ok(())
}

async fn amended(node: &Client, proposal: &str) -> Result<(), NodeError> {
    until("the amended proposal", async || {
        let in_force = stand(node, proposal).await?.revision;
        Ok(in_force.is_some_and(|revision| revision.number == 2).then_some(()))
    })
    .await
}

/// Everybody takes a position at home: those without a node at the backbone's. How many they are.
async fn everybody(coalition: &Coalition, tale: &Tale, proposal: &str, voice: &Voice) -> Result<usize, NodeError> {
    let everybody = tale.crew.everybody();
    voice.begin("positions", everybody.len() + 1);
    let own = (tale.speaker(coalition, "backbone")?, Stance::Agree);
    let speakers = everybody.iter().map(|one| {
        let client = coalition.node(one.node)?.speaking_for(&one.organization)?;
        // The department publishes the figures, and leaves to the schools how they work.
        let stance = if one.place == STATE { Stance::Abstain } else { Stance::Agree };
        Ok((Speaker { client, organization: one.organization.to_string() }, stance))
    });
    let speakers: Vec<_> = std::iter::once(Ok(own)).chain(speakers).collect::<Result<_, NodeError>>()?;
    let taken = crowd::all(speakers.iter().map(async |(speaker, stance)| {
        take(speaker, proposal, 2, *stance, "").await?;
        voice.done();
        Ok(())
    }));
    Ok(taken.await?.len())
}

/// The backbone decides once it has everybody's position.
async fn decide(backbone: &Speaker, proposal: &str) -> Result<(), NodeError> {
    until("everybody's position at the backbone", async || {
        let request = GetTallyRequest { proposal: proposal.to_owned() };
        let tally = backbone.client.agenda().get_tally(request).await?.into_inner();
        Ok(tally.outstanding_organizations.is_empty().then_some(()))
    })
    .await?;
    let request = DecideProposalRequest { proposal: proposal.to_owned(), request_id: request_id() };
    backbone.client.agenda().decide_proposal(request).await?;
    until("the decision to stand", async || {
        Ok((stand(&backbone.client, proposal).await?.state() == ProposalState::Adopted).then_some(()))
    })
    .await
}

/// What was decided becomes a strategy of the agenda's next version.
async fn carry_out(backbone: &Speaker, agenda: &Agenda, proposal: &str) -> Result<Agenda, NodeError> {
    let in_force = agenda.current.as_ref().and_then(|version| version.tree.clone());
    let mut tree = in_force.unwrap_or_default();
    if let Some(result) = tree.results.first_mut() {
        let agreed = Strategy { title: TITLE.to_owned(), description: WITHOUT_NAMES.to_owned(), ..Strategy::default() };
        result.strategies.push(agreed);
    }
    let request = UpdateAgendaRequest {
        agenda: agenda.reference.clone(),
        tree: Some(tree),
        update_mask: Some(prost_types::FieldMask { paths: vec!["results".to_owned()] }),
        etag: String::new(),
        request_id: request_id(),
    };
    backbone.client.agenda().update_agenda(request).await?;
    agenda::next_version(backbone, &agenda.reference, vec![proposal.to_owned()]).await
}

/// A proposal as a node has it.
pub(super) async fn stand(node: &Client, proposal: &str) -> Result<Proposal, NodeError> {
    let request = GetProposalRequest { proposal: proposal.to_owned() };
    Ok(node.agenda().get_proposal(request).await?.into_inner().proposal.unwrap_or_default())
}
