//! Events: what was decided becomes one (`told`), and one becomes rows (`apply` for this room's own, `hear` for others').

pub mod initiative;
pub mod join_request;
pub mod membership;
pub mod node;
pub mod organization;

use chassis::event::{self, Event};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded};
use chassis::words::UnknownWord;
use prost::{Message, Name};
use sqlx::PgConnection;

use crate::domain::{Change, Fact};
use crate::store::By;

/// The events of the contract that tell these facts, in the members space of their initiative.
pub fn told(facts: &[Fact]) -> Vec<event::Fact> {
    facts.iter().map(tell).collect()
}

fn tell(fact: &Fact) -> event::Fact {
    let about = About { resource: &fact.resource, initiative: &fact.initiative };
    match &fact.change {
        Change::Initiative(change) => initiative::tell(about, change),
        Change::Organization(change) => organization::tell(about, change),
        Change::JoinRequest(change) => join_request::tell(about, change),
        Change::Membership(change) => membership::tell(about, change),
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The resource.
    pub resource: &'a Reference,
    /// Its initiative.
    pub initiative: &'a Reference,
}

impl About<'_> {
    fn say<M: Message + Name>(self, message: &M) -> event::Fact {
        event::Fact::of(self.resource, &Space::members(self.initiative), message)
    }
}

/// Changes the tables as one of this room's own events says: rows of the event's own resource only. What the message
/// repeats of the event's resource and space is for readers elsewhere and ignored here.
///
/// # Errors
/// Where the event cannot be read or the database fails.
pub async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    let Some(change) = read(event)? else { return Ok(Folded::Unknown) };
    let by = by(event)?;
    match &change {
        Change::Initiative(change) => initiative::apply(connection, by, change).await?,
        Change::Organization(change) => organization::apply(connection, by, change).await?,
        Change::JoinRequest(change) => join_request::apply(connection, by, change).await?,
        Change::Membership(change) => membership::apply(connection, by, change).await?,
    }
    Ok(Folded::Applied)
}

/// Takes in what the border tells of nodes.
///
/// # Errors
/// Where the event cannot be read or the database fails.
pub async fn hear(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    node::hear(connection, event).await
}

/// What an event of this room says; `None` for a type that this version does not know.
fn read(event: &Event) -> Result<Option<Change>, FoldError> {
    if let Some(change) = initiative::read(event)? {
        return Ok(Some(Change::Initiative(change)));
    }
    if let Some(change) = organization::read(event)? {
        return Ok(Some(Change::Organization(change)));
    }
    if let Some(change) = join_request::read(event)? {
        return Ok(Some(Change::JoinRequest(change)));
    }
    Ok(membership::read(event)?.map(Change::Membership))
}

fn by(event: &Event) -> Result<By<'_>, FoldError> {
    let initiative = event.space.initiative().ok_or(FoldError::Missing("initiative"))?;
    Ok(By { resource: &event.resource, initiative, space: &event.space, made_at: event.made_at })
}

/// An event's message, if the event is of that type.
fn message<M: Message + Name + Default>(event: &Event) -> Result<Option<M>, FoldError> {
    Ok(if event.type_name == M::full_name() { Some(event.message()?) } else { None })
}

/// A number of the contract; one of a newer version holds the event until this node has that version too.
fn word<W: TryFrom<i32, Error = UnknownWord>>(number: i32, field: &'static str) -> Result<W, FoldError> {
    W::try_from(number).map_err(|_| FoldError::Missing(field))
}

/// A reference that may be absent.
fn optional(text: &str) -> Result<Option<Reference>, FoldError> {
    if text.is_empty() { Ok(None) } else { Ok(Some(text.parse()?)) }
}

#[cfg(test)]
mod tests;
