//! Calls about agendas and their drafts.

use chassis::desk::{Desk, Look};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::revision::{Mask, Read};
use chassis::{parse, roles};
use proto::agenda::*;
use proto::common::Role;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Answer;
use crate::contract::{agenda as contract, tree};
use crate::domain::{self, agenda};
use crate::store::{agenda as rows, version};
use crate::{Agenda as Room, events};

pub(super) async fn create_agenda(
    desk: &Desk<Room>,
    request: Request<CreateAgendaRequest>,
) -> Answer<CreateAgendaResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let tree = tree::read(&mut violations, request.tree.as_ref());
    let (initiative, tree) = violations.finish(|| Some((initiative?, tree?)))?;

    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    if !roles::initiative_known(work.connection(), &initiative).await.map_err(errors::database)? {
        return Err(errors::not_found("initiative", &initiative));
    }
    let facts = agenda::begin(work.node(), initiative.clone(), tree)?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &Space::members(&initiative), facts)).await?;
    let agenda = Some(message(work.connection(), &reference).await?);
    work.reply(CreateAgendaResponse { agenda }).await
}

pub(super) async fn update_agenda(
    desk: &Desk<Room>,
    request: Request<UpdateAgendaRequest>,
) -> Answer<UpdateAgendaResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "agenda", &request.agenda);
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), tree::MAY_CHANGE);
    let change = tree::read_change(&mut violations, request.tree.as_ref(), mask.as_ref());
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, change, read) = violations.finish(|| Some((reference?, change?, read?)))?;

    let agenda = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(Some(&agenda.initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    still(read, &agenda)?;
    let known = version::references(work.connection(), &reference).await.map_err(errors::database)?;
    let known = known.into_iter().chain(agenda.draft.iter().flat_map(|draft| draft.tree.references())).collect();
    let facts = agenda::revise(work.node(), &agenda, &known, change)?;
    work.record(&events::told(&reference, &Space::members(&agenda.initiative), facts)).await?;
    let agenda = Some(message(work.connection(), &reference).await?);
    work.reply(UpdateAgendaResponse { agenda }).await
}

pub(super) async fn publish_agenda(
    desk: &Desk<Room>,
    request: Request<PublishAgendaRequest>,
) -> Answer<PublishAgendaResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "agenda", &request.agenda);
    let proposals = contract::read_proposals(&mut violations, &request.proposals);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, proposals, read) = violations.finish(|| Some((reference?, proposals?, read?)))?;

    let agenda = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(Some(&agenda.initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    still(read, &agenda)?;
    let facts = agenda::publish(work.node(), &agenda, proposals)?;
    work.record(&events::told(&reference, &Space::members(&agenda.initiative), facts)).await?;
    let agenda = Some(message(work.connection(), &reference).await?);
    work.reply(PublishAgendaResponse { agenda }).await
}

pub(super) async fn get_agenda(desk: &Desk<Room>, request: Request<GetAgendaRequest>) -> Answer<GetAgendaResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "agenda", &request.agenda);
    let reference = violations.finish(|| reference)?;
    let agenda = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(Some(&agenda.initiative), None).await?;
    let drafts = sees_drafts(&mut look, &agenda.initiative).await?;
    if agenda.current.is_none() && !drafts {
        return Err(errors::not_found("agenda", &reference));
    }
    Ok(Response::new(GetAgendaResponse { agenda: Some(contract::write(&agenda, drafts)) }))
}

pub(super) async fn list_agendas(
    desk: &Desk<Room>,
    request: Request<ListAgendasRequest>,
) -> Answer<ListAgendasResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let list = ListAgendasRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let drafts = sees_drafts(&mut look, &initiative).await?;
    let agendas = rows::list(look.connection(), &initiative, drafts, page.after.as_deref(), page.limit()).await;
    let mut agendas = agendas.map_err(errors::database)?;
    let next_page_token = page.cut(&mut agendas, |agenda| agenda.reference.to_string());
    let agendas = agendas.iter().map(|agenda| contract::write(agenda, drafts)).collect();
    Ok(Response::new(ListAgendasResponse { agendas, next_page_token }))
}

/// Whether the caller sees what is being worked on: whoever may change it.
async fn sees_drafts(look: &mut Look, initiative: &Reference) -> Result<bool, Status> {
    let Some(caller) = look.caller().cloned() else { return Ok(false) };
    if caller.operator {
        return Ok(true);
    }
    let now = look.now();
    let held = roles::held(look.connection(), initiative, &caller.organizations, now).await;
    let held = held.map_err(errors::database)?;
    Ok(held.contains(&Role::BackboneStaff) || held.contains(&Role::SteeringCommittee))
}

/// Whether the draft is still as the caller read it; one that lives elsewhere is nobody's to compare here.
fn still(read: Read, agenda: &domain::Agenda) -> Result<(), Status> {
    agenda.draft.as_ref().map_or(Ok(()), |draft| read.still(draft.stamp.version))
}

/// An agenda that was looked for, or `NOT_FOUND`.
pub(super) fn known(
    found: Result<Option<domain::Agenda>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Agenda, Status> {
    errors::found(found, "agenda", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Agenda, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?, true))
}
