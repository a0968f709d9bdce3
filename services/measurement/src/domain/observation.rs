//! Observations: what was seen in one place, in one period, for one group of people; and the digest over many.

use chassis::errors::Flaw;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::{Aggregation, Definition, Period};

/// The digest of no observations.
pub const NONE_YET: [u8; 32] = [0; 32];

chassis::words! {
    /// Why there is no number. Zero is a number.
    pub enum Absent {
        /// There is one, and it is withheld because few people stand behind it.
        Suppressed = 2,
        /// There should be one.
        Missing = 3,
        /// There cannot be one.
        NotApplicable = 4,
        /// There will be one.
        NotYetDue = 5,
    }
}

/// One number of an observation, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The number.
    Reported(Decimal),
    /// Why there is none.
    Absent(Absent),
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Geography {
    /// Kind of place.
    pub level: String,
    /// Its code, as the source writes it.
    pub code: String,
    /// Its name: a label, no part of what makes two places the same.
    pub name: String,
}

/// For whom: code by name of dimension. A dimension that is not named means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Breakdown(pub BTreeMap<String, String>);

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Where.
    pub geography: Geography,
    /// When.
    pub period: Period,
    /// For whom.
    pub breakdown: Breakdown,
    /// The value.
    pub value: Option<Part>,
    /// Above the line.
    pub numerator: Option<Part>,
    /// Below the line, or the weight of a mean.
    pub denominator: Option<Part>,
    /// The source published both counts and withheld the rate.
    pub rate_withheld: bool,
}

/// What makes two observations of one submission be about the same.
pub type Cell<'a> = (&'a str, &'a str, Period, &'a Breakdown);

impl Part {
    /// The number, if there is one.
    pub fn amount(self) -> Option<Decimal> {
        match self {
            Self::Reported(amount) => Some(amount),
            Self::Absent(_) => None,
        }
    }

    /// Why there is none.
    pub fn absent(self) -> Option<Absent> {
        match self {
            Self::Reported(_) => None,
            Self::Absent(absent) => Some(absent),
        }
    }
}

impl Breakdown {
    /// The names of its dimensions, sorted: `gender;race`.
    pub fn names(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(";")
    }

    /// The codes of a written breakdown: `gender=female;race=black`. Neither name nor code holds `=` or `;`.
    pub fn read(text: &str) -> Self {
        let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, code)| (name.to_owned(), code.to_owned())).collect())
    }
}

impl fmt::Display for Breakdown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (name, code)) in self.0.iter().enumerate() {
            let between = if nth == 0 { "" } else { ";" };
            write!(formatter, "{between}{name}={code}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Suppressed => "SUPPRESSED",
            Self::Missing => "MISSING",
            Self::NotApplicable => "NOT_APPLICABLE",
            Self::NotYetDue => "NOT_YET_DUE",
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported(amount) => fmt::Display::fmt(&amount.normalize(), formatter),
            Self::Absent(absent) => fmt::Display::fmt(absent, formatter),
        }
    }
}

impl Observation {
    /// What it is about.
    pub fn cell(&self) -> Cell<'_> {
        (&self.geography.level, &self.geography.code, self.period, &self.breakdown)
    }

    /// How many bytes it takes in an event, at the most.
    pub fn weight(&self) -> usize {
        const FRAME: usize = 40;
        const PART: usize = 34;
        const CODE: usize = 8;
        let Geography { level, code, name } = &self.geography;
        let parts = [self.value, self.numerator, self.denominator].into_iter().flatten().count();
        let codes = self.breakdown.0.iter().map(|(name, code)| CODE + name.len() + code.len());
        FRAME + level.len() + code.len() + name.len() + parts * PART + codes.sum::<usize>()
    }

    /// Its line in the digest, as the contract's `Submission.digest` describes it. No text of an observation holds a tab.
    pub fn line(&self) -> String {
        let part = |part: Option<Part>| part.map_or_else(|| "-".to_owned(), |part| part.to_string());
        let Geography { level, code, name } = &self.geography;
        let mut line = format!(
            "{level}\t{code}\t{name}\t{}\t{}\t{}\t{}\t{}",
            self.period,
            part(self.value),
            part(self.numerator),
            part(self.denominator),
            if self.rate_withheld { "withheld" } else { "-" },
        );
        for (name, code) in &self.breakdown.0 {
            line.extend(["\t", name, "=", code]);
        }
        line
    }
}

/// The digest after more observations: for each, SHA-256 over the digest before it and its line.
pub fn digest_after(before: [u8; 32], observations: &[Observation]) -> [u8; 32] {
    observations.iter().fold(before, |before, observation| {
        Sha256::new().chain_update(before).chain_update(observation.line()).finalize().into()
    })
}

/// What of these observations does not fit the measure, or one another.
pub fn flaws(definition: &Definition, observations: &[Observation]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut cells = BTreeSet::new();
    for (nth, observation) in observations.iter().enumerate() {
        let mut add = |field: &str, words: String| flaws.push(Flaw::of(format!("observations[{nth}]{field}"), words));
        if !cells.insert(observation.cell()) {
            add("", "is about the same place, period and group as another observation of this submission".to_owned());
        }
        unknown_codes(definition, &observation.breakdown, &mut add);
        wrong_parts(definition, observation, &mut add);
        wrong_amounts(definition, observation, &mut add);
    }
    flaws
}

fn unknown_codes(definition: &Definition, breakdown: &Breakdown, add: &mut impl FnMut(&str, String)) {
    for (name, code) in &breakdown.0 {
        let field = format!(".dimensions[{name}]");
        let Some(dimension) = definition.dimensions.iter().find(|dimension| dimension.name == *name) else {
            add(&field, format!("the measure {} has no dimension \"{name}\"", definition.code));
            continue;
        };
        if !dimension.codes.iter().any(|known| known.code == *code) {
            add(&field, format!("\"{code}\" is not one of the codes of {name}"));
        }
    }
}

fn wrong_parts(definition: &Definition, observation: &Observation, add: &mut impl FnMut(&str, String)) {
    let (value, numerator, denominator) = match definition.aggregation {
        Aggregation::RatioOfSums => (false, true, true),
        Aggregation::WeightedMean => (true, false, true),
        Aggregation::Sum | Aggregation::Latest | Aggregation::None => (true, false, false),
    };
    let parts = [
        (".value", value, observation.value),
        (".numerator", numerator, observation.numerator),
        (".denominator", denominator, observation.denominator),
    ];
    for (field, needed, part) in parts {
        match (needed, part) {
            (true, None) => add(field, format!("is required for the measure {}", definition.code)),
            (false, Some(_)) => add(field, format!("does not belong to the measure {}", definition.code)),
            (true, Some(_)) | (false, None) => {}
        }
    }
    if observation.rate_withheld && !numerator {
        add(".rate_withheld", format!("the measure {} has no rates", definition.code));
    }
}

fn wrong_amounts(definition: &Definition, observation: &Observation, add: &mut impl FnMut(&str, String)) {
    let amount = |part: Option<Part>| part.and_then(Part::amount);
    let (numerator, denominator) = (amount(observation.numerator), amount(observation.denominator));
    let negative = |amount: Option<Decimal>| amount.is_some_and(|amount| amount < Decimal::ZERO);
    if negative(amount(observation.value)) && !definition.may_be_negative {
        add(".value.amount", format!("is below zero, which the measure {} does not allow", definition.code));
    }
    if negative(numerator) && !definition.may_be_negative {
        add(".numerator.amount", format!("is below zero, which the measure {} does not allow", definition.code));
    }
    if negative(denominator) {
        add(".denominator.amount", "is below zero".to_owned());
    }
    if let (Some(above), Some(below)) = (numerator, denominator)
        && above > below
        && !definition.numerator_may_exceed
    {
        add(".numerator.amount", format!("{above} is more than the denominator {below} of which it is a part"));
    }
}
