//! The state digest of a space: asked from every service of this node, and put together.

use std::time::Duration;

use chassis::broker;
use chassis::names::{NodeId, Space};
use prost::Message;
use proto::common::{AskDigest, SpaceDigest};
use proto::federation::{GetSpaceDigestResponse, ServiceDigest};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::border::BorderError;
use crate::store::{feeds, order, rooms};

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What the border holds of a space, and how far its rooms must be to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    position: u64,
    pending: u64,
    handed_on: u64,
}

/// What the border holds of a space.
///
/// # Errors
/// Where the database fails.
pub async fn held(connection: &mut PgConnection, space: &Space, node: &NodeId) -> Result<Held, sqlx::Error> {
    Ok(Held {
        position: order::read(connection, space).await?.position,
        pending: feeds::pending(connection, space, node).await?,
        handed_on: rooms::handed_on(connection, space).await?,
    })
}

/// The digest of a space, given what the border holds of it. `services` are the names of the rooms of this node.
///
/// # Errors
/// Where a service does not answer.
pub async fn of(
    client: &async_nats::Client,
    services: &[&'static str],
    space: &Space,
    held: Held,
) -> Result<GetSpaceDigestResponse, BorderError> {
    let Held { position, pending, handed_on } = held;
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
