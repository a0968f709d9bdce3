//! Calls about organizations.

mod parsed;

use chassis::desk::Desk;
use chassis::errors;
use chassis::names::Reference;
use proto::membership::*;
use tonic::Request;

use self::parsed::{Listing, Registration, Update};
use super::{Reply, Room, own};
use crate::domain::organization;
use crate::store::Rows;
use crate::{contract, events, store};

pub(super) async fn register(
    desk: &Desk<Room>,
    request: Request<RegisterOrganizationRequest>,
) -> Reply<RegisterOrganizationResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let Registration { initiative, profile } = parsed::registration(&request)?;
    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let reference = Reference::born_on(work.node());
    let connection = work.connection();
    let initiative =
        errors::found(store::initiative::unchanging(connection, &initiative).await, "initiative", &initiative)?;
    let kept = store::organization::keep_identifiers(connection, &initiative.reference, &profile.identifiers).await;
    kept.map_err(errors::database)?;
    let taken = store::organization::taken(connection, &initiative.reference, &reference, &profile.identifiers).await;
    let taken = taken.map_err(errors::database)?;
    let facts = organization::register(&initiative, reference.clone(), profile, taken)?;
    work.record(&events::told(&facts)).await?;
    let found =
        errors::found(store::organization::find(work.connection(), &reference).await, "organization", &reference)?;
    work.reply(RegisterOrganizationResponse { organization: Some(contract::organization(&found)) }).await
}

pub(super) async fn get(desk: &Desk<Room>, request: Request<GetOrganizationRequest>) -> Reply<GetOrganizationResponse> {
    let (mut look, request) = desk.look(request).await?;
    let reference = parsed::named(&request.organization)?;
    let found =
        errors::found(store::organization::find(look.connection(), &reference).await, "organization", &reference)?;
    look.authorise(Some(&found.initiative), Some(&reference)).await?;
    Ok(GetOrganizationResponse { organization: Some(contract::organization(&found)) }.into())
}

pub(super) async fn list(
    desk: &Desk<Room>,
    request: Request<ListOrganizationsRequest>,
) -> Reply<ListOrganizationsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let Listing { initiative, sector, node, identifier, page } = parsed::listing(&request)?;
    look.authorise(Some(&initiative), None).await?;
    errors::found(store::initiative::find(look.connection(), &initiative).await, "initiative", &initiative)?;
    let (node, identifier) = (node.as_ref(), identifier.as_ref());
    let filter = store::organization::Filter { sector, node, identifier, space: None };
    let found = store::organization::list(look.connection(), &initiative, filter, Rows::from(&page)).await;
    let mut found = found.map_err(errors::database)?;
    let next_page_token = page.cut(&mut found, |organization| organization.reference.to_string());
    let organizations = found.iter().map(contract::organization).collect();
    Ok(ListOrganizationsResponse { organizations, next_page_token }.into())
}

pub(super) async fn update(
    desk: &Desk<Room>,
    request: Request<UpdateOrganizationRequest>,
) -> Reply<UpdateOrganizationResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let Update { reference, read, revision } = parsed::update(&request)?;
    let connection = work.connection();
    let known = errors::found(store::organization::find(connection, &reference).await, "organization", &reference)?;
    let wanted = revision.identifiers.as_deref().unwrap_or_default();
    let kept = store::organization::keep_identifiers(connection, &known.initiative, wanted).await;
    kept.map_err(errors::database)?;
    let before = errors::found(store::organization::locked(connection, &reference).await, "organization", &reference)?;
    let own = own(work.caller(), Some(&reference));
    work.authorise(Some(&before.initiative), own.as_ref()).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(before.stamp.version)?;
    let taken = store::organization::taken(work.connection(), &before.initiative, &reference, wanted).await;
    let facts = organization::revise(&before, work.node(), revision, taken.map_err(errors::database)?)?;
    work.record(&events::told(&facts)).await?;
    let found =
        errors::found(store::organization::find(work.connection(), &reference).await, "organization", &reference)?;
    work.reply(UpdateOrganizationResponse { organization: Some(contract::organization(&found)) }).await
}
