//! Measures: what an initiative agrees to count, and what of it may change.

use chassis::errors::Flaw;
use chassis::names::{NodeId, Reference, is_code, is_slug};
use chassis::revision::Stamp;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Fact, Refusal};

chassis::words! {
    /// Population or programme.
    pub enum Kind {
        /// About a whole population.
        Indicator = 1,
        /// About those a programme serves.
        PerformanceMeasure = 2,
    }
}

chassis::words! {
    /// Which way is better.
    pub enum Direction {
        /// More is better.
        Up = 1,
        /// Less is better.
        Down = 2,
        /// Within a range is better.
        Range = 3,
    }
}

chassis::words! {
    /// How the values of several reporters become one.
    pub enum Aggregation {
        /// Values are added.
        Sum = 1,
        /// Numerators and denominators are added, then divided.
        RatioOfSums = 2,
        /// The mean of the values, weighted by the denominators.
        WeightedMean = 3,
        /// The value that was sealed last.
        Latest = 4,
        /// Never.
        None = 5,
    }
}

/// One way to break a measure down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// Short name.
    pub name: String,
    /// The allowed codes.
    pub codes: Vec<DimensionCode>,
}

/// One place along a dimension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DimensionCode {
    /// Short name.
    pub code: String,
    /// Name in plain language; empty where the code says it all.
    pub name: String,
}

/// What a measure means: the contract's `MeasureDefinition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Short name for programs.
    pub code: String,
    /// Name in plain language.
    pub name: String,
    /// Population or programme.
    pub kind: Kind,
    /// What one is one of.
    pub unit: String,
    /// Which way is better.
    pub direction: Direction,
    /// How several values become one.
    pub aggregation: Aggregation,
    /// By what values may be broken down.
    pub dimensions: Vec<Dimension>,
    /// Who is counted above the line.
    pub numerator: String,
    /// Who is counted below the line, or what weighs a mean.
    pub denominator: String,
    /// To how many decimals rates and means are rounded.
    pub decimals: u32,
    /// A rate is so many per this; at least 1.
    pub per: u32,
    /// The numerator is no part of the denominator.
    pub numerator_may_exceed: bool,
    /// Values below zero make sense.
    pub may_be_negative: bool,
}

/// A measure as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name on every node.
    pub reference: Reference,
    /// The initiative it belongs to.
    pub initiative: Reference,
    /// What it means.
    pub definition: Definition,
    /// Why it was retired; `None` while active.
    pub retired: Option<String>,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// Decides whether a measure may be defined. `code_taken`: another active measure of this home has the code.
///
/// # Errors
/// Where the definition does not hold together, or the code is taken.
pub fn define(definition: Definition, code_taken: bool) -> Result<Vec<Fact>, Refusal> {
    whole(&definition)?;
    if code_taken {
        return Err(Refusal::CodeTaken(definition.code));
    }
    Ok(vec![Fact::MeasureDefined(definition)])
}

/// What of a definition is to change; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Name in plain language.
    pub name: Option<String>,
    /// Which way is better.
    pub direction: Option<Direction>,
    /// By what values may be broken down.
    pub dimensions: Option<Vec<Dimension>>,
    /// Who is counted above the line.
    pub numerator: Option<String>,
    /// Who is counted below the line, or what weighs a mean.
    pub denominator: Option<String>,
    /// To how many decimals rates and means are rounded.
    pub decimals: Option<u32>,
}

/// Decides whether a measure may change. What is the same as before is no change and no event.
///
/// # Errors
/// Where the measure is retired or lives elsewhere, where a dimension or code would vanish that values may stand under,
/// or where the definition would no longer hold together.
pub fn revise(node: &NodeId, measure: &Measure, change: Change) -> Result<Vec<Fact>, Refusal> {
    changeable(node, measure)?;
    let old = &measure.definition;
    let mut new = old.clone();
    new.name = change.name.unwrap_or(new.name);
    new.direction = change.direction.unwrap_or(new.direction);
    new.dimensions = change.dimensions.unwrap_or(new.dimensions);
    new.numerator = change.numerator.unwrap_or(new.numerator);
    new.denominator = change.denominator.unwrap_or(new.denominator);
    new.decimals = change.decimals.unwrap_or(new.decimals);
    if let Some(gone) = old.dimensions.iter().find(|dimension| !still_there(dimension, &new.dimensions)) {
        return Err(Refusal::CodesGone(gone.name.clone()));
    }
    whole(&new)?;
    Ok(if *old == new { Vec::new() } else { vec![Fact::MeasureRevised(new)] })
}

/// Decides whether a measure may be retired.
///
/// # Errors
/// Where it is retired already or lives elsewhere.
pub fn retire(node: &NodeId, measure: &Measure, reason: String) -> Result<Vec<Fact>, Refusal> {
    changeable(node, measure)?;
    Ok(vec![Fact::MeasureRetired { reason }])
}

fn changeable(node: &NodeId, measure: &Measure) -> Result<(), Refusal> {
    if measure.reference.node != *node {
        return Err(Refusal::LivesElsewhere { what: "the measure", home: measure.reference.node.clone() });
    }
    takes_submissions(measure)
}

/// Whether a measure takes submissions.
///
/// # Errors
/// Where it was retired.
pub fn takes_submissions(measure: &Measure) -> Result<(), Refusal> {
    match &measure.retired {
        None => Ok(()),
        Some(reason) => Err(Refusal::MeasureRetired { code: measure.definition.code.clone(), reason: reason.clone() }),
    }
}

fn still_there(old: &Dimension, new: &[Dimension]) -> bool {
    let Some(new) = new.iter().find(|new| new.name == old.name) else { return false };
    let codes: BTreeSet<&str> = new.codes.iter().map(|code| code.code.as_str()).collect();
    old.codes.iter().all(|code| codes.contains(code.code.as_str()))
}

/// Whether a definition holds together; what single fields must look like was looked at when it was read.
///
/// # Errors
/// Every field that does not fit the others.
pub fn whole(definition: &Definition) -> Result<(), Refusal> {
    let mut flaws = Vec::new();
    let mut add = |field: &str, words: &str| flaws.push(Flaw::of(format!("definition.{field}"), words));
    let ratio = definition.aggregation == Aggregation::RatioOfSums;
    let divides = ratio || definition.aggregation == Aggregation::WeightedMean;
    if ratio && definition.numerator.is_empty() {
        add("numerator", "is required for a ratio of sums");
    }
    if !ratio && !definition.numerator.is_empty() {
        add("numerator", "belongs to a ratio of sums only");
    }
    if divides && definition.denominator.is_empty() {
        add("denominator", "is required for a ratio of sums and a weighted mean");
    }
    if !divides && !definition.denominator.is_empty() {
        add("denominator", "belongs to a ratio of sums or a weighted mean only");
    }
    if !ratio && definition.per > 1 {
        add("per", "belongs to a ratio of sums only");
    }
    flaws.extend(dimension_flaws(&definition.dimensions));
    if flaws.is_empty() { Ok(()) } else { Err(Refusal::Flawed(flaws)) }
}

fn dimension_flaws(dimensions: &[Dimension]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut names = BTreeSet::new();
    for (nth, dimension) in dimensions.iter().enumerate() {
        let field = format!("definition.dimensions[{nth}]");
        if !is_slug(&dimension.name) {
            flaws.push(Flaw::of(format!("{field}.name"), "must be 1 to 64 of a-z, 0-9 and -, first a letter"));
        }
        if !names.insert(&dimension.name) {
            flaws.push(Flaw::of(format!("{field}.name"), format!("\"{}\" is there twice", dimension.name)));
        }
        if !(1..=500).contains(&dimension.codes.len()) {
            flaws.push(Flaw::of(format!("{field}.codes"), "must be 1 to 500"));
        }
        let mut codes = BTreeSet::new();
        for (which, code) in dimension.codes.iter().enumerate() {
            let field = format!("{field}.codes[{which}].code");
            if !is_code(&code.code) {
                flaws.push(Flaw::of(field, "must be 1 to 64 of a-z, 0-9 and -"));
            } else if !codes.insert(&code.code) {
                flaws.push(Flaw::of(field, format!("\"{}\" is there twice", code.code)));
            }
        }
    }
    flaws
}
