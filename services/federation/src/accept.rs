//! The backbone's word: frames of partners and of the backbone itself are verified, judged, and given the next place
//! in their space's order. Everything in one transaction, which the caller commits.

use bytes::Bytes;
use chassis::clock;
use chassis::event::{Event, Place, timestamp};
use chassis::names::{NodeId, Space};
use prost::Message;
use proto::federation::{Acceptance, Frame, Refusal as RefusalMessage};
use sqlx::PgConnection;

use crate::border::{Border, BorderError};
use crate::domain::{self, Step};
use crate::governance;
use crate::keep::{self, Kept};
use crate::store::feeds::{self, NewEntry};
use crate::store::nodes::Initiative;
use crate::store::order::{self, Accepting};
use crate::store::quarantine::{self, Finding};
use crate::store::signed;
use crate::wire::{self, Chain, FeedName, Link, WireError};

/// What became of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has a place in the order now.
    Accepted,
    /// All of it was held already.
    Dropped,
    /// Something before it is missing.
    Gap,
    /// It is not what its origin made: kept in quarantine, no verdict.
    Quarantined,
}

/// Why a frame as a whole gets no place.
#[derive(Debug, thiserror::Error)]
enum NotAccepted {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("it came through the mailbox of {0}, who did not write it")]
    OtherMailbox(NodeId),
    #[error("this node is not the backbone of that initiative, or does not know it")]
    OtherInitiative,
    #[error("{0} does not belong to the initiative")]
    NotAdmitted(NodeId),
    #[error("another entry stands at sequence {0} already: the two histories have parted")]
    Fork(u64),
    #[error(transparent)]
    Border(#[from] BorderError),
}

impl NotAccepted {
    fn code(&self) -> &'static str {
        match self {
            Self::Wire(error) => error.code(),
            Self::OtherMailbox(_) => "OTHER_MAILBOX",
            Self::OtherInitiative => "OTHER_INITIATIVE",
            Self::NotAdmitted(_) => "NOT_ADMITTED",
            Self::Fork(_) => "FORK",
            Self::Border(_) => "LOCAL_FAULT",
        }
    }
}

impl From<sqlx::Error> for NotAccepted {
    fn from(error: sqlx::Error) -> Self {
        Self::Border(error.into())
    }
}

/// Takes in a frame from a partner's mailbox.
///
/// # Errors
/// Where this node itself fails; the frame is to be tried again.
pub async fn frame(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    mailbox: &NodeId,
    frame: &Frame,
) -> Result<Outcome, BorderError> {
    let chain = wire::read(frame).map_err(NotAccepted::from);
    let described = chain.as_ref().ok().map(|chain| (chain.feed.clone(), chain.first()));
    let outcome = match chain {
        Ok(chain) => verify(border, connection, initiative, mailbox, chain).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(outcome) => Ok(outcome),
        Err(NotAccepted::Border(error)) => Err(error),
        Err(refused) => {
            let (space, origin, sequence) = described.map_or_else(Default::default, |(feed, first)| {
                (feed.space.to_string(), feed.origin.to_string(), first)
            });
            let (code, reason) = (refused.code(), refused.to_string());
            let bytes = frame.encode_to_vec();
            let finding = Finding { node: mailbox, space, origin, sequence, code, reason, bytes: &bytes };
            quarantine::add(connection, &finding).await?;
            Ok(Outcome::Quarantined)
        }
    }
}

async fn verify(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    mailbox: &NodeId,
    mut chain: Chain,
) -> Result<Outcome, NotAccepted> {
    if chain.feed.origin != *mailbox {
        return Err(NotAccepted::OtherMailbox(mailbox.clone()));
    }
    if chain.feed.space.initiative() != Some(&initiative.initiative) || initiative.backbone != *border.node() {
        return Err(NotAccepted::OtherInitiative);
    }
    // The members space is locked for reading its position: what a frame is judged by does not move under it.
    let governed_by = order::lock(connection, &Space::members(&initiative.initiative)).await?.position;
    let node = crate::store::nodes::node_at(connection, &initiative.initiative, mailbox, governed_by).await?;
    let node = node.ok_or_else(|| NotAccepted::NotAdmitted(mailbox.clone()))?;
    chain.check(&node.keys)?;
    // A space is opened by its first entry: whoever may not write there opens none.
    let governance = governance::of(connection, initiative, mailbox, governed_by, clock::now()).await?;
    if !domain::may_write(&chain.feed.space, mailbox, &governance) {
        return Err(NotAccepted::OtherMailbox(mailbox.clone()));
    }
    let held = feeds::lock(connection, &chain.feed).await?;
    match domain::step(held.sequence, chain.first(), chain.last()) {
        Step::Drop => return Ok(Outcome::Dropped),
        Step::Ask => return Ok(Outcome::Gap),
        Step::Take { seen } => {
            if chain.digest_at(held.sequence) != Some(held.digest) {
                return Err(NotAccepted::Fork(held.sequence));
            }
            chain.links.drain(..usize::try_from(seen).unwrap_or(0).min(chain.links.len()));
            chain.previous = held.digest;
        }
    }
    let step = Ordered { initiative, governed_by, chain: &chain, told_here: false };
    place(border, connection, &step).await?;
    Ok(Outcome::Accepted)
}

/// Appends events of this node to its own feed of their space and gives them their place, if this node is the backbone.
/// `told_here` says that the border itself told them, so that the rooms do not know them yet.
///
/// # Errors
/// Where this node itself fails.
pub async fn own(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    space: &Space,
    events: &[(Event, Bytes)],
    told_here: bool,
) -> Result<(), BorderError> {
    // Locks are taken in one order everywhere: members space, own space, feed.
    let backbone = initiative.backbone == *border.node();
    let members = Space::members(&initiative.initiative);
    if backbone {
        order::lock(connection, &members).await?;
    }
    for links in append(border, connection, space, events).await?.split_inclusive(ends_frame()) {
        if !backbone {
            continue;
        }
        let feed = own_feed(border, space);
        let Some(head) = links.last().map(|link| link.digest) else { continue };
        let governed_by = order::lock(connection, &members).await?.position;
        let seal = wire::seal(&border.keys, &head);
        let chain = Chain { feed, previous: wire::GENESIS, links: links.to_vec(), seal };
        place(border, connection, &Ordered { initiative, governed_by, chain: &chain, told_here }).await?;
    }
    Ok(())
}

/// A frame ends when it is full, and after an event that changes what the next is judged by.
fn ends_frame() -> impl FnMut(&Link) -> bool {
    // Room for the acceptance and the seals around the entries.
    let mut left = wire::FRAME_BYTES - 4096 - wire::EVENT_BYTES;
    move |link| {
        let ends = wire::weight(link) >= left || governance::changes(&link.event_type);
        left = if ends { wire::FRAME_BYTES - 4096 - wire::EVENT_BYTES } else { left - wire::weight(link) };
        ends
    }
}

/// This node's own feed of a space.
pub fn own_feed(border: &Border, space: &Space) -> FeedName {
    FeedName { space: space.clone(), origin: border.node().clone(), epoch: 1 }
}

async fn append(
    border: &Border,
    connection: &mut PgConnection,
    space: &Space,
    events: &[(Event, Bytes)],
) -> Result<Vec<Link>, BorderError> {
    let name = own_feed(border, space);
    let mut feed = feeds::lock(connection, &name).await?;
    let mut entries = Vec::with_capacity(events.len());
    for (event, bytes) in events {
        let salt = clock::random().map_err(|_| BorderError::Randomness)?;
        let link = wire::entry(&name, feed.sequence + 1, &feed.digest, event, bytes.clone(), salt);
        feed.sequence = link.sequence;
        feed.digest = link.digest;
        entries.push(NewEntry { link, event_id: Some(event.id), refused: None });
    }
    feeds::append(connection, &name, &entries).await?;
    feeds::advance(connection, &name, &feed).await?;
    Ok(entries.into_iter().map(|entry| entry.link).collect())
}

/// What is about to get its place.
struct Ordered<'a> {
    initiative: &'a Initiative,
    governed_by: u64,
    chain: &'a Chain,
    told_here: bool,
}

/// Judges every entry of a chain and writes the next step of the space's order.
async fn place(border: &Border, connection: &mut PgConnection, ordered: &Ordered<'_>) -> Result<(), BorderError> {
    let (feed, chain) = (&ordered.chain.feed, ordered.chain);
    let before = order::lock(connection, &feed.space).await?;
    let at = clock::now().max(before.accepted_at);
    let ours = feed.origin == *border.node();
    let governance = governance::of(connection, ordered.initiative, &feed.origin, ordered.governed_by, at).await?;
    let verdicts = keep::judge(connection, feed, &chain.links, &governance, ours).await?;

    let refused = verdicts.iter().filter_map(|(sequence, verdict)| {
        let refusal = verdict.as_ref().err()?;
        Some(RefusalMessage { sequence: *sequence, code: refusal.code().to_owned(), reason: refusal.to_string() })
    });
    let refused: Vec<RefusalMessage> = refused.collect();
    let acceptance = Acceptance {
        format: wire::FORMAT,
        initiative: ordered.initiative.initiative.to_string(),
        space: wire::within(&feed.space),
        position: before.position + 1,
        origin: feed.origin.to_string(),
        epoch: feed.epoch,
        from: chain.first(),
        to: chain.last(),
        head: Bytes::copy_from_slice(&chain.head()),
        governance_position: ordered.governed_by,
        accepted_at: Some(timestamp(at)),
        refused,
        previous: Bytes::copy_from_slice(&before.digest),
    };
    let bytes = acceptance.encode_to_vec();
    let digest = wire::digest(&bytes);
    let seal = wire::seal(&border.keys, &digest);
    let accepting = Accepting { acceptance: bytes, digest, seal, frame_seal: chain.seal.clone() };
    order::append(connection, feed, &acceptance, &accepting, at).await?;
    for refusal in &acceptance.refused {
        note_refusal(connection, chain, refusal).await?;
    }
    let place = Place { position: signed(acceptance.position), at };
    let kept = Kept { initiative: ordered.initiative, chain, acceptance: &acceptance, verdicts, place };
    keep::entries(border, connection, &kept).await?;
    keep::hand_on(border, connection, &kept, ordered.told_here).await
}

/// A refusal is shown where it was made, too.
async fn note_refusal(
    connection: &mut PgConnection,
    chain: &Chain,
    refusal: &RefusalMessage,
) -> Result<(), BorderError> {
    let header = chain.links.iter().find(|link| link.sequence == refusal.sequence).map(|link| link.header.clone());
    let finding = Finding {
        node: &chain.feed.origin,
        space: chain.feed.space.to_string(),
        origin: chain.feed.origin.to_string(),
        sequence: refusal.sequence,
        code: &refusal.code,
        reason: refusal.reason.clone(),
        bytes: &header.unwrap_or_default(),
    };
    Ok(quarantine::add(connection, &finding).await?)
}

/// Notes a message that cannot be read at all.
///
/// # Errors
/// Where this node itself fails.
pub async fn malformed(connection: &mut PgConnection, mailbox: &NodeId, bytes: &[u8]) -> Result<Outcome, BorderError> {
    let error = WireError::Malformed;
    let (space, origin) = (String::new(), String::new());
    let (code, reason) = (error.code(), error.to_string());
    quarantine::add(connection, &Finding { node: mailbox, space, origin, sequence: 0, code, reason, bytes }).await?;
    Ok(Outcome::Quarantined)
}
