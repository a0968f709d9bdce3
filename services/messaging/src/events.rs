//! What this room tells, and how its tables follow from it. It hears no other room; roles and circles come with the
//! chassis.

mod channel;
mod meeting;
mod message;
mod practice_card;
mod read_position;

use chassis::errors::Violations;
use chassis::event::{Event, Fact, Place, timestamp};
use chassis::names::{Reference, Space};
use chassis::parse;
use chassis::room::{FoldError, Folded, sound};
use prost::Name;
use proto::messaging as wire;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::contract::channel::write_definition;
use crate::contract::message::write_heading;
use crate::contract::{meeting as meetings, practice_card as cards};
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
        domain::Fact::MeetingScheduled(definition) => {
            let definition = Some(meetings::write_definition(&definition));
            Fact::of(resource, space, &wire::MeetingScheduled { definition })
        }
        domain::Fact::MeetingRevised(definition) => {
            let definition = Some(meetings::write_definition(&definition));
            Fact::of(resource, space, &wire::MeetingRevised { definition })
        }
        domain::Fact::MinutesRecorded { minutes } => Fact::of(resource, space, &wire::MinutesRecorded { minutes }),
        domain::Fact::MeetingCancelled { reason } => Fact::of(resource, space, &wire::MeetingCancelled { reason }),
        domain::Fact::PracticeCardPublished { organization, said } => {
            let definition = Some(cards::write_definition(&organization, Some(&said)));
            Fact::of(resource, space, &wire::PracticeCardPublished { definition })
        }
        domain::Fact::PracticeCardRevised { organization, said } => {
            let definition = Some(cards::write_definition(&organization, Some(&said)));
            Fact::of(resource, space, &wire::PracticeCardRevised { definition })
        }
        domain::Fact::PracticeCardRetracted { organization, reason, published_at, version } => {
            let (organization, publish_time) = (organization.to_string(), Some(timestamp(published_at)));
            let version = version.unsigned_abs();
            Fact::of(resource, space, &wire::PracticeCardRetracted { organization, reason, publish_time, version })
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
    } else if name == wire::MeetingScheduled::full_name() {
        meeting::scheduled(connection, event, &event.message()?).await?;
    } else if name == wire::MeetingRevised::full_name() {
        meeting::revised(connection, event, &event.message()?).await?;
    } else if name == wire::MinutesRecorded::full_name() {
        meeting::minutes_recorded(connection, event, &event.message()?).await?;
    } else if name == wire::MeetingCancelled::full_name() {
        meeting::cancelled(connection, event, &event.message()?).await?;
    } else if name == wire::PracticeCardPublished::full_name() {
        practice_card::published(connection, event, &event.message()?).await?;
    } else if name == wire::PracticeCardRevised::full_name() {
        practice_card::revised(connection, event, &event.message()?).await?;
    } else if name == wire::PracticeCardRetracted::full_name() {
        practice_card::retracted(connection, event, &event.message()?).await?;
    } else if name == wire::ReadPositionMoved::full_name() {
        read_position::moved(connection, event, &event.message()?).await?;
    } else {
        return Ok(Folded::Unknown);
    }
    Ok(Folded::Applied)
}

/// Why something was ended: no more than the API takes.
fn reason(text: &str) -> Result<String, FoldError> {
    let mut violations = Violations::default();
    let reason = parse::text(&mut violations, "reason", text, 1000);
    sound(&violations, reason, "reason")
}

/// How many events made a resource of which only the last is left.
fn version(number: u64) -> Result<i64, FoldError> {
    i64::try_from(number).ok().filter(|version| *version > 0).ok_or(FoldError::Missing("version"))
}

/// Notes where events of this node came to stand in the order of their space.
///
/// # Errors
/// Where the database fails.
pub async fn placed(connection: &mut PgConnection, events: &[Uuid], place: Place) -> Result<(), sqlx::Error> {
    entry::place(connection, events, place.position).await
}
