//! Observations on the wire.

use chassis::errors::Flaw;
use chassis::names::{is_code, is_slug};
use std::collections::BTreeMap;

use prost::Message;
use proto::measurement as message;
use rust_decimal::Decimal;

use crate::domain::{Absent, Breakdown, Geography, Observation, Part};

/// Digits before and after the point that an amount may have: a total of ten thousand such amounts is still exact.
const WHOLE_DIGITS: usize = 15;
const DECIMALS: usize = 9;
const DIMENSIONS: usize = 16;
const REPORTED: i32 = message::ValueState::Reported as i32;

/// Flaws of one message: field within it, and words.
type Flaws = Vec<(String, String)>;

/// Reads observations; their fields are named `observations[n]...`.
///
/// # Errors
/// Everything that is malformed.
pub fn read_all(messages: &[message::Observation]) -> Result<Vec<Observation>, Vec<Flaw>> {
    let mut observations = Vec::with_capacity(messages.len());
    let mut flaws = Vec::new();
    for (nth, message) in messages.iter().enumerate() {
        match read(message) {
            Ok(observation) => observations.push(observation),
            Err(inner) => flaws.extend(
                inner.into_iter().map(|(field, words)| Flaw::of(format!("observations[{nth}].{field}"), words)),
            ),
        }
    }
    if flaws.is_empty() { Ok(observations) } else { Err(flaws) }
}

fn read(message: &message::Observation) -> Result<Observation, Flaws> {
    let mut flaws = Flaws::new();
    let geography = geography(&mut flaws, message.geography.as_ref());
    let period = message.period.parse();
    if let Err(error) = &period {
        flaws.push(("period".to_owned(), format!("{error}")));
    }
    dimensions(&mut flaws, &message.dimensions);
    let value = part(&mut flaws, "value", message.value.as_ref());
    let numerator = part(&mut flaws, "numerator", message.numerator.as_ref());
    let denominator = part(&mut flaws, "denominator", message.denominator.as_ref());
    match (period, geography) {
        (Ok(period), Some(geography)) if flaws.is_empty() => Ok(Observation {
            geography,
            period,
            breakdown: Breakdown(message.dimensions.clone()),
            value,
            numerator,
            denominator,
            rate_withheld: message.rate_withheld,
        }),
        _ => Err(flaws),
    }
}

fn geography(flaws: &mut Flaws, message: Option<&message::Geography>) -> Option<Geography> {
    let Some(message::Geography { level, code, name }) = message else {
        flaws.push(("geography".to_owned(), "is required".to_owned()));
        return None;
    };
    let mut add = |field: &str, words: &str| flaws.push((format!("geography.{field}"), words.to_owned()));
    if !is_slug(level) {
        add("level", "must be 1 to 64 of a-z, 0-9 and -, first a letter");
    }
    if code.is_empty() || !is_line(code, 64) {
        add("code", "must be 1 to 64 printable characters without blanks around them");
    }
    if !is_line(name, 200) {
        add("name", "must be at most 200 printable characters without blanks around them");
    }
    Some(Geography { level: level.clone(), code: code.clone(), name: name.clone() })
}

/// Whether a text is one line of at most so many characters, without blanks around it.
fn is_line(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control) && text.trim().len() == text.len()
}

fn dimensions(flaws: &mut Flaws, dimensions: &BTreeMap<String, String>) {
    if dimensions.len() > DIMENSIONS {
        flaws.push(("dimensions".to_owned(), format!("are {}, at most {DIMENSIONS} are allowed", dimensions.len())));
    }
    for (name, code) in dimensions {
        if !is_slug(name) || !is_code(code) {
            let words = format!("\"{code}\" or its dimension is no short name: 1 to 64 of a-z, 0-9 and -");
            flaws.push((format!("dimensions[{name}]"), words));
        }
    }
}

fn part(flaws: &mut Flaws, field: &str, message: Option<&message::Part>) -> Option<Part> {
    let message = message?;
    let read = match (message.state, message.amount.as_str()) {
        (0, "") => Err("needs an amount, or a state that says why there is none".to_owned()),
        (0 | REPORTED, text) => amount(text).map(Part::Reported),
        (state, "") => Absent::try_from(state).map(Part::Absent).map_err(|error| error.to_string()),
        (_, _) => Err("has an amount together with a state that says there is none".to_owned()),
    };
    read.map_err(|words| flaws.push((field.to_owned(), words))).ok()
}

/// A decimal in plain digits: no thousands separators, no exponent, no percent sign.
fn amount(text: &str) -> Result<Decimal, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(decimals) {
        return Err(format!("\"{text}\" is not a decimal number such as 36965 or -0.5"));
    }
    if whole.trim_start_matches('0').len() > WHOLE_DIGITS || decimals.trim_end_matches('0').len() > DECIMALS {
        return Err(format!("has more than {WHOLE_DIGITS} digits before the point or {DECIMALS} after it"));
    }
    let amount: Decimal = text.parse().map_err(|_| format!("\"{text}\" is not a decimal number"))?;
    Ok(amount.normalize())
}

/// An observation as the contract writes it.
pub fn write(observation: &Observation) -> message::Observation {
    message::Observation {
        geography: Some(write_geography(&observation.geography)),
        period: observation.period.to_string(),
        dimensions: observation.breakdown.0.clone(),
        value: observation.value.map(write_part),
        numerator: observation.numerator.map(write_part),
        denominator: observation.denominator.map(write_part),
        rate_withheld: observation.rate_withheld,
    }
}

/// A place as the contract writes it.
pub fn write_geography(geography: &Geography) -> message::Geography {
    let Geography { level, code, name } = geography.clone();
    message::Geography { level, code, name }
}

fn write_part(part: Part) -> message::Part {
    match part {
        Part::Reported(amount) => message::Part { state: REPORTED, amount: write_amount(Some(amount)) },
        Part::Absent(absent) => message::Part { state: absent.number(), amount: String::new() },
    }
}

/// An amount as the contract writes it; empty for none.
pub fn write_amount(amount: Option<Decimal>) -> String {
    amount.map_or_else(String::new, |amount| amount.to_string())
}

/// The message of `ObservationsRecorded`.
pub fn recorded(observations: &[Observation]) -> message::ObservationsRecorded {
    let message = message::ObservationsRecorded { observations: observations.iter().map(write).collect() };
    debug_assert!(message.encoded_len() <= 96 * 1024);
    message
}
