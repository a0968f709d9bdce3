//! Calls about join requests.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::paging::Page;
use chassis::parse;
use proto::membership::*;
use tonic::{Request, Status};

use super::{Reply, Room, filter, own};
use crate::domain::join_request::{self, Asking};
use crate::domain::{self, JoinRequestState};
use crate::store::Rows;
use crate::{contract, events, store};

const STATEMENT_LENGTH: usize = 4000;

struct Asked {
    initiative: Reference,
    organization: Reference,
    statement: String,
}

pub(super) async fn create(
    desk: &Desk<Room>,
    request: Request<CreateJoinRequestRequest>,
) -> Reply<CreateJoinRequestResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let Asked { initiative, organization, statement } = parse_new(&request)?;
    work.authorise(Some(&initiative), Some(&organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let connection = work.connection();
    let initiative =
        errors::found(store::initiative::unchanging(connection, &initiative).await, "initiative", &initiative)?;
    // One who asks twice at the same instant asks once.
    store::alone(connection, vec![organization.to_string()]).await.map_err(errors::database)?;
    let organization =
        errors::found(store::organization::find(connection, &organization).await, "organization", &organization)?;
    let membership = store::membership::standing(connection, &initiative.reference, &organization.reference).await;
    let membership = membership.map_err(errors::database)?;
    let asked = store::join_request::list(
        connection,
        &initiative.reference,
        store::join_request::Filter {
            state: Some(JoinRequestState::Open),
            unanswered: true,
            organization: Some(&organization.reference),
            space: None,
        },
        Rows::ALL,
    );
    let asked = !asked.await.map_err(errors::database)?.is_empty();
    let known = Asking { initiative: &initiative, organization: &organization, membership: membership.as_ref(), asked };
    let reference = Reference::born_on(work.node());
    let facts = join_request::create(&known, work.node(), reference.clone(), statement)?;
    work.record(&events::told(&facts)).await?;
    let found =
        errors::found(store::join_request::find(work.connection(), &reference).await, "join request", &reference)?;
    work.reply(CreateJoinRequestResponse { join_request: Some(contract::join_request(&found)) }).await
}

fn parse_new(request: &CreateJoinRequestRequest) -> Result<Asked, Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let given = parse::message(&mut violations, "join_request", request.join_request.as_ref());
    let asked = given.and_then(|given| {
        let organization = parse::reference(&mut violations, "join_request.organization", &given.organization);
        let statement = parse::prose(&mut violations, "join_request.statement", &given.statement, STATEMENT_LENGTH);
        Some(Asked { initiative: initiative?, organization: organization?, statement: statement? })
    });
    violations.finish(|| asked)
}

pub(super) async fn get(desk: &Desk<Room>, request: Request<GetJoinRequestRequest>) -> Reply<GetJoinRequestResponse> {
    let (mut look, request) = desk.look(request).await?;
    let reference = parse_named(&request.join_request)?;
    let found =
        errors::found(store::join_request::find(look.connection(), &reference).await, "join request", &reference)?;
    look.authorise(Some(&found.initiative), Some(&found.organization)).await?;
    Ok(GetJoinRequestResponse { join_request: Some(contract::join_request(&found)) }.into())
}

fn parse_named(request: &str) -> Result<Reference, Status> {
    let mut violations = Violations::default();
    let request = parse::reference(&mut violations, "join_request", request);
    violations.finish(|| request)
}

struct Listing {
    initiative: Reference,
    state: Option<JoinRequestState>,
    page: Page,
}

pub(super) async fn list(
    desk: &Desk<Room>,
    request: Request<ListJoinRequestsRequest>,
) -> Reply<ListJoinRequestsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let Listing { initiative, state, page } = parse_listing(&request)?;
    look.authorise(Some(&initiative), None).await?;
    errors::found(store::initiative::find(look.connection(), &initiative).await, "initiative", &initiative)?;
    let filter = store::join_request::Filter { state, unanswered: request.unanswered, organization: None, space: None };
    let found = store::join_request::list(look.connection(), &initiative, filter, Rows::from(&page)).await;
    let mut found = found.map_err(errors::database)?;
    let next_page_token = page.cut(&mut found, |request| request.reference.to_string());
    let join_requests = found.iter().map(contract::join_request).collect();
    Ok(ListJoinRequestsResponse { join_requests, next_page_token }.into())
}

fn parse_listing(request: &ListJoinRequestsRequest) -> Result<Listing, Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let state = filter(&mut violations, "state", request.state);
    let list = ListJoinRequestsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    violations.finish(|| Some(Listing { initiative: initiative?, state, page: page? }))
}

pub(super) async fn withdraw(
    desk: &Desk<Room>,
    request: Request<WithdrawJoinRequestRequest>,
) -> Reply<WithdrawJoinRequestResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let reference = parse_named(&request.join_request)?;
    let before =
        errors::found(store::join_request::locked(work.connection(), &reference).await, "join request", &reference)?;
    let own = own(work.caller(), Some(&before.organization));
    work.authorise(Some(&before.initiative), own.as_ref()).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let facts = domain::join_request::withdraw(&before, work.node())?;
    work.record(&events::told(&facts)).await?;
    let found =
        errors::found(store::join_request::find(work.connection(), &reference).await, "join request", &reference)?;
    work.reply(WithdrawJoinRequestResponse { join_request: Some(contract::join_request(&found)) }).await
}
