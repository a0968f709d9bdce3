//! What this room tells, and how its tables follow from it. It hears no other room; roles and circles come with the
//! chassis.

mod channel;
mod message;
mod read_position;

use chassis::event::{Event, Fact, Place, timestamp};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded};
use prost::Name;
use proto::messaging as wire;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::contract::channel::write_definition;
use crate::contract::message::write_heading;
use crate::domain;
use crate::store::entry;

/// What was decided about a resource, as events of the contract.
pub fn told(resource: &Reference, space: &Space, facts: Vec<domain::Fact>) -> Vec<Fact> {
    facts.into_iter().map(|fact| fact_of(resource, space, fact)).collect()
}

fn fact_of(resource: &Reference, space: &Space, fact: domain::Fact) -> Fact {
    match fact {
        domain::Fact::ChannelOpened(definition) => {
            let definition = Some(write_definition(&definition));
            Fact::of(resource, space, &wire::ChannelOpened { definition })
        }
        domain::Fact::ChannelClosed { reason } => Fact::of(resource, space, &wire::ChannelClosed { reason }),
        domain::Fact::MessagePosted { heading, body, byline } => {
            let heading = Some(write_heading(&heading));
            Fact::of(resource, space, &wire::MessagePosted { heading, body, byline })
        }
        domain::Fact::MessageEdited { body } => Fact::of(resource, space, &wire::MessageEdited { body }),
        domain::Fact::MessageWithdrawn { heading, posted_at, version } => {
            let (heading, post_time) = (Some(write_heading(&heading)), Some(timestamp(posted_at)));
            let version = version.unsigned_abs();
            Fact::of(resource, space, &wire::MessageWithdrawn { heading, post_time, version })
        }
        domain::Fact::ReadPositionMoved { channel, cursor } => {
            Fact::of(resource, space, &wire::ReadPositionMoved { channel: channel.to_string(), cursor })
        }
    }
}

/// Changes the tables as an event of this room says.
///
/// # Errors
/// Where its message cannot be read, or the database fails.
pub async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    let name = event.type_name.as_str();
    if name == wire::ChannelOpened::full_name() {
        channel::opened(connection, event, &event.message()?).await?;
    } else if name == wire::ChannelClosed::full_name() {
        channel::closed(connection, event, &event.message()?).await?;
    } else if name == wire::MessagePosted::full_name() {
        message::posted(connection, event, &event.message()?).await?;
    } else if name == wire::MessageEdited::full_name() {
        message::edited(connection, event, &event.message()?).await?;
    } else if name == wire::MessageWithdrawn::full_name() {
        message::withdrawn(connection, event, &event.message()?).await?;
    } else if name == wire::ReadPositionMoved::full_name() {
        read_position::moved(connection, event, &event.message()?).await?;
    } else {
        return Ok(Folded::Unknown);
    }
    Ok(Folded::Applied)
}

/// Notes where events of this node came to stand in the order of their space.
///
/// # Errors
/// Where the database fails.
pub async fn placed(connection: &mut PgConnection, events: &[Uuid], place: Place) -> Result<(), sqlx::Error> {
    entry::place(connection, events, place.position).await
}
