//! Calls about awards.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::Read;
use proto::activities::*;
use tonic::{Request, Response, Status};

use super::{belongs_here, initiative_known, state};
use crate::contract::{award as words, read_reason};
use crate::domain::{self, Content as _, award::Step};
use crate::store::{Filter, award as rows};
use crate::{Activities, events};

type Answer<T> = Result<Response<T>, Status>;

pub(super) async fn create_award(
    desk: &Desk<Activities>,
    request: Request<CreateAwardRequest>,
) -> Answer<CreateAwardResponse> {
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
    super::activity::takes(work.connection(), definition.activity.as_ref(), &space).await?;
    super::need::takes(work.connection(), definition.need.as_ref(), &space).await?;
    work.record(&[events::award_made(&reference, &space, &definition)]).await?;
    let award = Some(message(&mut work, &reference).await?);
    work.reply(CreateAwardResponse { award }).await
}

pub(super) async fn record_disbursement(
    desk: &Desk<Activities>,
    request: Request<RecordDisbursementRequest>,
) -> Answer<RecordDisbursementResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "award", &request.award);
    let part = words::read_disbursement(&mut violations, request.disbursement.as_ref());
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, part, read) = violations.finish(|| Some((reference?, part?, read?)))?;

    let award = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(award.stamp.version)?;
    let (number, part) = part;
    let number = if number == 0 { award.content.next_number() } else { number };
    let award = Some(go(&mut work, award, Step::Disbursed(number, part)).await?);
    work.reply(RecordDisbursementResponse { award }).await
}

pub(super) async fn cancel_award(
    desk: &Desk<Activities>,
    request: Request<CancelAwardRequest>,
) -> Answer<CancelAwardResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "award", &request.award);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let award = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(award.stamp.version)?;
    let award = Some(go(&mut work, award, Step::Cancelled(reason)).await?);
    work.reply(CancelAwardResponse { award }).await
}

pub(super) async fn get_award(desk: &Desk<Activities>, request: Request<GetAwardRequest>) -> Answer<GetAwardResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "award", &request.award);
    let reference = violations.finish(|| reference)?;
    let award = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(award.initiative(), None).await?;
    Ok(Response::new(GetAwardResponse { award: Some(words::write(&award)) }))
}

pub(super) async fn list_awards(
    desk: &Desk<Activities>,
    request: Request<ListAwardsRequest>,
) -> Answer<ListAwardsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let activity = parse::optional_reference(&mut violations, "activity", &request.activity);
    let organization = parse::optional_reference(&mut violations, "organization", &request.organization);
    let need = parse::optional_reference(&mut violations, "need", &request.need);
    let state = state::<AwardState>(&mut violations, request.state);
    let list = ListAwardsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, state, page) = violations.finish(|| Some((initiative?, state?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let (space, filter) = (Space::members(&initiative), Filter::of([activity, organization, need], state));
    let awards = rows::list(look.connection(), &space, &filter, page.after.as_deref(), page.limit()).await;
    let mut awards = awards.map_err(errors::database)?;
    let next_page_token = page.cut(&mut awards, |award| award.reference.to_string());
    let awards = awards.iter().map(words::write).collect();
    Ok(Response::new(ListAwardsResponse { awards, next_page_token }))
}

/// An award that was looked for, or `NOT_FOUND`.
fn known(found: Result<Option<domain::Award>, sqlx::Error>, reference: &Reference) -> Result<domain::Award, Status> {
    errors::found(found, "award", reference)
}

/// The award, once the caller is found to be allowed to go on with it.
async fn going_on(work: &mut Work<Activities>, reference: &Reference) -> Result<domain::Award, Status> {
    let award = known(rows::load_locked(work.connection(), reference).await, reference)?;
    work.authorise(award.initiative(), Some(award.content.organization())).await?;
    Ok(award)
}

/// Takes a step and tells it, where it may be taken; gives the award as it stands then.
async fn go(work: &mut Work<Activities>, mut award: domain::Award, step: Step) -> Result<Award, Status> {
    award.lives_on(work.node())?;
    let told = events::award_told(&award.reference, &award.space, &step);
    award.take(step)?;
    work.record(&[told]).await?;
    message(work, &award.reference).await
}

async fn message(work: &mut Work<Activities>, reference: &Reference) -> Result<Award, Status> {
    Ok(words::write(&known(rows::load(work.connection(), reference).await, reference)?))
}
