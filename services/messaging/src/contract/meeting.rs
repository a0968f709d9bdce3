//! Meetings on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::parse;
use chassis::revision::{Mask, etag};
use proto::messaging as wire;

use super::{write_optional, write_space};
use crate::domain::Meeting;
use crate::domain::meeting::{self, AgendaItem, Change, Definition, State};

/// What of a meeting may change.
pub const MAY_CHANGE: &[&str] = &["title", "start_time", "end_time", "place", "link", "agenda", "channel"];

const MOST_ITEMS: usize = 50;
const MOST_MINUTES: usize = 20_000;
/// A whole definition stands in one event.
const MOST_BYTES: usize = 64 * 1024;

/// Reads a whole definition.
pub fn read_definition(violations: &mut Violations, message: Option<&wire::MeetingDefinition>) -> Option<Definition> {
    let message = parse::message(violations, "definition", message)?;
    bounded(violations, message);
    let organization = parse::reference(violations, "definition.organization", &message.organization);
    let title = title(violations, message);
    let starts_at = parse::instant(violations, "definition.start_time", message.start_time.as_ref());
    let ends_at = parse::instant(violations, "definition.end_time", message.end_time.as_ref());
    let place = place(violations, message);
    let link = link(violations, &message.link);
    let agenda = agenda(violations, &message.agenda);
    let channel = parse::optional_reference(violations, "definition.channel", &message.channel);
    let definition = Definition {
        organization: organization?,
        title: title?,
        starts_at: starts_at?,
        ends_at: ends_at?,
        place: place?,
        link: link?,
        agenda: agenda?,
        channel,
    };
    violations.note(meeting::flaw(&definition).into_iter().collect());
    Some(definition)
}

/// Reads the fields that the mask names; others are not looked at.
pub fn read_change(
    violations: &mut Violations,
    message: Option<&wire::MeetingDefinition>,
    mask: Option<&Mask>,
) -> Option<Change> {
    let message = parse::message(violations, "definition", message)?;
    bounded(violations, message);
    let mask = mask?;
    let mut change = Change::default();
    if mask.has("title") {
        change.title = Some(title(violations, message)?);
    }
    if mask.has("start_time") {
        change.starts_at = Some(parse::instant(violations, "definition.start_time", message.start_time.as_ref())?);
    }
    if mask.has("end_time") {
        change.ends_at = Some(parse::instant(violations, "definition.end_time", message.end_time.as_ref())?);
    }
    if mask.has("place") {
        change.place = Some(place(violations, message)?);
    }
    if mask.has("link") {
        change.link = Some(link(violations, &message.link)?);
    }
    if mask.has("agenda") {
        change.agenda = Some(agenda(violations, &message.agenda)?);
    }
    if mask.has("channel") {
        change.channel = Some(parse::optional_reference(violations, "definition.channel", &message.channel));
    }
    Some(change)
}

/// Reads what came of a meeting.
pub fn read_minutes(violations: &mut Violations, minutes: &str) -> Option<String> {
    let minutes = parse::required(violations, "minutes", minutes)?;
    parse::prose(violations, "minutes", minutes, MOST_MINUTES)
}

fn bounded(violations: &mut Violations, message: &wire::MeetingDefinition) {
    let bytes = prost::Message::encoded_len(message);
    if bytes > MOST_BYTES {
        violations.add("definition", format!("has {bytes} bytes, at most {MOST_BYTES} are allowed"));
    }
}

fn title(violations: &mut Violations, message: &wire::MeetingDefinition) -> Option<String> {
    parse::text(violations, "definition.title", &message.title, 200)
}

fn place(violations: &mut Violations, message: &wire::MeetingDefinition) -> Option<String> {
    parse::optional_text(violations, "definition.place", &message.place, 500)
}

/// An address that a person may follow: other schemes run programs.
fn link(violations: &mut Violations, text: &str) -> Option<String> {
    let link = parse::optional_text(violations, "definition.link", text, 1000)?;
    if link.is_empty() || (link.starts_with("https://") && !link.contains(char::is_whitespace)) {
        return Some(link);
    }
    violations.add("definition.link", "must begin with https:// and have no blanks");
    None
}

fn agenda(violations: &mut Violations, items: &[wire::AgendaItem]) -> Option<Vec<AgendaItem>> {
    if items.len() > MOST_ITEMS {
        violations.add("definition.agenda", format!("are {}, at most {MOST_ITEMS} are allowed", items.len()));
        return None;
    }
    let mut read = Vec::with_capacity(items.len());
    for (nth, item) in items.iter().enumerate() {
        let field = format!("definition.agenda[{nth}]");
        let title = parse::text(violations, &format!("{field}.title"), &item.title, 200);
        let notes = parse::prose(violations, &format!("{field}.notes"), &item.notes, 2000);
        read.extend(title.zip(notes).map(|(title, notes)| AgendaItem { title, notes }));
    }
    (read.len() == items.len()).then_some(read)
}

/// A meeting's definition as the contract writes it.
pub fn write_definition(definition: &Definition) -> wire::MeetingDefinition {
    let item = |item: &AgendaItem| wire::AgendaItem { title: item.title.clone(), notes: item.notes.clone() };
    wire::MeetingDefinition {
        organization: definition.organization.to_string(),
        title: definition.title.clone(),
        start_time: Some(timestamp(definition.starts_at)),
        end_time: Some(timestamp(definition.ends_at)),
        place: definition.place.clone(),
        link: definition.link.clone(),
        agenda: definition.agenda.iter().map(item).collect(),
        channel: write_optional(definition.channel.as_ref()),
    }
}

/// A meeting as the contract writes it.
pub fn write(meeting: &Meeting) -> wire::Meeting {
    let (initiative, space) = write_space(&meeting.space);
    let state = if meeting.cancelled.is_some() { State::Cancelled } else { State::Scheduled };
    wire::Meeting {
        reference: meeting.reference.to_string(),
        initiative,
        space,
        definition: Some(write_definition(&meeting.definition)),
        state: state.number(),
        cancelled_reason: meeting.cancelled.clone().unwrap_or_default(),
        minutes: meeting.minutes.clone(),
        create_time: Some(timestamp(meeting.stamp.created_at)),
        update_time: Some(timestamp(meeting.stamp.updated_at)),
        etag: etag(meeting.stamp.version),
    }
}
