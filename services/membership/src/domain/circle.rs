//! Circles: spaces with a named list of nodes, formed and changed by the backbone, which relays what is told in them.

use chassis::names::{NodeId, Reference, Space, Within};
use chassis::revision::Stamp;
use chassis::words;

use super::{Fact, Initiative, Refusal};

words! {
    /// Whether a circle goes on.
    pub enum CircleState {
        /// It goes on.
        Formed = 1,
        /// It is over. Final.
        Ended = 2,
    }
}

/// A space with a named list of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// Its name; the node in it is the backbone's.
    pub reference: Reference,
    /// The initiative.
    pub initiative: Reference,
    /// What it is.
    pub profile: CircleProfile,
    /// Whether it goes on.
    pub state: CircleState,
    /// Why it was ended.
    pub reason: String,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// What a circle is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircleProfile {
    /// How people call it.
    pub display_name: String,
    /// What it is for.
    pub purpose: String,
    /// The nodes in it, sorted.
    pub nodes: Vec<NodeId>,
}

/// What is to be changed; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// See [`CircleProfile`].
    pub display_name: Option<String>,
    /// See [`CircleProfile`].
    pub purpose: Option<String>,
    /// See [`CircleProfile`]: all of them anew.
    pub nodes: Option<Vec<NodeId>>,
}

/// The space of a circle, in which alone it is told of.
pub fn space(initiative: &Reference, circle: &Reference) -> Space {
    Space::Of(initiative.clone(), Within::Circle(circle.clone()))
}

impl Circle {
    /// What the circle would be after a revision.
    pub fn revised(&self, revision: Revision) -> CircleProfile {
        let before = self.profile.clone();
        CircleProfile {
            display_name: revision.display_name.unwrap_or(before.display_name),
            purpose: revision.purpose.unwrap_or(before.purpose),
            nodes: revision.nodes.unwrap_or(before.nodes),
        }
    }

    fn goes_on(&self, here: &NodeId) -> Result<(), Refusal> {
        if self.reference.node != *here {
            return Err(Refusal::NotTheBackbone);
        }
        match self.state {
            CircleState::Formed => Ok(()),
            CircleState::Ended => Err(Refusal::CircleEnded(self.reason.clone())),
        }
    }
}

/// Forms a circle. `outside` is one of its nodes that does not belong to the initiative.
///
/// # Errors
/// Away from the backbone; in an initiative that is over; with nodes that do not belong.
pub fn form(
    initiative: &Initiative,
    here: &NodeId,
    profile: CircleProfile,
    outside: Option<NodeId>,
) -> Result<Vec<Fact>, Refusal> {
    initiative.open_at(here)?;
    belongs(outside)?;
    Ok(vec![Fact::CircleFormed(profile)])
}

/// Changes a circle; nothing happens where it is so already. `outside` is one that would come to it and does not belong
/// to the initiative.
///
/// # Errors
/// Away from the backbone; once it has ended; with nodes that do not belong.
pub fn change(
    circle: &Circle,
    here: &NodeId,
    after: CircleProfile,
    outside: Option<NodeId>,
) -> Result<Vec<Fact>, Refusal> {
    circle.goes_on(here)?;
    belongs(outside)?;
    Ok(if after == circle.profile { Vec::new() } else { vec![Fact::CircleChanged(after)] })
}

/// Ends a circle.
///
/// # Errors
/// Away from the backbone; twice.
pub fn end(circle: &Circle, here: &NodeId, reason: String) -> Result<Vec<Fact>, Refusal> {
    circle.goes_on(here)?;
    Ok(vec![Fact::CircleEnded { reason }])
}

fn belongs(outside: Option<NodeId>) -> Result<(), Refusal> {
    outside.map_or(Ok(()), |node| Err(Refusal::NodeOutside(node)))
}
