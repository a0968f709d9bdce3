//! `commonweal import agenda`: a framework of goals and indicators into the draft of an agenda.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use chassis::config::Config;
use clap::Args;
use serde::Serialize;

use super::super::initiative::Which;
use super::super::progress::Progress;
use super::super::{NOT_HELD, print};
use super::{How, files, left_out_words};
use crate::client::Client;
use crate::error::NodeError;
use crate::import::agenda::{BYTES, Framework, Head, bytes, plan};
use crate::import::{Fault, Report};
use crate::load::{self, Drafted};
use crate::verify::Watch;
use crate::words::{self, count};

const HELP: &str = "\
Examples:
  commonweal import agenda --name \"Our goals\" --dry-run sdg-goals-targets-indicators.en.csv
  commonweal import agenda --name \"Our goals\" --problem \"...\" --vision \"...\" --population \"...\" goals.csv
  commonweal import agenda --name \"Our children\" catalogue.csv --published kindergarten-readiness.md

What becomes of it:
  goal; section of a catalogue   a result
  target under a goal            a strategy of that result: it says what is to be done. It is no target of a measure,
                                 which is a number and a date
  indicator                      a measure that the result is read by, where the initiative has an active one of its code
                                 (SDG 1.1.1 is sdg-1-1-1, one of a catalogue is its slug); else words, under its target
                                 or section: a framework does not say in what unit it is counted and how it adds up

Exit code 4 when rows are wrong: each is named with file, line, column, and what is wrong with it.";

/// A framework of goals and indicators (CSV): it becomes the draft of an agenda on this node.
///
/// Two layouts are read: level, code, parent_code, title (the United Nations' Sustainable Development Goals), and lens,
/// domain, slug, kind, title (a catalogue of indicators by section). The draft never leaves this node; work on it and
/// publish it with PublishAgenda. A draft of the same name that is here already is not made twice, and not changed.
/// Somebody must have a role in the initiative first (`commonweal member admit`).
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Agenda {
    /// The file, or a folder with the only one (*.csv).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Pages with what was published of the catalogue's indicators, each called as its slug, or folders with them (*.md):
    /// values, dates, unit and status in the front matter are added to the indicator's words.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    published: Vec<PathBuf>,
    /// Name of the agenda.
    #[arg(long, value_parser = name)]
    name: String,
    /// What is wrong; needed to publish.
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = prose)]
    problem: String,
    /// How it should be; needed to publish.
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = prose)]
    vision: String,
    /// For whom; needed to publish.
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = prose)]
    population: String,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

/// What an import came to.
#[derive(Debug, Default, Serialize)]
struct Imported {
    ok: bool,
    dry_run: bool,
    results: usize,
    strategies: usize,
    indicators: usize,
    /// How many of the indicators are named by reference; the others stand there in words.
    measures: usize,
    bytes: usize,
    /// What is needed to publish and empty.
    needed: Vec<&'static str>,
    left_out: BTreeMap<String, usize>,
    faults: Vec<Fault>,
    #[serde(flatten)]
    drafted: Option<Drafted>,
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        1..=200 if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => Err("it needs one line of 1 to 200 characters".to_owned()),
    }
}

fn prose(text: &str) -> Result<String, String> {
    let (text, plain) = (text.trim(), |character: char| !character.is_control() || "\n\t".contains(character));
    match text.chars().count() {
        0..=4000 if text.chars().all(plain) => Ok(text.to_owned()),
        _ => Err("it may have 4,000 characters, and no control characters but line breaks".to_owned()),
    }
}

impl Agenda {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let files = files::read(std::slice::from_ref(&self.file), "csv")?;
        let [file] = files.as_slice() else {
            let folder = self.file.display();
            return Err(NodeError::Usage(format!("{folder} has {} files *.csv: name the one you mean", files.len())));
        };
        let pages = files::read(&self.published, "md")?;
        let framework = match plan(file, &pages) {
            Ok(framework) => framework,
            Err(report) => return self.faulty(report.faults),
        };
        let Self { name, problem, vision, population, .. } = &self;
        let head = Head {
            name: name.clone(),
            problem: problem.clone(),
            vision: vision.clone(),
            population: population.clone(),
        };
        let tree = framework.tree(&head, &BTreeMap::new());
        if bytes(&tree) > BYTES {
            let fault = too_large(&file.name, bytes(&tree));
            return self.faulty(vec![fault]);
        }
        let mut imported = Imported::of(&framework, &head);
        if self.how.dry_run {
            imported = Imported { dry_run: true, bytes: bytes(&tree), ..imported };
            return print(self.how.json, &imported, Imported::words);
        }
        self.draft(config, &framework, &head, &mut imported).await?;
        imported.ok = !matches!(imported.drafted, Some(Drafted::Different(_)));
        print(self.how.json, &imported, Imported::words)?;
        Ok(if imported.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn faulty(&self, faults: Vec<Fault>) -> Result<ExitCode, NodeError> {
        print(self.how.json, &Imported { faults, ..Imported::default() }, Imported::words)?;
        Ok(ExitCode::from(NOT_HELD))
    }

    async fn draft(
        &self,
        config: &Config,
        framework: &Framework,
        head: &Head,
        imported: &mut Imported,
    ) -> Result<(), NodeError> {
        let client = Client::operator(config).await?;
        let initiative = self.which.meant(&client).await?.reference;
        let known = load::measures(&client, &initiative).await?;
        let known = known.into_iter().map(|(code, measure)| (code, measure.reference)).collect();
        let tree = framework.tree(head, &known);
        imported.measures = tree.results.iter().map(|result| result.measures.len()).sum();
        imported.bytes = bytes(&tree);
        let progress = Progress::default();
        progress.begin("agenda", 1);
        let drafted = load::draft(&client, &initiative, tree).await;
        progress.end();
        imported.drafted = Some(drafted?);
        Ok(())
    }
}

fn too_large(file: &str, bytes: usize) -> Fault {
    Fault {
        file: file.to_owned(),
        line: 0,
        column: String::new(),
        value: String::new(),
        reason: format!("makes an agenda of {bytes} bytes with its problem, vision and population"),
        expected: format!("at most {BYTES}"),
    }
}

impl Imported {
    fn of(framework: &Framework, head: &Head) -> Self {
        let parts = [("problem", &head.problem), ("vision", &head.vision), ("population", &head.population)];
        Self {
            ok: true,
            results: framework.results.len(),
            strategies: framework.strategies(),
            indicators: framework.indicators(),
            needed: parts.into_iter().filter(|(_, text)| text.is_empty()).map(|(what, _)| what).collect(),
            left_out: framework.left_out.clone(),
            ..Self::default()
        }
    }

    fn words(&self) -> String {
        if !self.faults.is_empty() {
            return Report { faults: self.faults.clone() }.to_string();
        }
        let number = |number: usize, one, many| count(number as u64, one, many);
        let mut lines = vec![format!(
            "Read {}, {} and {}: {} of the {} that an agenda may have.",
            number(self.results, "result", "results"),
            number(self.strategies, "strategy", "strategies"),
            number(self.indicators, "indicator", "indicators"),
            words::bytes(self.bytes as u64),
            words::bytes(BYTES as u64),
        )];
        lines.extend(left_out_words(&self.left_out));
        if self.dry_run {
            lines.push("Nothing is wrong with them. Nothing was made: this was a dry run.".to_owned());
            return lines.join("\n");
        }
        let by_reference = number(self.measures, "indicator is a measure", "indicators are measures");
        lines.push(format!("{by_reference} of the initiative; the others stand in words."));
        match &self.drafted {
            Some(Drafted::Made(agenda)) => lines.push(format!("Draft made\n  agenda  {agenda}")),
            Some(Drafted::Already(agenda)) => {
                lines.push(format!("The draft is here already, and says the same\n  agenda  {agenda}"));
            }
            Some(Drafted::Different(agenda)) => lines.push(format!(
                "A draft of this name is here already and says something else: it was left as it is. Give another \
                 --name, or change it with UpdateAgenda\n  agenda  {agenda}"
            )),
            None => {}
        }
        if !self.needed.is_empty() {
            lines.push(format!("Before it can be published it needs: {}", self.needed.join(", ")));
        }
        lines.join("\n")
    }
}
