//! Calls about activities.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::{Mask, Read};
use proto::activities::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::{belongs_here, initiative_known, state};
use crate::contract::{activity as words, read_reason};
use crate::domain::{self, Content as _, activity::Step};
use crate::store::{Filter, activity as rows};
use crate::{Activities, events};

type Answer<T> = Result<Response<T>, Status>;

pub(super) async fn create_activity(
    desk: &Desk<Activities>,
    request: Request<CreateActivityRequest>,
) -> Answer<CreateActivityResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let definition = words::read_definition(&mut violations, request.definition.as_ref());
    let (initiative, definition) = violations.finish(|| Some((initiative?, definition?)))?;

    work.authorise(Some(&initiative), Some(&definition.lead)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    initiative_known(&mut work, &initiative).await?;
    belongs_here(&work, &definition.lead)?;
    let (reference, space) = (Reference::born_on(work.node()), Space::members(&initiative));
    work.record(&[events::planned(&reference, &space, &definition)]).await?;
    let activity = Some(message(&mut work, &reference).await?);
    work.reply(CreateActivityResponse { activity }).await
}

pub(super) async fn update_activity(
    desk: &Desk<Activities>,
    request: Request<UpdateActivityRequest>,
) -> Answer<UpdateActivityResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "activity", &request.activity);
    let change = parse::message(&mut violations, "definition", request.definition.as_ref());
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), words::MAY_CHANGE);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, change, mask, read) = violations.finish(|| Some((reference?, change?, mask?, read?)))?;

    let activity = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(activity.stamp.version)?;
    let mut violations = Violations::default();
    let definition = words::read_definition(&mut violations, Some(&words::changed(&activity.content, change, &mask)));
    let definition = violations.finish(|| definition)?;
    let activity = Some(go(&mut work, activity, Step::Revised(Box::new(definition))).await?);
    work.reply(UpdateActivityResponse { activity }).await
}

pub(super) async fn begin_activity(
    desk: &Desk<Activities>,
    request: Request<BeginActivityRequest>,
) -> Answer<BeginActivityResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "activity", &request.activity);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, read) = violations.finish(|| Some((reference?, read?)))?;

    let activity = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(activity.stamp.version)?;
    let activity = Some(go(&mut work, activity, Step::Begun).await?);
    work.reply(BeginActivityResponse { activity }).await
}

pub(super) async fn complete_activity(
    desk: &Desk<Activities>,
    request: Request<CompleteActivityRequest>,
) -> Answer<CompleteActivityResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "activity", &request.activity);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, read) = violations.finish(|| Some((reference?, read?)))?;

    let activity = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(activity.stamp.version)?;
    let activity = Some(go(&mut work, activity, Step::Completed).await?);
    work.reply(CompleteActivityResponse { activity }).await
}

pub(super) async fn cancel_activity(
    desk: &Desk<Activities>,
    request: Request<CancelActivityRequest>,
) -> Answer<CancelActivityResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "activity", &request.activity);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let activity = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(activity.stamp.version)?;
    let activity = Some(go(&mut work, activity, Step::Cancelled(reason)).await?);
    work.reply(CancelActivityResponse { activity }).await
}

pub(super) async fn get_activity(
    desk: &Desk<Activities>,
    request: Request<GetActivityRequest>,
) -> Answer<GetActivityResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "activity", &request.activity);
    let reference = violations.finish(|| reference)?;
    let activity = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(activity.initiative(), None).await?;
    Ok(Response::new(GetActivityResponse { activity: Some(words::write(&activity)) }))
}

pub(super) async fn list_activities(
    desk: &Desk<Activities>,
    request: Request<ListActivitiesRequest>,
) -> Answer<ListActivitiesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let strategy = parse::optional_reference(&mut violations, "strategy", &request.strategy);
    let measure = parse::optional_reference(&mut violations, "measure", &request.measure);
    let organization = parse::optional_reference(&mut violations, "organization", &request.organization);
    let state = state::<ActivityState>(&mut violations, request.state);
    let list = ListActivitiesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, state, page) = violations.finish(|| Some((initiative?, state?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let (space, filter) = (Space::members(&initiative), Filter::of([strategy, measure, organization], state));
    let activities = rows::list(look.connection(), &space, &filter, page.after.as_deref(), page.limit()).await;
    let mut activities = activities.map_err(errors::database)?;
    let next_page_token = page.cut(&mut activities, |activity| activity.reference.to_string());
    let activities = activities.iter().map(words::write).collect();
    Ok(Response::new(ListActivitiesResponse { activities, next_page_token }))
}

/// An activity that was looked for, or `NOT_FOUND`.
fn known(
    found: Result<Option<domain::Activity>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Activity, Status> {
    errors::found(found, "activity", reference)
}

/// The activity, once the caller is found to be allowed to go on with it.
async fn going_on(work: &mut Work<Activities>, reference: &Reference) -> Result<domain::Activity, Status> {
    let activity = known(rows::load_locked(work.connection(), reference).await, reference)?;
    work.authorise(activity.initiative(), Some(activity.content.organization())).await?;
    Ok(activity)
}

/// Takes a step and tells it, where it may be taken; gives the activity as it stands then.
async fn go(work: &mut Work<Activities>, mut activity: domain::Activity, step: Step) -> Result<Activity, Status> {
    activity.lives_on(work.node())?;
    let told = events::activity_told(&activity.reference, &activity.space, &step);
    activity.take(step)?;
    work.record(&[told]).await?;
    message(work, &activity.reference).await
}

async fn message(work: &mut Work<Activities>, reference: &Reference) -> Result<Activity, Status> {
    Ok(words::write(&known(rows::load(work.connection(), reference).await, reference)?))
}

/// Refuses to let anything be added to an activity that is known here and has ended. One that is not known here yet may come.
pub(super) async fn takes(
    connection: &mut PgConnection,
    activity: Option<&Reference>,
    space: &Space,
) -> Result<(), Status> {
    let Some(reference) = activity else { return Ok(()) };
    match rows::load(connection, reference).await.map_err(errors::database)? {
        Some(activity) => Ok(activity.takes(space)?),
        None => Ok(()),
    }
}
