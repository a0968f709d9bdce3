//! What is asked of the values, and totals with their coverage, on the wire.

use std::collections::BTreeMap;

use chassis::errors::Violations;
use proto::measurement as message;

use super::observation::{write_amount, write_geography};
use crate::domain::rollup::{Absence, Coverage, Total};
use crate::domain::{Breakdown, Definition, Period};

const PERIODS: usize = 100;

/// For whom: codes fixed by the caller, and dimensions to see every code of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Code by name of dimension.
    pub fixed: Breakdown,
    /// Names of dimensions.
    pub by: Vec<String>,
}

impl Group {
    /// Reads a group; whether the measure has such dimensions and codes is another question.
    pub fn read(violations: &mut Violations, fixed: &BTreeMap<String, String>, by: &[String]) -> Option<Self> {
        let mut right = true;
        for (nth, name) in by.iter().enumerate() {
            if fixed.contains_key(name) || by.iter().take(nth).any(|before| before == name) {
                violations.add(format!("by[{nth}]"), format!("the dimension \"{name}\" is there twice"));
                right = false;
            }
        }
        right.then(|| Self { fixed: Breakdown(fixed.clone()), by: by.to_vec() })
    }

    /// Notes which of its dimensions and codes the measure does not have.
    pub fn check(&self, violations: &mut Violations, definition: &Definition) {
        let dimension = |name: &str| definition.dimensions.iter().find(|dimension| dimension.name == name);
        for (nth, name) in self.by.iter().enumerate().filter(|(_, name)| dimension(name).is_none()) {
            violations
                .add(format!("by[{nth}]"), format!("the measure {} has no dimension \"{name}\"", definition.code));
        }
        for (name, code) in &self.fixed.0 {
            let field = format!("dimensions[{name}]");
            match dimension(name) {
                None => violations.add(field, format!("the measure {} has no such dimension", definition.code)),
                Some(dimension) if !dimension.codes.iter().any(|known| known.code == *code) => {
                    violations.add(field, format!("\"{code}\" is not one of the codes of {name}"));
                }
                Some(_) => {}
            }
        }
    }

    /// Names of all its dimensions as observations have them.
    pub fn names(&self) -> String {
        let names = self.fixed.0.keys().chain(&self.by).map(|name| (name.clone(), String::new()));
        Breakdown(names.collect()).names()
    }

    /// The fixed codes, each as observations have it.
    pub fn pairs(&self) -> Vec<String> {
        self.fixed.0.iter().map(|(name, code)| format!("{name}={code}")).collect()
    }
}

/// Reads the periods asked for; none means all.
pub fn read_periods(violations: &mut Violations, texts: &[String]) -> Option<Vec<Period>> {
    if texts.len() > PERIODS {
        violations.add("periods", format!("are {}, at most {PERIODS} are allowed", texts.len()));
        return None;
    }
    let mut periods = Vec::with_capacity(texts.len());
    for (nth, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(period) => periods.push(period),
            Err(error) => violations.add(format!("periods[{nth}]"), format!("{error}")),
        }
    }
    (periods.len() == texts.len()).then_some(periods)
}

/// A total as the contract writes it.
pub fn write_total(total: Total) -> message::RollupGroup {
    message::RollupGroup {
        period: total.period.to_string(),
        dimensions: total.breakdown.0,
        value: write_amount(total.value),
        numerator: write_amount(total.numerator),
        denominator: write_amount(total.denominator),
        rate: write_amount(total.rate),
        coverage: Some(write_coverage(total.coverage)),
    }
}

fn write_coverage(coverage: Coverage) -> message::Coverage {
    message::Coverage {
        expected: coverage.expected(),
        reporting: coverage.reporting,
        suppressed: coverage.suppressed,
        missing: coverage.missing,
        not_applicable: coverage.not_applicable,
        not_yet_due: coverage.not_yet_due,
        rate_withheld: coverage.rate_withheld,
        more_absences: coverage.more_absences(),
        absences: coverage.absences.into_iter().map(write_absence).collect(),
    }
}

fn write_absence(absence: Absence) -> message::Absence {
    message::Absence {
        organization: absence.organization,
        geography: Some(write_geography(&absence.geography)),
        state: absence.state.number(),
    }
}
