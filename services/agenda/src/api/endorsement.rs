//! Calls about endorsements.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use proto::agenda::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Answer;
use super::version::published;
use crate::contract::endorsement as contract;
use crate::domain::{self, endorsement};
use crate::store::{endorsement as rows, version};
use crate::{Agenda as Room, events};

pub(super) async fn endorse_agenda_version(
    desk: &Desk<Room>,
    request: Request<EndorseAgendaVersionRequest>,
) -> Answer<EndorseAgendaVersionResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let given = contract::read(&mut violations, &request.version, &request.organization, &request.statement);
    let (version, organization, statement) = violations.finish(|| given)?;

    let version = published(version::load(work.connection(), &version).await, &version)?;
    work.authorise(Some(&version.initiative), Some(&organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let already = rows::given(work.connection(), &version.reference, &organization).await;
    let already = already.map_err(errors::database)?;
    let facts = endorsement::give(work.node(), &version, organization, statement, already)?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &Space::members(&version.initiative), facts)).await?;
    let endorsement = Some(message(work.connection(), &reference).await?);
    work.reply(EndorseAgendaVersionResponse { endorsement }).await
}

pub(super) async fn withdraw_endorsement(
    desk: &Desk<Room>,
    request: Request<WithdrawEndorsementRequest>,
) -> Answer<WithdrawEndorsementResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "endorsement", &request.endorsement);
    let reason = contract::read_reason(&mut violations, &request.reason);
    let (reference, reason) = violations.finish(|| Some((reference?, reason?)))?;

    let endorsement = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(endorsement.space.initiative(), Some(&endorsement.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let facts = endorsement::withdraw(work.node(), &endorsement, reason)?;
    work.record(&events::told(&reference, &endorsement.space, facts)).await?;
    let endorsement = Some(message(work.connection(), &reference).await?);
    work.reply(WithdrawEndorsementResponse { endorsement }).await
}

pub(super) async fn list_endorsements(
    desk: &Desk<Room>,
    request: Request<ListEndorsementsRequest>,
) -> Answer<ListEndorsementsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let filter = rows::Filter {
        version: parse::optional_reference(&mut violations, "version", &request.version),
        organization: parse::optional_reference(&mut violations, "organization", &request.organization),
        state: match request.state {
            0 => None,
            state => parse::choice(&mut violations, "state", state),
        },
    };
    let list = ListEndorsementsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let (space, after) = (Space::members(&initiative), page.after.as_deref());
    let endorsements = rows::list(look.connection(), &space, &filter, after, page.limit()).await;
    let mut endorsements = endorsements.map_err(errors::database)?;
    let next_page_token = page.cut(&mut endorsements, |endorsement| endorsement.reference.to_string());
    let endorsements = endorsements.iter().map(contract::write).collect();
    Ok(Response::new(ListEndorsementsResponse { endorsements, next_page_token }))
}

fn known(
    found: Result<Option<domain::Endorsement>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Endorsement, Status> {
    errors::found(found, "endorsement", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Endorsement, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
