//! Nodes of an initiative: told by the border, so there is nothing to decide here.

use chassis::names::{NodeId, Reference};
use chassis::words;

words! {
    /// How a node stands.
    pub enum NodeState {
        /// It belongs to the initiative.
        Admitted = 1,
        /// Its link was ended.
        Ended = 2,
    }
}

/// A node of an initiative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// The initiative.
    pub initiative: Reference,
    /// How people call it.
    pub display_name: String,
    /// How it stands.
    pub state: NodeState,
    /// Why it was ended.
    pub reason: String,
    /// The organizations that live on it, sorted.
    pub organizations: Vec<Reference>,
}
