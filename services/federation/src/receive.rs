//! A partner's side of the order: what the backbone accepted is verified again, kept, and handed to the rooms, in the
//! backbone's order. Everything in one transaction, which the caller commits. `verify` writes nothing.

use std::sync::Arc;

use bytes::Bytes;
use chassis::event::Place;
use chassis::log;
use chassis::names::{NodeId, Space};
use proto::federation::{Accepted, NodeKey, Refusal, Seal};
use sqlx::PgConnection;

use crate::accept::Outcome;
use crate::belonging::Belonging;
use crate::border::{Border, BorderError};
use crate::domain::{self, Holder};
use crate::erasure;
use crate::following;
use crate::governance;
use crate::holding;
use crate::keep::{self, Kept, Verdicts};
use crate::keys::{self, BackboneKeys};
use crate::meters::{link_meters, peer};
use crate::protocol::{self, Following, Governance, Word};
use crate::regain;
use crate::store::nodes::Initiative;
use crate::store::order::{self, Order};
use crate::store::quarantine::{self, Finding, Standing};
use crate::store::{entries, feeds, signed};
use crate::wire::{self, Chain, Link, Step, WireError};

/// Why an acceptance is not taken: it is not what the backbone made, or not for this node.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
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
    #[error("the body of accepted entry {0} is missing, and an event of that type is never erased")]
    NotErasable(u64),
    #[error("something before it is not here yet")]
    Gap,
    #[error("it is about own entries that are not here, and they did not come along")]
    Lost,
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
            Self::NotErasable(_) => "NOT_ERASABLE",
            Self::Gap => "GAP",
            Self::Lost => "FORK",
            Self::Border(_) => "LOCAL_FAULT",
        }
    }
}

impl From<sqlx::Error> for NotTaken {
    fn from(error: sqlx::Error) -> Self {
        Self::Border(error.into())
    }
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
    let (step, seal) = match read(border, initiative, message) {
        Ok(read) => read,
        Err(error) => return refuse(connection, initiative, None, message, error).await,
    };
    match take(border, connection, initiative, &step, &seal, message).await {
        Ok(outcome) => Ok(outcome),
        Err(NotTaken::Gap) => Ok(Outcome::Gap),
        Err(error @ NotTaken::Lost) => {
            // Of a node that is known to be restored nothing else is expected.
            if !border.restored.is() {
                refuse(connection, initiative, Some(&step), message, error).await?;
            }
            Ok(Outcome::Lost)
        }
        Err(error) => refuse(connection, initiative, Some(&step), message, error).await,
    }
}

async fn refuse(
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: Option<&Step>,
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
        standing: Standing::Open,
        bytes: &message.acceptance,
    };
    quarantine::add(connection, &finding).await?;
    Ok(Outcome::Quarantined)
}

/// Reads an acceptance and checks that the backbone made it, for a space that this node may hold: itself it holds all.
pub(crate) fn read(border: &Border, initiative: &Initiative, message: &Accepted) -> Result<(Step, Seal), NotTaken> {
    let step = wire::read_step(&message.acceptance)?;
    if step.feed.space.initiative() != Some(&initiative.initiative) {
        return Err(NotTaken::OtherInitiative);
    }
    if initiative.backbone != *border.node() && !domain::may_hold(&step.feed.space, holder(border, initiative)) {
        return Err(NotTaken::NotItsSpace);
    }
    let seal = message.seal.clone().ok_or(WireError::Malformed)?;
    Ok((step, seal))
}

/// How the members space stands, and which keys the backbone had in it.
type Known = (Order, Arc<BackboneKeys>);

/// Checks that the backbone sealed a step, with the key it had where the step was judged. Tells what that was known by; a
/// follower holds none of it.
async fn sealed(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    (step, seal): (&Step, &Seal),
    shown: &[NodeKey],
) -> Result<Option<Known>, NotTaken> {
    if initiative.follows {
        following::check_step(connection, initiative, step, seal, shown).await??;
        return Ok(None);
    }
    let space = Space::members(&initiative.initiative);
    let members = match step.feed.space == space {
        true => order::lock(connection, &space).await?,
        false => order::read(connection, &space).await?,
    };
    let keys = border.backbone_keys.at(connection, initiative, &members).await?;
    let governed_by = step.acceptance.governance_position;
    match keys.check(initiative, seal, &step.digest, governed_by) {
        // What is not held here yet may tell of the key that made it.
        Err(WireError::ForeignKey(_) | WireError::FormerKey(_)) if governed_by > members.position => Err(NotTaken::Gap),
        checked => checked.map(|()| Some((members, keys))).map_err(NotTaken::from),
    }
}

/// This node, as one to whom the initiative's spaces are sent.
fn holder<'a>(border: &'a Border, initiative: &Initiative) -> Holder<'a> {
    Holder { node: border.node(), follower: initiative.follows }
}

async fn take(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: &Step,
    seal: &Seal,
    message: &Accepted,
) -> Result<Outcome, NotTaken> {
    let position = step.acceptance.position;
    let known = sealed(border, connection, initiative, (step, seal), &message.backbone_keys).await?;
    let space = &step.feed.space;
    let in_members = *space == Space::members(&initiative.initiative);
    let before = match &known {
        Some((members, _)) if in_members => *members,
        _ => order::lock(connection, space).await?,
    };
    let members = known.as_ref().map_or(before, |(members, _)| *members);
    let by = match in_members {
        true => Governance::Itself,
        false if initiative.follows => Governance::Unknown,
        false => Governance::Members(&members),
    };
    match protocol::follows(&before, by, step) {
        Following::Held => return held_already(connection, step).await,
        Following::Gap => return Err(NotTaken::Gap),
        Following::Broken => return Err(NotTaken::BrokenOrder(position)),
        Following::Next => {}
    }
    // Whoever comes into a circle later gets what was told before: only who was taken out can know that it is not in it.
    let last = holding::up_to(connection, &step.feed.space, holder(border, initiative)).await?;
    let backbone = initiative.backbone == *border.node();
    if last.is_some_and(|last| position > last) && !backbone {
        return Err(NotTaken::NotItsSpace);
    }
    if backbone {
        // Nobody else could have sealed it: it was made here, and lost.
        border.restored.found_out(connection).await?;
    }
    let place = Place { position: signed(position), at: step.at };
    let belonging = match initiative.follows {
        true => Arc::default(),
        false => belonging(border, connection, initiative, step, &members).await?,
    };
    let origin = match &known {
        None => Origin::Shown(&message.origin_keys),
        Some((_, keys)) if step.feed.origin == initiative.backbone => Origin::Backbone(keys),
        Some(_) => Origin::Member(&belonging),
    };
    if step.feed.origin == *border.node() {
        confirm_own(border, connection, initiative, (step, seal), (message, origin), place).await?;
    } else {
        let frame = message.frame.as_ref().ok_or(NotTaken::OtherFrame)?;
        let chain = wire::read(frame)?;
        let verdicts = verify(connection, initiative, step, &chain, origin).await?;
        if initiative.follows {
            following::remember(connection, &chain.feed.origin, &message.origin_keys).await?;
            following::remember(connection, &initiative.backbone, &message.backbone_keys).await?;
        }
        order::append(connection, step, seal, &chain.seal).await?;
        let kept = Kept { initiative, chain: &chain, acceptance: &step.acceptance, verdicts, place };
        keep::entries(connection, &kept).await?;
        keep::hand_on(connection, &kept, &keep::lines(&kept)).await?;
    }
    Ok(Outcome::Accepted)
}

/// What the members space, which stands so, says of a step's origin where the backbone judged it.
async fn belonging(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: &Step,
    members: &Order,
) -> Result<Arc<Belonging>, sqlx::Error> {
    let governed_by = step.acceptance.governance_position;
    let standing = (&initiative.initiative, members);
    border.belongings.at(connection, standing, &step.feed.origin, governed_by).await
}

/// What is held already comes again after every interruption. Another step at its place is something else.
async fn held_already(connection: &mut PgConnection, step: &Step) -> Result<Outcome, NotTaken> {
    let (space, position) = (step.feed.space.clone(), step.acceptance.position);
    let head = (space, position, Bytes::copy_from_slice(&step.digest));
    let same = !order::agreed(connection, &[head]).await?.is_empty();
    if same { Ok(Outcome::Dropped) } else { Err(NotTaken::BrokenOrder(position)) }
}

/// The backbone's word on this node's own entries: they are here already.
async fn confirm_own(
    border: &Border,
    connection: &mut PgConnection,
    initiative: &Initiative,
    (step, seal): (&Step, &Seal),
    (message, origin): (&Accepted, Origin<'_>),
    place: Place,
) -> Result<(), NotTaken> {
    let (from, to) = (step.acceptance.from, step.acceptance.to);
    let (feed, _) = feeds::held(connection, &step.feed, &[]).await?;
    let own = entries::own(connection, &step.feed, from, to).await?;
    let held = own.last().filter(|last| last.sequence == to).map(|last| last.digest);
    match protocol::word(step, feed.judged, held) {
        Word::Parted => return Err(NotTaken::Fork(to)),
        Word::Unknown => {
            return regain::own(border, connection, initiative, (step, seal), (message, origin), place).await;
        }
        Word::Ours => {}
    }
    let head = wire::head(&step.acceptance.head).ok_or(WireError::Malformed)?;
    let own_seal = keys::seal(connection, border, initiative, step.acceptance.governance_position, &head).await?;
    order::append(connection, step, seal, &own_seal).await?;
    for refused in &step.acceptance.refused {
        entries::refuse(connection, &step.feed, refused.sequence, &refused.reason).await?;
        note_refusal(connection, initiative, step, refused).await?;
    }
    feeds::judged_to(connection, &step.feed, to).await?;
    keys::fold_own(connection, initiative, (step, &own), place).await?;
    erasure::carry_out_own(connection, &step.feed, &step.acceptance, &own).await?;
    let line = keep::judged(border, &step.acceptance, &own, place);
    Ok(log::append_told(connection, crate::NAME, &[line]).await?)
}

/// What the backbone refuses of this node's own is shown here, where something can be done about it.
async fn note_refusal(
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: &Step,
    refusal: &Refusal,
) -> Result<(), NotTaken> {
    let finding = Finding {
        node: &initiative.backbone,
        space: step.feed.space.to_string(),
        origin: step.feed.origin.to_string(),
        sequence: refusal.sequence,
        code: &refusal.code,
        reason: refusal.reason.clone(),
        standing: Standing::Refused,
        bytes: &[],
    };
    Ok(quarantine::add(connection, &finding).await?)
}

/// Checks the origin's seal and chain, and reads the entries. Writes nothing but an alarm.
///
/// What does not verify is no evidence of what its origin said: a whole frame is not taken then, and a single entry
/// goes to no room. What the rules would have refused is the backbone's to judge: there its verdict is followed. Who only
/// follows the initiative does not hold what is judged by, and leaves all of that to the backbone.
pub(crate) async fn verify(
    connection: &mut PgConnection,
    initiative: &Initiative,
    step: &Step,
    chain: &Chain,
    origin: Origin<'_>,
) -> Result<Verdicts, NotTaken> {
    let acceptance = &step.acceptance;
    if !protocol::speaks_of(step, chain) {
        return Err(NotTaken::OtherFrame);
    }
    let backbone = chain.feed.origin == initiative.backbone;
    sealed_by_origin(connection, chain, acceptance.governance_position, initiative, &origin).await?;
    let (held, mut told) = keep::held(connection, chain, backbone).await?;
    if !protocol::is_next(&held, chain) {
        return Err(NotTaken::Fork(chain.first()));
    }
    let refused = |sequence| erasure::is_refused(acceptance, sequence);
    let erased = |link: &Link| link.body.is_none() && !refused(link.sequence);
    if let Some(link) = chain.links.iter().find(|link| erased(link) && !erasure::may_be_missing(&link.event_type)) {
        return Err(NotTaken::NotErasable(link.sequence));
    }
    let after = (&step.feed.space, acceptance.position.saturating_sub(1));
    let governance = match origin {
        Origin::Shown(_) => None,
        Origin::Member(belonging) => {
            Some(governance::of(connection, initiative, &chain.feed.origin, belonging, step.at, after).await?)
        }
        Origin::Backbone(_) => {
            let (none, governed_by) = (Belonging::default(), acceptance.governance_position);
            let of = governance::of(connection, initiative, &chain.feed.origin, &none, step.at, after).await?;
            Some(keys::judged_by(connection, initiative, chain, governed_by, of).await?)
        }
    };
    let mut verdicts = Verdicts::with_capacity(chain.links.len());
    for link in &chain.links {
        let verdict = match domain::read(&chain.feed, link, backbone) {
            _ if refused(link.sequence) => Err(domain::Refusal::NotAnEvent("the backbone refused it".to_owned())),
            // An entry after it says so, or it will be missed once the order is held to its end.
            _ if erased(link) => Err(domain::Refusal::NotAnEvent("its body was erased".to_owned())),
            Err(refusal) => {
                alarm(connection, initiative, chain, link.sequence, ("NO_EVIDENCE", &refusal)).await?;
                Err(refusal)
            }
            Ok(event) => {
                let again = !told.insert(event.id);
                if let Some(governance) = &governance
                    && let Err(refusal) = domain::permit(&chain.feed, &event, governance, again)
                {
                    alarm(connection, initiative, chain, link.sequence, ("DISAGREEMENT", &refusal)).await?;
                }
                // The same event counts once, at its first place.
                if again { Err(domain::Refusal::DuplicateEvent) } else { Ok(event) }
            }
        };
        verdicts.push((link.sequence, verdict));
    }
    Ok(verdicts)
}

/// What is known here of the keys of a step's origin.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// What the members space says of it.
    Member(&'a Belonging),
    /// It is the backbone.
    Backbone(&'a BackboneKeys),
    /// On a follower: what it was shown.
    Shown(&'a [NodeKey]),
}

/// Checks the origin's seal with the key that the origin had at a position.
async fn sealed_by_origin(
    connection: &mut PgConnection,
    chain: &Chain,
    position: u64,
    initiative: &Initiative,
    origin: &Origin<'_>,
) -> Result<(), NotTaken> {
    match origin {
        Origin::Shown(shown) => Ok(following::check_frame(connection, chain, shown).await??),
        Origin::Backbone(keys) => Ok(keys.check(initiative, &chain.seal, &chain.head(), position)?),
        Origin::Member(belonging) => {
            let keys = belonging.keys().ok_or_else(|| NotTaken::NotAdmitted(chain.feed.origin.clone()))?;
            Ok(chain.check_current(keys)?)
        }
    }
}

/// The backbone accepted what this node finds wrong: that is said loudly, and changes no verdict.
async fn alarm(
    connection: &mut PgConnection,
    initiative: &Initiative,
    chain: &Chain,
    sequence: u64,
    (code, refusal): (&str, &domain::Refusal),
) -> Result<(), NotTaken> {
    let (reason, space) = (refusal.to_string(), chain.feed.space.to_string());
    tracing::error!(
        origin = %chain.feed.origin, space, sequence, code, reason,
        "the backbone accepted what this node finds wrong"
    );
    link_meters().alarms.add(1, &peer(&initiative.backbone));
    let finding = Finding {
        node: &initiative.backbone,
        space,
        origin: chain.feed.origin.to_string(),
        sequence,
        code,
        reason: format!("the backbone accepted it, and this node finds: {reason}"),
        standing: Standing::Alarm,
        bytes: &[],
    };
    Ok(quarantine::add(connection, &finding).await?)
}
