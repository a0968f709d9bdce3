//! How a node joins: the newcomer's knock and the backbone's answer.

use std::time::Duration;

use bytes::Bytes;
use chassis::clock;
use chassis::event::{Actor, Event};
use chassis::identity::{self, NodeKeys};
use chassis::names::{NodeId, Reference, Space};
use nkeys::KeyPair;
use prost::Message;
use proto::federation::{Invitation, JoinReply, JoinRequest};
use sqlx::PgConnection;

use crate::border::BorderError;
use crate::hub::{self, EnrolmentCredentials, EnrolmentRequest, HubReach, MailboxKeys, NodeCredentials, new_user_seed};
use crate::links::Links;
use crate::store::invitations;
use crate::store::links::{self, LinkRow};
use crate::store::nodes::{self, Initiative};
use crate::{governance, own, wire};

/// What the proof of possession signs first.
pub const CONTEXT: &[u8] = b"commonweal-join-1";
const PATIENCE: Duration = Duration::from_secs(20);

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum NotLetIn {
    /// Not a request.
    #[error("the request cannot be read: update one of the two nodes")]
    Malformed,
    /// The backbone does not know the invitation.
    #[error("the backbone does not know this invitation: ask for a new one")]
    Unknown,
    /// Too late.
    #[error("this invitation has expired: ask the backbone for a new one")]
    Expired,
    /// Another node was faster.
    #[error("this invitation was used by another node: ask the backbone for a new one")]
    Used,
    /// The proof does not hold.
    #[error("the node could not prove its keys, or the invitation was not read whole")]
    NoProof,
    /// Shut out before.
    #[error("this node's link was ended before: {0}")]
    Ended(String),
    /// The backbone itself fails.
    #[error("the backbone cannot let anyone in just now: try again in a minute")]
    Border(#[from] BorderError),
}

impl From<sqlx::Error> for NotLetIn {
    fn from(error: sqlx::Error) -> Self {
        Self::Border(error.into())
    }
}

/// What a newcomer brings home.
pub struct Joined {
    /// The initiative.
    pub initiative: Initiative,
    /// The link to the backbone.
    pub link: LinkRow,
}

/// Why a newcomer comes home with empty hands.
#[derive(Debug, thiserror::Error)]
pub enum NotJoined {
    /// The hub is not to be reached.
    #[error("the hub at {0} cannot be reached: {1}")]
    Unreachable(String, hub::HubError),
    /// The backbone said no.
    #[error("{0}")]
    Refused(String),
    /// The answer does not hold what the invitation promised.
    #[error("whoever answered is not the backbone that this initiative's root key names: {0}")]
    NotTheBackbone(String),
    /// No randomness for a key.
    #[error("a key could not be made: {0}")]
    Key(String),
}

/// Knocks at the backbone with an invitation.
///
/// # Errors
/// Why it did not open.
pub async fn join(keys: &NodeKeys, display_name: &str, invitation: &Invitation) -> Result<Joined, NotJoined> {
    let refused = |what: &str| NotJoined::NotTheBackbone(what.to_owned());
    let (user_seed, connection_key) = new_user_seed().map_err(|error| NotJoined::Key(error.to_string()))?;
    let request = request(keys, display_name, invitation, connection_key);
    let address = invitation.hub.parse().map_err(|_| refused("the hub's address cannot be read"))?;
    let hub = HubReach { address, ca_der: invitation.authority.to_vec() };
    let credentials = EnrolmentCredentials {
        invitation: invitation.invitation.clone(),
        user_token: invitation.enrolment_jwt.clone(),
        user_seed: invitation.enrolment_seed.clone(),
    };
    let answer = hub::enrol(&hub, &credentials, request.encode_to_vec().into(), PATIENCE).await;
    let answer = answer.map_err(|error| NotJoined::Unreachable(invitation.hub.clone(), error))?;
    let reply = JoinReply::decode(answer).map_err(|_| refused("the answer cannot be read"))?;
    if !reply.refusal.is_empty() {
        return Err(NotJoined::Refused(reply.refusal));
    }
    let initiative = introduced(invitation, &reply)?;
    let credentials = NodeCredentials { hub, user_token: reply.connection_jwt, user_seed };
    let mailbox = serde_json::to_value(credentials).map_err(|error| NotJoined::Key(error.to_string()))?;
    let link = LinkRow {
        node: initiative.backbone.clone(),
        initiative: initiative.initiative.clone(),
        mailbox,
        last_contact: None,
        ended_at: None,
    };
    Ok(Joined { initiative, link })
}

/// What a newcomer asks of the backbone, with the proof that it holds its keys and read the invitation whole.
pub fn request(keys: &NodeKeys, display_name: &str, invitation: &Invitation, connection_key: String) -> JoinRequest {
    let mut request = JoinRequest {
        invitation: invitation.invitation.clone(),
        node: keys.id().to_string(),
        keys: keys.chain(),
        connection_key,
        display_name: display_name.to_owned(),
        proof: Bytes::new(),
    };
    request.proof = Bytes::copy_from_slice(&keys.sign(&proven(&request, &wire::digest(&invitation.secret))));
    request
}

/// Whether a node that knows an initiative already may join it with this invitation: only under the same root, and
/// never its own. Otherwise an invitation could put another in the backbone's place.
pub fn may_join(here: &NodeId, known: Option<&Initiative>, invitation: &Invitation) -> bool {
    let own = invitation.initiative.parse().is_ok_and(|initiative: Reference| initiative.node == *here);
    let other_root = known.is_some_and(|known| known.root_key.as_slice() != invitation.root_key.as_ref());
    !own && !other_root
}

/// The first introduction: trusted because the root key in the invitation says so.
fn introduced(invitation: &Invitation, reply: &JoinReply) -> Result<Initiative, NotJoined> {
    let refused = |what: &str| NotJoined::NotTheBackbone(what.to_owned());
    let root_key = wire::head(&invitation.root_key).ok_or_else(|| refused("the root key cannot be read"))?;
    let signed = reply.appointment.clone().ok_or_else(|| refused("it showed no appointment"))?;
    let appointment =
        identity::root::verify_appointment(&root_key, &signed).map_err(|error| refused(&error.to_string()))?;
    let backbone: NodeId = appointment.backbone.parse().map_err(|_| refused("the appointment names no node"))?;
    let backbone_keys =
        identity::verify_chain(&backbone, &reply.backbone_keys).map_err(|error| refused(&error.to_string()))?;
    let initiative: Reference = invitation.initiative.parse().map_err(|_| refused("the initiative has no name"))?;
    let name = invitation.initiative_name.chars().filter(|character| !character.is_control()).take(200).collect();
    Ok(Initiative { initiative, name, backbone, backbone_keys, root_key, appointment: signed })
}

/// What a joining node signs.
fn proven(request: &JoinRequest, secret_digest: &[u8]) -> Vec<u8> {
    let bare = JoinRequest { proof: Bytes::new(), ..request.clone() };
    [CONTEXT, secret_digest, &bare.encode_to_vec()].concat()
}

/// Answers one knock.
pub async fn answer(links: &Links, knock: EnrolmentRequest) {
    let reply = match let_in(links, &knock.invitation, &knock.bytes).await {
        Ok(reply) => reply,
        Err(error) => {
            tracing::warn!(invitation.id = knock.invitation, %error, source = ?std::error::Error::source(&error),
                "not let in");
            JoinReply { refusal: error.to_string(), ..JoinReply::default() }
        }
    };
    if let Err(error) = knock.answer(reply.encode_to_vec().into()).await {
        tracing::warn!(%error, "a newcomer went away before it was answered; it will ask again");
    }
}

async fn let_in(links: &Links, invitation: &str, bytes: &Bytes) -> Result<JoinReply, NotLetIn> {
    let request = JoinRequest::decode(bytes.clone()).map_err(|_| NotLetIn::Malformed)?;
    let node: NodeId = request.node.parse().map_err(|_| NotLetIn::Malformed)?;
    let border = links.border();
    let mut transaction = border.pool.begin().await?;
    let initiative = admissible(&mut transaction, invitation, &node, &request).await?;
    let keys = mailbox(&mut transaction, &node, &initiative).await?;
    links.open_mailbox(&keys).await?;
    let hub = |error: hub::HubError| BorderError::Hub(error.to_string());
    let connection_jwt = keys.node_token(&request.connection_key, clock::now()).map_err(hub)?;
    let row = LinkRow {
        node: node.clone(),
        initiative: initiative.initiative.clone(),
        mailbox: serde_json::to_value(&keys).map_err(|error| BorderError::Hub(error.to_string()))?,
        last_contact: None,
        ended_at: None,
    };
    links::save(&mut transaction, &node, &initiative.initiative, &row.mailbox).await?;
    invitations::used(&mut transaction, invitation, &node, clock::now()).await?;
    admit(links, &mut transaction, &initiative, &node, &request).await?;
    transaction.commit().await?;
    border.committed();
    links.start(&row, initiative.clone()).await?;
    tracing::info!(node.id = %node, name = request.display_name, "node admitted");
    Ok(JoinReply {
        refusal: String::new(),
        connection_jwt,
        appointment: Some(initiative.appointment.clone()),
        backbone_keys: border.keys.chain(),
        initiative: initiative.initiative.to_string(),
        initiative_name: initiative.name,
    })
}

/// Checks everything that can be wrong with a knock. An invitation works again for the node that used it: its answer
/// may have been lost.
async fn admissible(
    connection: &mut PgConnection,
    invitation: &str,
    node: &NodeId,
    request: &JoinRequest,
) -> Result<Initiative, NotLetIn> {
    let row = invitations::lock(connection, invitation).await?.ok_or(NotLetIn::Unknown)?;
    if !is_in_form(request) || request.invitation != invitation {
        return Err(NotLetIn::Malformed);
    }
    if row.expires_at <= clock::now() {
        return Err(NotLetIn::Expired);
    }
    if row.node.as_deref().is_some_and(|used_by| used_by != node.as_str()) {
        return Err(NotLetIn::Used);
    }
    let keys = identity::verify_chain(node, &request.keys).map_err(|_| NotLetIn::NoProof)?;
    let key = keys.last().ok_or(NotLetIn::NoProof)?;
    let proven = proven(request, &row.secret_digest);
    identity::verify(key, &proven, &request.proof).map_err(|_| NotLetIn::NoProof)?;
    let reference: Reference = row.initiative.parse().map_err(|_| NotLetIn::Unknown)?;
    let initiative = nodes::initiative(connection, &reference).await?.ok_or(NotLetIn::Unknown)?;
    let known = nodes::nodes(connection, &reference).await?;
    match known.into_iter().find(|known| known.node == *node && known.ended_position.is_some()) {
        Some(ended) => Err(NotLetIn::Ended(ended.display_name)),
        None => Ok(initiative),
    }
}

/// What goes into the members' order and to the hub must do no harm there.
fn is_in_form(request: &JoinRequest) -> bool {
    let name = &request.display_name;
    let user = request.connection_key.starts_with('U') && KeyPair::from_public_key(&request.connection_key).is_ok();
    user && name.chars().count() <= 200 && !name.contains(char::is_control)
}

/// The node's mailbox: the one it has, or a new one.
async fn mailbox(
    connection: &mut PgConnection,
    node: &NodeId,
    initiative: &Initiative,
) -> Result<MailboxKeys, NotLetIn> {
    let rows = links::all(connection).await?;
    let known = rows.into_iter().find(|row| row.node == *node && row.initiative == initiative.initiative);
    if let Some(keys) = known.and_then(|row| serde_json::from_value(row.mailbox).ok()) {
        return Ok(keys);
    }
    Ok(MailboxKeys::new(node.to_string()).map_err(|error| BorderError::Hub(error.to_string()))?)
}

/// Tells the members that the node belongs, unless they were told before.
async fn admit(
    links: &Links,
    connection: &mut PgConnection,
    initiative: &Initiative,
    node: &NodeId,
    request: &JoinRequest,
) -> Result<(), NotLetIn> {
    let known = nodes::nodes(connection, &initiative.initiative).await?;
    if known.iter().any(|known| known.node == *node && known.ended_position.is_none()) {
        return Ok(());
    }
    let fact = governance::admitted(&initiative.initiative, node, request.keys.clone(), &request.display_name);
    Ok(tell(links, connection, initiative, &fact).await?)
}

/// Tells a fact of the border's own.
///
/// # Errors
/// Where the database fails.
pub async fn tell(
    links: &Links,
    connection: &mut PgConnection,
    initiative: &Initiative,
    fact: &chassis::event::Fact,
) -> Result<(), BorderError> {
    let border = links.border();
    let event = Event::told(fact, border.node(), &Actor::default());
    let bytes = Bytes::from(event.encode());
    let members = Space::members(&initiative.initiative);
    own::tell(border, connection, initiative, &members, &[(event, bytes)], true).await
}
