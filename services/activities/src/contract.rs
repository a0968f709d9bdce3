//! Between the contract's messages and the domain's words, both ways; what is malformed is named field by field.

pub mod activity;
pub mod award;
pub mod commitment;
pub mod coverage;
pub mod means;
pub mod need;
pub mod pledge;

use chassis::errors::Violations;
use chassis::names::{Reference, Space};
use chassis::parse;
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// Reads why something ended.
pub fn read_reason(violations: &mut Violations, reason: &str) -> Option<String> {
    parse::text(violations, "reason", reason, 1000)
}

/// Reads a day that must be there.
fn date(violations: &mut Violations, field: &str, text: &str) -> Option<Date> {
    let text = parse::required(violations, field, text)?;
    let day = Date::parse(text, DAY).ok().filter(|day| (1..=9999).contains(&day.year()) && text.len() == 10);
    if day.is_none() {
        violations.add(field, format!("\"{text}\" is not a date such as 2026-03-01"));
    }
    day
}

/// Reads a day that may be left out. What is wrong with one that is there is noted.
fn optional_date(violations: &mut Violations, field: &str, text: &str) -> Option<Date> {
    if text.is_empty() { None } else { date(violations, field, text) }
}

fn write_date(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

fn write_optional<T: ToString>(reference: Option<&T>) -> String {
    reference.map(ToString::to_string).unwrap_or_default()
}

fn write_initiative(space: &Space) -> String {
    write_optional(space.initiative())
}

/// Reads references of which none may stand there twice.
fn references(violations: &mut Violations, field: &str, texts: &[String], most: usize) -> Vec<Reference> {
    if texts.len() > most {
        violations.add(field, format!("are {}, at most {most} are allowed", texts.len()));
        return Vec::new();
    }
    let mut references = Vec::with_capacity(texts.len());
    for (nth, text) in texts.iter().enumerate() {
        let field = format!("{field}[{nth}]");
        let Some(reference) = parse::reference(violations, &field, text) else { continue };
        if references.contains(&reference) {
            violations.add(field, "is there twice");
        }
        references.push(reference);
    }
    references
}
