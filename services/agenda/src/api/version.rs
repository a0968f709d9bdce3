//! Calls that read published versions.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::paging::Page;
use chassis::parse;
use proto::agenda::*;
use tonic::{Request, Response, Status};

use super::Answer;
use super::agenda::known;
use crate::Agenda as Room;
use crate::contract::agenda as contract;
use crate::domain::Version;
use crate::store::{agenda, version as rows};

pub(super) async fn get_agenda_version(
    desk: &Desk<Room>,
    request: Request<GetAgendaVersionRequest>,
) -> Answer<GetAgendaVersionResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "version", &request.version);
    let reference = violations.finish(|| reference)?;
    let version = published(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(Some(&version.initiative), None).await?;
    Ok(Response::new(GetAgendaVersionResponse { version: Some(contract::write_version(&version)) }))
}

pub(super) async fn list_agenda_versions(
    desk: &Desk<Room>,
    request: Request<ListAgendaVersionsRequest>,
) -> Answer<ListAgendaVersionsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "agenda", &request.agenda);
    let list = ListAgendaVersionsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (reference, page) = violations.finish(|| Some((reference?, page?)))?;

    let agenda = known(agenda::load(look.connection(), &reference).await, &reference)?;
    look.authorise(Some(&agenda.initiative), None).await?;
    let after = page.after.as_deref().and_then(|number| number.parse().ok()).unwrap_or(0);
    let versions = rows::list(look.connection(), &reference, after, page.limit()).await;
    let mut versions = versions.map_err(errors::database)?;
    let next_page_token = page.cut(&mut versions, |version| version.number.to_string());
    let versions = versions.iter().map(contract::write_version).collect();
    Ok(Response::new(ListAgendaVersionsResponse { versions, next_page_token }))
}

/// A version that was looked for, or `NOT_FOUND`.
pub(super) fn published(found: Result<Option<Version>, sqlx::Error>, reference: &Reference) -> Result<Version, Status> {
    errors::found(found, "version", reference)
}
