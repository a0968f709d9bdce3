//! Nodes that belong to an initiative of this backbone.

use chassis::errors::{self, Violations};
use chassis::names::{NodeId, Reference};
use chassis::parse;
use proto::federation::{RevokeNodeRequest, RevokeNodeResponse};
use tonic::{Request, Response, Status};

use super::Api;
use super::refusal::failed;
use crate::ending;
use crate::store::links;

/// Ends a node's link. That it is to end is committed first: from then on it is carried out even where this process
/// ends half way.
pub(super) async fn revoke_node(
    api: &Api,
    request: Request<RevokeNodeRequest>,
) -> Result<Response<RevokeNodeResponse>, Status> {
    let (mut work, request) = api.desk.begin(request).await?;
    let (reference, node, reason) = revoked(&request)?;
    work.authorise(Some(&reference), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    api.at_backbone(work.connection(), &reference).await?;
    let link = links::read(work.connection(), &node, &reference).await.map_err(errors::database)?;
    link.ok_or_else(|| errors::not_found("node", &node))?;

    let paused = work.pause().await?;
    ending::intend(&api.links, &node, &reference, &reason).await.map_err(failed)?;
    ending::carry_out(&api.links, &node, &reference).await.map_err(failed)?;

    let mut work = paused.resume().await?;
    work.authorise(Some(&reference), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    work.reply(RevokeNodeResponse {}).await
}

fn revoked(request: &RevokeNodeRequest) -> Result<(Reference, NodeId, String), Status> {
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "initiative", &request.initiative);
    let reason = parse::text(&mut violations, "reason", &request.reason, 500);
    let node = parse::node(&mut violations, "node", &request.node);
    violations.finish(|| Some((reference?, node?, reason?)))
}
