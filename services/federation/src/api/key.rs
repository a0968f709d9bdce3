//! This node's own key.

use chassis::errors;
use data_encoding::HEXLOWER;
use proto::federation::{GetKeyRequest, GetKeyResponse, KeyStanding};
use tonic::{Request, Response, Status};

use super::Api;
use crate::keys;
use crate::store::nodes;

pub(super) async fn get_key(api: &Api, request: Request<GetKeyRequest>) -> Result<Response<GetKeyResponse>, Status> {
    let (mut look, _) = api.desk.look(request).await?;
    look.authorise(None, None).await?;
    let border = api.links.border();
    let initiatives = nodes::initiatives(look.connection()).await.map_err(errors::database)?;
    let mut standings = Vec::new();
    for initiative in initiatives.into_iter().filter(|initiative| !initiative.follows) {
        let standing = keys::standing(look.connection(), border, &initiative).await.map_err(errors::database)?;
        standings.push(KeyStanding {
            initiative: initiative.initiative.to_string(),
            initiative_name: initiative.name,
            state: standing.state().into(),
            words: standing.words(),
        });
    }
    Ok(Response::new(GetKeyResponse {
        node: border.node().to_string(),
        public_key: HEXLOWER.encode(&border.keys.public()),
        number: u32::try_from(border.keys.chain().len()).unwrap_or(u32::MAX),
        standings,
    }))
}
