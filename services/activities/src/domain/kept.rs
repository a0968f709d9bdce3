//! What every resource of this room has in common: a home, a state with its reason, and an organization it belongs to.

use std::fmt;

use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;

use super::Refusal;

/// What a resource says of itself.
pub trait Content {
    /// What the resource is called in words for a person: "the activity".
    const WHAT: &'static str;

    /// The organization whose resource it is, and which lives on its home.
    fn organization(&self) -> &Reference;

    /// Every resource it refers to, known here or not.
    fn names(&self) -> Vec<&Reference>;
}

/// A resource, as its events make it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<C, S> {
    /// Its name on every node.
    pub reference: Reference,
    /// The members space of its initiative.
    pub space: Space,
    /// What it says of itself.
    pub content: C,
    /// How far it has come.
    pub state: S,
    /// Why, where the state needs a reason; else empty.
    pub reason: String,
    /// How it came to be so.
    pub stamp: Stamp,
}

impl<C: Content, S: Copy + fmt::Display> Kept<C, S> {
    /// Refuses what lives on another node.
    ///
    /// # Errors
    /// Where it does.
    pub fn lives_on(&self, node: &NodeId) -> Result<(), Refusal> {
        if self.reference.node == *node {
            return Ok(());
        }
        Err(Refusal::LivesElsewhere { what: C::WHAT, home: self.reference.node.clone() })
    }

    /// The initiative it belongs to.
    pub fn initiative(&self) -> Option<&Reference> {
        self.space.initiative()
    }

    /// The refusal of a step that does not fit its state.
    pub(super) fn not_now(&self) -> Refusal {
        Refusal::NotNow { what: C::WHAT, state: self.state.to_string() }
    }

    /// Goes over into a state for a reason.
    pub(super) fn ends(&mut self, state: S, reason: String) {
        self.state = state;
        self.reason = reason;
    }
}

/// The organization of some content, if it does not live on this node: what makes the resource void everywhere.
pub fn elsewhere<'a>(home: &NodeId, content: &'a impl Content) -> Option<&'a Reference> {
    Some(content.organization()).filter(|organization| organization.node != *home)
}

/// Gives the states of a resource the words in which a refusal speaks of them.
macro_rules! spoken {
    ($state:ident { $($word:ident: $text:literal,)+ }) => {
        impl std::fmt::Display for $state {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(match self {
                    $(Self::$word => $text,)+
                })
            }
        }
    };
}
pub(super) use spoken;
