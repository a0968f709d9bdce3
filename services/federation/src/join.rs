//! How a newcomer knocks at the backbone, and what it believes of the answer.

use std::time::Duration;

use bytes::Bytes;
use chassis::identity::{self, NodeKeys};
use chassis::names::{NodeId, Reference};
use prost::Message;
use proto::federation::{EnrolmentReply, EnrolmentRequest, Invitation, NodeKey};

use crate::hub::{self, EnrolmentCredentials, HubReach, NodeCredentials, new_user_seed};
use crate::store::links::LinkRow;
use crate::store::nodes::Initiative;
use crate::wire;

/// What the proof of possession signs first.
pub const CONTEXT: &[u8] = b"commonweal-join-1";
const PATIENCE: Duration = Duration::from_secs(20);

/// What a newcomer brings home.
pub struct Joined {
    /// The initiative.
    pub initiative: Initiative,
    /// The backbone's keys with what proves them.
    pub backbone_keys: Vec<NodeKey>,
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
    let reply = EnrolmentReply::decode(answer).map_err(|_| refused("the answer cannot be read"))?;
    if !reply.refusal.is_empty() {
        return Err(NotJoined::Refused(reply.refusal));
    }
    let initiative = introduced(invitation, &reply)?;
    if reply.follower != invitation.follower {
        return Err(refused("it takes the invitation to follow for one to join, or the other way round"));
    }
    let credentials = NodeCredentials { hub, user_token: reply.connection_jwt, user_seed };
    let mailbox = serde_json::to_value(credentials).map_err(|error| NotJoined::Key(error.to_string()))?;
    let (backbone, reference) = (initiative.backbone.clone(), initiative.initiative.clone());
    let link = LinkRow { follower: invitation.follower, ..LinkRow::new(backbone, reference, mailbox) };
    Ok(Joined { initiative, backbone_keys: reply.backbone_keys, link })
}

/// What a newcomer asks of the backbone, with the proof that it holds its keys and read the invitation whole.
pub fn request(
    keys: &NodeKeys,
    display_name: &str,
    invitation: &Invitation,
    connection_key: String,
) -> EnrolmentRequest {
    let mut request = EnrolmentRequest {
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

/// Why a node does not join with an invitation, before it knocks anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MayNotJoin {
    /// Otherwise an invitation could put another in the backbone's place.
    #[error(
        "the invitation is to an initiative that this node knows under another root key, or is itself the backbone \
         of: whoever made it is not that initiative's backbone"
    )]
    OtherRoot,
    /// Who belongs to an initiative holds its public space already, and more that it would lose.
    #[error("this node belongs to the initiative already, and so holds all that a follower is sent")]
    BelongsAlready,
}

impl MayNotJoin {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::OtherRoot => "OTHER_ROOT",
            Self::BelongsAlready => "BELONGS_ALREADY",
        }
    }
}

/// Whether a node that knows an initiative already may join it with this invitation: only under the same root, and
/// never its own. Who follows it may come to belong, and not the other way round.
///
/// # Errors
/// Why not.
pub fn may_join(here: &NodeId, known: Option<&Initiative>, invitation: &Invitation) -> Result<(), MayNotJoin> {
    let own = invitation.initiative.parse().is_ok_and(|initiative: Reference| initiative.node == *here);
    match known {
        _ if own => Err(MayNotJoin::OtherRoot),
        Some(known) if known.root_key.as_slice() != invitation.root_key.as_ref() => Err(MayNotJoin::OtherRoot),
        Some(known) if invitation.follower && !known.follows => Err(MayNotJoin::BelongsAlready),
        _ => Ok(()),
    }
}

/// The first introduction: trusted because the root key in the invitation says so.
///
/// # Errors
/// What the answer does not hold of what the invitation promised.
pub fn introduced(invitation: &Invitation, reply: &EnrolmentReply) -> Result<Initiative, NotJoined> {
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
    Ok(Initiative {
        initiative,
        name,
        backbone,
        backbone_keys,
        root_key,
        appointment: signed,
        follows: invitation.follower,
    })
}

/// What a joining node signs.
pub(crate) fn proven(request: &EnrolmentRequest, secret_digest: &[u8]) -> Vec<u8> {
    let bare = EnrolmentRequest { proof: Bytes::new(), ..request.clone() };
    [CONTEXT, secret_digest, &bare.encode_to_vec()].concat()
}
