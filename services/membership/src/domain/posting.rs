//! Postings: what organizations offer one another and need of one another, posted on the node where they live.

use chassis::names::{NodeId, Reference};
use chassis::revision::Stamp;
use chassis::words;
use time::OffsetDateTime;

use super::{Fact, Initiative, Organization, Refusal};

words! {
    /// Whether an organization offers or needs.
    pub enum PostingDirection {
        /// It offers.
        Offer = 1,
        /// It needs.
        Need = 2,
    }
}

words! {
    /// Kinds of things that organizations offer and need.
    pub enum PostingKind {
        /// Goods, given or lent.
        Good = 1,
        /// What somebody knows how to do.
        Skill = 2,
        /// Rooms, halls, fields, shelves.
        Space = 3,
        /// Money.
        Money = 4,
        /// People who help without pay.
        Volunteers = 5,
        /// What an organization does for people.
        Service = 6,
    }
}

words! {
    /// How an offer or a need stands.
    pub enum PostingState {
        /// It stands.
        Open = 1,
        /// It was taken up, or met. Final.
        Met = 2,
        /// The organization took it back. Final.
        Withdrawn = 3,
    }
}

/// An offer or a need of one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Its name; the node in it is where the organization lives.
    pub reference: Reference,
    /// The initiative.
    pub initiative: Reference,
    /// What it says.
    pub profile: PostingProfile,
    /// How it stands.
    pub state: PostingState,
    /// Who or what met it, or why it was withdrawn.
    pub reason: String,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// What an offer or a need says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostingProfile {
    /// Who offers or needs. Never changes.
    pub organization: Reference,
    /// Whether it offers or needs. Never changes.
    pub direction: PostingDirection,
    /// What kind of thing it is.
    pub kind: PostingKind,
    /// What it is.
    pub description: String,
    /// How much of it, in words.
    pub quantity: String,
    /// Last instant at which it is of use; `None` where it stays open.
    pub open_until: Option<OffsetDateTime>,
}

/// What is to be changed; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// See [`PostingProfile`].
    pub kind: Option<PostingKind>,
    /// See [`PostingProfile`].
    pub description: Option<String>,
    /// See [`PostingProfile`].
    pub quantity: Option<String>,
    /// See [`PostingProfile`].
    pub open_until: Option<Option<OffsetDateTime>>,
}

impl Posting {
    fn open(&self, here: &NodeId) -> Result<(), Refusal> {
        if self.reference.node != *here {
            return Err(Refusal::NotItsHome("posting"));
        }
        match self.state {
            PostingState::Open => Ok(()),
            PostingState::Met | PostingState::Withdrawn => Err(Refusal::PostingClosed(self.reason.clone())),
        }
    }
}

impl PostingProfile {
    fn to_come(&self, now: OffsetDateTime) -> Result<(), Refusal> {
        match self.open_until {
            Some(until) if until <= now => Err(Refusal::PostingOver(until)),
            _ => Ok(()),
        }
    }
}

/// Posts an offer or a need of an organization that lives here.
///
/// # Errors
/// Away from the organization's home; in another initiative than its own, or one that is over; for a time that is over.
pub fn post(
    initiative: &Initiative,
    organization: &Organization,
    here: &NodeId,
    profile: PostingProfile,
    now: OffsetDateTime,
) -> Result<Vec<Fact>, Refusal> {
    organization.in_initiative(initiative)?;
    organization.at_home(here)?;
    initiative.open()?;
    profile.to_come(now)?;
    Ok(vec![Fact::PostingMade(profile)])
}

/// Changes what is offered or needed; nothing happens where it is so already.
///
/// # Errors
/// Away from its home; once it is met or withdrawn; for a time that is over.
pub fn revise(posting: &Posting, here: &NodeId, revision: Revision, now: OffsetDateTime) -> Result<Vec<Fact>, Refusal> {
    posting.open(here)?;
    let before = posting.profile.clone();
    let after = PostingProfile {
        kind: revision.kind.unwrap_or(before.kind),
        description: revision.description.unwrap_or(before.description),
        quantity: revision.quantity.unwrap_or(before.quantity),
        open_until: revision.open_until.unwrap_or(before.open_until),
        ..before
    };
    if after == posting.profile {
        return Ok(Vec::new());
    }
    after.to_come(now)?;
    Ok(vec![Fact::PostingRevised(after)])
}

/// Notes that an offer was taken up, or a need met.
///
/// # Errors
/// Away from its home; once it is met or withdrawn.
pub fn meet(posting: &Posting, here: &NodeId, reason: String) -> Result<Vec<Fact>, Refusal> {
    posting.open(here)?;
    Ok(vec![Fact::PostingMet { reason }])
}

/// Takes an offer or a need back.
///
/// # Errors
/// Away from its home; once it is met or withdrawn.
pub fn withdraw(posting: &Posting, here: &NodeId, reason: String) -> Result<Vec<Fact>, Refusal> {
    posting.open(here)?;
    Ok(vec![Fact::PostingWithdrawn { reason }])
}
