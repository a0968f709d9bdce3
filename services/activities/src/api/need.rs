//! Calls about needs.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::Read;
use proto::activities::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::{belongs_here, initiative_known, state};
use crate::contract::{means::write_totals, need as words, read_reason};
use crate::domain::{self, Content as _, Totals, need::Step};
use crate::store::{Filter, need as rows, pledged};
use crate::{Activities, events};

type Answer<T> = Result<Response<T>, Status>;

pub(super) async fn create_need(
    desk: &Desk<Activities>,
    request: Request<CreateNeedRequest>,
) -> Answer<CreateNeedResponse> {
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
    work.record(&[events::need_stated(&reference, &space, &definition)]).await?;
    let need = Some(message(&mut work, &reference).await?);
    work.reply(CreateNeedResponse { need }).await
}

pub(super) async fn close_need(
    desk: &Desk<Activities>,
    request: Request<CloseNeedRequest>,
) -> Answer<CloseNeedResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "need", &request.need);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let need = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(need.stamp.version)?;
    let need = Some(go(&mut work, need, Step::Closed(reason)).await?);
    work.reply(CloseNeedResponse { need }).await
}

pub(super) async fn get_need(desk: &Desk<Activities>, request: Request<GetNeedRequest>) -> Answer<GetNeedResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "need", &request.need);
    let reference = violations.finish(|| reference)?;
    let need = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(need.initiative(), None).await?;
    let mut pledged = Totals::default();
    for means in pledged::towards(look.connection(), &reference, &need.space).await.map_err(errors::database)? {
        pledged.add(&means)?;
    }
    let pledged = Some(write_totals(&pledged));
    Ok(Response::new(GetNeedResponse { need: Some(words::write(&need)), pledged }))
}

pub(super) async fn list_needs(
    desk: &Desk<Activities>,
    request: Request<ListNeedsRequest>,
) -> Answer<ListNeedsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let activity = parse::optional_reference(&mut violations, "activity", &request.activity);
    let organization = parse::optional_reference(&mut violations, "organization", &request.organization);
    let state = state::<NeedState>(&mut violations, request.state);
    let list = ListNeedsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, state, page) = violations.finish(|| Some((initiative?, state?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let (space, filter) = (Space::members(&initiative), Filter::of([activity, organization], state));
    let needs = rows::list(look.connection(), &space, &filter, page.after.as_deref(), page.limit()).await;
    let mut needs = needs.map_err(errors::database)?;
    let next_page_token = page.cut(&mut needs, |need| need.reference.to_string());
    let needs = needs.iter().map(words::write).collect();
    Ok(Response::new(ListNeedsResponse { needs, next_page_token }))
}

/// A need that was looked for, or `NOT_FOUND`.
fn known(found: Result<Option<domain::Need>, sqlx::Error>, reference: &Reference) -> Result<domain::Need, Status> {
    errors::found(found, "need", reference)
}

/// The need, once the caller is found to be allowed to go on with it.
async fn going_on(work: &mut Work<Activities>, reference: &Reference) -> Result<domain::Need, Status> {
    let need = known(rows::load_locked(work.connection(), reference).await, reference)?;
    work.authorise(need.initiative(), Some(need.content.organization())).await?;
    Ok(need)
}

/// Takes a step and tells it, where it may be taken; gives the need as it stands then.
async fn go(work: &mut Work<Activities>, mut need: domain::Need, step: Step) -> Result<Need, Status> {
    need.lives_on(work.node())?;
    let told = events::need_told(&need.reference, &need.space, &step);
    need.take(step)?;
    work.record(&[told]).await?;
    message(work, &need.reference).await
}

async fn message(work: &mut Work<Activities>, reference: &Reference) -> Result<Need, Status> {
    Ok(words::write(&known(rows::load(work.connection(), reference).await, reference)?))
}

/// Refuses to let anything be added to a need that is known here and has ended. One that is not known here yet may come.
pub(super) async fn takes(
    connection: &mut PgConnection,
    need: Option<&Reference>,
    space: &Space,
) -> Result<(), Status> {
    let Some(reference) = need else { return Ok(()) };
    match rows::load(connection, reference).await.map_err(errors::database)? {
        Some(need) => Ok(need.takes(space)?),
        None => Ok(()),
    }
}
