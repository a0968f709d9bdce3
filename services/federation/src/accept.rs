//! The backbone's word: frames are verified, judged, and given the next place in their space's order. Everything in one
//! transaction, which the caller commits.

use std::collections::BTreeSet;

use chassis::clock;
use chassis::event::Place;
use chassis::names::{NodeId, Space};
use prost::Message;
use proto::federation::{Frame, Refusal};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::belonging::Belonging;
use crate::border::{Border, BorderError};
use crate::domain;
use crate::governance;
use crate::keep::{self, Kept};
use crate::keys;
use crate::own::By;
use crate::protocol::{self, Continuation};
use crate::store::entries;
use crate::store::nodes::Initiative;
use crate::store::order::{self, Order};
use crate::store::quarantine::{self, Finding, Standing};
use crate::store::signed;
use crate::wire::{self, Chain, WireError};

/// What became of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has a place in the order now.
    Accepted,
    /// All of it was held already.
    Dropped,
    /// Something before it is missing.
    Gap,
    /// It is about what this node told itself and does not know: to be sent again with it.
    Lost,
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
    #[error("{0} may not write into this space")]
    NotItsSpace(NodeId),
    #[error(
        "it belongs to run {0} of the feed, which is closed, or does not follow the run before it as it is held here"
    )]
    OtherEpoch(u32),
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
            Self::NotItsSpace(_) => "NOT_ITS_SPACE",
            Self::OtherEpoch(_) => "OTHER_EPOCH",
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
            let standing = Standing::Open;
            let finding = Finding { node: mailbox, space, origin, sequence, code, reason, standing, bytes: &bytes };
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
    let members = order::lock(connection, &Space::members(&initiative.initiative)).await?;
    let standing = (&initiative.initiative, &members);
    let belonging = border.belongings.at(connection, standing, mailbox, members.position).await?;
    let keys = belonging.keys().ok_or_else(|| NotAccepted::NotAdmitted(mailbox.clone()))?;
    chain.check(keys)?;
    // A space is opened by its first entry: whoever may not write there opens none.
    let space = &chain.feed.space;
    // Only who is in a circle stands in the space's own order.
    let after = if domain::is_circle(space) { order::read(connection, space).await?.position } else { 0 };
    let governance = governance::of(connection, initiative, mailbox, &belonging, clock::now(), (space, after)).await?;
    let outside = domain::is_circle(space) && !governance.in_circle;
    if outside || !domain::may_write(space, mailbox, governance.backbone) {
        return Err(NotAccepted::NotItsSpace(mailbox.clone()));
    }
    let (held, told) = keep::held(connection, &chain, governance.backbone).await?;
    match protocol::continues(&held, &mut chain) {
        Continuation::Held => return held_already(connection, &chain).await,
        // A run is closed once the next has begun: what was on the road then is of a time that its node does not know.
        Continuation::OtherRun => return Err(NotAccepted::OtherEpoch(chain.feed.epoch)),
        Continuation::Gap => return Ok(Outcome::Gap),
        Continuation::Parted(sequence) => return Err(NotAccepted::Fork(sequence)),
        // What came again from before a change of its key is dropped above, and no fault.
        Continuation::Next => chain.check_current(keys)?,
    }
    let by = Source::Partner(told);
    place(border, connection, Ordered { initiative, members: &members, belonging: &belonging, chain: &chain, by })
        .await?;
    Ok(Outcome::Accepted)
}

/// What is held already comes again after every interruption. Another entry at its number is something else.
async fn held_already(connection: &mut PgConnection, chain: &Chain) -> Result<Outcome, NotAccepted> {
    let held = entries::digest_at(connection, &chain.feed, chain.last()).await?;
    if held == Some(chain.head()) { Ok(Outcome::Dropped) } else { Err(NotAccepted::Fork(chain.last())) }
}

/// What is about to get its place.
pub(crate) struct Ordered<'a> {
    pub(crate) initiative: &'a Initiative,
    /// How the members space stands, which is locked.
    pub(crate) members: &'a Order,
    /// What it says of the origin.
    pub(crate) belonging: &'a Belonging,
    pub(crate) chain: &'a Chain,
    pub(crate) by: Source<'a>,
}

/// Where entries come from.
pub(crate) enum Source<'a> {
    /// Out of a partner's mailbox; these of the events were told before.
    Partner(BTreeSet<Uuid>),
    /// This node: they were made just now.
    Here(By<'a>),
}

/// Judges every entry of a chain and writes the next step of the space's order.
pub(crate) async fn place(
    border: &Border,
    connection: &mut PgConnection,
    ordered: Ordered<'_>,
) -> Result<(), BorderError> {
    let Ordered { initiative, members, belonging, chain, by } = ordered;
    let feed = &chain.feed;
    let before = match feed.space == Space::members(&initiative.initiative) {
        true => *members,
        false => order::lock(connection, &feed.space).await?,
    };
    let at = clock::now().max(before.accepted_at);
    let after = (&feed.space, before.position);
    let governance = governance::of(connection, initiative, &feed.origin, belonging, at, after).await?;
    let governance = keys::judged_by(connection, initiative, chain, members.position, governance).await?;
    let told = match &by {
        Source::Partner(told) => told.clone(),
        Source::Here(_) => BTreeSet::new(),
    };
    let verdicts = keep::judge(chain, &governance, told);

    let refused = verdicts.iter().filter_map(|(sequence, verdict)| {
        let refusal = verdict.as_ref().err()?;
        Some((*sequence, refusal.code(), refusal.to_string()))
    });
    let step = wire::accept(chain, before.position + 1, &before.digest, members.position, at, refused);
    let seal = keys::seal(connection, border, initiative, members.position, &step.digest).await?;
    order::append(connection, &step, &seal, &chain.seal).await?;
    for refusal in &step.acceptance.refused {
        note_refusal(connection, chain, refusal).await?;
    }
    let place = Place { position: signed(step.acceptance.position), at };
    let kept = Kept { initiative, chain, acceptance: &step.acceptance, verdicts, place };
    match by {
        Source::Partner(_) => keep::entries(connection, &kept).await?,
        Source::Here(_) => keep::own_entries(connection, &kept).await?,
    }
    let lines = match by {
        // The rooms know what they told, and are told of its place.
        Source::Here(By::Room(room, number)) => vec![keep::judged_now(border, &kept, (room, number))],
        // The border itself told these events: the rooms do not know them yet.
        Source::Here(By::Border) | Source::Partner(_) => keep::lines(&kept),
    };
    keep::hand_on(connection, &kept, &lines).await
}

/// A refusal is shown where it was made, too.
async fn note_refusal(connection: &mut PgConnection, chain: &Chain, refusal: &Refusal) -> Result<(), BorderError> {
    let header = chain.links.iter().find(|link| link.sequence == refusal.sequence).map(|link| link.header.clone());
    let finding = Finding {
        node: &chain.feed.origin,
        space: chain.feed.space.to_string(),
        origin: chain.feed.origin.to_string(),
        sequence: refusal.sequence,
        code: &refusal.code,
        reason: refusal.reason.clone(),
        standing: Standing::Refused,
        bytes: &header.unwrap_or_default(),
    };
    Ok(quarantine::add(connection, &finding).await?)
}

/// Notes a frame from a follower: it is not read, for a follower has nothing to say.
///
/// # Errors
/// Where this node itself fails.
pub async fn of_follower(
    connection: &mut PgConnection,
    mailbox: &NodeId,
    bytes: &[u8],
) -> Result<Outcome, BorderError> {
    let refused = NotAccepted::NotAdmitted(mailbox.clone());
    note(connection, mailbox, (refused.code(), Standing::Open), refused.to_string(), bytes).await?;
    Ok(Outcome::Quarantined)
}

/// Notes a message that cannot be read at all.
///
/// # Errors
/// Where this node itself fails.
pub async fn malformed(connection: &mut PgConnection, mailbox: &NodeId, bytes: &[u8]) -> Result<Outcome, BorderError> {
    let error = WireError::Malformed;
    note(connection, mailbox, (error.code(), Standing::Open), error.to_string(), bytes).await?;
    Ok(Outcome::Quarantined)
}

/// Notes a message whose values this node's own database refuses, so that those behind it are not held up by it.
///
/// # Errors
/// Where this node itself fails.
pub async fn fault(
    connection: &mut PgConnection,
    mailbox: &NodeId,
    bytes: &[u8],
    error: &BorderError,
) -> Result<(), BorderError> {
    let reason = format!("this node cannot keep it and goes on without it until it comes again: {error}");
    note(connection, mailbox, ("LOCAL_FAULT", Standing::Held), reason, bytes).await
}

async fn note(
    connection: &mut PgConnection,
    node: &NodeId,
    (code, standing): (&str, Standing),
    reason: String,
    bytes: &[u8],
) -> Result<(), BorderError> {
    let (space, origin) = (String::new(), String::new());
    let finding = Finding { node, space, origin, sequence: 0, code, reason, standing, bytes };
    Ok(quarantine::add(connection, &finding).await?)
}
