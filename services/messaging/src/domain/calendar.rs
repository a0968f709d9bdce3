//! Meetings as iCalendar text (RFC 5545): one event in one calendar, in UTC, lines folded at 75 octets.

use std::fmt::Write;

use time::OffsetDateTime;

use super::meeting::Meeting;

/// A line has no more octets than this before it is folded.
const LINE: usize = 75;

/// A meeting as a calendar's text.
pub fn text(meeting: &Meeting) -> String {
    let definition = &meeting.definition;
    let mut calendar = String::new();
    let mut line = |name: &str, value: &str| fold(&mut calendar, &format!("{name}:{value}"));
    line("BEGIN", "VCALENDAR");
    line("VERSION", "2.0");
    line("PRODID", "-//Commonweal//Messaging//EN");
    line("METHOD", "PUBLISH");
    line("BEGIN", "VEVENT");
    line("UID", &format!("{}@{}", meeting.reference.id, meeting.reference.node));
    line("DTSTAMP", &instant(meeting.stamp.updated_at));
    line("CREATED", &instant(meeting.stamp.created_at));
    line("LAST-MODIFIED", &instant(meeting.stamp.updated_at));
    // The first version is 0; it grows with each change, as calendars expect.
    line("SEQUENCE", &(meeting.stamp.version - 1).to_string());
    line("DTSTART", &instant(definition.starts_at));
    line("DTEND", &instant(definition.ends_at));
    line("SUMMARY", &escape(&definition.title));
    if !definition.place.is_empty() {
        line("LOCATION", &escape(&definition.place));
    }
    if !definition.link.is_empty() {
        line("URL", &definition.link);
    }
    let description = description(meeting);
    if !description.is_empty() {
        line("DESCRIPTION", &escape(&description));
    }
    line("STATUS", if meeting.cancelled.is_some() { "CANCELLED" } else { "CONFIRMED" });
    line("END", "VEVENT");
    line("END", "VCALENDAR");
    calendar
}

/// Why it was cancelled, what is talked about, and what came of it.
fn description(meeting: &Meeting) -> String {
    let mut parts = Vec::new();
    parts.extend(meeting.cancelled.clone());
    let agenda = (1..).zip(&meeting.definition.agenda).map(|(nth, item)| {
        let notes = if item.notes.is_empty() { String::new() } else { format!("\n{}", item.notes) };
        format!("{nth}. {}{notes}", item.title)
    });
    let agenda: Vec<String> = agenda.collect();
    if !agenda.is_empty() {
        parts.push(agenda.join("\n"));
    }
    if !meeting.minutes.is_empty() {
        parts.push(meeting.minutes.clone());
    }
    parts.join("\n\n")
}

/// An instant in the form "with UTC time".
fn instant(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let mut text = String::with_capacity(16);
    let (date, clock) = (at.date(), at.time());
    let _ = write!(text, "{:04}{:02}{:02}", date.year(), u8::from(date.month()), date.day());
    let _ = write!(text, "T{:02}{:02}{:02}Z", clock.hour(), clock.minute(), clock.second());
    text
}

/// A text value: what would end it or begin another is written with a backslash.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Adds a line, cut into pieces of at most 75 octets between characters; each further piece begins with a blank.
fn fold(calendar: &mut String, line: &str) {
    let mut octets = 0;
    for character in line.chars() {
        if octets + character.len_utf8() > LINE {
            calendar.push_str("\r\n ");
            octets = 1;
        }
        calendar.push(character);
        octets += character.len_utf8();
    }
    calendar.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::names::{NodeId, Reference, Space};
    use chassis::revision::Stamp;
    use time::macros::datetime;

    use crate::domain::meeting::{AgendaItem, Definition};

    /// The properties of a calendar's only event, read back as RFC 5545 says: unfolded, then unescaped.
    fn read(text: &str) -> Vec<(String, String)> {
        assert!(text.ends_with("\r\n"));
        let unfolded = text.replace("\r\n ", "").replace("\r\n\t", "");
        let lines = unfolded.split_terminator("\r\n").map(|line| line.split_once(':').unwrap());
        lines.map(|(name, value)| (name.to_owned(), unescape(value))).collect()
    }

    fn unescape(value: &str) -> String {
        let (mut text, mut characters) = (String::new(), value.chars());
        while let Some(character) = characters.next() {
            text.push(match character {
                '\\' => match characters.next().unwrap() {
                    'n' | 'N' => '\n',
                    other => other,
                },
                other => other,
            });
        }
        text
    }

    fn meeting() -> Meeting {
        let node = NodeId::of_key(&[7; 32]);
        let item = |title: &str, notes: &str| AgendaItem { title: title.to_owned(), notes: notes.to_owned() };
        Meeting {
            reference: Reference::born_on(&node),
            space: Space::Local,
            definition: Definition {
                organization: Reference::born_on(&node),
                title: "Graduation; who, what\\when".to_owned(),
                starts_at: datetime!(2026-03-01 23:30:59 -5),
                ends_at: datetime!(2026-03-02 06:00 UTC),
                place: "Room 1, Hartford — 北館 ".repeat(9).trim().to_owned(),
                link: "https://meet.example/a,b".to_owned(),
                agenda: vec![item("Figures", "Two lines\nof notes"), item("Next", "")],
                channel: None,
            },
            cancelled: None,
            minutes: "Agreed:\nEND:VEVENT".to_owned(),
            stamp: Stamp {
                version: 3,
                created_at: datetime!(2026-01-01 0:00 UTC),
                updated_at: datetime!(2026-01-02 0:00 UTC),
            },
        }
    }

    #[test]
    fn what_is_exported_is_read_back_the_same() {
        let meeting = meeting();
        let properties = read(&text(&meeting));
        let value = |name: &str| {
            let mut values = properties.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
            let only = values.next().unwrap_or_default();
            assert_eq!(values.next(), None, "{name} is there once");
            only
        };
        assert_eq!(value("SUMMARY"), meeting.definition.title);
        assert_eq!(value("LOCATION"), meeting.definition.place);
        assert_eq!(value("URL"), meeting.definition.link);
        assert_eq!((value("DTSTART"), value("DTEND")), ("20260302T043059Z", "20260302T060000Z"));
        assert_eq!((value("SEQUENCE"), value("STATUS")), ("2", "CONFIRMED"));
        assert_eq!(value("UID"), format!("{}@{}", meeting.reference.id, meeting.reference.node));
        let agenda = "1. Figures\nTwo lines\nof notes\n2. Next";
        assert_eq!(value("DESCRIPTION"), format!("{agenda}\n\nAgreed:\nEND:VEVENT"), "no text ends the event");
        let names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.iter().filter(|name| **name == "BEGIN").count(), 2);
        assert_eq!(names.iter().filter(|name| **name == "END").count(), 2);
        for required in ["VERSION", "PRODID", "DTSTAMP"] {
            assert!(names.contains(&required), "{required}");
        }
    }

    #[test]
    fn no_line_is_longer_than_75_octets_and_none_is_cut_within_a_character() {
        let calendar = text(&meeting());
        let longest = calendar.split("\r\n").map(str::len).max();
        assert!(longest.is_some_and(|longest| (70..=LINE).contains(&longest)), "{longest:?}");
        assert!(!calendar.replace("\r\n", "").contains(['\r', '\n']), "every line ends with both");
    }

    #[test]
    fn a_cancelled_meeting_says_so_and_why() {
        let cancelled = Meeting { cancelled: Some("Snow".to_owned()), ..meeting() };
        let properties = read(&text(&cancelled));
        assert!(properties.contains(&("STATUS".to_owned(), "CANCELLED".to_owned())));
        assert!(properties.iter().any(|(name, value)| name == "DESCRIPTION" && value.starts_with("Snow\n\n")));
    }
}
