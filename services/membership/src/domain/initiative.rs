//! Initiatives: one coalition each, made and changed at its backbone.

use chassis::names::{NodeId, Reference};
use chassis::revision::Stamp;
use chassis::words;

use super::{Fact, Refusal};

words! {
    /// How far an initiative is.
    pub enum InitiativeState {
        /// It is being brought together.
        Forming = 1,
        /// It works.
        Active = 2,
        /// It is over. Final.
        Closed = 3,
    }
}

/// One coalition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initiative {
    /// Its name; the node in it is the backbone's.
    pub reference: Reference,
    /// What it says of itself.
    pub profile: InitiativeProfile,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// What an initiative says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitiativeProfile {
    /// How people call it.
    pub display_name: String,
    /// What it is for.
    pub purpose: String,
    /// Where it works.
    pub region: String,
    /// How far it is.
    pub state: InitiativeState,
}

/// What is to be changed; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// See [`InitiativeProfile`].
    pub display_name: Option<String>,
    /// See [`InitiativeProfile`].
    pub purpose: Option<String>,
    /// See [`InitiativeProfile`].
    pub region: Option<String>,
    /// See [`InitiativeProfile`].
    pub state: Option<InitiativeState>,
}

impl Initiative {
    /// Only the backbone, and only as long as the initiative is not over.
    pub(super) fn open_at(&self, here: &NodeId) -> Result<(), Refusal> {
        if self.reference.node != *here {
            return Err(Refusal::NotTheBackbone);
        }
        self.open()
    }

    /// Nothing more happens in an initiative that is over.
    pub(super) fn open(&self) -> Result<(), Refusal> {
        match self.profile.state {
            InitiativeState::Closed => Err(Refusal::InitiativeClosed),
            InitiativeState::Forming | InitiativeState::Active => Ok(()),
        }
    }
}

/// Begins an initiative: the node it is born on is its backbone's.
pub fn create(profile: InitiativeProfile) -> Vec<Fact> {
    vec![Fact::InitiativeCreated(profile)]
}

/// Changes what an initiative says of itself; nothing happens where it says so already.
///
/// # Errors
/// Away from the backbone; once it is over.
pub fn revise(initiative: &Initiative, here: &NodeId, revision: Revision) -> Result<Vec<Fact>, Refusal> {
    initiative.open_at(here)?;
    let before = initiative.profile.clone();
    let after = InitiativeProfile {
        display_name: revision.display_name.unwrap_or(before.display_name),
        purpose: revision.purpose.unwrap_or(before.purpose),
        region: revision.region.unwrap_or(before.region),
        state: revision.state.unwrap_or(before.state),
    };
    if after == initiative.profile {
        return Ok(Vec::new());
    }
    Ok(vec![Fact::InitiativeRevised(after)])
}
