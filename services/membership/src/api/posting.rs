//! Calls about postings: what organizations offer and need.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::{Mask, Read};
use proto::membership::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::initiative::known as initiative_known;
use super::organization::known as organization_known;
use super::{Answer, Room, filter};
use crate::contract::{posting as contract, read_reason};
use crate::domain::{self, posting};
use crate::events;
use crate::store::{Rows, initiative as initiatives, organization as organizations, posting as rows};

pub(super) async fn create_posting(
    desk: &Desk<Room>,
    request: Request<CreatePostingRequest>,
) -> Answer<CreatePostingResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let profile = contract::read_profile(&mut violations, request.posting.as_ref());
    let (initiative, profile) = violations.finish(|| Some((initiative?, profile?)))?;

    work.authorise(Some(&initiative), Some(&profile.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let connection = work.connection();
    let initiative = initiative_known(initiatives::unchanging(connection, &initiative).await, &initiative)?;
    let found = organizations::load(connection, &profile.organization).await;
    let organization = organization_known(found, &profile.organization)?;
    let facts = posting::post(&initiative, &organization, work.node(), profile, work.now())?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &Space::members(&initiative.reference), facts)).await?;
    let posting = Some(message(work.connection(), &reference).await?);
    work.reply(CreatePostingResponse { posting }).await
}

pub(super) async fn update_posting(
    desk: &Desk<Room>,
    request: Request<UpdatePostingRequest>,
) -> Answer<UpdatePostingResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), contract::MAY_CHANGE);
    let given = parse::message(&mut violations, "posting", request.posting.as_ref());
    let update = given.and_then(|given| {
        let reference = parse::reference(&mut violations, "posting.reference", &given.reference);
        let read = Read::asked(&mut violations, "posting.etag", &given.etag);
        let revision = contract::read_revision(&mut violations, given, mask.as_ref()?);
        Some((reference?, read?, revision))
    });
    let (reference, read, revision) = violations.finish(|| update)?;

    let before = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(before.stamp.version)?;
    let facts = posting::revise(&before, work.node(), revision, work.now())?;
    work.record(&events::told(&reference, &Space::members(&before.initiative), facts)).await?;
    let posting = Some(message(work.connection(), &reference).await?);
    work.reply(UpdatePostingResponse { posting }).await
}

pub(super) async fn meet_posting(
    desk: &Desk<Room>,
    request: Request<MeetPostingRequest>,
) -> Answer<MeetPostingResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "posting", &request.posting);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let before = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(before.stamp.version)?;
    let facts = posting::meet(&before, work.node(), reason)?;
    work.record(&events::told(&reference, &Space::members(&before.initiative), facts)).await?;
    let posting = Some(message(work.connection(), &reference).await?);
    work.reply(MeetPostingResponse { posting }).await
}

pub(super) async fn withdraw_posting(
    desk: &Desk<Room>,
    request: Request<WithdrawPostingRequest>,
) -> Answer<WithdrawPostingResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "posting", &request.posting);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let before = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(before.stamp.version)?;
    let facts = posting::withdraw(&before, work.node(), reason)?;
    work.record(&events::told(&reference, &Space::members(&before.initiative), facts)).await?;
    let posting = Some(message(work.connection(), &reference).await?);
    work.reply(WithdrawPostingResponse { posting }).await
}

pub(super) async fn get_posting(desk: &Desk<Room>, request: Request<GetPostingRequest>) -> Answer<GetPostingResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "posting", &request.posting);
    let reference = violations.finish(|| reference)?;
    let found = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(Some(&found.initiative), Some(&found.profile.organization)).await?;
    Ok(Response::new(GetPostingResponse { posting: Some(contract::write(&found)) }))
}

pub(super) async fn list_postings(
    desk: &Desk<Room>,
    request: Request<ListPostingsRequest>,
) -> Answer<ListPostingsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let direction = filter(&mut violations, "direction", request.direction);
    let kind = filter(&mut violations, "kind", request.kind);
    let state = filter(&mut violations, "state", request.state);
    let organization = parse::optional_reference(&mut violations, "organization", &request.organization);
    let list = ListPostingsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    initiative_known(initiatives::load(look.connection(), &initiative).await, &initiative)?;
    let filter = rows::Filter { direction, kind, state, organization: organization.as_ref(), space: None };
    let postings = rows::list(look.connection(), &initiative, filter, Rows::from(&page)).await;
    let mut postings = postings.map_err(errors::database)?;
    let next_page_token = page.cut(&mut postings, |posting| posting.reference.to_string());
    let postings = postings.iter().map(contract::write).collect();
    Ok(Response::new(ListPostingsResponse { postings, next_page_token }))
}

/// The posting, once the caller is found to be allowed to change it. It is told on behalf of its organization.
async fn going_on(work: &mut Work<Room>, reference: &Reference) -> Result<domain::Posting, Status> {
    let posting = known(rows::load_locked(work.connection(), reference).await, reference)?;
    work.authorise(Some(&posting.initiative), Some(&posting.profile.organization)).await?;
    Ok(posting)
}

/// A posting that was looked for, or `NOT_FOUND`.
fn known(
    found: Result<Option<domain::Posting>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Posting, Status> {
    errors::found(found, "posting", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Posting, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
