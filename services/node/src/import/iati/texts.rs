//! What stands in elements: texts in one language, dates, amounts, each within what the contract takes.

use chassis::names::is_slug;
use proto::activities::Place;
use rust_decimal::Decimal;
use time::Date;
use time::macros::format_description;

use super::xml::Element;

/// Digits before and after the point that an amount may have.
const WHOLE: usize = 15;
const DECIMALS: usize = 4;
const CODE: usize = 64;
const NAME: usize = 200;

/// What an element says in a language, or in the first it says it in; empty where it says nothing.
pub(super) fn narrative(element: Option<&Element>, language: &str) -> String {
    let Some(element) = element else { return String::new() };
    let speaks = |narrative: &&Element| narrative.attribute("xml:lang").is_none_or(|lang| lang == language);
    let chosen = element.all("narrative").find(speaks).or_else(|| element.first("narrative"));
    chosen.map(|narrative| prose(&narrative.text)).unwrap_or_default()
}

/// Lines without blanks around them and without control characters.
pub(super) fn prose(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(one_line).collect();
    lines.join("\n").trim().to_owned()
}

/// A text as one line: every run of blanks and control characters is one blank.
pub(super) fn one_line(text: &str) -> String {
    let blank = |character: char| character.is_whitespace() || character.is_control();
    text.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A text cut to so many characters, and whether it was too long.
pub(super) fn cut(text: &str, most: usize) -> (String, bool) {
    if text.chars().count() <= most {
        return (text.to_owned(), false);
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    (format!("{}…", kept.trim_end()), true)
}

/// The day of an XML date, which may have a time zone behind it.
pub(super) fn day(text: &str) -> Option<Date> {
    let (day, rest) = text.split_at_checked(10)?;
    let known = rest.is_empty() || rest.starts_with(['Z', '+', '-', 'T']);
    Date::parse(day, format_description!("[year]-[month]-[day]")).ok().filter(|_| known)
}

/// A decimal in plain digits, below zero too, with no more digits before the point than the contract takes.
pub(super) fn amount(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let right = plain(whole) && plain(decimals) && whole.trim_start_matches('0').len() <= WHOLE;
    if right { text.parse::<Decimal>().ok().map(|amount| amount.normalize()) } else { None }
}

/// Whether an amount is one that can be awarded, asked for or paid.
pub(super) fn is_means(amount: Decimal) -> bool {
    amount > Decimal::ZERO && usize::try_from(amount.scale()).is_ok_and(|scale| scale <= DECIMALS)
}

/// Whether a text looks as the codes of ISO 4217 do.
pub(super) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The place that an element names; `None` where it has no code that could tell it from others.
pub(super) fn place(element: &Element, language: &str) -> Option<Place> {
    let coded = |level: String, code: &str| Some((level, one_line(code)));
    let (level, code) = match element.name.as_str() {
        "recipient-country" => coded("country".to_owned(), element.attribute("code")?),
        "recipient-region" => {
            let level = match element.attribute("vocabulary") {
                None | Some("1") => "region".to_owned(),
                Some(other) => format!("region-{}", other.to_ascii_lowercase()),
            };
            coded(level, element.attribute("code")?)
        }
        _ => {
            let gazetteer = element.first("location-id").and_then(|id| {
                let level = format!("gazetteer-{}", id.attribute("vocabulary")?.to_ascii_lowercase());
                coded(level, id.attribute("code")?)
            });
            let point = || element.first("point").and_then(|point| point.first("pos"));
            match element.attribute("ref") {
                Some(code) => coded("location".to_owned(), code),
                None => gazetteer.or_else(|| coded("point".to_owned(), &point()?.text)),
            }
        }
    }?;
    if !is_slug(&level) || code.is_empty() || code.chars().count() > CODE {
        return None;
    }
    let named = if element.name == "location" { element.first("name") } else { Some(element) };
    let (name, _) = cut(&one_line(&narrative(named, language)), NAME);
    Some(Place { level, code, name })
}
