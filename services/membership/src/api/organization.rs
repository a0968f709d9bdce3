//! Calls about organizations.

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
use super::{Answer, Room, filter, own};
use crate::contract::organization as contract;
use crate::domain::{self, organization};
use crate::events;
use crate::store::{Rows, initiative as initiatives, organization as rows};

pub(super) async fn register_organization(
    desk: &Desk<Room>,
    request: Request<RegisterOrganizationRequest>,
) -> Answer<RegisterOrganizationResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let profile = contract::read_profile(&mut violations, request.organization.as_ref());
    let (initiative, profile) = violations.finish(|| Some((initiative?, profile?)))?;

    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let reference = Reference::born_on(work.node());
    let connection = work.connection();
    let initiative = initiative_known(initiatives::unchanging(connection, &initiative).await, &initiative)?;
    let kept = rows::keep_identifiers(connection, &initiative.reference, &profile.identifiers).await;
    kept.map_err(errors::database)?;
    let taken = rows::taken(connection, &initiative.reference, &reference, &profile.identifiers).await;
    let facts = organization::register(&initiative, profile, taken.map_err(errors::database)?)?;
    work.record(&events::told(&reference, &Space::members(&initiative.reference), facts)).await?;
    let organization = Some(message(work.connection(), &reference).await?);
    work.reply(RegisterOrganizationResponse { organization }).await
}

pub(super) async fn update_organization(
    desk: &Desk<Room>,
    request: Request<UpdateOrganizationRequest>,
) -> Answer<UpdateOrganizationResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), contract::MAY_CHANGE);
    let given = parse::message(&mut violations, "organization", request.organization.as_ref());
    let update = given.and_then(|given| {
        let reference = parse::reference(&mut violations, "organization.reference", &given.reference);
        let read = Read::asked(&mut violations, "organization.etag", &given.etag);
        let revision = contract::read_revision(&mut violations, given, mask.as_ref()?);
        Some((reference?, read?, revision))
    });
    let (reference, read, revision) = violations.finish(|| update)?;

    let connection = work.connection();
    let found = known(rows::load(connection, &reference).await, &reference)?;
    let wanted = revision.identifiers.as_deref().unwrap_or_default();
    let kept = rows::keep_identifiers(connection, &found.initiative, wanted).await;
    kept.map_err(errors::database)?;
    let before = known(rows::load_locked(connection, &reference).await, &reference)?;
    let own = own(work.caller(), Some(&reference));
    work.authorise(Some(&before.initiative), own.as_ref()).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(before.stamp.version)?;
    let taken = rows::taken(work.connection(), &before.initiative, &reference, wanted).await;
    let facts = organization::revise(&before, work.node(), revision, taken.map_err(errors::database)?)?;
    work.record(&events::told(&reference, &Space::members(&before.initiative), facts)).await?;
    let organization = Some(message(work.connection(), &reference).await?);
    work.reply(UpdateOrganizationResponse { organization }).await
}

pub(super) async fn get_organization(
    desk: &Desk<Room>,
    request: Request<GetOrganizationRequest>,
) -> Answer<GetOrganizationResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "organization", &request.organization);
    let reference = violations.finish(|| reference)?;
    let organization = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(Some(&organization.initiative), Some(&reference)).await?;
    Ok(Response::new(GetOrganizationResponse { organization: Some(contract::write(&organization)) }))
}

pub(super) async fn list_organizations(
    desk: &Desk<Room>,
    request: Request<ListOrganizationsRequest>,
) -> Answer<ListOrganizationsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let sector = filter(&mut violations, "sector", request.sector);
    let node = (!request.node.is_empty()).then(|| parse::node(&mut violations, "node", &request.node)).flatten();
    let identifier = request.identifier.as_ref();
    let identifier = identifier.and_then(|given| contract::read_identifier(&mut violations, "identifier", given));
    let list = ListOrganizationsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    initiative_known(initiatives::load(look.connection(), &initiative).await, &initiative)?;
    let filter = rows::Filter { sector, node: node.as_ref(), identifier: identifier.as_ref(), space: None };
    let organizations = rows::list(look.connection(), &initiative, filter, Rows::from(&page)).await;
    let mut organizations = organizations.map_err(errors::database)?;
    let next_page_token = page.cut(&mut organizations, |organization| organization.reference.to_string());
    let organizations = organizations.iter().map(contract::write).collect();
    Ok(Response::new(ListOrganizationsResponse { organizations, next_page_token }))
}

/// An organization that was looked for, or `NOT_FOUND`.
pub(super) fn known(
    found: Result<Option<domain::Organization>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Organization, Status> {
    errors::found(found, "organization", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Organization, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
