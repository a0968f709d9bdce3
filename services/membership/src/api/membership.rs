//! Calls that change memberships.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{NodeId, Reference, Space};
use chassis::parse;
use chassis::revision::Read;
use proto::membership::*;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tonic::{Request, Status};

use super::{Answer, Room, own};
use crate::contract::{membership as contract, read_reason};
use crate::domain::{self, Fact, Refusal};
use crate::events;
use crate::store::membership as rows;

pub(super) async fn grant_role(desk: &Desk<Room>, request: Request<GrantRoleRequest>) -> Answer<GrantRoleResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::read(&mut violations, &request.membership, &request.etag, &request.request_id);
    let given = parse::message(&mut violations, "role", request.role.as_ref());
    let term = given.and_then(|given| contract::read_term(&mut violations, "role", given, work.now()));
    let (on, term) = violations.finish(|| Some((on?, term?)))?;
    let decide = |known: &domain::Membership, here: &NodeId, now| known.grant(here, term, now);
    change(work, on, &request, decide, |membership| GrantRoleResponse { membership }).await
}

pub(super) async fn end_role(desk: &Desk<Room>, request: Request<EndRoleRequest>) -> Answer<EndRoleResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::read(&mut violations, &request.membership, &request.etag, &request.request_id);
    let role = contract::read_role(&mut violations, request.role);
    let (on, role) = violations.finish(|| Some((on?, role?)))?;
    let decide = |known: &domain::Membership, here: &NodeId, now| known.end_role(here, role, now);
    change(work, on, &request, decide, |membership| EndRoleResponse { membership }).await
}

pub(super) async fn suspend_member(
    desk: &Desk<Room>,
    request: Request<SuspendMemberRequest>,
) -> Answer<SuspendMemberResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::read(&mut violations, &request.membership, &request.etag, &request.request_id);
    let reason = read_reason(&mut violations, &request.reason);
    let (on, reason) = violations.finish(|| Some((on?, reason?)))?;
    let decide = |known: &domain::Membership, here: &NodeId, _| known.suspend(here, reason);
    change(work, on, &request, decide, |membership| SuspendMemberResponse { membership }).await
}

pub(super) async fn reinstate_member(
    desk: &Desk<Room>,
    request: Request<ReinstateMemberRequest>,
) -> Answer<ReinstateMemberResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::read(&mut violations, &request.membership, &request.etag, &request.request_id);
    let on = violations.finish(|| on)?;
    let decide = |known: &domain::Membership, here: &NodeId, now| known.reinstate(here, now);
    change(work, on, &request, decide, |membership| ReinstateMemberResponse { membership }).await
}

pub(super) async fn end_membership(
    desk: &Desk<Room>,
    request: Request<EndMembershipRequest>,
) -> Answer<EndMembershipResponse> {
    let (work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let on = On::read(&mut violations, &request.membership, &request.etag, &request.request_id);
    let reason = read_reason(&mut violations, &request.reason);
    let (on, reason) = violations.finish(|| Some((on?, reason?)))?;
    let decide = |known: &domain::Membership, here: &NodeId, _| known.end(here, reason);
    change(work, on, &request, decide, |membership| EndMembershipResponse { membership }).await
}

/// Which membership a command is about, as which version, under which request id.
struct On {
    membership: Reference,
    read: Read,
    request_id: String,
}

impl On {
    fn read(violations: &mut Violations, membership: &str, etag: &str, request_id: &str) -> Option<Self> {
        let membership = parse::reference(violations, "membership", membership);
        let read = Read::asked(violations, "etag", etag);
        Some(Self { membership: membership?, read: read?, request_id: request_id.to_owned() })
    }
}

/// The way of every command on one membership, once it is read.
async fn change<Q: prost::Message, A: prost::Message + Default>(
    mut work: Work<Room>,
    on: On,
    request: &Q,
    decide: impl FnOnce(&domain::Membership, &NodeId, OffsetDateTime) -> Result<Vec<Fact>, Refusal>,
    answer: impl FnOnce(Option<Membership>) -> A,
) -> Answer<A> {
    let On { membership: reference, read, request_id } = on;
    let before = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    let own = own(work.caller(), before.organization.as_ref());
    work.authorise(Some(&before.initiative), own.as_ref()).await?;
    if let Some(reply) = work.answered(&request_id, request).await? {
        return Ok(reply);
    }
    read.still(before.stamp.version)?;
    let facts = decide(&before, work.node(), work.now())?;
    work.record(&events::told(&reference, &Space::members(&before.initiative), facts)).await?;
    let membership = Some(message(work.connection(), &reference).await?);
    work.reply(answer(membership)).await
}

/// A membership that was looked for, or `NOT_FOUND`.
pub(super) fn known(
    found: Result<Option<domain::Membership>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Membership, Status> {
    errors::found(found, "membership", reference)
}

/// The membership as the answer shows it.
pub(super) async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Membership, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
