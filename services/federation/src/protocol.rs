//! What is made of what arrives, by what is held: the decisions of the protocol without any database, so that they can be
//! tried in every order in which messages get lost, come twice or overtake one another.

use crate::domain::{self, Step as Run};
use crate::store::feeds::Feed;
use crate::store::order::Order;
use crate::wire::{Chain, Head, Step};

/// What a frame is to its feed, as far as that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continuation {
    /// All of it is held already, if what is held there is the same.
    Held,
    /// Something before it is missing.
    Gap,
    /// Another entry stands at this sequence: the two histories have parted.
    Parted(u64),
    /// Its run of the feed is closed, or does not follow the run before as that is held.
    OtherRun,
    /// It goes on where that ends.
    Next,
}

/// What a frame is to its feed. Of the next one what is held already is taken away.
pub fn continues(held: &Feed, chain: &mut Chain) -> Continuation {
    match domain::step(held.sequence, chain.first(), chain.last()) {
        Run::Drop => Continuation::Held,
        Run::Ask | Run::Take { .. } if held.closed => Continuation::OtherRun,
        Run::Ask => Continuation::Gap,
        Run::Take { .. } if held.sequence == 0 && chain.digest_at(0) != Some(held.digest) => Continuation::OtherRun,
        Run::Take { .. } if chain.digest_at(held.sequence) != Some(held.digest) => Continuation::Parted(held.sequence),
        Run::Take { seen } => {
            chain.links.drain(..usize::try_from(seen).unwrap_or(0).min(chain.links.len()));
            chain.previous = held.digest;
            Continuation::Next
        }
    }
}

/// What a step is to the order of its space, as far as that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// A step stands there already.
    Held,
    /// Something before it is missing, or what it was judged by.
    Gap,
    /// It does not continue what is held: the backbone has told two histories.
    Broken,
    /// It is the next.
    Next,
}

/// By what a step is judged, as far as that is held here.
#[derive(Clone, Copy, Debug)]
pub enum Governance<'a> {
    /// It is a step of the members space itself: judged by all that went before.
    Itself,
    /// The members space stands so.
    Members(&'a Order),
    /// Not held: who only follows the initiative leaves that to the backbone.
    Unknown,
}

/// What a step is to the order of its space. The next names the one before, is not earlier, and is judged by governance
/// that is held here and not older.
pub fn follows(before: &Order, governance: Governance<'_>, step: &Step) -> Following {
    let (position, governed_by) = (step.acceptance.position, step.acceptance.governance_position);
    match domain::step(before.position, position, position) {
        Run::Drop => return Following::Held,
        Run::Ask => return Following::Gap,
        Run::Take { .. } => {}
    }
    let governance_follows = match governance {
        Governance::Itself => governed_by == before.position,
        Governance::Members(_) | Governance::Unknown => governed_by >= before.governed_by,
    };
    let next = step.acceptance.previous.as_ref() == before.digest && step.at >= before.accepted_at;
    match governance {
        _ if !next || !governance_follows => Following::Broken,
        Governance::Members(members) if governed_by > members.position => Following::Gap,
        _ => Following::Next,
    }
}

/// Whether a frame is the one that a step speaks of.
pub fn speaks_of(step: &Step, chain: &Chain) -> bool {
    let acceptance = &step.acceptance;
    chain.feed == step.feed
        && (chain.first(), chain.last()) == (acceptance.from, acceptance.to)
        && acceptance.head.as_ref() == chain.head()
}

/// Whether a frame is exactly what follows in its feed.
pub fn is_next(held: &Feed, chain: &Chain) -> bool {
    !held.closed && held.sequence + 1 == chain.first() && held.digest == chain.previous
}

/// What a step says of a node's own feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The next verdict on entries that stand here.
    Ours,
    /// The next verdict, on entries that do not stand here: this node forgot them, or made others in their place.
    Unknown,
    /// Not the next verdict.
    Parted,
}

/// What a step says of a node's own feed, which is judged so far. `head` is the digest of the entry here where it ends.
pub fn word(step: &Step, judged: u64, head: Option<Head>) -> Word {
    if step.acceptance.from != judged + 1 {
        Word::Parted
    } else if head.is_some_and(|head| step.acceptance.head.as_ref() == head) {
        Word::Ours
    } else {
        Word::Unknown
    }
}
