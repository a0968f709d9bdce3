//! `commonweal measure`: what is measured in an initiative, and what it adds up to.

use std::collections::HashMap;
use std::process::ExitCode;

use chassis::config::Config;
use clap::{Args, Subcommand};
use proto::measurement::{Basis, GetRollupRequest, ListMeasuresRequest, Measure, MeasureState, RollupGroup};
use serde::Serialize;

use super::initiative::Which;
use super::print;
use crate::client::Client;
use crate::error::NodeError;
use crate::load;

const HELP: &str = "\
Examples:
  commonweal measure list
  commonweal measure rollup enrollment
  commonweal measure rollup four-year-graduation --period 2014-07-01/2015-06-30 --by race";

/// See what is measured, and what it adds up to.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(List),
    Rollup(Rollup),
}

/// List the measures of an initiative.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal measure list --json | jq -r '.[].code'")]
struct List {
    #[command(flatten)]
    which: Which,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Show the total of all who report on a measure, with how much of it was reported.
///
/// A ratio is the ratio of the sums, never a mean of ratios; what is suppressed or missing is counted beside it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  commonweal measure rollup enrollment
  commonweal measure rollup enrollment --published
  commonweal measure rollup four-year-graduation --period 2014-07-01/2015-06-30 --by race")]
struct Rollup {
    /// Code of the measure.
    code: String,
    /// Only this period, as FIRST-DAY/LAST-DAY; can be given several times.
    #[arg(long, value_name = "PERIOD")]
    period: Vec<String>,
    /// Break the total down by this dimension; can be given several times.
    #[arg(long, value_name = "DIMENSION")]
    by: Vec<String>,
    /// Only values for this group; can be given several times.
    #[arg(long = "where", value_name = "DIMENSION=CODE", value_parser = group)]
    of: Vec<(String, String)>,
    /// Only places of this level, such as school-district.
    #[arg(long, value_name = "LEVEL", default_value = "")]
    level: String,
    /// The totals that others published, and not what the parts add up to.
    #[arg(long)]
    published: bool,
    #[command(flatten)]
    which: Which,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

fn group(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((dimension, code)) if !dimension.is_empty() && !code.is_empty() => {
            Ok((dimension.to_owned(), code.to_owned()))
        }
        _ => Err("it needs a dimension and a code, such as race=black".to_owned()),
    }
}

#[derive(Serialize)]
struct Shown {
    code: String,
    name: String,
    unit: String,
    reference: String,
    dimensions: Vec<String>,
}

impl From<Measure> for Shown {
    fn from(measure: Measure) -> Self {
        let definition = measure.definition.unwrap_or_default();
        Self {
            code: definition.code,
            name: definition.name,
            unit: definition.unit,
            reference: measure.reference,
            dimensions: definition.dimensions.into_iter().map(|dimension| dimension.name).collect(),
        }
    }
}

#[derive(Serialize)]
struct Total {
    period: String,
    dimensions: HashMap<String, String>,
    value: String,
    numerator: String,
    denominator: String,
    rate: String,
    coverage: Coverage,
}

#[derive(Serialize)]
struct Coverage {
    expected: u64,
    reporting: u64,
    suppressed: u64,
    missing: u64,
    not_applicable: u64,
    not_yet_due: u64,
}

impl From<RollupGroup> for Total {
    fn from(group: RollupGroup) -> Self {
        let coverage = group.coverage.unwrap_or_default();
        Self {
            period: group.period,
            dimensions: group.dimensions.into_iter().collect(),
            value: group.value,
            numerator: group.numerator,
            denominator: group.denominator,
            rate: group.rate,
            coverage: Coverage {
                expected: coverage.expected,
                reporting: coverage.reporting,
                suppressed: coverage.suppressed,
                missing: coverage.missing,
                not_applicable: coverage.not_applicable,
                not_yet_due: coverage.not_yet_due,
            },
        }
    }
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        match self.what {
            What::List(list) => list.run(&client).await,
            What::Rollup(rollup) => rollup.run(&client).await,
        }
    }
}

impl List {
    async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let wanted = ListMeasuresRequest {
            initiative: self.which.meant(client).await?.reference,
            state: MeasureState::Active.into(),
            ..ListMeasuresRequest::default()
        };
        let measures: Vec<Shown> = client.measures(wanted).await?.into_iter().map(Shown::from).collect();
        print(self.json, &measures, |measures| {
            if measures.is_empty() {
                return "None is defined yet.".to_owned();
            }
            let line = |one: &Shown| format!("{}  {} ({})\n  {}", one.code, one.name, one.unit, one.reference);
            measures.iter().map(line).collect::<Vec<_>>().join("\n")
        })
    }
}

impl Rollup {
    async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let initiative = self.which.meant(client).await?.reference;
        let measures = load::measures(client, &initiative).await?;
        let Some(measure) = measures.get(&self.code) else {
            let known: Vec<&str> = measures.keys().map(String::as_str).collect();
            return Err(NodeError::Usage(match known.as_slice() {
                [] => "no measure is defined yet".to_owned(),
                known => format!("there is no measure \"{}\"; there are: {}", self.code, known.join(", ")),
            }));
        };
        let request = GetRollupRequest {
            measure: measure.reference.clone(),
            basis: if self.published { Basis::PublishedTotal } else { Basis::Component }.into(),
            periods: self.period,
            dimensions: self.of.into_iter().collect(),
            by: self.by,
            geography_level: self.level,
            ..GetRollupRequest::default()
        };
        let groups = client.measurement().get_rollup(request).await?.into_inner().groups;
        let totals: Vec<Total> = groups.into_iter().map(Total::from).collect();
        let unit = measure.definition.as_ref().map(|definition| definition.unit.clone()).unwrap_or_default();
        print(self.json, &totals, |totals| {
            if totals.is_empty() {
                return "Nobody has reported on it.".to_owned();
            }
            totals.iter().map(|total| total.words(&unit)).collect::<Vec<_>>().join("\n")
        })
    }
}

impl Total {
    fn words(&self, unit: &str) -> String {
        let mut group: Vec<String> = self.dimensions.iter().map(|(name, code)| format!("{name} {code}")).collect();
        group.sort();
        let group = if group.is_empty() { String::new() } else { format!(", {}", group.join(", ")) };
        let figure = match (self.numerator.as_str(), self.rate.as_str(), self.value.as_str()) {
            ("", "", "") => "nothing reported".to_owned(),
            ("", _, value) => format!("{value} {unit}"),
            (numerator, "", _) => format!("{numerator} of {}", self.denominator),
            (numerator, rate, _) => format!("{numerator} of {} = {rate} {unit}", self.denominator),
        };
        let Coverage { expected, reporting, suppressed, missing, not_yet_due, .. } = &self.coverage;
        let mut absent = Vec::new();
        for (count, state) in [(suppressed, "suppressed"), (missing, "missing"), (not_yet_due, "not yet due")] {
            if *count > 0 {
                absent.push(format!("{count} {state}"));
            }
        }
        let absent = if absent.is_empty() { String::new() } else { format!(", {}", absent.join(", ")) };
        format!("{}{group}: {figure}  ({reporting} of {expected} reporting{absent})", self.period)
    }
}
