//! Foreign files into what our services take: bytes in, requests or every fault out. Nothing here touches a node, so a dry run
//! and a real import read alike.
//!
//! [`plan`] reads any number of files and puts their values together into one [`Batch`] for each measure, basis and
//! place, which is what one organization submits. The same value twice is taken once, and where one file
//! withholds what another publishes, the published number is taken. Two numbers for one cell are a fault, and one fault is
//! enough for there to be no plan.

pub mod agenda;
pub mod connecticut;
pub mod directory;
pub mod grants;
pub mod iati;
mod labels;
mod lines;
pub mod mail;
pub mod report;
mod table;

use std::collections::BTreeMap;

use prost::Message;
use proto::measurement::{Basis, Geography, Observation, SubmissionDefinition, SubmitObservationsRequest, ValueState};
use sha2::{Digest, Sha256};

pub use connecticut::measures;
pub use report::{Fault, Report};

/// A file as it was found.
#[derive(Clone, Debug)]
pub struct File {
    /// What people call it: its path, or its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// As much of a value is shown to a person.
const SHOWN: usize = 200;

impl File {
    /// What is wrong at a place of it.
    fn fault(&self, line: u64, column: &str, value: &str, reason: &str, expected: &str) -> Fault {
        Fault {
            file: self.name.clone(),
            line,
            column: column.to_owned(),
            value: value.chars().take(SHOWN).collect(),
            reason: reason.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

/// One value of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line it stands in, from 1.
    pub line: u64,
    /// The header above it.
    pub column: String,
    /// Code of the measure.
    pub measure: &'static str,
    /// A district's own figure, or a total as the state published it.
    pub basis: Basis,
    /// The value, its place, its period and its group.
    pub observation: Observation,
}

/// What one organization has to submit: all the values of one measure and basis for one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Code of the measure.
    pub measure: &'static str,
    /// Parts or published totals.
    pub basis: Basis,
    /// The place, whose code tells the organization: a district's, or [`connecticut::STATE`].
    pub place: Geography,
    /// The observations, by group and period.
    pub observations: Vec<Observation>,
    /// The files they come from.
    pub files: Vec<String>,
}

/// Reads files and puts together what is to be submitted.
///
/// # Errors
/// Every fault of every file; nothing of them may be submitted then.
pub fn plan(files: &[File]) -> Result<Vec<Batch>, Report> {
    let mut report = Report::default();
    let mut plan = Plan::default();
    for file in files {
        match connecticut::read(file) {
            Ok(rows) => rows.into_iter().for_each(|row| plan.add(file, row, &mut report)),
            Err(faults) => report.faults.extend(faults),
        }
    }
    if report.faults.is_empty() { Ok(plan.batches()) } else { Err(report) }
}

/// Measure, basis, and level and code of the place.
type Reporter = (&'static str, Basis, String, String);
/// Group and period.
type Cell = (BTreeMap<String, String>, String);

#[derive(Default)]
struct Plan {
    reporters: BTreeMap<Reporter, (Geography, BTreeMap<Cell, Origin>)>,
}

/// A value and where it stood first.
struct Origin {
    observation: Observation,
    file: String,
    line: u64,
}

impl Plan {
    fn add(&mut self, file: &File, row: Row, report: &mut Report) {
        let place = row.observation.geography.clone().unwrap_or_default();
        let reporter = (row.measure, row.basis, place.level.clone(), place.code.clone());
        let (_, cells) = self.reporters.entry(reporter).or_insert_with(|| (place, BTreeMap::new()));
        let cell = (row.observation.dimensions.clone(), row.observation.period.clone());
        let new = Origin { observation: row.observation, file: file.name.clone(), line: row.line };
        let Some(before) = cells.get_mut(&cell) else {
            cells.insert(cell, new);
            return;
        };
        if before.observation == new.observation || withheld(&new.observation) {
            return;
        }
        if withheld(&before.observation) {
            *before = new;
            return;
        }
        report.faults.push(Fault {
            file: new.file,
            line: new.line,
            column: row.column,
            value: report::in_words(&new.observation),
            reason: format!(
                "is one of two values for the same cell, the other stands in line {} of {}",
                before.line, before.file
            ),
            expected: report::in_words(&before.observation),
        });
    }

    fn batches(self) -> Vec<Batch> {
        let batches = self.reporters.into_iter().map(|((measure, basis, ..), (place, cells))| {
            let mut files: Vec<String> = cells.values().map(|origin| origin.file.clone()).collect();
            files.sort();
            files.dedup();
            let observations = cells.into_values().map(|origin| origin.observation).collect();
            Batch { measure, basis, place, observations, files }
        });
        batches.collect()
    }
}

/// Whether an observation is a single value that is suppressed.
fn withheld(observation: &Observation) -> bool {
    observation.value.as_ref().is_some_and(|value| value.state() == ValueState::Suppressed)
}

impl Batch {
    /// The call that submits the whole batch, if it is small enough for one: at most 2,000 observations. Its request id
    /// follows from what it says, so the same batch again has no second effect.
    pub fn request(&self, measure: &str, organization: &str, space: &str, source: &str) -> SubmitObservationsRequest {
        let mut request = SubmitObservationsRequest {
            definition: Some(SubmissionDefinition {
                measure: measure.to_owned(),
                organization: organization.to_owned(),
                basis: self.basis.into(),
                source: source.to_owned(),
            }),
            space: space.to_owned(),
            observations: self.observations.clone(),
            revision_reason: String::new(),
            request_id: String::new(),
        };
        let digest = Sha256::digest(request.encode_to_vec());
        request.request_id = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        request
    }
}
