//! The state digest of a space: asked from every service of this node, and put together.

use std::time::Duration;

use chassis::broker;
use chassis::names::Space;
use prost::Message;
use proto::common::{AskDigest, SpaceDigest};
use proto::federation::{GetSpaceDigestResponse, ServiceDigest};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::border::BorderError;
use crate::store::{feeds, order, rooms};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The digest of a space. `services` are the names of the rooms of this node.
///
/// # Errors
/// Where the database fails or a service does not answer.
pub async fn of(
    connection: &mut PgConnection,
    client: &async_nats::Client,
    services: &[&'static str],
    space: &Space,
    node: &chassis::names::NodeId,
) -> Result<GetSpaceDigestResponse, BorderError> {
    let position = order::read(connection, space).await?.position;
    let pending = feeds::pending(connection, space, node).await?;
    let handed_on = rooms::handed_on(connection, space).await?;
    let mut whole = Sha256::new();
    let (mut resources, mut settled, mut digests) = (0, pending == 0, Vec::new());
    let mut services = services.to_vec();
    services.sort_unstable();
    for service in services {
        let answer = ask(client, service, space).await?;
        settled &= answer.applied >= handed_on;
        resources += answer.resources;
        whole.update(service.as_bytes());
        whole.update(&answer.digest);
        let digest = data_encoding::HEXLOWER.encode(&answer.digest);
        digests.push(ServiceDigest { service: service.to_owned(), resources: answer.resources, digest });
    }
    let digest = data_encoding::HEXLOWER.encode(&whole.finalize());
    Ok(GetSpaceDigestResponse { position, pending, settled, digest, resources, services: digests })
}

async fn ask(client: &async_nats::Client, service: &str, space: &Space) -> Result<SpaceDigest, BorderError> {
    let silent = || BorderError::Hub(format!("the {service} service does not answer on the local broker"));
    let ask = AskDigest { space: space.to_string() }.encode_to_vec();
    let asked = client.request(broker::digest_subject(service), ask.into());
    let answer = tokio::time::timeout(ANSWER_WITHIN, asked).await.map_err(|_| silent())?.map_err(|_| silent())?;
    SpaceDigest::decode(answer.payload).map_err(|_| silent())
}
