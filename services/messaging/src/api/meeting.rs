//! Calls about meetings.

use chassis::desk::{Desk, Look, Work};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::revision::{Mask, Read};
use chassis::{parse, roles, spaces};
use proto::messaging::*;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};

use super::Answer;
use super::channel::readable_of;
use crate::contract::{meeting as contract, read_space};
use crate::domain::{self, Fact, calendar, meeting};
use crate::store::meeting as rows;
use crate::{Messaging, events};

pub(super) async fn create_meeting(
    desk: &Desk<Messaging>,
    request: Request<CreateMeetingRequest>,
) -> Answer<CreateMeetingResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let space = initiative.as_ref().and_then(|initiative| read_space(&mut violations, initiative, &request.space));
    let definition = contract::read_definition(&mut violations, request.definition.as_ref());
    let (initiative, space, definition) = violations.finish(|| Some((initiative?, space?, definition?)))?;

    work.authorise(Some(&initiative), Some(&definition.organization)).await?;
    spaces::may_know(&mut work, &space).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    if !roles::initiative_known(work.connection(), &initiative).await.map_err(errors::database)? {
        return Err(errors::not_found("initiative", &initiative));
    }
    let facts = meeting::schedule(work.node(), definition)?;
    let reference = Reference::born_on(work.node());
    let meeting = Some(recorded(&mut work, &reference, &space, facts).await?);
    work.reply(CreateMeetingResponse { meeting }).await
}

pub(super) async fn update_meeting(
    desk: &Desk<Messaging>,
    request: Request<UpdateMeetingRequest>,
) -> Answer<UpdateMeetingResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "meeting", &request.meeting);
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), contract::MAY_CHANGE);
    let change = contract::read_change(&mut violations, request.definition.as_ref(), mask.as_ref());
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, change, read) = violations.finish(|| Some((reference?, change?, read?)))?;

    let meeting = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(meeting.stamp.version)?;
    let facts = meeting::revise(work.node(), &meeting, change)?;
    let meeting = Some(recorded(&mut work, &reference, &meeting.space, facts).await?);
    work.reply(UpdateMeetingResponse { meeting }).await
}

pub(super) async fn record_minutes(
    desk: &Desk<Messaging>,
    request: Request<RecordMinutesRequest>,
) -> Answer<RecordMinutesResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "meeting", &request.meeting);
    let minutes = contract::read_minutes(&mut violations, &request.minutes);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, minutes, read) = violations.finish(|| Some((reference?, minutes?, read?)))?;

    let meeting = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(meeting.stamp.version)?;
    let facts = meeting::record_minutes(work.node(), &meeting, minutes)?;
    let meeting = Some(recorded(&mut work, &reference, &meeting.space, facts).await?);
    work.reply(RecordMinutesResponse { meeting }).await
}

pub(super) async fn cancel_meeting(
    desk: &Desk<Messaging>,
    request: Request<CancelMeetingRequest>,
) -> Answer<CancelMeetingResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "meeting", &request.meeting);
    let reason = parse::text(&mut violations, "reason", &request.reason, 1000);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let meeting = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(meeting.stamp.version)?;
    let facts = meeting::cancel(work.node(), &meeting, reason)?;
    let meeting = Some(recorded(&mut work, &reference, &meeting.space, facts).await?);
    work.reply(CancelMeetingResponse { meeting }).await
}

pub(super) async fn get_meeting(
    desk: &Desk<Messaging>,
    request: Request<GetMeetingRequest>,
) -> Answer<GetMeetingResponse> {
    let (mut look, request) = desk.look(request).await?;
    let meeting = readable(&mut look, &request.meeting).await?;
    Ok(Response::new(GetMeetingResponse { meeting: Some(contract::write(&meeting)) }))
}

pub(super) async fn export_meeting(
    desk: &Desk<Messaging>,
    request: Request<ExportMeetingRequest>,
) -> Answer<ExportMeetingResponse> {
    let (mut look, request) = desk.look(request).await?;
    let meeting = readable(&mut look, &request.meeting).await?;
    Ok(Response::new(ExportMeetingResponse { calendar: calendar::text(&meeting) }))
}

pub(super) async fn list_meetings(
    desk: &Desk<Messaging>,
    request: Request<ListMeetingsRequest>,
) -> Answer<ListMeetingsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let ends_after = parse::optional_instant(&mut violations, "ends_after", request.ends_after.as_ref());
    let list = ListMeetingsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    let spaces = rows::spaces(look.connection(), &initiative).await.map_err(errors::database)?;
    let spaces = readable_of(&mut look, &initiative, spaces).await?;
    let after = page.after.as_deref().and_then(after);
    let meetings = rows::list(look.connection(), &spaces, ends_after, after, page.limit()).await;
    let mut meetings = meetings.map_err(errors::database)?;
    let next_page_token = page.cut(&mut meetings, key);
    let meetings = meetings.iter().map(contract::write).collect();
    Ok(Response::new(ListMeetingsResponse { meetings, next_page_token }))
}

/// Where a meeting stands in a list: when it begins, and its reference.
fn key(meeting: &domain::Meeting) -> String {
    format!("{} {}", meeting.definition.starts_at.unix_timestamp_nanos(), meeting.reference)
}

fn after(key: &str) -> Option<(OffsetDateTime, String)> {
    let (nanos, reference) = key.split_once(' ')?;
    Some((OffsetDateTime::from_unix_timestamp_nanos(nanos.parse().ok()?).ok()?, reference.to_owned()))
}

/// A meeting that the caller may read.
async fn readable(look: &mut Look, reference: &str) -> Result<domain::Meeting, Status> {
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "meeting", reference);
    let reference = violations.finish(|| reference)?;
    let meeting = known(rows::load(look.connection(), &reference).await, &reference)?;
    spaces::may_read(look, &meeting.space).await?;
    Ok(meeting)
}

/// The meeting, once the caller is found to be allowed to go on with it.
async fn going_on(work: &mut Work<Messaging>, reference: &Reference) -> Result<domain::Meeting, Status> {
    let meeting = known(rows::load_locked(work.connection(), reference).await, reference)?;
    work.authorise(meeting.space.initiative(), Some(&meeting.definition.organization)).await?;
    Ok(meeting)
}

/// The meeting, once what was decided is recorded.
async fn recorded(
    work: &mut Work<Messaging>,
    reference: &Reference,
    space: &Space,
    facts: Vec<Fact>,
) -> Result<Meeting, Status> {
    work.record(&events::told(reference, space, facts)).await?;
    message(work.connection(), reference).await
}

fn known(
    found: Result<Option<domain::Meeting>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Meeting, Status> {
    errors::found(found, "meeting", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Meeting, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
