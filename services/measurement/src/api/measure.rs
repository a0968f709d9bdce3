//! Calls about measures.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::revision::{Mask, Read};
use chassis::{parse, roles};
use proto::measurement::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Answer;
use crate::contract::{measure as contract, read_reason};
use crate::domain::{self, measure};
use crate::store::measure as rows;
use crate::{Measurement, events};

pub(super) async fn create_measure(
    desk: &Desk<Measurement>,
    request: Request<CreateMeasureRequest>,
) -> Answer<CreateMeasureResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let definition = contract::read_definition(&mut violations, request.definition.as_ref());
    let (initiative, definition) = violations.finish(|| Some((initiative?, definition?)))?;

    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    if !roles::initiative_known(work.connection(), &initiative).await.map_err(errors::database)? {
        return Err(errors::not_found("initiative", &initiative));
    }
    let (space, node) = (Space::members(&initiative), work.node().clone());
    let taken = rows::code_taken(work.connection(), &space, &node, &definition.code).await;
    let facts = measure::define(definition, taken.map_err(errors::database)?)?;
    let reference = Reference::born_on(&node);
    work.record(&events::told(&reference, &space, facts)).await?;
    let measure = Some(message(work.connection(), &reference).await?);
    work.reply(CreateMeasureResponse { measure }).await
}

pub(super) async fn update_measure(
    desk: &Desk<Measurement>,
    request: Request<UpdateMeasureRequest>,
) -> Answer<UpdateMeasureResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "measure", &request.measure);
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), contract::MAY_CHANGE);
    let change = contract::read_change(&mut violations, request.definition.as_ref(), mask.as_ref());
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, change, read) = violations.finish(|| Some((reference?, change?, read?)))?;

    let measure = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(Some(&measure.initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(measure.stamp.version)?;
    let facts = measure::revise(work.node(), &measure, change)?;
    work.record(&events::told(&reference, &Space::members(&measure.initiative), facts)).await?;
    let measure = Some(message(work.connection(), &reference).await?);
    work.reply(UpdateMeasureResponse { measure }).await
}

pub(super) async fn retire_measure(
    desk: &Desk<Measurement>,
    request: Request<RetireMeasureRequest>,
) -> Answer<RetireMeasureResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "measure", &request.measure);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let measure = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(Some(&measure.initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(measure.stamp.version)?;
    let facts = measure::retire(work.node(), &measure, reason)?;
    work.record(&events::told(&reference, &Space::members(&measure.initiative), facts)).await?;
    let measure = Some(message(work.connection(), &reference).await?);
    work.reply(RetireMeasureResponse { measure }).await
}

pub(super) async fn get_measure(
    desk: &Desk<Measurement>,
    request: Request<GetMeasureRequest>,
) -> Answer<GetMeasureResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "measure", &request.measure);
    let reference = violations.finish(|| reference)?;
    let measure = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(Some(&measure.initiative), None).await?;
    Ok(Response::new(GetMeasureResponse { measure: Some(contract::write(&measure)) }))
}

pub(super) async fn list_measures(
    desk: &Desk<Measurement>,
    request: Request<ListMeasuresRequest>,
) -> Answer<ListMeasuresResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let state = match request.state {
        0 => Some(None),
        state => parse::choice::<MeasureState>(&mut violations, "state", state).map(Some),
    };
    let list = ListMeasuresRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, state, page) = violations.finish(|| Some((initiative?, state?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let (space, state) = (Space::members(&initiative), state.map(i32::from));
    let (after, limit) = (page.after.as_deref(), page.limit());
    let measures = rows::list(look.connection(), &space, &request.code, state, after, limit).await;
    let mut measures = measures.map_err(errors::database)?;
    let next_page_token = page.cut(&mut measures, |measure| measure.reference.to_string());
    Ok(Response::new(ListMeasuresResponse {
        measures: measures.iter().map(contract::write).collect(),
        next_page_token,
    }))
}

/// A measure that was looked for, or `NOT_FOUND`.
pub(super) fn known(
    found: Result<Option<domain::Measure>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Measure, Status> {
    errors::found(found, "measure", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Measure, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
