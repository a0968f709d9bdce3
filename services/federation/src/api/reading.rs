//! What people want to know of this node, its links and its spaces.

use chassis::errors::{self, Violations};
use chassis::parse;
use proto::federation::{GetSpaceDigestRequest, GetSpaceDigestResponse, GetStatusRequest, GetStatusResponse};
use tonic::{Request, Response, Status};

use super::Api;
use super::refusal::failed;
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
    let (rooms, held) = standing::of(&api.client, pool, &api.rooms).await.map_err(failed)?;
    let mut links = status.links;
    for link in &mut links {
        link.held += standing::held_over(link, &held, &status.node);
    }
    Ok(Response::new(GetStatusResponse { rooms, links, ..status }))
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
