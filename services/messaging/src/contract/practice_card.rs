//! Practice cards on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::etag;
use proto::messaging as wire;

use super::write_space;
use crate::domain::PracticeCard;
use crate::domain::practice_card::{Said, Series};

const MOST_POINTS: usize = 100;

/// Reads what a card says, and who publishes it.
pub fn read_definition(
    violations: &mut Violations,
    message: Option<&wire::PracticeCardDefinition>,
) -> Option<(Reference, Said)> {
    let message = parse::message(violations, "definition", message)?;
    let organization = parse::reference(violations, "definition.organization", &message.organization);
    let title = parse::text(violations, "definition.title", &message.title, 200);
    let challenge = needed(violations, "definition.challenge", &message.challenge, 4000);
    let tried = needed(violations, "definition.tried", &message.tried, 8000);
    let cost = parse::prose(violations, "definition.cost", &message.cost, 2000);
    let result = parse::prose(violations, "definition.result", &message.result, 4000);
    let series = match &message.series {
        None => Some(None),
        Some(series) => read_series(violations, series).map(Some),
    };
    let failed = parse::prose(violations, "definition.failed", &message.failed, 4000);
    let said = Said {
        title: title?,
        challenge: challenge?,
        tried: tried?,
        cost: cost?,
        result: result?,
        series: series?,
        failed: failed?,
    };
    Some((organization?, said))
}

fn needed(violations: &mut Violations, field: &str, text: &str, most: usize) -> Option<String> {
    let text = parse::required(violations, field, text)?;
    parse::prose(violations, field, text, most)
}

fn read_series(violations: &mut Violations, message: &wire::MeasureSeries) -> Option<Series> {
    let measure = parse::reference(violations, "definition.series.measure", &message.measure);
    let name = parse::text(violations, "definition.series.name", &message.name, 200);
    let unit = parse::optional_text(violations, "definition.series.unit", &message.unit, 64);
    let count = message.points.len();
    if !(1..=MOST_POINTS).contains(&count) {
        violations.add("definition.series.points", format!("are {count}, must be 1 to {MOST_POINTS}"));
        return None;
    }
    let mut points = Vec::with_capacity(count);
    for (nth, point) in message.points.iter().enumerate() {
        let field = format!("definition.series.points[{nth}]");
        let period = parse::text(violations, &format!("{field}.period"), &point.period, 64);
        let value = parse::text(violations, &format!("{field}.value"), &point.value, 64);
        points.extend(period.zip(value));
    }
    (points.len() == count).then_some(Series { measure: measure?, name: name?, unit: unit?, points })
}

/// What a card says, as the contract writes it; of one that says nothing any more, who published it.
pub fn write_definition(organization: &Reference, said: Option<&Said>) -> wire::PracticeCardDefinition {
    let organization = organization.to_string();
    let Some(said) = said.cloned() else {
        return wire::PracticeCardDefinition { organization, ..wire::PracticeCardDefinition::default() };
    };
    let series = said.series.map(|series| wire::MeasureSeries {
        measure: series.measure.to_string(),
        name: series.name,
        unit: series.unit,
        points: series.points.into_iter().map(|(period, value)| wire::SeriesPoint { period, value }).collect(),
    });
    wire::PracticeCardDefinition {
        organization,
        title: said.title,
        challenge: said.challenge,
        tried: said.tried,
        cost: said.cost,
        result: said.result,
        series,
        failed: said.failed,
    }
}

/// A card as the contract writes it.
pub fn write(card: &PracticeCard) -> wire::PracticeCard {
    wire::PracticeCard {
        reference: card.reference.to_string(),
        initiative: write_space(&card.space).0,
        definition: Some(write_definition(&card.organization, card.said.as_ref())),
        state: card.state.number(),
        reason: card.reason.clone(),
        create_time: Some(timestamp(card.stamp.created_at)),
        update_time: Some(timestamp(card.stamp.updated_at)),
        etag: etag(card.stamp.version),
    }
}

/// A card without what it says.
pub fn write_outline(card: &PracticeCard) -> wire::PracticeCard {
    wire::PracticeCard { definition: Some(write_definition(&card.organization, None)), ..write(card) }
}
