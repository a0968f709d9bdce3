//! Channels: where people talk, and who in them.

use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;

use super::{Fact, Refusal};

chassis::words! {
    /// Who talks in a channel.
    pub enum Kind {
        /// Everyone who may read it, observers excepted.
        Discussion = 1,
        /// The backbone's staff.
        Announcements = 2,
    }
}

chassis::words! {
    /// Whether a channel takes messages.
    pub enum State {
        /// It does.
        Open = 1,
        /// It no longer does.
        Closed = 2,
    }
}

/// What a channel says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Who opens it.
    pub organization: Reference,
    /// Name in plain language.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// What it is about; `None` for the initiative.
    pub subject: Option<Reference>,
    /// Who talks in it.
    pub kind: Kind,
}

/// A channel as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name on every node.
    pub reference: Reference,
    /// Who may hold it and its messages.
    pub space: Space,
    /// The initiative it belongs to.
    pub initiative: Reference,
    /// What it says of itself.
    pub definition: Definition,
    /// Why it was closed; `None` while open.
    pub closed: Option<String>,
    /// Where in the space's order it was closed; `None` while it is open, or the backbone has not accepted its closing.
    pub closed_position: Option<i64>,
    /// How it came to be so.
    pub stamp: Stamp,
}

impl Channel {
    /// The only node from which messages in it count; `None` for any.
    pub fn only_home(&self) -> Option<&NodeId> {
        (self.definition.kind == Kind::Announcements).then_some(&self.initiative.node)
    }
}

/// Decides whether a channel may be opened on this node.
///
/// # Errors
/// Where the organization lives elsewhere, or announcements would be made from a node that is not the backbone's.
pub fn open(node: &NodeId, initiative: &Reference, definition: Definition) -> Result<Vec<Fact>, Refusal> {
    if definition.organization.node != *node {
        return Err(Refusal::AuthorElsewhere { organization: definition.organization });
    }
    if definition.kind == Kind::Announcements && initiative.node != *node {
        return Err(Refusal::BackboneAnnounces);
    }
    Ok(vec![Fact::ChannelOpened(definition)])
}

/// Decides whether a channel may be closed.
///
/// # Errors
/// Where it lives elsewhere or is closed already.
pub fn close(node: &NodeId, channel: &Channel, reason: String) -> Result<Vec<Fact>, Refusal> {
    if channel.reference.node != *node {
        return Err(Refusal::LivesElsewhere { what: "the channel", home: channel.reference.node.clone() });
    }
    takes_messages(channel)?;
    Ok(vec![Fact::ChannelClosed { reason }])
}

/// Whether a channel takes messages.
///
/// # Errors
/// Where it was closed.
pub fn takes_messages(channel: &Channel) -> Result<(), Refusal> {
    match &channel.closed {
        None => Ok(()),
        Some(reason) => Err(Refusal::ChannelClosed { name: channel.definition.name.clone(), reason: reason.clone() }),
    }
}
