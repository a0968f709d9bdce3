//! Calls about positions.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::paging::Page;
use chassis::parse;
use proto::agenda::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Answer;
use super::proposal::{everything_said, known as known_proposal};
use crate::contract::{endorsement::read_reason, position as contract};
use crate::domain::{ballot, position};
use crate::store::{ballot as ballot_rows, position as rows, proposal};
use crate::{Agenda as Room, events};

pub(super) async fn take_position(
    desk: &Desk<Room>,
    request: Request<TakePositionRequest>,
) -> Answer<TakePositionResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let opinion = contract::read(&mut violations, request.definition.as_ref());
    let opinion = violations.finish(|| opinion)?;

    // Not locked: many take positions at once, and whatever they cross with, the order of acceptance tells which count.
    let on = &opinion.proposal;
    let proposal = known_proposal(proposal::load(work.connection(), on).await, on)?;
    work.authorise(proposal.space.initiative(), Some(&opinion.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let said = ballot_rows::openness(work.connection(), &proposal).await.map_err(errors::database)?;
    let facts = position::take(work.node(), &said, opinion, work.now())?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &proposal.space, facts)).await?;
    let position = known(rows::load(work.connection(), &reference).await, &reference)?;
    // It is pending, or void for what it says itself: no count is needed to say so.
    let position = Some(contract::write(&position, said.weigh(&position, None)));
    work.reply(TakePositionResponse { position }).await
}

pub(super) async fn withdraw_position(
    desk: &Desk<Room>,
    request: Request<WithdrawPositionRequest>,
) -> Answer<WithdrawPositionResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "position", &request.position);
    let reason = read_reason(&mut violations, &request.reason);
    let (reference, reason) = violations.finish(|| Some((reference?, reason?)))?;

    let on = known(rows::load(work.connection(), &reference).await, &reference)?.opinion.proposal;
    let proposal = known_proposal(proposal::load_locked(work.connection(), &on).await, &on)?;
    // Read again: only now can nobody else take it back.
    let position = known(rows::load(work.connection(), &reference).await, &reference)?;
    work.authorise(position.space.initiative(), Some(&position.opinion.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let said = everything_said(work.connection(), &proposal).await?;
    let facts = position::withdraw(work.node(), &said, &position, reason, work.now())?;
    work.record(&events::told(&reference, &position.space, facts)).await?;
    let position = Some(message(work.connection(), &reference, &proposal).await?);
    work.reply(WithdrawPositionResponse { position }).await
}

pub(super) async fn list_positions(
    desk: &Desk<Room>,
    request: Request<ListPositionsRequest>,
) -> Answer<ListPositionsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "proposal", &request.proposal);
    let list = ListPositionsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (reference, page) = violations.finish(|| Some((reference?, page?)))?;

    let proposal = known_proposal(proposal::load(look.connection(), &reference).await, &reference)?;
    look.authorise(proposal.space.initiative(), None).await?;
    let said = everything_said(look.connection(), &proposal).await?;
    let course = said.course();
    // Whether one counts depends on all of them: they are read together and cut to the page afterwards.
    let after = page.after.as_deref().unwrap_or_default();
    let later = said.positions.iter().filter(|position| position.reference.to_string().as_str() > after);
    let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
    let mut positions: Vec<Position> = later
        .take(limit)
        .map(|position| contract::write(position, said.weigh(position, course.count.as_ref())))
        .collect();
    let next_page_token = page.cut(&mut positions, |position| position.reference.clone());
    Ok(Response::new(ListPositionsResponse { positions, next_page_token }))
}

fn known(
    found: Result<Option<ballot::Position>, sqlx::Error>,
    reference: &Reference,
) -> Result<ballot::Position, Status> {
    errors::found(found, "position", reference)
}

async fn message(
    connection: &mut PgConnection,
    reference: &Reference,
    proposal: &crate::domain::Proposal,
) -> Result<Position, Status> {
    let position = known(rows::load(connection, reference).await, reference)?;
    let said = everything_said(connection, proposal).await?;
    Ok(contract::write(&position, said.weigh(&position, said.course().count.as_ref())))
}
