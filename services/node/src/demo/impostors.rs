//! Those who are not who they say: what they would do with a key that is not alpha's, and with alpha's own key on
//! somebody else's organisation. And how their refusal is seen.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use chassis::event::{Actor, Event, Fact};
use chassis::gate::Gate;
use chassis::identity::NodeKeys;
use chassis::names::{Reference, Space};
use chassis::{clock, database};
use federation::belonging::Belongings;
use federation::border::{Border, BorderError};
use federation::hub::{MailboxError, NodeCredentials, NodeMailbox};
use federation::restored::Restored;
use federation::service::Federation;
use federation::store::{feeds, links, nodes};
use federation::{own, wire};
use prost::Message;
use proto::federation::{LinkMessage, ListQuarantineRequest, link_message};
use proto::membership::{Organization, OrganizationRevised, Sector, UpdateOrganizationRequest};
use sqlx::PgPool;
use tokio::sync::{Notify, watch};

use crate::cli::request_id;
use crate::error::NodeError;
use crate::fleet::{Node, until};
use crate::house::Keys;

/// What alpha says of itself after somebody else tried to.
pub const WEBSITE: &str = "https://www.hartfordschools.org";

/// Writes into a stopped node's own feed, with its own key, about an organisation of another node: what its own
/// services would never do.
///
/// # Errors
/// Where it cannot be done, which is not where it is refused.
pub async fn speak_for_another(node: &Node, initiative: &str, victim: &Reference) -> Result<(), NodeError> {
    let reference: Reference = initiative.parse().map_err(wrong)?;
    let pool = border_of(node).await?;
    let keys = Keys::open(&node.config().node.data_dir)?;
    let border = Border {
        pool,
        keys: keys.node,
        root: keys.root,
        relay: Arc::new(Notify::new()),
        restored: Restored::new(&node.config().node.data_dir, Gate::default()),
        moved: Arc::new(watch::Sender::new(0)),
        trace: Arc::default(),
        belongings: Belongings::default(),
        backbone_keys: Default::default(),
    };
    let space = Space::members(&reference);
    let (event, bytes) = renamed(victim, &space, &border.keys);
    let mut transaction = border.pool.begin().await.map_err(BorderError::from)?;
    let known = nodes::initiative(&mut transaction, &reference).await.map_err(BorderError::from)?;
    let known = known.ok_or_else(|| NodeError::Usage(format!("{} does not know the initiative", node.sketch.name)))?;
    own::tell(&border, &mut transaction, &known, &space, &[(event, bytes)], own::By::Room("membership", 0)).await?;
    transaction.commit().await.map_err(BorderError::from)?;
    border.pool.close().await;
    Ok(())
}

/// Puts a frame into a node's own mailbox, by its own connection, that was sealed with somebody else's key.
///
/// # Errors
/// Where it cannot be done, which is not where it is refused.
pub async fn forge_seal(node: &Node, initiative: &str, own: &Reference) -> Result<(), NodeError> {
    let reference: Reference = initiative.parse().map_err(wrong)?;
    let pool = border_of(node).await?;
    let mut connection = pool.acquire().await.map_err(BorderError::from)?;
    let link = links::all(&mut connection).await.map_err(BorderError::from)?.into_iter().next();
    let mailbox = link.map(|link| link.mailbox).unwrap_or_default();
    let credentials: NodeCredentials = serde_json::from_value(mailbox).map_err(wrong)?;

    let space = Space::members(&reference);
    let held = feeds::of_origin(&mut connection, initiative, &node.id).await.map_err(BorderError::from)?;
    let held = held.into_iter().find(|(name, _)| name.space == space);
    let (name, feed) = held.ok_or_else(|| NodeError::Usage("nothing was told yet".to_owned()))?;
    let (event, bytes) = renamed(own, &space, &node.keys()?);
    let salt = clock::random().map_err(|_| BorderError::Randomness)?;
    let entry = wire::entry(&name, feed.sequence + 1, &feed.digest, &event, bytes, salt);
    let foreign = NodeKeys::open(&foreign_folder(node)?)?;
    let frame = wire::frame(std::slice::from_ref(&entry), wire::seal(&foreign, &entry.digest));
    drop(connection);
    pool.close().await;

    let message = LinkMessage { message: Some(link_message::Message::Frame(frame)), traceparent: String::new() };
    let mailbox = NodeMailbox::connect(&credentials).await?;
    let open = mailbox.road();
    until("the impostor at the hub", async || Ok(open.borrow().is_open().then_some(()))).await?;
    let failed = |error: MailboxError| NodeError::Border(BorderError::Hub(error.to_string()));
    mailbox.send_up(Bytes::from(message.encode_to_vec())).await.map_err(failed)?.await.map_err(failed)
}

/// The node itself says something about its own organisation.
///
/// # Errors
/// What the node says.
pub async fn say_again(node: &Node, own: &Reference) -> Result<(), NodeError> {
    let request = UpdateOrganizationRequest {
        organization: Some(Organization {
            reference: own.to_string(),
            website: WEBSITE.to_owned(),
            ..Organization::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["website".to_owned()] }),
        request_id: request_id(),
    };
    node.speaking_for(own)?.membership().update_organization(request).await?;
    Ok(())
}

/// Code and origin of every line in a node's quarantine.
///
/// # Errors
/// Where the node does not run.
pub async fn refusals(node: &Node) -> Result<Vec<(String, String)>, NodeError> {
    let request = ListQuarantineRequest { page_size: 200, ..ListQuarantineRequest::default() };
    let listed = node.operator()?.federation().list_quarantine(request).await?.into_inner();
    Ok(listed.items.into_iter().map(|line| (line.code, line.origin)).collect())
}

/// An organisation called otherwise, as told by whoever holds the keys.
fn renamed(organization: &Reference, space: &Space, keys: &NodeKeys) -> (Event, Bytes) {
    let told = OrganizationRevised {
        organization: Some(Organization {
            reference: organization.to_string(),
            initiative: space.initiative().map(ToString::to_string).unwrap_or_default(),
            node: organization.node.to_string(),
            display_name: "Nobody's School District".to_owned(),
            sector: Sector::Institution.into(),
            ..Organization::default()
        }),
    };
    let event = Event::told(&Fact::of(organization, space, &told), keys.id(), &Actor::default());
    let bytes = Bytes::from(event.encode());
    (event, bytes)
}

async fn border_of(node: &Node) -> Result<PgPool, NodeError> {
    let migrations = <Federation as chassis::room::Room>::migrations();
    Ok(database::open(node.database(), federation::NAME, migrations, 2).await?)
}

fn foreign_folder(node: &Node) -> Result<PathBuf, NodeError> {
    let folder = node.config().node.data_dir.with_file_name("impostor");
    match std::fs::create_dir_all(&folder) {
        Ok(()) => Ok(folder),
        Err(source) => Err(NodeError::DataDir { path: folder, source }),
    }
}

fn wrong(error: impl std::fmt::Display) -> NodeError {
    NodeError::Usage(error.to_string())
}
