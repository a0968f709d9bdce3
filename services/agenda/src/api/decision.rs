//! Calls that count positions and decide by them.

use chassis::desk::Desk;
use chassis::errors::Violations;
use chassis::names::Reference;
use chassis::parse;
use proto::agenda::*;
use tonic::{Request, Response};

use super::Answer;
use super::proposal::{everything_said, known, message};
use crate::contract::tally;
use crate::domain::{Refusal, position};
use crate::store::proposal as rows;
use crate::{Agenda as Room, events};

/// How many organizations an answer names.
const NAMED: usize = 1000;

pub(super) async fn decide_proposal(
    desk: &Desk<Room>,
    request: Request<DecideProposalRequest>,
) -> Answer<DecideProposalResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "proposal", &request.proposal);
    let reference = violations.finish(|| reference)?;

    let proposal = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(proposal.space.initiative(), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let said = everything_said(work.connection(), &proposal).await?;
    let facts = position::decide(&said, reference.clone(), work.now())?;
    let decision = Reference::born_on(work.node());
    work.record(&events::told(&decision, &proposal.space, facts)).await?;
    let proposal = Some(message(work.connection(), &reference).await?);
    work.reply(DecideProposalResponse { proposal }).await
}

pub(super) async fn get_tally(desk: &Desk<Room>, request: Request<GetTallyRequest>) -> Answer<GetTallyResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "proposal", &request.proposal);
    let reference = violations.finish(|| reference)?;
    let proposal = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(proposal.space.initiative(), None).await?;
    let said = everything_said(look.connection(), &proposal).await?;
    let Some(count) = said.course().count else { return Err(Refusal::NotAccepted.into()) };
    Ok(Response::new(GetTallyResponse {
        tally: Some(tally::write(&count.tally)),
        eligible_organizations: count.eligible.iter().take(NAMED).map(ToString::to_string).collect(),
        outstanding_organizations: count.outstanding().take(NAMED).map(ToString::to_string).collect(),
    }))
}
