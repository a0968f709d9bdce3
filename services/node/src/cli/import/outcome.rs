//! What was found in the files and what became of it, as data and in words.

use std::collections::BTreeMap;

use serde::Serialize;

use super::some;
use crate::import::{Batch, Fault, Report};
use crate::load::{Line, Outcome, Who};
use crate::words::count;

/// How many lines of one kind a person is shown.
const SHOWN: usize = 20;

/// What an import came to.
#[derive(Debug, Default, Serialize)]
pub(super) struct Imported {
    /// Whether all that was to be sent was.
    pub(super) ok: bool,
    /// Whether nothing was to be sent.
    pub(super) dry_run: bool,
    /// What is in the files.
    pub(super) found: Found,
    /// What is wrong with them; then nothing was sent.
    pub(super) faults: Vec<Fault>,
    /// Places that others report for.
    pub(super) left_out: LeftOut,
    /// The submissions, and what became of each.
    pub(super) submissions: Vec<Line>,
}

/// What is in the files.
#[derive(Debug, Default, Serialize)]
pub(super) struct Found {
    pub(super) files: usize,
    pub(super) measures: BTreeMap<&'static str, Series>,
}

/// What is in them on one measure.
#[derive(Debug, Default, Serialize)]
pub(super) struct Series {
    pub(super) submissions: u64,
    pub(super) observations: u64,
}

impl Found {
    pub(super) fn of(files: usize, batches: &[Batch]) -> Self {
        let mut measures = BTreeMap::<&'static str, Series>::new();
        for batch in batches {
            let series = measures.entry(batch.measure).or_default();
            series.submissions += 1;
            series.observations += batch.observations.len() as u64;
        }
        Self { files, measures }
    }

    fn words(&self) -> Vec<String> {
        let mut lines = vec![format!("Read {}:", count(self.files as u64, "file", "files"))];
        lines.extend(self.measures.iter().map(|(code, series)| {
            let observations = count(series.observations, "observation", "observations");
            let submissions = count(series.submissions, "submission", "submissions");
            format!("  {code:<24} {observations} in {submissions}")
        }));
        if self.measures.is_empty() {
            lines.push("  nothing on these measures".to_owned());
        }
        lines
    }
}

/// Names of places that were left out, by why.
#[derive(Debug, Default, Serialize)]
pub(super) struct LeftOut {
    /// Nobody is registered for them on this node.
    pub(super) nobody: Vec<String>,
    /// Whoever reports for them lives on another node.
    pub(super) elsewhere: Vec<String>,
}

impl LeftOut {
    pub(super) fn add(&mut self, batch: &Batch, who: &Who) {
        let names = if *who == Who::Nobody { &mut self.nobody } else { &mut self.elsewhere };
        if !names.contains(&batch.place.name) {
            names.push(batch.place.name.clone());
        }
    }

    fn words(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (names, why) in [
            (&self.nobody, "nobody is registered for them here: see --organizations"),
            (&self.elsewhere, "their figures are submitted on the nodes where they live"),
        ] {
            if !names.is_empty() {
                let places = count(names.len() as u64, "place", "places");
                lines.push(format!("Left out {places}, for {why}: {}", some(names)));
            }
        }
        lines
    }
}

impl Imported {
    pub(super) fn faulty(files: usize, report: Report) -> Self {
        Self { found: Found { files, ..Found::default() }, faults: report.faults, ..Self::default() }
    }

    pub(super) fn dry(files: usize, batches: &[Batch]) -> Self {
        Self { ok: true, dry_run: true, found: Found::of(files, batches), ..Self::default() }
    }

    pub(super) fn words(&self) -> String {
        if !self.faults.is_empty() {
            return Report { faults: self.faults.clone() }.to_string();
        }
        let mut lines = self.found.words();
        if self.dry_run {
            lines.push("Nothing is wrong with them. Nothing was sent: this was a dry run.".to_owned());
            return lines.join("\n");
        }
        lines.extend(self.left_out.words());
        lines.extend(self.sent());
        lines.join("\n")
    }

    fn sent(&self) -> Vec<String> {
        let (mut done, mut observations, mut not_sent, mut failed) = (0, 0, 0, Vec::new());
        for line in &self.submissions {
            match &line.outcome {
                Outcome::Submitted { .. } => {
                    done += 1;
                    observations += line.observations as u64;
                }
                Outcome::Failed { reason } => failed.push(format!("  {} of {}: {reason}", line.measure, line.place)),
                Outcome::NotSent => not_sent += 1,
            }
        }
        let (sent, counted) =
            (count(done, "submission", "submissions"), count(observations, "observation", "observations"));
        let mut lines = vec![format!("Submitted: {sent} with {counted}.")];
        if !failed.is_empty() {
            lines.push(format!(
                "Refused: {}, of which nothing counts:",
                count(failed.len() as u64, "submission", "submissions")
            ));
            lines.extend(failed.into_iter().take(SHOWN));
            lines.push(format!("Not sent: {}.", count(not_sent, "submission", "submissions")));
            lines.push(
                "Mend what is wrong and give the same command again: what was submitted is not submitted twice."
                    .to_owned(),
            );
        }
        lines
    }
}
