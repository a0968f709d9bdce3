//! Activities on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::{Reference, is_slug};
use chassis::parse;
use chassis::revision::{Mask, etag};
use prost::Message;
use proto::activities as message;

use super::{optional_date, references, write_date, write_initiative, write_optional};
use crate::domain::Activity;
use crate::domain::activity::{Definition, Place};

/// What of a definition may change.
pub const MAY_CHANGE: &[&str] =
    &["title", "description", "strategy", "measures", "supporting", "funding", "places", "start_date", "end_date"];

const MEASURES: usize = 50;
const SUPPORTING: usize = 200;
const FUNDING: usize = 50;
const PLACES: usize = 200;
const MOST_BYTES: usize = 64 * 1024;

/// Reads a whole definition.
pub fn read_definition(
    violations: &mut Violations,
    message: Option<&message::ActivityDefinition>,
) -> Option<Definition> {
    let message = parse::message(violations, "definition", message)?;
    // An event must stay under 96 KiB, and the definition stands in one.
    if message.encoded_len() > MOST_BYTES {
        violations.add("definition", format!("has {} bytes, at most {MOST_BYTES} are allowed", message.encoded_len()));
        return None;
    }
    let lead = parse::reference(violations, "definition.lead", &message.lead);
    let title = parse::text(violations, "definition.title", &message.title, 200);
    let description = parse::prose(violations, "definition.description", &message.description, 4000);
    let strategy = parse::optional_reference(violations, "definition.strategy", &message.strategy);
    let measures = references(violations, "definition.measures", &message.measures, MEASURES);
    let supporting = supporting(violations, &message.supporting, lead.as_ref());
    let funding = references(violations, "definition.funding", &message.funding, FUNDING);
    let places = read_places(violations, "definition.places", &message.places, PLACES);
    let starts = optional_date(violations, "definition.start_date", &message.start_date);
    let ends = optional_date(violations, "definition.end_date", &message.end_date);
    if starts.zip(ends).is_some_and(|(starts, ends)| ends < starts) {
        violations.add("definition.end_date", "is before the start date");
    }
    let external_id = parse::optional_text(violations, "definition.external_id", &message.external_id, 200);
    Some(Definition {
        lead: lead?,
        title: title?,
        description: description?,
        strategy,
        measures,
        supporting,
        funding,
        places,
        starts,
        ends,
        external_id: external_id?,
    })
}

/// Whoever leads needs not be told to support as well: it would count twice where partners are counted.
fn supporting(violations: &mut Violations, texts: &[String], lead: Option<&Reference>) -> Vec<Reference> {
    let supporting = references(violations, "definition.supporting", texts, SUPPORTING);
    if let Some(nth) = supporting.iter().position(|one| Some(one) == lead) {
        violations.add(format!("definition.supporting[{nth}]"), "leads the activity already");
    }
    supporting
}

/// Reads places of which none may stand there twice.
pub fn read_places(violations: &mut Violations, field: &str, messages: &[message::Place], most: usize) -> Vec<Place> {
    if messages.len() > most {
        violations.add(field, format!("are {}, at most {most} are allowed", messages.len()));
        return Vec::new();
    }
    let mut places: Vec<Place> = Vec::with_capacity(messages.len());
    for (nth, message) in messages.iter().enumerate() {
        let field = format!("{field}[{nth}]");
        let Some(place) = read_place(violations, &field, message) else { continue };
        if places.iter().any(|other| other.level == place.level && other.code == place.code) {
            violations.add(field, "is the same place as one before");
        }
        places.push(place);
    }
    places
}

fn read_place(violations: &mut Violations, field: &str, message: &message::Place) -> Option<Place> {
    if !is_slug(&message.level) {
        violations.add(format!("{field}.level"), "must be 1 to 64 of a-z, 0-9 and -, first a letter");
    }
    let code = parse::text(violations, &format!("{field}.code"), &message.code, 64);
    let name = parse::optional_text(violations, &format!("{field}.name"), &message.name, 200);
    Some(Place { level: message.level.clone(), code: code?, name: name? })
}

/// A definition with the fields that the mask names taken from another.
pub fn changed(before: &Definition, change: &message::ActivityDefinition, mask: &Mask) -> message::ActivityDefinition {
    let mut definition = write_definition(before);
    macro_rules! take {
        ($($field:ident)+) => {
            $(if mask.has(stringify!($field)) {
                definition.$field.clone_from(&change.$field);
            })+
        };
    }
    take!(title description strategy measures supporting funding places start_date end_date);
    definition
}

/// An activity as the contract writes it.
pub fn write(activity: &Activity) -> message::Activity {
    message::Activity {
        reference: activity.reference.to_string(),
        initiative: write_initiative(&activity.space),
        definition: Some(write_definition(&activity.content)),
        state: activity.state.number(),
        state_reason: activity.reason.clone(),
        create_time: Some(timestamp(activity.stamp.created_at)),
        update_time: Some(timestamp(activity.stamp.updated_at)),
        etag: etag(activity.stamp.version),
    }
}

/// A definition as the contract writes it.
pub fn write_definition(definition: &Definition) -> message::ActivityDefinition {
    let texts = |references: &[Reference]| references.iter().map(ToString::to_string).collect();
    message::ActivityDefinition {
        lead: definition.lead.to_string(),
        title: definition.title.clone(),
        description: definition.description.clone(),
        strategy: write_optional(definition.strategy.as_ref()),
        measures: texts(&definition.measures),
        supporting: texts(&definition.supporting),
        funding: texts(&definition.funding),
        places: definition.places.iter().map(write_place).collect(),
        start_date: definition.starts.map(write_date).unwrap_or_default(),
        end_date: definition.ends.map(write_date).unwrap_or_default(),
        external_id: definition.external_id.clone(),
    }
}

/// A place as the contract writes it.
pub fn write_place(place: &Place) -> message::Place {
    let Place { level, code, name } = place.clone();
    message::Place { level, code, name }
}
