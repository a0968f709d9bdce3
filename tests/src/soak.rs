//! The soak: a coalition under random load and random faults, with a partner who cheats; and afterwards the proof that
//! nothing was lost, doubled, reordered, forged or leaked.
//!
//! Failures that count: any process, node or server, killed at any instant and started again; a broker or the hub that
//! loses all it stored; a Postgres that crashes, stays away or has a full disk; clocks that are wrong by hours; links
//! that are cut, cut one way, slow or narrow; messages that are dropped, repeated, turned around or delayed; whatever a
//! member with a key and a mailbox can send. Failures that do not: a Postgres that loses what it confirmed.

mod books;
mod cheat;
mod checks;
mod command;
mod dice;
mod faults;
mod field;
mod found_out;
mod latecomer;
mod leaks;
mod load;
mod log;
mod meddle;
mod place;
mod plan;
mod post;
mod report;
mod settle;
mod witness;
mod world;

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use node::error::NodeError;
use tokio::sync::watch;
use tokio::time::sleep;

pub use field::NODES;
pub use report::Report;

use field::Field;
use load::Acknowledged;
use log::Log;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Soak {
    /// The program that the nodes run.
    pub program: PathBuf,
    /// How long faults and load last.
    pub time: Duration,
    /// What both follow from.
    pub seed: u64,
    /// How many nodes; see [`NODES`].
    pub nodes: usize,
}

fn wrong(error: impl std::fmt::Display) -> NodeError {
    NodeError::Usage(error.to_string())
}

impl Soak {
    /// Runs it in a folder, which is left as it is.
    ///
    /// # Errors
    /// Where the coalition cannot be set up or asked; what it does wrong stands in the report.
    pub async fn run(&self, folder: &Path) -> Result<Report, NodeError> {
        let log = Log::begin(&folder.join("soak.log"))?;
        log.say(&format!("seed {}, {} nodes, in {}", self.seed, self.nodes, folder.display()));
        let field = Field::set(folder, &self.program, self.nodes, log).await?;
        field.log.say("the coalition stands; faults and load begin");
        let (over, ended) = watch::channel(false);
        let lanes = plan::plan(self.seed, self.nodes, self.time).into_iter();
        let faults = try_join_all(lanes.map(|lane| faults::run(&field, lane, ended.clone())));
        let workers = (0..self.nodes).flat_map(|node| (0..load::WORKERS).map(move |worker| (node, worker)));
        let load = join_all(workers.map(|(node, worker)| load::work(&field, self.seed, node, worker, ended.clone())));
        let (stop, stopped) = watch::channel(false);
        let working = async {
            let found_out = found_out::shut_out(&field, self.time * 3 / 4);
            let joined = latecomer::join(&field, self.time / 2);
            let (faults, journal, found_out, joined) = tokio::join!(faults, load, found_out, joined);
            for error in [found_out, joined].into_iter().filter_map(Result::err) {
                field.log.finding(&error.to_string());
            }
            field.log.say("faults and load are over");
            let settled = settle::wait(&field).await;
            stop.send_replace(true);
            (faults, journal, settled)
        };
        let timing = async {
            sleep(self.time).await;
            over.send_replace(true);
        };
        let ((faults, journal, settled), seen, ()) = tokio::join!(working, witness::look_on(&field, stopped), timing);

        let mut report = Report { seed: self.seed, seen, digests_equal: settled?, ..Report::default() };
        match faults {
            Ok(happened) => report.faults = happened.into_iter().sum(),
            Err(error) => field.log.finding(&format!("what went wrong could not be made good: {error}")),
        }
        let mut acknowledged: Vec<Vec<Acknowledged>> = Vec::new();
        for journal in journal {
            match journal {
                Ok(journal) => acknowledged.push(journal),
                Err(error) => field.log.finding(&error.to_string()),
            }
        }
        prove(&field, self.seed, &acknowledged, &mut report).await?;
        if let Err(error) = field.end().await {
            field.log.finding(&format!("the end: {error}"));
        }
        report.findings = field.log.findings();
        for words in report.wrong() {
            field.log.note(&words);
        }
        field.log.note(&report.line());
        Ok(report)
    }
}

/// Holds the journal against the books, looks for leaks, and lets every node verify itself.
async fn prove(field: &Field, seed: u64, journal: &[Vec<Acknowledged>], report: &mut Report) -> Result<(), NodeError> {
    let books = books::Books::of_all(field).await?;
    let commands: usize = journal.iter().map(Vec::len).sum();
    report.events =
        books.first().map_or(0, |backbone| backbone.feeds.values().flatten().filter(|entry| entry.accepted).count());
    field.log.say(&format!("{commands} commands were acknowledged, {} entries accepted", report.events));
    report.found = checks::check(&books, &settle::spaces(field), &field.world.initiative, journal);
    let (forged, lost) = found_out::look(field, &books).await?;
    report.found.forged.extend(forged);
    report.found.lost.extend(lost);
    report.leaked = leaks::look(field, seed).await?;
    for place in &field.places {
        let node = place.node.read().await;
        let (said, well) = node.command(&field.program, &["verify"]).await?;
        if !well {
            field.log.finding(&format!("{} does not verify: {said}", node.sketch.name));
        }
    }
    Ok(())
}
