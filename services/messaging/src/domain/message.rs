//! Messages: what is said in a channel, changed, and taken back.

use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;
use time::OffsetDateTime;

use super::{Channel, Fact, Refusal, channel};

chassis::words! {
    /// Whether a message stands.
    pub enum State {
        /// It does.
        Posted = 1,
        /// Its author took it back.
        Withdrawn = 2,
        /// It breaks a rule of this room.
        Void = 3,
    }
}

chassis::words! {
    /// What happened to a message.
    pub enum Change {
        /// It was posted.
        Posted = 1,
        /// It was edited.
        Edited = 2,
        /// It was taken back.
        Withdrawn = 3,
    }
}

/// Where a message belongs, and who wrote it: what is left of one that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// The channel.
    pub channel: Reference,
    /// First message of the thread it answers in.
    pub thread: Option<Reference>,
    /// The organization it is written for.
    pub organization: Reference,
    /// When it was written, for what was first said elsewhere.
    pub written_at: Option<OffsetDateTime>,
}

/// A message as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name on every node.
    pub reference: Reference,
    /// Who may hold it.
    pub space: Space,
    /// Where it belongs.
    pub heading: Heading,
    /// What it says.
    pub body: String,
    /// How the author signs.
    pub byline: String,
    /// Whether it stands.
    pub state: State,
    /// Why it is void; else empty.
    pub void_reason: String,
    /// When it was last edited.
    pub edited_at: Option<OffsetDateTime>,
    /// Where in the space's order it was posted; `None` while pending, and once withdrawn.
    pub posted_position: Option<i64>,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// Decides whether a message may be posted from this node. `first` is the message that begins the thread it answers in;
/// `announcing`: whoever posts may speak for the backbone.
///
/// # Errors
/// Where the author lives elsewhere, the channel is closed or for announcements, or the thread is not one of it.
pub fn post(
    node: &NodeId,
    channel: &Channel,
    first: Option<&Message>,
    announcing: bool,
    (heading, body, byline): (Heading, String, String),
) -> Result<Vec<Fact>, Refusal> {
    if heading.organization.node != *node {
        return Err(Refusal::AuthorElsewhere { organization: heading.organization });
    }
    channel::takes_messages(channel)?;
    if channel.only_home().is_some_and(|home| home != node || !announcing) {
        return Err(Refusal::BackboneAnnounces);
    }
    if let Some(first) = first
        && (first.heading.channel != channel.reference || first.heading.thread.is_some())
    {
        return Err(Refusal::NoThread(first.reference.clone()));
    }
    Ok(vec![Fact::MessagePosted { heading, body, byline }])
}

/// Decides whether a message may be given another body. The same body is no change and no event.
///
/// # Errors
/// Where it lives elsewhere or does not stand.
pub fn edit(node: &NodeId, message: &Message, body: String) -> Result<Vec<Fact>, Refusal> {
    changeable(node, message)?;
    Ok(if message.body == body { Vec::new() } else { vec![Fact::MessageEdited { body }] })
}

/// Decides whether a message may be taken back.
///
/// # Errors
/// Where it lives elsewhere or does not stand.
pub fn withdraw(node: &NodeId, message: &Message) -> Result<Vec<Fact>, Refusal> {
    changeable(node, message)?;
    let heading = message.heading.clone();
    let (posted_at, version) = (message.stamp.created_at, message.stamp.version + 1);
    Ok(vec![Fact::MessageWithdrawn { heading, posted_at, version }])
}

fn changeable(node: &NodeId, message: &Message) -> Result<(), Refusal> {
    if message.reference.node != *node {
        return Err(Refusal::LivesElsewhere { what: "the message", home: message.reference.node.clone() });
    }
    match message.state {
        State::Posted => Ok(()),
        State::Withdrawn | State::Void => Err(Refusal::DoesNotStand),
    }
}

/// Why a message is void by itself, whatever its channel says: alike on every node, as it is decided by its event alone.
/// `signed` is the organization that the event names.
pub fn void_by_itself(home: &NodeId, heading: &Heading, signed: Option<&Reference>) -> Option<String> {
    let organization = &heading.organization;
    if organization.node != *home {
        return Some(format!("organization {organization} does not live on the node that wrote for it"));
    }
    let other = signed.filter(|signed| *signed != organization)?;
    Some(format!("it was signed for organization {other}, not for the one it is written for"))
}

/// Why a message that stands by itself is void in its channel. Looked at when it is read, since it hangs on what came
/// first: alike on every node that has accepted the same.
pub fn void_in(channel: &Channel, message: &Message) -> Option<String> {
    if message.state != State::Posted {
        return None;
    }
    if message.space != channel.space {
        return Some("it was told in another space than its channel".to_owned());
    }
    if channel.only_home().is_some_and(|home| *home != message.reference.node) {
        return Some("only the backbone announces in this channel".to_owned());
    }
    let closed = channel.closed_position?;
    let late = message.posted_position.is_none_or(|posted| posted > closed);
    late.then(|| "it was posted after the channel was closed".to_owned())
}
