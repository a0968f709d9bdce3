//! Roll-ups: many values made one by the measure's rule, with how much of it was reported.
//!
//! A ratio adds up only pairs of which both parts are reported and is never a mean of ratios. A rate that its source
//! withheld is never shown, neither as a value of its own nor as the total of a group in which it stands alone.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

use super::{Absent, Aggregation, Breakdown, Definition, Geography, Part, Period, Refusal};

/// How many absences a coverage lists at the most; it counts them all.
const LISTED: usize = 200;
/// How many absences a roll-up lists at the most, all its groups together, so that the answer fits into a message.
const LISTED_IN_ALL: usize = 8000;
/// How many groups a roll-up may have.
const GROUPS: usize = 1000;

/// What one reporter says now about one place, period and group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// Reference of the organization.
    pub organization: String,
    /// Where.
    pub geography: Geography,
    /// When.
    pub period: Period,
    /// For whom, in its written form.
    pub breakdown: String,
    /// The value.
    pub value: Option<Part>,
    /// Above the line.
    pub numerator: Option<Part>,
    /// Below the line, or the weight of a mean.
    pub denominator: Option<Part>,
    /// The source withheld the rate of this cell.
    pub rate_withheld: bool,
    /// Where the seal stands among all seals: later ones sort higher.
    pub sealed: Sealed,
}

/// Where the event that sealed a value stands among those of all homes. The backbone's order decides, which is the same
/// on every node and which no home can choose; ids, which a home makes itself, only tell apart what the backbone
/// accepted in one step, and that is always of one home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sealed {
    /// Place in the acceptance order of the space; the last of all while pending.
    pub position: i64,
    /// The event.
    pub event: Uuid,
}

/// Who is not in a total, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Absence {
    /// Reference of the organization.
    pub organization: String,
    /// Where.
    pub geography: Geography,
    /// Why.
    pub state: Absent,
}

/// How much of a total was reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many are in it.
    pub reporting: u64,
    /// How many are withheld.
    pub suppressed: u64,
    /// How many should be there and are not.
    pub missing: u64,
    /// How many cannot be there.
    pub not_applicable: u64,
    /// How many are not due yet.
    pub not_yet_due: u64,
    /// How many of those reporting have a rate that their source withheld.
    pub rate_withheld: u64,
    /// Who is not in it, the first 200.
    pub absences: BTreeSet<Absence>,
}

/// A total for one period and one group of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Total {
    /// When.
    pub period: Period,
    /// For whom.
    pub breakdown: Breakdown,
    /// The sum, the weighted mean or the latest value.
    pub value: Option<Decimal>,
    /// Sum of the numerators.
    pub numerator: Option<Decimal>,
    /// Sum of the denominators of the same pairs, or of the weights.
    pub denominator: Option<Decimal>,
    /// Ratio of the two.
    pub rate: Option<Decimal>,
    /// How much of it was reported.
    pub coverage: Coverage,
}

/// A roll-up as it grows, contribution by contribution, in any order.
pub struct Rollup<'a> {
    definition: &'a Definition,
    groups: BTreeMap<(Period, String), Group>,
}

#[derive(Default)]
struct Group {
    value: Decimal,
    numerator: Decimal,
    denominator: Decimal,
    latest: Option<(Sealed, Decimal)>,
    coverage: Coverage,
}

/// The numbers of a contribution that the measure's rule takes.
struct Taken {
    value: Decimal,
    numerator: Decimal,
    denominator: Decimal,
}

impl Coverage {
    /// How many belong into the total. What cannot be there is not expected.
    pub fn expected(&self) -> u64 {
        self.reporting + self.suppressed + self.missing + self.not_yet_due
    }

    /// How many absences are not listed.
    pub fn more_absences(&self) -> u64 {
        let all = self.suppressed + self.missing + self.not_applicable + self.not_yet_due;
        all - self.absences.len() as u64
    }

    fn note(&mut self, contribution: Contribution, state: Absent) {
        *match state {
            Absent::Suppressed => &mut self.suppressed,
            Absent::Missing => &mut self.missing,
            Absent::NotApplicable => &mut self.not_applicable,
            Absent::NotYetDue => &mut self.not_yet_due,
        } += 1;
        let Contribution { organization, geography, .. } = contribution;
        self.absences.insert(Absence { organization, geography, state });
        self.list_at_most(LISTED);
    }

    fn list_at_most(&mut self, listed: usize) {
        while self.absences.len() > listed {
            self.absences.pop_last();
        }
    }
}

impl<'a> Rollup<'a> {
    /// An empty roll-up by the rule of a measure.
    ///
    /// # Errors
    /// Where the rule is that its values are never made one.
    pub fn by(definition: &'a Definition) -> Result<Self, Refusal> {
        match definition.aggregation {
            Aggregation::None => Err(Refusal::NotAddedUp(definition.code.clone())),
            _ => Ok(Self { definition, groups: BTreeMap::new() }),
        }
    }

    /// Takes in one contribution.
    ///
    /// # Errors
    /// Where a total no longer fits.
    pub fn add(&mut self, contribution: Contribution) -> Result<(), Refusal> {
        let taken = taken(self.definition.aggregation, &contribution);
        if self.groups.len() > GROUPS {
            return Err(Refusal::TooManyGroups(GROUPS));
        }
        let group = self.groups.entry((contribution.period, contribution.breakdown.clone())).or_default();
        match taken {
            Err(state) => group.coverage.note(contribution, state),
            Ok(taken) => group.add(&contribution, &taken, self.definition.aggregation).ok_or(Refusal::TooLarge)?,
        }
        Ok(())
    }

    /// The totals, by period and group.
    ///
    /// # Errors
    /// Where a rate does not fit.
    pub fn totals(self) -> Result<Vec<Total>, Refusal> {
        let definition = self.definition;
        let listed = LISTED_IN_ALL.checked_div(self.groups.len()).unwrap_or(LISTED);
        let groups = self.groups.into_iter().map(|(key, mut group)| {
            group.coverage.list_at_most(listed);
            (key, group)
        });
        groups.map(|((period, breakdown), group)| group.total(definition, period, &breakdown)).collect()
    }
}

impl Group {
    /// `None` where a total no longer fits.
    fn add(&mut self, contribution: &Contribution, taken: &Taken, aggregation: Aggregation) -> Option<()> {
        let value = match aggregation {
            Aggregation::WeightedMean => taken.value.checked_mul(taken.denominator)?,
            _ => taken.value,
        };
        self.value = self.value.checked_add(value)?;
        self.numerator = self.numerator.checked_add(taken.numerator)?;
        self.denominator = self.denominator.checked_add(taken.denominator)?;
        if self.latest.is_none_or(|(sealed, _)| sealed < contribution.sealed) {
            self.latest = Some((contribution.sealed, taken.value));
        }
        self.coverage.reporting += 1;
        self.coverage.rate_withheld += u64::from(contribution.rate_withheld);
        Some(())
    }

    fn total(self, definition: &Definition, period: Period, breakdown: &str) -> Result<Total, Refusal> {
        let any = self.coverage.reporting > 0;
        let (mut value, mut numerator, mut denominator, mut rate) = (None, None, None, None);
        match definition.aggregation {
            Aggregation::Sum if any => value = Some(self.value.normalize()),
            Aggregation::Latest => value = self.latest.map(|(_, value)| value.normalize()),
            Aggregation::WeightedMean if any => {
                value = quotient(self.value, self.denominator, definition.decimals)?;
                denominator = Some(self.denominator.normalize());
            }
            Aggregation::RatioOfSums if any => {
                numerator = Some(self.numerator.normalize());
                denominator = Some(self.denominator.normalize());
                let alone = self.coverage.reporting == 1 && self.coverage.rate_withheld == 1;
                rate = if alone { None } else { ratio(definition, self.numerator, self.denominator)? };
            }
            _ => {}
        }
        let breakdown = Breakdown::read(breakdown);
        Ok(Total { period, breakdown, value, numerator, denominator, rate, coverage: self.coverage })
    }
}

/// A rate: numerator over denominator, times the measure's `per`, rounded half up (away from zero) to the measure's
/// decimals; `None` where the denominator is zero.
///
/// # Errors
/// Where it does not fit.
pub fn ratio(definition: &Definition, numerator: Decimal, denominator: Decimal) -> Result<Option<Decimal>, Refusal> {
    let times = numerator.checked_mul(Decimal::from(definition.per)).ok_or(Refusal::TooLarge)?;
    quotient(times, denominator, definition.decimals)
}

/// The rate of a single cell: `None` also where a part is not reported or the source withheld it.
///
/// # Errors
/// Where it does not fit.
pub fn rate_of(
    definition: &Definition,
    numerator: Option<Part>,
    denominator: Option<Part>,
    withheld: bool,
) -> Result<Option<Decimal>, Refusal> {
    match (numerator.and_then(Part::amount), denominator.and_then(Part::amount)) {
        (Some(numerator), Some(denominator)) if !withheld && definition.aggregation == Aggregation::RatioOfSums => {
            ratio(definition, numerator, denominator)
        }
        _ => Ok(None),
    }
}

fn quotient(above: Decimal, below: Decimal, decimals: u32) -> Result<Option<Decimal>, Refusal> {
    if below.is_zero() {
        return Ok(None);
    }
    let exact = above.checked_div(below).ok_or(Refusal::TooLarge)?;
    let mut rounded = exact.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(decimals);
    Ok(Some(rounded))
}

/// What the rule takes of a contribution, or why it takes nothing.
fn taken(aggregation: Aggregation, contribution: &Contribution) -> Result<Taken, Absent> {
    let Contribution { value, numerator, denominator, .. } = contribution;
    let (value, numerator, denominator) = match aggregation {
        Aggregation::RatioOfSums => {
            let [numerator, denominator] = reported([*numerator, *denominator])?;
            (Decimal::ZERO, numerator, denominator)
        }
        Aggregation::WeightedMean => {
            let [value, weight] = reported([*value, *denominator])?;
            (value, Decimal::ZERO, weight)
        }
        Aggregation::Sum | Aggregation::Latest | Aggregation::None => {
            let [value] = reported([*value])?;
            (value, Decimal::ZERO, Decimal::ZERO)
        }
    };
    Ok(Taken { value, numerator, denominator })
}

/// All the parts, or the state of the whole: the worst of theirs.
fn reported<const N: usize>(parts: [Option<Part>; N]) -> Result<[Decimal; N], Absent> {
    let parts = parts.map(|part| part.unwrap_or(Part::Absent(Absent::Missing)));
    // In the order of their names here: suppressed before missing, before not applicable, before not yet due.
    match parts.into_iter().filter_map(Part::absent).min() {
        Some(absent) => Err(absent),
        None => Ok(parts.map(|part| part.amount().unwrap_or_default())),
    }
}
