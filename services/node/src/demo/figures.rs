//! The figures that are known beforehand, from what the state published and from its files, and how a node is asked
//! for each.

use std::collections::BTreeMap;

use proto::measurement::{Basis, GetRollupRequest, RollupGroup};

use super::Memory;
use crate::client::Client;
use crate::error::NodeError;
use crate::import::connecticut::{ENROLLMENT, GRADUATION};

/// One figure.
#[derive(Clone, Copy, Debug)]
pub struct Figure<'a> {
    /// What it is, in words.
    pub name: &'a str,
    /// Code of the measure.
    pub measure: &'static str,
    /// Added up from the districts, or as the state published it.
    pub basis: Basis,
    /// The school year, by its first calendar year.
    pub year: u16,
    /// For which group: dimension and code; all students where absent.
    pub group: Option<(&'static str, &'static str)>,
    /// How it is read from a total.
    pub reading: Reading,
    /// What it is known to be.
    pub expected: &'a str,
}

/// What is read from a total.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// The value.
    Value,
    /// Numerator and denominator.
    Pair,
    /// Numerator, denominator and the rate of the two.
    Rate,
    /// How many values are in it, of how many.
    Coverage,
    /// How many values are suppressed.
    Suppressed,
}

const PARTS: Basis = Basis::Component;
const PUBLISHED: Basis = Basis::PublishedTotal;

/// The figures of the demo.
pub const KNOWN: &[Figure<'static>] = &[
    figure("enrollment 2011-12, added up from districts", ENROLLMENT, PARTS, 2011, Reading::Value, "558377"),
    figure("enrollment 2011-12, as the state published it", ENROLLMENT, PUBLISHED, 2011, Reading::Value, "558377"),
    figure("enrollment 2016-17, added up from districts", ENROLLMENT, PARTS, 2016, Reading::Value, "538820"),
    figure("enrollment 2016-17, cells suppressed", ENROLLMENT, PARTS, 2016, Reading::Suppressed, "2"),
    figure("enrollment 2016-17, as the state published it", ENROLLMENT, PUBLISHED, 2016, Reading::Value, "538893"),
    figure("graduation 2010-11, added up from districts", GRADUATION, PARTS, 2010, Reading::Pair, "37020 of 44813"),
    figure("graduation 2010-11, districts reporting", GRADUATION, PARTS, 2010, Reading::Coverage, "131 of 135"),
    figure(
        "graduation 2014-15, as the state published it",
        GRADUATION,
        PUBLISHED,
        2014,
        Reading::Rate,
        "36965 of 42392 = 87.2",
    ),
    of_race("graduation 2014-15, Black students, published", "black", "4567 of 5850 = 78.1"),
    of_race("graduation 2014-15, White students, published", "white", "23941 of 25820 = 92.7"),
];

const fn figure(
    name: &'static str,
    measure: &'static str,
    basis: Basis,
    year: u16,
    reading: Reading,
    expected: &'static str,
) -> Figure<'static> {
    Figure { name, measure, basis, year, group: None, reading, expected }
}

const fn of_race(name: &'static str, code: &'static str, expected: &'static str) -> Figure<'static> {
    let group = Some(("race", code));
    Figure { name, measure: GRADUATION, basis: PUBLISHED, year: 2014, group, reading: Reading::Rate, expected }
}

impl Figure<'_> {
    /// Asks a node for it.
    ///
    /// # Errors
    /// Where the node does not answer.
    pub async fn ask(&self, node: &Client, memory: &Memory) -> Result<String, NodeError> {
        let group = self.group.map(|(dimension, code)| (dimension.to_owned(), code.to_owned()));
        let request = GetRollupRequest {
            measure: if self.measure == ENROLLMENT { memory.enrollment.clone() } else { memory.graduation.clone() },
            basis: self.basis.into(),
            periods: vec![format!("{}-07-01/{}-06-30", self.year, self.year + 1)],
            dimensions: group.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect(),
            ..GetRollupRequest::default()
        };
        let groups = node.measurement().get_rollup(request).await?.into_inner().groups;
        Ok(groups.first().map_or_else(|| "nothing".to_owned(), |group| self.reading.of(group)))
    }
}

impl Reading {
    fn of(self, group: &RollupGroup) -> String {
        let coverage = group.coverage.clone().unwrap_or_default();
        match self {
            Self::Value => group.value.clone(),
            Self::Pair => format!("{} of {}", group.numerator, group.denominator),
            Self::Rate => format!("{} of {} = {}", group.numerator, group.denominator, group.rate),
            Self::Coverage => format!("{} of {}", coverage.reporting, coverage.expected),
            Self::Suppressed => coverage.suppressed.to_string(),
        }
    }
}
