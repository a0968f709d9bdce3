//! Calls about circles.

use chassis::desk::{Desk, Look};
use chassis::errors::{self, Violations};
use chassis::names::{NodeId, Reference};
use chassis::paging::Page;
use chassis::revision::{Mask, Read};
use chassis::{parse, spaces};
use proto::membership::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::initiative::known as initiative_known;
use super::{Answer, Room, filter};
use crate::contract::{circle as contract, read_reason};
use crate::domain::{self, circle};
use crate::events;
use crate::store::{Rows, circle as rows, initiative as initiatives, node};

pub(super) async fn create_circle(
    desk: &Desk<Room>,
    request: Request<CreateCircleRequest>,
) -> Answer<CreateCircleResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let profile = contract::read_profile(&mut violations, request.circle.as_ref());
    let (initiative, profile) = violations.finish(|| Some((initiative?, profile?)))?;

    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let connection = work.connection();
    let initiative = initiative_known(initiatives::unchanging(connection, &initiative).await, &initiative)?;
    let outside = node::outside(connection, &initiative.reference, &profile.nodes).await;
    let facts = circle::form(&initiative, work.node(), profile, outside.map_err(errors::database)?)?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &circle::space(&initiative.reference, &reference), facts)).await?;
    let circle = Some(message(work.connection(), &reference).await?);
    work.reply(CreateCircleResponse { circle }).await
}

pub(super) async fn update_circle(
    desk: &Desk<Room>,
    request: Request<UpdateCircleRequest>,
) -> Answer<UpdateCircleResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), contract::MAY_CHANGE);
    let given = parse::message(&mut violations, "circle", request.circle.as_ref());
    let update = given.and_then(|given| {
        let reference = parse::reference(&mut violations, "circle.reference", &given.reference);
        let read = Read::asked(&mut violations, "circle.etag", &given.etag);
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
    let came: Vec<NodeId> = after.nodes.iter().filter(|one| !before.profile.nodes.contains(one)).cloned().collect();
    let outside = node::outside(work.connection(), &before.initiative, &came).await;
    let facts = circle::change(&before, work.node(), after, outside.map_err(errors::database)?)?;
    work.record(&events::told(&reference, &circle::space(&before.initiative, &reference), facts)).await?;
    let circle = Some(message(work.connection(), &reference).await?);
    work.reply(UpdateCircleResponse { circle }).await
}

pub(super) async fn end_circle(desk: &Desk<Room>, request: Request<EndCircleRequest>) -> Answer<EndCircleResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "circle", &request.circle);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let before = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(Some(&before.initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(before.stamp.version)?;
    let facts = circle::end(&before, work.node(), reason)?;
    work.record(&events::told(&reference, &circle::space(&before.initiative, &reference), facts)).await?;
    let circle = Some(message(work.connection(), &reference).await?);
    work.reply(EndCircleResponse { circle }).await
}

/// Authorised by the initiative that the request names before the circle is looked for: who may not know of it is told
/// the same as if there were none.
pub(super) async fn get_circle(desk: &Desk<Room>, request: Request<GetCircleRequest>) -> Answer<GetCircleResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let reference = parse::reference(&mut violations, "circle", &request.circle);
    let (initiative, reference) = violations.finish(|| Some((initiative?, reference?)))?;

    spaces::may_read(&mut look, &circle::space(&initiative, &reference)).await?;
    let found = known(rows::load(look.connection(), &reference).await, &reference)?;
    if found.initiative != initiative {
        return Err(errors::not_found("circle", &reference));
    }
    Ok(Response::new(GetCircleResponse { circle: Some(contract::write(&found)) }))
}

pub(super) async fn list_circles(
    desk: &Desk<Room>,
    request: Request<ListCirclesRequest>,
) -> Answer<ListCirclesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let state = filter(&mut violations, "state", request.state);
    let list = ListCirclesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    initiative_known(initiatives::load(look.connection(), &initiative).await, &initiative)?;
    let nodes = nodes_of_caller(&mut look, &initiative).await?;
    let filter = rows::Filter { state, with_any_of: nodes.as_deref(), space: None };
    let circles = rows::list(look.connection(), &initiative, filter, Rows::from(&page)).await;
    let mut circles = circles.map_err(errors::database)?;
    let next_page_token = page.cut(&mut circles, |circle| circle.reference.to_string());
    let circles = circles.iter().map(contract::write).collect();
    Ok(Response::new(ListCirclesResponse { circles, next_page_token }))
}

/// The nodes on which the caller's organizations live; `None` for one who may read all that this node holds.
async fn nodes_of_caller(look: &mut Look, initiative: &Reference) -> Result<Option<Vec<NodeId>>, Status> {
    if spaces::reads_all(look, initiative).await? {
        return Ok(None);
    }
    let organizations = look.caller().map(|caller| caller.organizations.as_slice()).unwrap_or_default();
    Ok(Some(organizations.iter().map(|organization| organization.node.clone()).collect()))
}

/// A circle that was looked for, or `NOT_FOUND`.
fn known(found: Result<Option<domain::Circle>, sqlx::Error>, reference: &Reference) -> Result<domain::Circle, Status> {
    errors::found(found, "circle", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Circle, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
