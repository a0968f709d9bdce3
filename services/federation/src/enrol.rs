//! The backbone's side of the door: who knocks is checked, gets a mailbox, and is told of to the members. Of a follower
//! they are not told: it belongs to nothing, and stands with its link alone.
//!
//! What must wait for the hub holds no lock. First the mailbox's keys are kept and the invitation is bound to the node;
//! then the mailbox is made; then the members are told. Each step may be repeated, and the node that asks again with
//! its invitation repeats all of them.

use bytes::Bytes;
use chassis::clock;
use chassis::event::{Actor, Event};
use chassis::identity;
use chassis::names::{NodeId, Reference, Space};
use nkeys::KeyPair;
use prost::Message;
use proto::federation::{EnrolmentReply, EnrolmentRequest};
use sqlx::PgConnection;

use crate::border::{Border, BorderError};
use crate::hub::{self, Knock, MailboxKeys};
use crate::links::Links;
use crate::own::{self, By};
use crate::store::invitations;
use crate::store::links::{self, LinkRow};
use crate::store::nodes::{self, Initiative};
use crate::{governance, join};

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
    /// A follower would hold less.
    #[error("this node belongs to the initiative already, and so holds all that a follower is sent")]
    Belongs,
    /// The backbone itself fails.
    #[error("the backbone cannot let anyone in just now: try again in a minute")]
    Border(#[from] BorderError),
}

impl From<sqlx::Error> for NotLetIn {
    fn from(error: sqlx::Error) -> Self {
        Self::Border(error.into())
    }
}

/// Answers one knock.
pub async fn answer(links: &Links, knock: Knock) {
    let reply = match let_in(links, &knock.invitation, &knock.bytes).await {
        Ok(reply) => reply,
        Err(error) => {
            tracing::warn!(invitation.id = knock.invitation, %error, source = ?std::error::Error::source(&error),
                "not let in");
            EnrolmentReply { refusal: error.to_string(), ..EnrolmentReply::default() }
        }
    };
    if let Err(error) = knock.answer(reply.encode_to_vec().into()).await {
        tracing::warn!(%error, "a newcomer went away before it was answered; it will ask again");
    }
}

async fn let_in(links: &Links, invitation: &str, bytes: &Bytes) -> Result<EnrolmentReply, NotLetIn> {
    let request = EnrolmentRequest::decode(bytes.clone()).map_err(|_| NotLetIn::Malformed)?;
    let node: NodeId = request.node.parse().map_err(|_| NotLetIn::Malformed)?;
    let border = links.border();
    let Expected { initiative, follower, keys } = expect(border, invitation, &node, &request).await?;
    links.open_mailbox(&keys).await?;
    let connection_jwt = keys.node_token(&request.connection_key, clock::now()).map_err(hub_error)?;
    if let Err(refused) = admit(border, invitation, &node, &request).await {
        // Whoever was shut out between the two must not keep the mailbox that was just opened.
        if matches!(refused, NotLetIn::Ended(_)) {
            links.revoke(&keys).await?;
        }
        return Err(refused);
    }
    border.committed();
    links.follow().await;
    tracing::info!(node.id = %node, name = request.display_name, follower, "node let in");
    Ok(EnrolmentReply {
        refusal: String::new(),
        connection_jwt,
        appointment: Some(initiative.appointment.clone()),
        backbone_keys: border.keys.chain(),
        initiative: initiative.initiative.to_string(),
        initiative_name: initiative.name,
        follower,
    })
}

/// Who is let in, and as what.
struct Expected {
    initiative: Initiative,
    follower: bool,
    keys: MailboxKeys,
}

/// Binds the invitation to the node, and keeps the keys of its mailbox before the hub knows them: a mailbox that is not
/// known here could never be taken down.
async fn expect(
    border: &Border,
    invitation: &str,
    node: &NodeId,
    request: &EnrolmentRequest,
) -> Result<Expected, NotLetIn> {
    let mut transaction = border.pool.begin().await?;
    let (initiative, follower) = admissible(&mut transaction, invitation, node, request).await?;
    let link = links::lock(&mut transaction, node, &initiative.initiative).await?;
    let keys = match link.and_then(|link| serde_json::from_value(link.mailbox).ok()) {
        Some(keys) => keys,
        None => MailboxKeys::new(node.to_string()).map_err(hub_error)?,
    };
    let mailbox = serde_json::to_value(&keys).map_err(|error| BorderError::Hub(error.to_string()))?;
    let display_name = request.display_name.clone();
    let link = LinkRow::new(node.clone(), initiative.initiative.clone(), mailbox);
    links::save(&mut transaction, &LinkRow { follower, display_name, ..link }).await?;
    invitations::used(&mut transaction, invitation, node, clock::now()).await?;
    transaction.commit().await?;
    Ok(Expected { initiative, follower, keys })
}

/// Tells the members that the node belongs, unless they were told before or it only follows. Everything is checked once
/// more: the node may have been shut out since.
async fn admit(border: &Border, invitation: &str, node: &NodeId, request: &EnrolmentRequest) -> Result<(), NotLetIn> {
    let mut transaction = border.pool.begin().await?;
    let (initiative, follower) = admissible(&mut transaction, invitation, node, request).await?;
    let known = nodes::nodes(&mut transaction, &initiative.initiative).await?;
    if !follower && !known.iter().any(|known| known.node == *node && known.ended_position.is_none()) {
        let fact = governance::admitted(&initiative.initiative, node, request.keys.clone(), &request.display_name);
        tell(border, &mut transaction, &initiative, &fact).await?;
    }
    Ok(transaction.commit().await?)
}

fn hub_error(error: hub::HubError) -> BorderError {
    BorderError::Hub(error.to_string())
}

/// Checks everything that can be wrong with a knock; to which initiative it leads, and whether only to follow it. An
/// invitation works again for the node that used it: its answer may have been lost.
async fn admissible(
    connection: &mut PgConnection,
    invitation: &str,
    node: &NodeId,
    request: &EnrolmentRequest,
) -> Result<(Initiative, bool), NotLetIn> {
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
    let proven = join::proven(request, &row.secret_digest);
    identity::verify(key, &proven, &request.proof).map_err(|_| NotLetIn::NoProof)?;
    let reference: Reference = row.initiative.parse().map_err(|_| NotLetIn::Unknown)?;
    let initiative = nodes::initiative(connection, &reference).await?.ok_or(NotLetIn::Unknown)?;
    let known = nodes::nodes(connection, &reference).await?;
    match known.into_iter().find(|known| known.node == *node) {
        Some(known) if known.ended_position.is_some() => return Err(NotLetIn::Ended(known.display_name)),
        Some(_) if row.follower => return Err(NotLetIn::Belongs),
        // A former key proves nothing any more.
        Some(known) if !keys.starts_with(&known.keys) => return Err(NotLetIn::NoProof),
        _ => {}
    }
    match links::read(connection, node, &reference).await? {
        Some(link) if link.ending.is_some() || link.ended_at.is_some() => Err(NotLetIn::Ended(row.display_name)),
        _ => Ok((initiative, row.follower)),
    }
}

/// What goes into the members' order and to the hub must do no harm there.
fn is_in_form(request: &EnrolmentRequest) -> bool {
    let name = &request.display_name;
    let user = request.connection_key.starts_with('U') && KeyPair::from_public_key(&request.connection_key).is_ok();
    user && name.chars().count() <= 200 && !name.contains(char::is_control)
}

/// Tells a fact of the border's own.
///
/// # Errors
/// Where the database fails.
pub async fn tell(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    fact: &chassis::event::Fact,
) -> Result<(), BorderError> {
    let event = Event::told(fact, border.node(), &Actor::default());
    let bytes = Bytes::from(event.encode());
    let members = Space::members(&initiative.initiative);
    own::tell(border, connection, initiative, &members, &[(event, bytes)], By::Border).await
}
