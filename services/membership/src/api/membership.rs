//! Calls about memberships as they are.

mod listing;

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{NodeId, Reference};
use chassis::parse;
use chassis::revision::Read;
use proto::membership::*;
use time::OffsetDateTime;
use tonic::{Request, Status};

use super::{Reply, Room, own, role_term};
use crate::domain::{Fact, Membership as Known, Refusal};
use crate::{contract, events, store};

pub(super) use listing::list;

const REASON_LENGTH: usize = 1000;

pub(super) async fn grant_role(desk: &Desk<Room>, request: Request<GrantRoleRequest>) -> Reply<GrantRoleResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::parse(&mut violations, &request.membership, &request.etag, &request.request_id);
    let given = parse::message(&mut violations, "role", request.role.as_ref());
    let term = given.and_then(|given| role_term::one(&mut violations, "role", given, work.now()));
    let (on, term) = violations.finish(|| Some((on?, term?)))?;
    let decide = |known: &Known, here: &NodeId, now| known.grant(here, term, now);
    change(work, on, &request, decide, |membership| GrantRoleResponse { membership }).await
}

pub(super) async fn end_role(desk: &Desk<Room>, request: Request<EndRoleRequest>) -> Reply<EndRoleResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::parse(&mut violations, &request.membership, &request.etag, &request.request_id);
    let role = parse::choice(&mut violations, "role", request.role);
    let (on, role) = violations.finish(|| Some((on?, role?)))?;
    let decide = |known: &Known, here: &NodeId, now| known.end_role(here, role, now);
    change(work, on, &request, decide, |membership| EndRoleResponse { membership }).await
}

pub(super) async fn suspend(desk: &Desk<Room>, request: Request<SuspendMemberRequest>) -> Reply<SuspendMemberResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::parse(&mut violations, &request.membership, &request.etag, &request.request_id);
    let reason = parse::text(&mut violations, "reason", &request.reason, REASON_LENGTH);
    let (on, reason) = violations.finish(|| Some((on?, reason?)))?;
    let decide = |known: &Known, here: &NodeId, _| known.suspend(here, reason);
    change(work, on, &request, decide, |membership| SuspendMemberResponse { membership }).await
}

pub(super) async fn reinstate(
    desk: &Desk<Room>,
    request: Request<ReinstateMemberRequest>,
) -> Reply<ReinstateMemberResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::parse(&mut violations, &request.membership, &request.etag, &request.request_id);
    let on = violations.finish(|| on)?;
    let decide = |known: &Known, here: &NodeId, now| known.reinstate(here, now);
    change(work, on, &request, decide, |membership| ReinstateMemberResponse { membership }).await
}

pub(super) async fn end(desk: &Desk<Room>, request: Request<EndMembershipRequest>) -> Reply<EndMembershipResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::parse(&mut violations, &request.membership, &request.etag, &request.request_id);
    let reason = parse::text(&mut violations, "reason", &request.reason, REASON_LENGTH);
    let (on, reason) = violations.finish(|| Some((on?, reason?)))?;
    let decide = |known: &Known, here: &NodeId, _| known.end(here, reason);
    change(work, on, &request, decide, |membership| EndMembershipResponse { membership }).await
}

/// Which membership a command is about, as which version, under which request id.
struct On {
    membership: Reference,
    read: Read,
    request_id: String,
}

impl On {
    fn parse(violations: &mut Violations, membership: &str, etag: &str, request_id: &str) -> Option<Self> {
        let membership = parse::reference(violations, "membership", membership);
        let read = Read::asked(violations, "etag", etag);
        Some(Self { membership: membership?, read: read?, request_id: request_id.to_owned() })
    }
}

/// The way of every command on one membership, once it is parsed.
async fn change<Q: prost::Message, A: prost::Message + Default>(
    mut work: Work<Room>,
    on: On,
    request: &Q,
    decide: impl FnOnce(&Known, &NodeId, OffsetDateTime) -> Result<Vec<Fact>, Refusal>,
    answer: impl FnOnce(Option<Membership>) -> A,
) -> Reply<A> {
    let On { membership: reference, read, request_id } = on;
    let known =
        errors::found(store::membership::locked(work.connection(), &reference).await, "membership", &reference)?;
    let own = own(work.caller(), known.organization.as_ref());
    work.authorise(Some(&known.initiative), own.as_ref()).await?;
    if let Some(reply) = work.answered(&request_id, request).await? {
        return Ok(reply);
    }
    read.still(known.stamp.version)?;
    let facts = decide(&known, work.node(), work.now())?;
    work.record(&events::told(&facts)).await?;
    let found = errors::found(store::membership::find(work.connection(), &reference).await, "membership", &reference)?;
    work.reply(answer(Some(contract::membership(&found)))).await
}

pub(super) async fn get(desk: &Desk<Room>, request: Request<GetMembershipRequest>) -> Reply<GetMembershipResponse> {
    let (mut look, request) = desk.look(request).await?;
    let reference = parse_named(&request.membership)?;
    let found = errors::found(store::membership::find(look.connection(), &reference).await, "membership", &reference)?;
    look.authorise(Some(&found.initiative), found.organization.as_ref()).await?;
    Ok(GetMembershipResponse { membership: Some(contract::membership(&found)) }.into())
}

fn parse_named(membership: &str) -> Result<Reference, Status> {
    let mut violations = Violations::default();
    let membership = parse::reference(&mut violations, "membership", membership);
    violations.finish(|| membership)
}
