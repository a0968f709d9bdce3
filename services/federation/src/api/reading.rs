//! What people want to know of this node, its links and its spaces.

use chassis::errors::{self, Violations};
use chassis::event::timestamp;
use chassis::names::NodeId;
use chassis::paging::Page;
use chassis::parse;
use proto::federation::{
    GetSpaceDigestRequest, GetSpaceDigestResponse, GetStatusRequest, GetStatusResponse, ListQuarantineRequest,
    ListQuarantineResponse, QuarantinedItem,
};
use tonic::{Request, Response, Status};

use super::Api;
use super::refusal::failed;
use crate::store::quarantine::{self, Quarantined};
use crate::{standing, states, status};

pub(super) async fn get_status(
    api: &Api,
    request: Request<GetStatusRequest>,
) -> Result<Response<GetStatusResponse>, Status> {
    let (mut look, _) = api.desk.look(request).await?;
    look.authorise(None, None).await?;
    let status = status::of(look.connection(), &api.links).await.map_err(failed)?;
    drop(look);
    let pool = &api.links.border().pool;
    let rooms = standing::of(&api.client, pool, &api.rooms).await.map_err(failed)?;
    Ok(Response::new(GetStatusResponse { rooms, ..status }))
}

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
    Ok(Response::new(ListQuarantineResponse { items: lines.into_iter().map(item).collect(), next_page_token }))
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

fn item(line: Quarantined) -> QuarantinedItem {
    QuarantinedItem {
        id: line.id,
        node: line.node,
        space: line.space,
        origin: line.origin,
        sequence: line.sequence,
        code: line.code,
        reason: line.reason,
        at: Some(timestamp(line.at)),
    }
}

pub(super) async fn get_space_digest(
    api: &Api,
    request: Request<GetSpaceDigestRequest>,
) -> Result<Response<GetSpaceDigestResponse>, Status> {
    let (mut look, request) = api.desk.look(request).await?;
    let mut violations = Violations::default();
    let space = parse::space(&mut violations, "space", &request.space);
    let space = violations.finish(|| space)?;
    look.authorise(None, None).await?;
    let held = states::held(look.connection(), &space, api.links.border().node()).await.map_err(errors::database)?;
    drop(look);
    // The rooms are asked outside of the transaction; what was held is looked at once more behind their answers.
    let digest = states::of(&api.client, &api.rooms, &space, held).await.map_err(failed)?;
    let mut connection = api.links.border().pool.acquire().await.map_err(errors::database)?;
    let after = states::held(&mut connection, &space, api.links.border().node()).await.map_err(errors::database)?;
    Ok(Response::new(GetSpaceDigestResponse { settled: digest.settled && after == held, ..digest }))
}
