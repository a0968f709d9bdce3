//! Initiatives that this node joins or follows.

use chassis::errors;
use proto::federation::{Invitation, JoinInitiativeRequest, JoinInitiativeResponse};
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Api;
use crate::store::nodes::{self, Initiative};
use crate::store::{key_chains, links};
use crate::{invitation, join};

/// Joins an initiative, or follows it where the invitation says so. The knock at the backbone may be repeated and has one
/// effect, so it is done before anything is written here; a link that does not start after the commit is started by what
/// tends the links.
pub(super) async fn join_initiative(
    api: &Api,
    request: Request<JoinInitiativeRequest>,
) -> Result<Response<JoinInitiativeResponse>, Status> {
    let (mut work, request) = api.desk.begin(request).await?;
    let invitation = invitation::read(&request.invitation, work.now())
        .map_err(|error| errors::invalid("invitation", error.to_string()))?;
    work.authorise(None, None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    may_join(api, work.connection(), &invitation).await?;

    let known = known(work.connection(), &invitation).await?;
    let paused = work.pause().await?;
    // As soon as the backbone lets it in, it sends what a link that only follows may not take.
    let resting = match known.filter(|initiative| initiative.follows) {
        Some(initiative) => Some(api.links.rest(&initiative.backbone, &initiative.initiative).await),
        None => None,
    };
    let joined = join::join(&api.links.border().keys, &api.display_name, &invitation).await;
    let joined = joined.map_err(|error| errors::refused("NOT_JOINED", error.to_string()))?;

    let mut work = paused.resume().await?;
    work.authorise(None, None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    may_join(api, work.connection(), &invitation).await?;
    let (initiative, link) = (joined.initiative, joined.link);
    nodes::save_initiative(work.connection(), &initiative).await.map_err(errors::database)?;
    key_chains::keep(work.connection(), &initiative.backbone, &joined.backbone_keys).await.map_err(errors::database)?;
    links::save(work.connection(), &link).await.map_err(errors::database)?;
    let answer = JoinInitiativeResponse {
        initiative: initiative.initiative.to_string(),
        initiative_name: initiative.name,
        backbone: initiative.backbone.to_string(),
        follower: link.follower,
    };
    let reply = work.reply(answer).await?;
    drop(resting);
    api.links.follow().await;
    Ok(reply)
}

/// The initiative of an invitation, where this node takes part in it already.
async fn known(connection: &mut PgConnection, invitation: &Invitation) -> Result<Option<Initiative>, Status> {
    match invitation.initiative.parse() {
        Ok(initiative) => nodes::initiative(connection, &initiative).await.map_err(errors::database),
        Err(_) => Ok(None),
    }
}

async fn may_join(api: &Api, connection: &mut PgConnection, invitation: &Invitation) -> Result<(), Status> {
    let known = known(connection, invitation).await?;
    let may = join::may_join(api.links.border().node(), known.as_ref(), invitation);
    may.map_err(|reason| errors::refused(reason.code(), reason.to_string()))
}
