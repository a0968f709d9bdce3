//! Calls about practice cards.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space, Within};
use chassis::paging::Page;
use chassis::revision::Read;
use chassis::{parse, roles};
use proto::messaging::*;
use tonic::{Request, Response, Status};

use super::Answer;
use crate::contract::practice_card as contract;
use crate::domain::practice_card::{self, State};
use crate::domain::{self, Fact};
use crate::store::practice_card as rows;
use crate::{Messaging, events};

pub(super) async fn publish_practice_card(
    desk: &Desk<Messaging>,
    request: Request<PublishPracticeCardRequest>,
) -> Answer<PublishPracticeCardResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let definition = contract::read_definition(&mut violations, request.definition.as_ref());
    let (initiative, (organization, said)) = violations.finish(|| Some((initiative?, definition?)))?;

    work.authorise(Some(&initiative), Some(&organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    if !roles::initiative_known(work.connection(), &initiative).await.map_err(errors::database)? {
        return Err(errors::not_found("initiative", &initiative));
    }
    let facts = practice_card::publish(work.node(), organization, said)?;
    let reference = Reference::born_on(work.node());
    let space = Space::Of(initiative, Within::Public);
    let practice_card = Some(recorded(&mut work, &reference, &space, facts).await?);
    work.reply(PublishPracticeCardResponse { practice_card }).await
}

pub(super) async fn update_practice_card(
    desk: &Desk<Messaging>,
    request: Request<UpdatePracticeCardRequest>,
) -> Answer<UpdatePracticeCardResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "practice_card", &request.practice_card);
    let definition = contract::read_definition(&mut violations, request.definition.as_ref());
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, (organization, said), read) = violations.finish(|| Some((reference?, definition?, read?)))?;

    let card = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(card.stamp.version)?;
    let facts = practice_card::revise(work.node(), &card, organization, said)?;
    let practice_card = Some(recorded(&mut work, &reference, &card.space, facts).await?);
    work.reply(UpdatePracticeCardResponse { practice_card }).await
}

pub(super) async fn retract_practice_card(
    desk: &Desk<Messaging>,
    request: Request<RetractPracticeCardRequest>,
) -> Answer<RetractPracticeCardResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "practice_card", &request.practice_card);
    let reason = parse::text(&mut violations, "reason", &request.reason, 1000);
    let (reference, reason) = violations.finish(|| Some((reference?, reason?)))?;

    let card = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let facts = practice_card::retract(work.node(), &card, reason)?;
    let practice_card = Some(recorded(&mut work, &reference, &card.space, facts).await?);
    work.reply(RetractPracticeCardResponse { practice_card }).await
}

pub(super) async fn get_practice_card(
    desk: &Desk<Messaging>,
    request: Request<GetPracticeCardRequest>,
) -> Answer<GetPracticeCardResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "practice_card", &request.practice_card);
    let reference = violations.finish(|| reference)?;
    look.authorise(None, None).await?;
    let card = known(rows::load(look.connection(), &reference).await, &reference)?;
    Ok(Response::new(GetPracticeCardResponse { practice_card: Some(contract::write(&card)) }))
}

pub(super) async fn list_practice_cards(
    desk: &Desk<Messaging>,
    request: Request<ListPracticeCardsRequest>,
) -> Answer<ListPracticeCardsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::optional_reference(&mut violations, "initiative", &request.initiative);
    let list = ListPracticeCardsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let page = violations.finish(|| page)?;

    look.authorise(None, None).await?;
    let space = initiative.map(|initiative| Space::Of(initiative, Within::Public));
    let (published, after) = (Some(State::Published), page.after.as_deref());
    let cards = rows::list(look.connection(), space.as_ref(), published, after, page.limit()).await;
    let mut cards = cards.map_err(errors::database)?;
    let next_page_token = page.cut(&mut cards, |card| card.reference.to_string());
    let practice_cards = cards.iter().map(contract::write).collect();
    Ok(Response::new(ListPracticeCardsResponse { practice_cards, next_page_token }))
}

/// The card, once the caller is found to be allowed to go on with it.
async fn going_on(work: &mut Work<Messaging>, reference: &Reference) -> Result<domain::PracticeCard, Status> {
    let card = known(rows::load_locked(work.connection(), reference).await, reference)?;
    work.authorise(card.space.initiative(), Some(&card.organization)).await?;
    Ok(card)
}

/// The card without what it says, once what was decided is recorded: the answer is kept for a while, and a retraction
/// would not find it there.
async fn recorded(
    work: &mut Work<Messaging>,
    reference: &Reference,
    space: &Space,
    facts: Vec<Fact>,
) -> Result<PracticeCard, Status> {
    work.record(&events::told(reference, space, facts)).await?;
    Ok(contract::write_outline(&known(rows::load(work.connection(), reference).await, reference)?))
}

fn known(
    found: Result<Option<domain::PracticeCard>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::PracticeCard, Status> {
    errors::found(found, "practice card", reference)
}
