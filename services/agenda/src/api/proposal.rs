//! Calls about proposals.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::Read;
use proto::agenda::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Answer;
use super::version::published;
use crate::contract::{endorsement::read_reason, proposal as contract};
use crate::domain::ballot::Ballot;
use crate::domain::{self, proposal};
use crate::store::{ballot, proposal as rows, version};
use crate::{Agenda as Room, events};

pub(super) async fn create_proposal(
    desk: &Desk<Room>,
    request: Request<CreateProposalRequest>,
) -> Answer<CreateProposalResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let version = parse::reference(&mut violations, "version", &request.version);
    let organization = parse::reference(&mut violations, "organization", &request.organization);
    let content = contract::read_content(&mut violations, request.revision.as_ref());
    let (version, organization, content) = violations.finish(|| Some((version?, organization?, content?)))?;

    let version = published(version::load(work.connection(), &version).await, &version)?;
    work.authorise(Some(&version.initiative), Some(&organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let facts = proposal::make(work.node(), &version, organization, content, work.now())?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &Space::members(&version.initiative), facts)).await?;
    let proposal = Some(message(work.connection(), &reference).await?);
    work.reply(CreateProposalResponse { proposal }).await
}

pub(super) async fn amend_proposal(
    desk: &Desk<Room>,
    request: Request<AmendProposalRequest>,
) -> Answer<AmendProposalResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "proposal", &request.proposal);
    let content = contract::read_content(&mut violations, request.revision.as_ref());
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, content, read) = violations.finish(|| Some((reference?, content?, read?)))?;

    let proposal = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(proposal.space.initiative(), Some(&proposal.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(proposal.stamp.version)?;
    let ballot = everything_said(work.connection(), &proposal).await?;
    let facts = proposal::amend(work.node(), &proposal, &ballot, content, work.now())?;
    work.record(&events::told(&reference, &proposal.space, facts)).await?;
    let proposal = Some(message(work.connection(), &reference).await?);
    work.reply(AmendProposalResponse { proposal }).await
}

pub(super) async fn withdraw_proposal(
    desk: &Desk<Room>,
    request: Request<WithdrawProposalRequest>,
) -> Answer<WithdrawProposalResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "proposal", &request.proposal);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let proposal = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(proposal.space.initiative(), Some(&proposal.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(proposal.stamp.version)?;
    let ballot = everything_said(work.connection(), &proposal).await?;
    let facts = proposal::withdraw(work.node(), &proposal, &ballot, reason)?;
    work.record(&events::told(&reference, &proposal.space, facts)).await?;
    let proposal = Some(message(work.connection(), &reference).await?);
    work.reply(WithdrawProposalResponse { proposal }).await
}

pub(super) async fn get_proposal(
    desk: &Desk<Room>,
    request: Request<GetProposalRequest>,
) -> Answer<GetProposalResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "proposal", &request.proposal);
    let reference = violations.finish(|| reference)?;
    let proposal = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(proposal.space.initiative(), None).await?;
    let ballot = everything_said(look.connection(), &proposal).await?;
    Ok(Response::new(GetProposalResponse { proposal: Some(contract::write(&proposal, &ballot)) }))
}

pub(super) async fn list_proposals(
    desk: &Desk<Room>,
    request: Request<ListProposalsRequest>,
) -> Answer<ListProposalsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let filter = rows::Filter {
        version: parse::optional_reference(&mut violations, "version", &request.version),
        organization: parse::optional_reference(&mut violations, "organization", &request.organization),
    };
    let list = ListProposalsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let (space, after) = (Space::members(&initiative), page.after.as_deref());
    let found = rows::list(look.connection(), &space, &filter, after, page.limit()).await;
    let mut found = found.map_err(errors::database)?;
    let next_page_token = page.cut(&mut found, |proposal| proposal.reference.to_string());
    let mut proposals = Vec::with_capacity(found.len());
    for proposal in found {
        let ballot = everything_said(look.connection(), &proposal).await?;
        proposals.push(contract::write(&proposal, &ballot));
    }
    Ok(Response::new(ListProposalsResponse { proposals, next_page_token }))
}

/// A proposal that was looked for, or `NOT_FOUND`.
pub(super) fn known(
    found: Result<Option<domain::Proposal>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Proposal, Status> {
    errors::found(found, "proposal", reference)
}

/// A proposal's ballot.
pub(super) async fn everything_said(
    connection: &mut PgConnection,
    proposal: &domain::Proposal,
) -> Result<Ballot, Status> {
    ballot::load(connection, proposal).await.map_err(errors::database)
}

/// A proposal as it stands.
pub(super) async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Proposal, Status> {
    let proposal = known(rows::load(connection, reference).await, reference)?;
    let ballot = everything_said(connection, &proposal).await?;
    Ok(contract::write(&proposal, &ballot))
}
