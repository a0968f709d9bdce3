//! What is wrong with files: each fault with its place, its value and what was expected.

use std::fmt;

use proto::measurement::{Observation, Part, ValueState};
use serde::Serialize;

use crate::words::count;

/// One thing wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where it is about the whole file.
    pub line: u64,
    /// The header of the column; empty where it is about the whole line.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
    /// What should stand there.
    pub expected: String,
}

/// Everything wrong with some files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The faults, file by file and line by line.
    pub faults: Vec<Fault>,
}

/// How many faults are shown to a person.
const SHOWN: usize = 20;

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, value, reason, expected } = self;
        write!(formatter, "{file}")?;
        if *line > 0 {
            write!(formatter, ", line {line}")?;
        }
        if !column.is_empty() {
            write!(formatter, ", column \"{column}\"")?;
        }
        write!(formatter, ": \"{value}\" {reason}; expected {expected}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.faults.iter().take(SHOWN) {
            writeln!(formatter, "{fault}")?;
        }
        let more = self.faults.len().saturating_sub(SHOWN);
        if more > 0 {
            writeln!(formatter, "and {more} more")?;
        }
        let faults = count(self.faults.len() as u64, "fault", "faults");
        write!(formatter, "{faults}: nothing was imported")
    }
}

impl std::error::Error for Report {}

/// An observation's numbers, for a person.
pub(super) fn in_words(observation: &Observation) -> String {
    let part = |part: &Option<Part>| part.as_ref().map(spoken);
    let parts = [&observation.value, &observation.numerator, &observation.denominator];
    let mut words: Vec<String> = parts.into_iter().filter_map(part).collect();
    if observation.rate_withheld {
        words.push("rate withheld".to_owned());
    }
    words.join(" of ")
}

fn spoken(part: &Part) -> String {
    match part.state() {
        ValueState::Reported => part.amount.clone(),
        state => state.as_str_name().trim_start_matches("VALUE_STATE_").to_lowercase().replace('_', " "),
    }
}
