//! A partner's side of the order: what the backbone accepted is verified again, kept, and handed to the rooms, in the
//! backbone's order. Everything in one transaction, which the caller commits. `verify` writes nothing.

use chassis::event::{Place, instant};
use chassis::log;
use chassis::names::{NodeId, Space};
use prost::Message;
use proto::federation::{Acceptance, Accepted, Seal};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::accept::Outcome;
use crate::border::{Border, BorderError};
use crate::domain::{self, Step};
use crate::governance;
use crate::keep::{self, Kept, Verdicts};
use crate::store::feeds;
use crate::store::nodes::{self, Initiative};
use crate::store::order::{self, Accepting, Order};
use crate::store::quarantine::{self, Finding};
use crate::store::signed;
use crate::wire::{self, Chain, FeedName, Head, WireError};

/// Why an acceptance is not taken: it is not what the backbone made, or not for this node.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("it belongs to another initiative")]
    OtherInitiative,
    #[error("this node may not hold that space")]
    NotItsSpace,
    #[error("position {0} does not follow the one before it: the backbone has told two histories")]
    BrokenOrder(u64),
    #[error("the acceptance and the frame in it speak of different entries")]
    OtherFrame,
    #[error("{0} did not belong to the initiative at that position")]
    NotAdmitted(NodeId),
    #[error("another entry stands at sequence {0} here: the two histories have parted")]
    Fork(u64),
    #[error("the body of accepted entry {0} was withheld")]
    Withheld(u64),
    #[error("something before it is not here yet")]
    Gap,
    #[error(transparent)]
    Border(#[from] BorderError),
}

impl NotTaken {
    fn code(&self) -> &'static str {
        match self {
            Self::Wire(error) => error.code(),
            Self::OtherInitiative => "OTHER_INITIATIVE",
            Self::NotItsSpace => "NOT_ITS_SPACE",
            Self::BrokenOrder(_) => "BROKEN_ORDER",
            Self::OtherFrame => "OTHER_FRAME",
            Self::NotAdmitted(_) => "NOT_ADMITTED",
            Self::Fork(_) => "FORK",
            Self::Withheld(_) => "WITHHELD",
            Self::Gap => "GAP",
            Self::Border(_) => "LOCAL_FAULT",
        }
    }
}

impl From<sqlx::Error> for NotTaken {
    fn from(error: sqlx::Error) -> Self {
        Self::Border(error.into())
    }
}

/// An acceptance that was read.
struct Step1 {
    acceptance: Acceptance,
    digest: Head,
    feed: FeedName,
    at: OffsetDateTime,
    seal: Seal,
}

/// Takes in an acceptance from the backbone.
///
/// # Errors
/// Where this node itself fails; it is to be tried again.
pub async fn accepted(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    message: &Accepted,
) -> Result<Outcome, BorderError> {
    let step = match read(border, initiative, message) {
        Ok(step) => step,
        Err(error) => return refuse(connection, initiative, None, message, error).await,
    };
    match take(border, connection, initiative, &step, message).await {
        Ok(outcome) => Ok(outcome),
        Err(NotTaken::Gap) => Ok(Outcome::Gap),
        Err(error) => refuse(connection, initiative, Some(&step), message, error).await,
    }
}

async fn refuse(
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: Option<&Step1>,
    message: &Accepted,
    error: NotTaken,
) -> Result<Outcome, BorderError> {
    let error = match error {
        NotTaken::Border(error) => return Err(error),
        error => error,
    };
    let finding = Finding {
        node: &initiative.backbone,
        space: step.map(|step| step.feed.space.to_string()).unwrap_or_default(),
        origin: step.map(|step| step.feed.origin.to_string()).unwrap_or_default(),
        sequence: step.map(|step| step.acceptance.position).unwrap_or_default(),
        code: error.code(),
        reason: error.to_string(),
        bytes: &message.acceptance,
    };
    quarantine::add(connection, &finding).await?;
    Ok(Outcome::Quarantined)
}

/// Reads an acceptance and checks that the backbone made it, for a space that this node may hold.
fn read(border: &Border, initiative: &Initiative, message: &Accepted) -> Result<Step1, NotTaken> {
    let acceptance = Acceptance::decode(message.acceptance.clone()).map_err(|_| WireError::Malformed)?;
    if acceptance.format != wire::FORMAT {
        return Err(WireError::OtherFormat(acceptance.format).into());
    }
    let space = Space::within(&acceptance.initiative, &acceptance.space).map_err(|_| WireError::Malformed)?;
    if space.initiative() != Some(&initiative.initiative) {
        return Err(NotTaken::OtherInitiative);
    }
    if !domain::may_hold(&space, border.node()) {
        return Err(NotTaken::NotItsSpace);
    }
    let digest = wire::digest(&message.acceptance);
    let seal = message.seal.clone().ok_or(WireError::Malformed)?;
    wire::check_seal(&seal, &digest, &initiative.backbone, &initiative.backbone_keys)?;
    let origin = acceptance.origin.parse().map_err(|_| WireError::Malformed)?;
    let at = acceptance.accepted_at.as_ref().and_then(instant).ok_or(WireError::Malformed)?;
    let feed = FeedName { space, origin, epoch: acceptance.epoch };
    Ok(Step1 { acceptance, digest, feed, at, seal })
}

async fn take(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: &Step1,
    message: &Accepted,
) -> Result<Outcome, NotTaken> {
    let position = step.acceptance.position;
    let before = order::lock(connection, &step.feed.space).await?;
    match domain::step(before.position, position, position) {
        Step::Drop => return Ok(Outcome::Dropped),
        Step::Ask => return Err(NotTaken::Gap),
        Step::Take { .. } if step.acceptance.previous.as_ref() != before.digest || step.at < before.accepted_at => {
            return Err(NotTaken::BrokenOrder(position));
        }
        Step::Take { .. } => governed(connection, initiative, step, &before).await?,
    }
    let place = Place { position: signed(position), at: step.at };
    if step.feed.origin == *border.node() {
        confirm_own(border, connection, step, place).await?;
    } else {
        let frame = message.frame.as_ref().ok_or(NotTaken::OtherFrame)?;
        let chain = wire::read(frame)?;
        let verdicts = verify(connection, initiative, step, &chain).await?;
        append(connection, step, chain.seal.clone()).await?;
        let kept = Kept { initiative, chain: &chain, acceptance: &step.acceptance, verdicts, place };
        keep::entries(border, connection, &kept).await?;
        keep::hand_on(border, connection, &kept, false).await?;
    }
    Ok(Outcome::Accepted)
}

/// The members space must be here up to where the backbone judged by it.
async fn governed(
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: &Step1,
    before: &Order,
) -> Result<(), NotTaken> {
    let members = Space::members(&initiative.initiative);
    let held =
        if step.feed.space == members { before.position } else { order::read(connection, &members).await?.position };
    if step.acceptance.governance_position > held { Err(NotTaken::Gap) } else { Ok(()) }
}

async fn append(connection: &mut PgConnection, step: &Step1, frame_seal: Seal) -> Result<(), NotTaken> {
    let accepting = Accepting {
        acceptance: step.acceptance.encode_to_vec(),
        digest: step.digest,
        seal: step.seal.clone(),
        frame_seal,
    };
    Ok(order::append(connection, &step.feed, &step.acceptance, &accepting, step.at).await?)
}

/// The backbone's word on this node's own entries: they are here already.
async fn confirm_own(
    border: &Border,
    connection: &mut PgConnection,
    step: &Step1,
    place: Place,
) -> Result<(), NotTaken> {
    let to = step.acceptance.to;
    let mut feed = feeds::lock(connection, &step.feed).await?;
    let held = feeds::digest_at(connection, &step.feed, to).await?;
    if held.is_none_or(|digest| step.acceptance.head.as_ref() != digest) || step.acceptance.from != feed.judged + 1 {
        return Err(NotTaken::Fork(to));
    }
    let head = wire::head(&step.acceptance.head).ok_or(WireError::Malformed)?;
    append(connection, step, wire::seal(&border.keys, &head)).await?;
    for refused in &step.acceptance.refused {
        feeds::refuse(connection, &step.feed, refused.sequence, &refused.reason).await?;
    }
    feed.judged = to;
    feeds::advance(connection, &step.feed, &feed).await?;
    let line = keep::judged(border, connection, &step.feed, &step.acceptance, place).await?;
    Ok(log::append_told(connection, crate::NAME, &[line]).await?)
}

/// Checks the origin's seal and chain and the admission rule again. Writes nothing but an alarm where the backbone
/// let in what this node would not: such an entry is kept and not handed on.
async fn verify(
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: &Step1,
    chain: &Chain,
) -> Result<Verdicts, NotTaken> {
    let acceptance = &step.acceptance;
    let same = chain.feed == step.feed
        && (chain.first(), chain.last()) == (acceptance.from, acceptance.to)
        && acceptance.head.as_ref() == chain.head();
    if !same {
        return Err(NotTaken::OtherFrame);
    }
    let governed_by = acceptance.governance_position;
    chain.check(&keys(connection, initiative, &chain.feed.origin, governed_by).await?)?;
    let held = feeds::lock(connection, &chain.feed).await?;
    if held.sequence + 1 != chain.first() || held.digest != chain.previous {
        return Err(NotTaken::Fork(chain.first()));
    }
    let governance = governance::of(connection, initiative, &chain.feed.origin, governed_by, step.at).await?;
    let refused = |sequence| acceptance.refused.iter().any(|refused| refused.sequence == sequence);
    if let Some(link) = chain.links.iter().find(|link| link.body.is_none() && !refused(link.sequence)) {
        return Err(NotTaken::Withheld(link.sequence));
    }
    let mut verdicts = keep::judge(connection, &chain.feed, &chain.links, &governance, false).await?;
    for (sequence, verdict) in &mut verdicts {
        match verdict {
            Err(refusal) if !refused(*sequence) => disagree(connection, initiative, chain, *sequence, refusal).await?,
            Ok(_) if refused(*sequence) => *verdict = Err(domain::Refusal::NotAnEvent("withdrawn".to_owned())),
            _ => {}
        }
    }
    Ok(verdicts)
}

async fn keys(
    connection: &mut PgConnection,
    initiative: &Initiative,
    origin: &NodeId,
    position: u64,
) -> Result<Vec<Head>, NotTaken> {
    if *origin == initiative.backbone {
        return Ok(initiative.backbone_keys.clone());
    }
    let node = nodes::node_at(connection, &initiative.initiative, origin, position).await?;
    node.map(|node| node.keys).ok_or_else(|| NotTaken::NotAdmitted(origin.clone()))
}

async fn disagree(
    connection: &mut PgConnection,
    initiative: &Initiative,
    chain: &Chain,
    sequence: u64,
    refusal: &domain::Refusal,
) -> Result<(), NotTaken> {
    tracing::error!(
        origin = %chain.feed.origin, sequence, reason = %refusal,
        "the backbone accepted what the rules refuse: the entry is kept and not applied"
    );
    let finding = Finding {
        node: &initiative.backbone,
        space: chain.feed.space.to_string(),
        origin: chain.feed.origin.to_string(),
        sequence,
        code: "DISAGREEMENT",
        reason: format!("the backbone accepted it, and by the rules it is refused: {refusal}"),
        bytes: &[],
    };
    Ok(quarantine::add(connection, &finding).await?)
}
