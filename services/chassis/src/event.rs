//! Events: past facts about one resource, in one space, told by the resource's home.

use bytes::Bytes;
use prost::Message;
use prost_types::Timestamp;
use proto::cloudevents::CloudEvent;
use proto::cloudevents::cloud_event::cloud_event_attribute_value::Attr;
use proto::cloudevents::cloud_event::{CloudEventAttributeValue, Data};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::clock;
use crate::names::{NodeId, Reference, Space};

/// On whose behalf something was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// The organization spoken for, if any.
    pub organization: Option<Reference>,
    /// A pseudonym of the person or service: stable at its home, meaningless elsewhere.
    pub person: Option<String>,
}

/// What `domain` decides: a past fact, not yet recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Full name of the protobuf message.
    pub type_name: String,
    /// The resource it is about.
    pub resource: Reference,
    /// Who may hold it.
    pub space: Space,
    /// The encoded message.
    pub data: Bytes,
}

impl Fact {
    /// The fact that `message` states about `resource`.
    pub fn of<M: Message + prost::Name>(resource: &Reference, space: &Space, message: &M) -> Self {
        Self {
            type_name: M::full_name(),
            resource: resource.clone(),
            space: space.clone(),
            data: message.encode_to_vec().into(),
        }
    }
}

/// An event: a fact that was recorded at its home.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Made at the home, UUIDv7.
    pub id: Uuid,
    /// Full name of the protobuf message.
    pub type_name: String,
    /// The node that tells it.
    pub home: NodeId,
    /// Who may hold it.
    pub space: Space,
    /// The resource it is about.
    pub resource: Reference,
    /// On whose behalf.
    pub actor: Actor,
    /// The author's claim of when.
    pub made_at: OffsetDateTime,
    /// The encoded message.
    pub data: Bytes,
    /// The backbone's word on it; `None` while pending, and for what never leaves the node.
    pub accepted: Option<Place>,
}

/// A place in the acceptance order of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub position: i64,
    /// When, by the backbone's clock; never earlier than the place before.
    pub at: OffsetDateTime,
}

/// Why bytes are not an event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not a CloudEvent at all.
    #[error("not a CloudEvent: {0}")]
    Encoding(#[from] prost::DecodeError),
    /// A CloudEvent without something that every event of ours has.
    #[error("the event's {0} is missing or malformed")]
    Attribute(&'static str),
}

impl Event {
    /// A fact as it is told now, by this node.
    pub fn told(fact: &Fact, home: &NodeId, actor: &Actor) -> Self {
        Self {
            id: clock::new_id(),
            type_name: fact.type_name.clone(),
            home: home.clone(),
            space: fact.space.clone(),
            resource: fact.resource.clone(),
            actor: actor.clone(),
            made_at: clock::now(),
            data: fact.data.clone(),
            accepted: None,
        }
    }

    /// Its message, if it is of type `M`.
    ///
    /// # Errors
    /// Where the bytes are not such a message.
    pub fn message<M: Message + Default>(&self) -> Result<M, prost::DecodeError> {
        M::decode(self.data.clone())
    }

    /// The CloudEvent's bytes. The same event always has the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        let text = |value: String| CloudEventAttributeValue { attr: Some(Attr::CeString(value)) };
        let mut attributes = std::collections::BTreeMap::from([
            ("subject".to_owned(), text(self.resource.to_string())),
            ("space".to_owned(), text(self.space.to_string())),
            ("time".to_owned(), CloudEventAttributeValue { attr: Some(Attr::CeTimestamp(timestamp(self.made_at))) }),
        ]);
        if let Some(organization) = &self.actor.organization {
            attributes.insert("organization".to_owned(), text(organization.to_string()));
        }
        if let Some(person) = &self.actor.person {
            attributes.insert("person".to_owned(), text(person.clone()));
        }
        let event = CloudEvent {
            id: self.id.to_string(),
            source: self.home.to_string(),
            spec_version: "1.0".to_owned(),
            r#type: self.type_name.clone(),
            attributes,
            data: Some(Data::BinaryData(self.data.to_vec())),
        };
        event.encode_to_vec()
    }

    /// Reads a CloudEvent's bytes.
    ///
    /// # Errors
    /// Where they are not one, or lack what every event of ours has.
    pub fn decode(bytes: &[u8]) -> Result<Self, EventError> {
        let mut event = CloudEvent::decode(bytes)?;
        let Some(Data::BinaryData(data)) = event.data.take() else { return Err(EventError::Attribute("data")) };
        let mut attribute = |name| event.attributes.remove(name).and_then(|value| value.attr);
        let mut text = |name| match attribute(name) {
            Some(Attr::CeString(text)) => Some(text),
            _ => None,
        };
        let resource = text("subject").and_then(|text| text.parse().ok());
        let space = text("space").and_then(|text| text.parse().ok());
        let organization = text("organization").map(|text| text.parse()).transpose();
        let person = text("person");
        let made_at = match attribute("time") {
            Some(Attr::CeTimestamp(at)) => instant(&at),
            _ => None,
        };
        Ok(Self {
            id: Uuid::try_parse(&event.id).map_err(|_| EventError::Attribute("id"))?,
            home: event.source.parse().map_err(|_| EventError::Attribute("source"))?,
            type_name: Some(event.r#type).filter(|name| is_type_name(name)).ok_or(EventError::Attribute("type"))?,
            resource: resource.ok_or(EventError::Attribute("subject"))?,
            space: space.ok_or(EventError::Attribute("space"))?,
            actor: Actor {
                organization: organization.map_err(|_| EventError::Attribute("organization"))?,
                person: plain(person)?,
            },
            made_at: made_at.ok_or(EventError::Attribute("time"))?,
            data: data.into(),
            accepted: None,
        })
    }
}

/// Whether this can be the full name of a protobuf message.
/// The protobuf package of an event's type: which service's own it is.
pub fn package(type_name: &str) -> &str {
    type_name.rsplit_once('.').map_or("", |(package, _)| package)
}

fn is_type_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_');
    (1..=200).contains(&name.len()) && name.bytes().all(allowed)
}

/// A pseudonym of visible characters: what is not would be refused by Postgres, or hide something from whoever reads it.
fn plain(person: Option<String>) -> Result<Option<String>, EventError> {
    match person {
        Some(person) if person.len() > 200 || !person.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(EventError::Attribute("person"))
        }
        person => Ok(person),
    }
}

/// An instant as protobuf writes it.
pub fn timestamp(at: OffsetDateTime) -> Timestamp {
    let nanos = i32::try_from(at.nanosecond()).unwrap_or(0);
    Timestamp { seconds: at.unix_timestamp(), nanos }
}

/// An instant as protobuf wrote it, cut to microseconds; `None` where it is out of range.
pub fn instant(at: &Timestamp) -> Option<OffsetDateTime> {
    let nanos = u32::try_from(at.nanos).ok()?;
    let at = OffsetDateTime::from_unix_timestamp(at.seconds).ok()?;
    at.replace_nanosecond(nanos / 1000 * 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_back_as_it_was_told() {
        let node = NodeId::of_key(&[1; 32]);
        let resource = Reference::born_on(&node);
        let space = Space::members(&Reference::born_on(&node));
        let fact = Fact::of(&resource, &space, &proto::federation::NodeEnded::default());
        let actor = Actor { organization: Some(resource), person: Some("p1".to_owned()) };
        let event = Event::told(&fact, &node, &actor);
        assert_eq!(Event::decode(&event.encode()).unwrap(), event);
    }

    #[test]
    fn what_lacks_a_part_is_named() {
        let event = CloudEvent { id: "x".to_owned(), ..CloudEvent::default() };
        let error = Event::decode(&event.encode_to_vec()).unwrap_err();
        assert_eq!(error.to_string(), "the event's data is missing or malformed");
    }

    #[test]
    fn a_name_that_no_table_takes_is_no_events() {
        let node = NodeId::of_key(&[1; 32]);
        let fact = Fact::of(&Reference::born_on(&node), &Space::Local, &proto::federation::NodeEnded::default());
        let event = Event::told(&fact, &node, &Actor::default());
        let hidden = Event { type_name: "commonweal.x\0".to_owned(), ..event.clone() };
        assert!(matches!(Event::decode(&hidden.encode()), Err(EventError::Attribute("type"))));
        let person = Some("a\0b".to_owned());
        let nobody = Event { actor: Actor { organization: None, person }, ..event };
        assert!(matches!(Event::decode(&nobody.encode()), Err(EventError::Attribute("person"))));
    }
}
