//! Calls about initiatives.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::{Mask, Read};
use proto::membership::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::{Answer, Room};
use crate::contract::initiative as contract;
use crate::domain::{self, initiative};
use crate::events;
use crate::store::{Rows, initiative as rows};

pub(super) async fn create_initiative(
    desk: &Desk<Room>,
    request: Request<CreateInitiativeRequest>,
) -> Answer<CreateInitiativeResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let profile = contract::read_new(&mut violations, request.initiative.as_ref());
    let profile = violations.finish(|| profile)?;

    work.authorise(None, None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let reference = Reference::born_on(work.node());
    let facts = initiative::create(profile);
    work.record(&events::told(&reference, &Space::members(&reference), facts)).await?;
    let initiative = Some(message(work.connection(), &reference).await?);
    work.reply(CreateInitiativeResponse { initiative }).await
}

pub(super) async fn update_initiative(
    desk: &Desk<Room>,
    request: Request<UpdateInitiativeRequest>,
) -> Answer<UpdateInitiativeResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), contract::MAY_CHANGE);
    let given = parse::message(&mut violations, "initiative", request.initiative.as_ref());
    let update = given.and_then(|given| {
        let reference = parse::reference(&mut violations, "initiative.reference", &given.reference);
        let read = Read::asked(&mut violations, "initiative.etag", &given.etag);
        let revision = contract::read_revision(&mut violations, given, mask.as_ref()?);
        Some((reference?, read?, revision))
    });
    let (reference, read, revision) = violations.finish(|| update)?;

    work.authorise(Some(&reference), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let before = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    read.still(before.stamp.version)?;
    let facts = initiative::revise(&before, work.node(), revision)?;
    work.record(&events::told(&reference, &Space::members(&reference), facts)).await?;
    let initiative = Some(message(work.connection(), &reference).await?);
    work.reply(UpdateInitiativeResponse { initiative }).await
}

pub(super) async fn get_initiative(
    desk: &Desk<Room>,
    request: Request<GetInitiativeRequest>,
) -> Answer<GetInitiativeResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "initiative", &request.initiative);
    let reference = violations.finish(|| reference)?;
    look.authorise(Some(&reference), None).await?;
    let initiative = known(rows::load(look.connection(), &reference).await, &reference)?;
    Ok(Response::new(GetInitiativeResponse { initiative: Some(contract::write(&initiative)) }))
}

pub(super) async fn list_initiatives(
    desk: &Desk<Room>,
    request: Request<ListInitiativesRequest>,
) -> Answer<ListInitiativesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let list = ListInitiativesRequest::default();
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let page = violations.finish(|| page)?;

    look.authorise(None, None).await?;
    // The operator sees all that this node takes part in, others only where they belong.
    let caller = look.caller().cloned();
    let others = caller.as_ref().filter(|caller| !caller.operator).map(|caller| caller.organizations.as_slice());
    let filter = rows::Filter { with_roles_of: others, space: None };
    let now = look.now();
    let initiatives = rows::list(look.connection(), filter, now, Rows::from(&page)).await;
    let mut initiatives = initiatives.map_err(errors::database)?;
    let next_page_token = page.cut(&mut initiatives, |initiative| initiative.reference.to_string());
    let initiatives = initiatives.iter().map(contract::write).collect();
    Ok(Response::new(ListInitiativesResponse { initiatives, next_page_token }))
}

/// An initiative that was looked for, or `NOT_FOUND`.
pub(super) fn known(
    found: Result<Option<domain::Initiative>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Initiative, Status> {
    errors::found(found, "initiative", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Initiative, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
