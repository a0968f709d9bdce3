//! Calls about join requests.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use proto::membership::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::initiative::known as initiative_known;
use super::organization::known as organization_known;
use super::{Answer, Room, filter, own};
use crate::contract::join_request as contract;
use crate::domain::join_request::{self, Asking};
use crate::domain::{self, Asked, JoinRequestState};
use crate::events;
use crate::store::{self, Rows, initiative as initiatives, join_request as rows};

pub(super) async fn create_join_request(
    desk: &Desk<Room>,
    request: Request<CreateJoinRequestRequest>,
) -> Answer<CreateJoinRequestResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let asked = contract::read_asked(&mut violations, request.join_request.as_ref());
    let (initiative, asked) = violations.finish(|| Some((initiative?, asked?)))?;

    work.authorise(Some(&initiative), Some(&asked.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let Asked { organization, statement } = asked;
    let connection = work.connection();
    let initiative = initiative_known(initiatives::unchanging(connection, &initiative).await, &initiative)?;
    // One who asks twice at the same instant asks once.
    store::alone(connection, vec![organization.to_string()]).await.map_err(errors::database)?;
    let organization = organization_known(store::organization::load(connection, &organization).await, &organization)?;
    let membership = store::membership::standing(connection, &initiative.reference, &organization.reference).await;
    let membership = membership.map_err(errors::database)?;
    let standing = rows::Filter {
        state: Some(JoinRequestState::Open),
        unanswered: true,
        organization: Some(&organization.reference),
        space: None,
    };
    let asked = rows::list(connection, &initiative.reference, standing, Rows::ALL).await;
    let asked = !asked.map_err(errors::database)?.is_empty();
    let known = Asking { initiative: &initiative, organization: &organization, membership: membership.as_ref(), asked };
    let facts = join_request::create(&known, work.node(), statement)?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &Space::members(&initiative.reference), facts)).await?;
    let join_request = Some(message(work.connection(), &reference).await?);
    work.reply(CreateJoinRequestResponse { join_request }).await
}

pub(super) async fn withdraw_join_request(
    desk: &Desk<Room>,
    request: Request<WithdrawJoinRequestRequest>,
) -> Answer<WithdrawJoinRequestResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "join_request", &request.join_request);
    let reference = violations.finish(|| reference)?;

    let before = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    let own = own(work.caller(), Some(&before.asked.organization));
    work.authorise(Some(&before.initiative), own.as_ref()).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let facts = join_request::withdraw(&before, work.node())?;
    work.record(&events::told(&reference, &Space::members(&before.initiative), facts)).await?;
    let join_request = Some(message(work.connection(), &reference).await?);
    work.reply(WithdrawJoinRequestResponse { join_request }).await
}

pub(super) async fn get_join_request(
    desk: &Desk<Room>,
    request: Request<GetJoinRequestRequest>,
) -> Answer<GetJoinRequestResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "join_request", &request.join_request);
    let reference = violations.finish(|| reference)?;
    let found = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(Some(&found.initiative), Some(&found.asked.organization)).await?;
    Ok(Response::new(GetJoinRequestResponse { join_request: Some(contract::write(&found)) }))
}

pub(super) async fn list_join_requests(
    desk: &Desk<Room>,
    request: Request<ListJoinRequestsRequest>,
) -> Answer<ListJoinRequestsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let state = filter(&mut violations, "state", request.state);
    let list = ListJoinRequestsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    initiative_known(initiatives::load(look.connection(), &initiative).await, &initiative)?;
    let filter = rows::Filter { state, unanswered: request.unanswered, organization: None, space: None };
    let found = rows::list(look.connection(), &initiative, filter, Rows::from(&page)).await;
    let mut found = found.map_err(errors::database)?;
    let next_page_token = page.cut(&mut found, |request| request.reference.to_string());
    let join_requests = found.iter().map(contract::write).collect();
    Ok(Response::new(ListJoinRequestsResponse { join_requests, next_page_token }))
}

/// A request that was looked for, or `NOT_FOUND`.
pub(super) fn known(
    found: Result<Option<domain::JoinRequest>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::JoinRequest, Status> {
    errors::found(found, "join request", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<JoinRequest, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
