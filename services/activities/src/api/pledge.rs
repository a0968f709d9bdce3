//! Calls about pledges.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::Read;
use proto::activities::*;
use tonic::{Request, Response, Status};

use super::{belongs_here, initiative_known, state};
use crate::contract::{pledge as words, read_reason};
use crate::domain::{self, Content as _, pledge::Step};
use crate::store::{Filter, pledge as rows};
use crate::{Activities, events};

type Answer<T> = Result<Response<T>, Status>;

pub(super) async fn make_pledge(
    desk: &Desk<Activities>,
    request: Request<MakePledgeRequest>,
) -> Answer<MakePledgeResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let definition = words::read_definition(&mut violations, request.definition.as_ref());
    let (initiative, definition) = violations.finish(|| Some((initiative?, definition?)))?;

    work.authorise(Some(&initiative), Some(&definition.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    initiative_known(&mut work, &initiative).await?;
    belongs_here(&work, &definition.organization)?;
    let (reference, space) = (Reference::born_on(work.node()), Space::members(&initiative));
    super::need::takes(work.connection(), Some(&definition.need), &space).await?;
    work.record(&[events::pledge_made(&reference, &space, &definition)]).await?;
    let pledge = Some(message(&mut work, &reference).await?);
    work.reply(MakePledgeResponse { pledge }).await
}

pub(super) async fn keep_pledge(
    desk: &Desk<Activities>,
    request: Request<KeepPledgeRequest>,
) -> Answer<KeepPledgeResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "pledge", &request.pledge);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, read) = violations.finish(|| Some((reference?, read?)))?;

    let pledge = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(pledge.stamp.version)?;
    let pledge = Some(go(&mut work, pledge, Step::Kept).await?);
    work.reply(KeepPledgeResponse { pledge }).await
}

pub(super) async fn withdraw_pledge(
    desk: &Desk<Activities>,
    request: Request<WithdrawPledgeRequest>,
) -> Answer<WithdrawPledgeResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "pledge", &request.pledge);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let pledge = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(pledge.stamp.version)?;
    let pledge = Some(go(&mut work, pledge, Step::Withdrawn(reason)).await?);
    work.reply(WithdrawPledgeResponse { pledge }).await
}

pub(super) async fn get_pledge(
    desk: &Desk<Activities>,
    request: Request<GetPledgeRequest>,
) -> Answer<GetPledgeResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "pledge", &request.pledge);
    let reference = violations.finish(|| reference)?;
    let pledge = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(pledge.initiative(), None).await?;
    Ok(Response::new(GetPledgeResponse { pledge: Some(words::write(&pledge)) }))
}

pub(super) async fn list_pledges(
    desk: &Desk<Activities>,
    request: Request<ListPledgesRequest>,
) -> Answer<ListPledgesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let need = parse::optional_reference(&mut violations, "need", &request.need);
    let organization = parse::optional_reference(&mut violations, "organization", &request.organization);
    let state = state::<PledgeState>(&mut violations, request.state);
    let list = ListPledgesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, state, page) = violations.finish(|| Some((initiative?, state?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let (space, filter) = (Space::members(&initiative), Filter::of([need, organization], state));
    let pledges = rows::list(look.connection(), &space, &filter, page.after.as_deref(), page.limit()).await;
    let mut pledges = pledges.map_err(errors::database)?;
    let next_page_token = page.cut(&mut pledges, |pledge| pledge.reference.to_string());
    let pledges = pledges.iter().map(words::write).collect();
    Ok(Response::new(ListPledgesResponse { pledges, next_page_token }))
}

/// A pledge that was looked for, or `NOT_FOUND`.
fn known(found: Result<Option<domain::Pledge>, sqlx::Error>, reference: &Reference) -> Result<domain::Pledge, Status> {
    errors::found(found, "pledge", reference)
}

/// The pledge, once the caller is found to be allowed to go on with it.
async fn going_on(work: &mut Work<Activities>, reference: &Reference) -> Result<domain::Pledge, Status> {
    let pledge = known(rows::load_locked(work.connection(), reference).await, reference)?;
    work.authorise(pledge.initiative(), Some(pledge.content.organization())).await?;
    Ok(pledge)
}

/// Takes a step and tells it, where it may be taken; gives the pledge as it stands then.
async fn go(work: &mut Work<Activities>, mut pledge: domain::Pledge, step: Step) -> Result<Pledge, Status> {
    pledge.lives_on(work.node())?;
    let told = events::pledge_told(&pledge.reference, &pledge.space, &step);
    pledge.take(step)?;
    work.record(&[told]).await?;
    message(work, &pledge.reference).await
}

async fn message(work: &mut Work<Activities>, reference: &Reference) -> Result<Pledge, Status> {
    Ok(words::write(&known(rows::load(work.connection(), reference).await, reference)?))
}
