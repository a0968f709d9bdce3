//! Quarantine: what was refused or held at the border, looked at, tried again, and taken away. No call changes a verdict.

use chassis::broker;
use chassis::errors::{self, Violations};
use chassis::names::NodeId;
use chassis::paging::Page;
use chassis::parse;
use proto::federation::{
    DropQuarantineRequest, DropQuarantineResponse, ListQuarantineRequest, ListQuarantineResponse,
    RetryQuarantineRequest, RetryQuarantineResponse,
};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Api;
use crate::findings;
use crate::pace::Say;
use crate::store::quarantine::{self, Quarantined, Standing};

/// At most so many lines are taken away at once.
const DROPPED: usize = 500;

pub(super) async fn list_quarantine(
    api: &Api,
    request: Request<ListQuarantineRequest>,
) -> Result<Response<ListQuarantineResponse>, Status> {
    let (mut look, request) = api.desk.look(request).await?;
    let (node, page, before) = listed(&request)?;
    look.authorise(None, None).await?;
    let lines = quarantine::newest(look.connection(), node.as_ref().map(NodeId::as_str), before, page.limit()).await;
    let mut lines = lines.map_err(errors::database)?;
    let next_page_token = page.cut(&mut lines, |line| line.id.to_string());
    let here = api.links.border().node();
    let items = findings::items(look.connection(), here, lines).await.map_err(errors::database)?;
    Ok(Response::new(ListQuarantineResponse { items, next_page_token }))
}

/// Whose lines, which page of them, and the line before which it begins.
fn listed(request: &ListQuarantineRequest) -> Result<(Option<NodeId>, Page, Option<i64>), Status> {
    let mut violations = Violations::default();
    let node = match request.node.as_str() {
        "" => None,
        node => parse::node(&mut violations, "node", node),
    };
    let list = ListQuarantineRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let before = page.as_ref().and_then(|page| page.after.as_deref()).map(str::parse).transpose();
    let before = before.inspect_err(|_| violations.add("page_token", "is not the next_page_token of this list"));
    violations.finish(|| Some((node, page?, before.ok()?)))
}

/// Tries again what is held. The line goes; where what comes is as wrong as before, it comes back.
pub(super) async fn retry_quarantine(
    api: &Api,
    request: Request<RetryQuarantineRequest>,
) -> Result<Response<RetryQuarantineResponse>, Status> {
    let (mut work, request) = api.desk.begin(request).await?;
    if request.id < 0 {
        return Err(errors::invalid("id", "must be the id of a line, or 0 for everything that is held"));
    }
    work.authorise(None, None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let everything = request.id == 0;
    let lines = match everything {
        true => quarantine::held(work.connection()).await.map_err(errors::database)?,
        false => vec![still_open(api, work.connection(), request.id).await?],
    };
    let ids: Vec<i64> = lines.iter().map(|line| line.id).collect();
    quarantine::drop_lines(work.connection(), &ids).await.map_err(errors::database)?;
    let services = if everything { api.rooms.as_slice() } else { &[] };
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let reply =
        work.reply(RetryQuarantineResponse { lines: count(ids.len()), services: count(services.len()) }).await?;

    for link in lines.iter().flat_map(|line| api.links.to(&line.node)) {
        link.pace.say(Say { answer: false, resume: true });
    }
    for service in services {
        if let Err(error) = api.client.publish(broker::retry_subject(service), Vec::new().into()).await {
            tracing::warn!(service, %error, "not asked to try again; it does so by itself");
        }
    }
    Ok(reply)
}

/// A line on which there is no verdict, and a link over which it can come again.
async fn still_open(api: &Api, connection: &mut PgConnection, id: i64) -> Result<Quarantined, Status> {
    let line = one(connection, id).await?;
    match line.standing {
        Standing::Refused => {
            let words =
                format!("line {id} is about an entry that the order refuses, and that is final: it can be dropped");
            Err(errors::refused("FINAL", words))
        }
        Standing::Alarm => {
            let words = format!("line {id} is about what the backbone accepted, and that is final: it can be dropped");
            Err(errors::refused("FINAL", words))
        }
        Standing::Open | Standing::Held if api.links.to(&line.node).is_empty() => {
            let words = format!("no link to {} works: what is missing is asked for by itself once one does", line.node);
            Err(errors::refused("NO_LINK", words))
        }
        Standing::Open | Standing::Held => Ok(line),
    }
}

async fn one(connection: &mut PgConnection, id: i64) -> Result<Quarantined, Status> {
    let lines = quarantine::lock(connection, &[id]).await.map_err(errors::database)?;
    lines.into_iter().next().ok_or_else(|| errors::not_found("line in quarantine", id))
}

/// Takes lines away that were looked at. All of them, or none.
pub(super) async fn drop_quarantine(
    api: &Api,
    request: Request<DropQuarantineRequest>,
) -> Result<Response<DropQuarantineResponse>, Status> {
    let (mut work, request) = api.desk.begin(request).await?;
    if !(1..=DROPPED).contains(&request.ids.len()) || request.ids.iter().any(|id| *id < 1) {
        return Err(errors::invalid("ids", format!("must be 1 to {DROPPED} ids of lines")));
    }
    work.authorise(None, None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let lines = quarantine::lock(work.connection(), &request.ids).await.map_err(errors::database)?;
    if let Some(missing) = request.ids.iter().find(|id| !lines.iter().any(|line| line.id == **id)) {
        return Err(errors::not_found("line in quarantine", missing));
    }
    if let Some(held) = lines.iter().find(|line| line.standing == Standing::Held) {
        let words = format!("line {} is held, and still to be taken in: it is tried again, and not dropped", held.id);
        return Err(errors::refused("HELD", words));
    }
    quarantine::drop_lines(work.connection(), &request.ids).await.map_err(errors::database)?;
    work.reply(DropQuarantineResponse {}).await
}
