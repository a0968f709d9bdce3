//! The edge of a request: fields into domain values. What is wrong is noted as a violation of the field, and the value
//! is `None`; [`Violations::finish`] then refuses them all at once.

use prost_types::Timestamp;
use time::OffsetDateTime;

use crate::errors::Violations;
use crate::event;
use crate::names::{NodeId, Reference, Space};

/// A text that must be there: not empty, not only blanks.
pub fn required<'a>(violations: &mut Violations, field: &str, text: &'a str) -> Option<&'a str> {
    if text.trim().is_empty() {
        violations.add(field, "is required");
        return None;
    }
    Some(text)
}

/// A reference that must be there.
pub fn reference(violations: &mut Violations, field: &str, text: &str) -> Option<Reference> {
    let text = required(violations, field, text)?;
    noted(violations, field, text.parse())
}

/// A reference that may be left out.
pub fn optional_reference(violations: &mut Violations, field: &str, text: &str) -> Option<Reference> {
    if text.is_empty() { None } else { reference(violations, field, text) }
}

/// A node id that must be there.
pub fn node(violations: &mut Violations, field: &str, text: &str) -> Option<NodeId> {
    let text = required(violations, field, text)?;
    noted(violations, field, text.parse())
}

/// A space that must be there.
pub fn space(violations: &mut Violations, field: &str, text: &str) -> Option<Space> {
    let text = required(violations, field, text)?;
    noted(violations, field, text.parse())
}

/// One line that must be there: at most `max` characters, without control characters. Blanks around it are cut.
pub fn text(violations: &mut Violations, field: &str, text: &str, max: usize) -> Option<String> {
    let text = required(violations, field, text)?;
    line(violations, field, text, max, |_| false)
}

/// One line that may be empty.
pub fn optional_text(violations: &mut Violations, field: &str, text: &str, max: usize) -> Option<String> {
    line(violations, field, text, max, |_| false)
}

/// Several lines that may be empty: line breaks and tabs may stand in them.
pub fn prose(violations: &mut Violations, field: &str, text: &str, max: usize) -> Option<String> {
    line(violations, field, text, max, |character| matches!(character, '\n' | '\t'))
}

fn line(violations: &mut Violations, field: &str, text: &str, max: usize, may: fn(char) -> bool) -> Option<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length > max {
        violations.add(field, format!("has {length} characters, at most {max} are allowed"));
        return None;
    }
    if let Some(control) = text.chars().find(|character| character.is_control() && !may(*character)) {
        violations.add(field, format!("contains the control character U+{:04X}", u32::from(control)));
        return None;
    }
    Some(text.to_owned())
}

/// A value of an enum that must be given: neither zero (`_UNSPECIFIED`) nor unknown to this version.
pub fn choice<E: TryFrom<i32>>(violations: &mut Violations, field: &str, value: i32) -> Option<E> {
    if value == 0 {
        violations.add(field, "is required");
        return None;
    }
    let known = E::try_from(value).ok();
    if known.is_none() {
        violations.add(field, format!("{value} is not one of the values this version knows"));
    }
    known
}

/// An instant that must be there.
pub fn instant(violations: &mut Violations, field: &str, at: Option<&Timestamp>) -> Option<OffsetDateTime> {
    if at.is_none() {
        violations.add(field, "is required");
    }
    optional_instant(violations, field, at)
}

/// An instant that may be left out.
pub fn optional_instant(violations: &mut Violations, field: &str, at: Option<&Timestamp>) -> Option<OffsetDateTime> {
    let instant = event::instant(at?);
    if instant.is_none() {
        violations
            .add(field, "is not an instant: seconds must lie in the years 0001 to 9999, nanos in 0 to 999,999,999");
    }
    instant
}

/// A message that must be there.
pub fn message<'a, M>(violations: &mut Violations, field: &str, message: Option<&'a M>) -> Option<&'a M> {
    if message.is_none() {
        violations.add(field, "is required");
    }
    message
}

fn noted<T, E: std::fmt::Display>(violations: &mut Violations, field: &str, parsed: Result<T, E>) -> Option<T> {
    parsed.map_err(|error| violations.add(field, error.to_string())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::common::Role;

    fn words(violations: Violations) -> String {
        violations.finish(|| Some(())).map_or_else(|status| status.message().to_owned(), |()| String::new())
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        let mut violations = Violations::default();
        assert_eq!(reference(&mut violations, "a", ""), None);
        assert_eq!(reference(&mut violations, "b", "x"), None);
        assert_eq!(optional_reference(&mut violations, "c", ""), None);
        assert_eq!(choice::<Role>(&mut violations, "d", 0), None);
        assert_eq!(choice::<Role>(&mut violations, "e", 99), None);
        assert_eq!(instant(&mut violations, "f", None), None);
        assert_eq!(instant(&mut violations, "g", Some(&Timestamp { seconds: i64::MAX, nanos: 0 })), None);
        let words = words(violations);
        for field in
            ["a: is required", "b: \"x\" is not a reference", "d: is required", "e: 99", "f: is required", "g: is not"]
        {
            assert!(words.contains(field), "{field} in {words}");
        }
        assert!(!words.contains("c:"));
    }

    #[test]
    fn text_is_bounded_and_plain() {
        let mut violations = Violations::default();
        assert_eq!(text(&mut violations, "a", "  Zoë ", 3).as_deref(), Some("Zoë"));
        assert_eq!(prose(&mut violations, "b", "one\ntwo", 10).as_deref(), Some("one\ntwo"));
        assert!(violations.is_empty());
        assert_eq!(text(&mut violations, "c", "Zoë!", 3), None);
        assert_eq!(text(&mut violations, "d", "one\ntwo", 10), None);
        assert_eq!(text(&mut violations, "e", " \t", 10), None);
        assert_eq!(
            words(violations),
            "c: has 4 characters, at most 3 are allowed; d: contains the control character U+000A; e: is required"
        );
    }

    #[test]
    fn what_is_right_is_parsed() {
        let mut violations = Violations::default();
        assert_eq!(choice(&mut violations, "role", 3), Some(Role::Partner));
        assert!(instant(&mut violations, "at", Some(&Timestamp { seconds: 1, nanos: 2 })).is_some());
        assert!(violations.is_empty());
    }
}
