//! Measures on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::is_slug;
use chassis::parse;
use chassis::revision::{Mask, etag};
use prost::Message;
use proto::measurement as message;

use crate::domain::measure::Change;
use crate::domain::{Definition, Dimension, DimensionCode, Measure};

/// What of a definition may change.
pub const MAY_CHANGE: &[&str] = &["name", "direction", "dimensions", "numerator", "denominator", "decimals"];

const DIMENSIONS: usize = 16;
const MOST_PER: u32 = 1_000_000;
const MOST_DECIMALS: u32 = 9;
const MOST_BYTES: usize = 64 * 1024;

/// Reads a whole definition.
pub fn read_definition(
    violations: &mut Violations,
    message: Option<&message::MeasureDefinition>,
) -> Option<Definition> {
    let message = parse::message(violations, "definition", message)?;
    bounded(violations, message);
    let code = slug(violations, "definition.code", &message.code);
    let name = name(violations, message);
    let kind = parse::choice(violations, "definition.kind", message.kind);
    let unit = parse::text(violations, "definition.unit", &message.unit, 64);
    let direction = parse::choice(violations, "definition.direction", message.direction);
    let aggregation = parse::choice(violations, "definition.aggregation", message.aggregation);
    let dimensions = dimensions(violations, &message.dimensions);
    let numerator = numerator(violations, message);
    let denominator = denominator(violations, message);
    let decimals = decimals(violations, message);
    if message.per > MOST_PER {
        violations.add("definition.per", format!("must be at most {MOST_PER}"));
    }
    Some(Definition {
        code: code?,
        name: name?,
        kind: kind?,
        unit: unit?,
        direction: direction?,
        aggregation: aggregation?,
        dimensions: dimensions?,
        numerator: numerator?,
        denominator: denominator?,
        decimals: decimals?,
        per: message.per.max(1),
        numerator_may_exceed: message.numerator_may_exceed,
        may_be_negative: message.may_be_negative,
    })
}

/// Reads the fields that the mask names; others are not looked at.
pub fn read_change(
    violations: &mut Violations,
    message: Option<&message::MeasureDefinition>,
    mask: Option<&Mask>,
) -> Option<Change> {
    let message = parse::message(violations, "definition", message)?;
    bounded(violations, message);
    let mask = mask?;
    let mut change = Change::default();
    if mask.has("name") {
        change.name = Some(name(violations, message)?);
    }
    if mask.has("direction") {
        change.direction = Some(parse::choice(violations, "definition.direction", message.direction)?);
    }
    if mask.has("dimensions") {
        change.dimensions = Some(dimensions(violations, &message.dimensions)?);
    }
    if mask.has("numerator") {
        change.numerator = Some(numerator(violations, message)?);
    }
    if mask.has("denominator") {
        change.denominator = Some(denominator(violations, message)?);
    }
    if mask.has("decimals") {
        change.decimals = Some(decimals(violations, message)?);
    }
    Some(change)
}

/// An event must stay under 96 KiB, and the definition stands in one.
fn bounded(violations: &mut Violations, message: &message::MeasureDefinition) {
    if message.encoded_len() > MOST_BYTES {
        violations.add("definition", format!("has {} bytes, at most {MOST_BYTES} are allowed", message.encoded_len()));
    }
}

fn slug(violations: &mut Violations, field: &str, text: &str) -> Option<String> {
    let text = parse::required(violations, field, text)?;
    if !is_slug(text) {
        violations.add(field, "must be 1 to 64 of a-z, 0-9 and -, first a letter");
        return None;
    }
    Some(text.to_owned())
}

fn name(violations: &mut Violations, message: &message::MeasureDefinition) -> Option<String> {
    parse::text(violations, "definition.name", &message.name, 200)
}

fn numerator(violations: &mut Violations, message: &message::MeasureDefinition) -> Option<String> {
    parse::prose(violations, "definition.numerator", &message.numerator, 1000)
}

fn denominator(violations: &mut Violations, message: &message::MeasureDefinition) -> Option<String> {
    parse::prose(violations, "definition.denominator", &message.denominator, 1000)
}

fn decimals(violations: &mut Violations, message: &message::MeasureDefinition) -> Option<u32> {
    if message.decimals > MOST_DECIMALS {
        violations.add("definition.decimals", format!("must be at most {MOST_DECIMALS}"));
        return None;
    }
    Some(message.decimals)
}

fn dimensions(violations: &mut Violations, messages: &[message::Dimension]) -> Option<Vec<Dimension>> {
    if messages.len() > DIMENSIONS {
        violations.add("definition.dimensions", format!("are {}, at most {DIMENSIONS} are allowed", messages.len()));
        return None;
    }
    let mut dimensions = Vec::new();
    for (nth, message) in messages.iter().enumerate() {
        let mut codes = Vec::new();
        for (which, code) in message.codes.iter().enumerate() {
            let field = format!("definition.dimensions[{nth}].codes[{which}].name");
            let name = parse::optional_text(violations, &field, &code.name, 200).unwrap_or_default();
            codes.push(DimensionCode { code: code.code.clone(), name });
        }
        dimensions.push(Dimension { name: message.name.clone(), codes });
    }
    Some(dimensions)
}

/// A measure as the contract writes it.
pub fn write(measure: &Measure) -> message::Measure {
    let state = if measure.retired.is_some() { message::MeasureState::Retired } else { message::MeasureState::Active };
    message::Measure {
        reference: measure.reference.to_string(),
        initiative: measure.initiative.to_string(),
        definition: Some(write_definition(&measure.definition)),
        state: state.into(),
        retired_reason: measure.retired.clone().unwrap_or_default(),
        create_time: Some(timestamp(measure.stamp.created_at)),
        update_time: Some(timestamp(measure.stamp.updated_at)),
        etag: etag(measure.stamp.version),
    }
}

/// A definition as the contract writes it.
pub fn write_definition(definition: &Definition) -> message::MeasureDefinition {
    let Definition { code, name, unit, numerator, denominator, .. } = definition.clone();
    let dimension = |dimension: &Dimension| message::Dimension {
        name: dimension.name.clone(),
        codes: dimension.codes.iter().map(write_code).collect(),
    };
    message::MeasureDefinition {
        code,
        name,
        kind: definition.kind.number(),
        unit,
        direction: definition.direction.number(),
        aggregation: definition.aggregation.number(),
        dimensions: definition.dimensions.iter().map(dimension).collect(),
        numerator,
        denominator,
        decimals: definition.decimals,
        per: definition.per,
        numerator_may_exceed: definition.numerator_may_exceed,
        may_be_negative: definition.may_be_negative,
    }
}

fn write_code(code: &DimensionCode) -> message::DimensionCode {
    message::DimensionCode { code: code.code.clone(), name: code.name.clone() }
}
