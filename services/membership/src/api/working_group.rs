//! Calls about working groups.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::{Mask, Read};
use proto::membership::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::initiative::known as initiative_known;
use super::{Answer, Room, filter};
use crate::contract::{read_reason, working_group as contract};
use crate::domain::{self, working_group};
use crate::events;
use crate::store::{Rows, initiative as initiatives, membership, working_group as rows};

pub(super) async fn create_working_group(
    desk: &Desk<Room>,
    request: Request<CreateWorkingGroupRequest>,
) -> Answer<CreateWorkingGroupResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let profile = contract::read_profile(&mut violations, request.working_group.as_ref());
    let (initiative, profile) = violations.finish(|| Some((initiative?, profile?)))?;

    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let connection = work.connection();
    let initiative = initiative_known(initiatives::unchanging(connection, &initiative).await, &initiative)?;
    let outside = membership::outside(connection, &initiative.reference, &profile.organizations).await;
    let facts = working_group::form(&initiative, work.node(), profile, outside.map_err(errors::database)?)?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &Space::members(&initiative.reference), facts)).await?;
    let working_group = Some(message(work.connection(), &reference).await?);
    work.reply(CreateWorkingGroupResponse { working_group }).await
}

pub(super) async fn update_working_group(
    desk: &Desk<Room>,
    request: Request<UpdateWorkingGroupRequest>,
) -> Answer<UpdateWorkingGroupResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), contract::MAY_CHANGE);
    let given = parse::message(&mut violations, "working_group", request.working_group.as_ref());
    let update = given.and_then(|given| {
        let reference = parse::reference(&mut violations, "working_group.reference", &given.reference);
        let read = Read::asked(&mut violations, "working_group.etag", &given.etag);
        let revision = contract::read_revision(&mut violations, given, mask.as_ref()?);
        Some((reference?, read?, revision))
    });
    let (reference, read, revision) = violations.finish(|| update)?;

    let before = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(Some(&before.initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(before.stamp.version)?;
    let after = before.revised(revision);
    let came: Vec<Reference> =
        after.organizations.iter().filter(|one| !before.profile.organizations.contains(one)).cloned().collect();
    let outside = membership::outside(work.connection(), &before.initiative, &came).await;
    let facts = working_group::revise(&before, work.node(), after, outside.map_err(errors::database)?)?;
    work.record(&events::told(&reference, &Space::members(&before.initiative), facts)).await?;
    let working_group = Some(message(work.connection(), &reference).await?);
    work.reply(UpdateWorkingGroupResponse { working_group }).await
}

pub(super) async fn dissolve_working_group(
    desk: &Desk<Room>,
    request: Request<DissolveWorkingGroupRequest>,
) -> Answer<DissolveWorkingGroupResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "working_group", &request.working_group);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let before = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(Some(&before.initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(before.stamp.version)?;
    let facts = working_group::dissolve(&before, work.node(), reason)?;
    work.record(&events::told(&reference, &Space::members(&before.initiative), facts)).await?;
    let working_group = Some(message(work.connection(), &reference).await?);
    work.reply(DissolveWorkingGroupResponse { working_group }).await
}

pub(super) async fn get_working_group(
    desk: &Desk<Room>,
    request: Request<GetWorkingGroupRequest>,
) -> Answer<GetWorkingGroupResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "working_group", &request.working_group);
    let reference = violations.finish(|| reference)?;
    let group = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(Some(&group.initiative), None).await?;
    Ok(Response::new(GetWorkingGroupResponse { working_group: Some(contract::write(&group)) }))
}

pub(super) async fn list_working_groups(
    desk: &Desk<Room>,
    request: Request<ListWorkingGroupsRequest>,
) -> Answer<ListWorkingGroupsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let state = filter(&mut violations, "state", request.state);
    let organization = parse::optional_reference(&mut violations, "organization", &request.organization);
    let list = ListWorkingGroupsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    initiative_known(initiatives::load(look.connection(), &initiative).await, &initiative)?;
    let filter = rows::Filter { state, organization: organization.as_ref(), space: None };
    let groups = rows::list(look.connection(), &initiative, filter, Rows::from(&page)).await;
    let mut groups = groups.map_err(errors::database)?;
    let next_page_token = page.cut(&mut groups, |group| group.reference.to_string());
    let working_groups = groups.iter().map(contract::write).collect();
    Ok(Response::new(ListWorkingGroupsResponse { working_groups, next_page_token }))
}

/// A working group that was looked for, or `NOT_FOUND`.
fn known(
    found: Result<Option<domain::WorkingGroup>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::WorkingGroup, Status> {
    errors::found(found, "working group", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<WorkingGroup, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
