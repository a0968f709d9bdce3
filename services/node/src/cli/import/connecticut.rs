//! `commonweal import connecticut`: school files into submissions of this node's organisations.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use chassis::config::Config;
use clap::{Args, ValueEnum};
use proto::federation::GetStatusRequest;
use proto::measurement::{Geography, Measure, MeasureDefinition};

use super::super::initiative::Which;
use super::super::progress::Progress;
use super::super::{NOT_HELD, print};
use super::outcome::{Found, Imported, LeftOut};
use super::{How, files};
use crate::client::Client;
use crate::error::NodeError;
use crate::import::{Batch, connecticut, plan};
use crate::load::{self, Line, Outcome, Reporters, Submitting, Who};
use crate::verify::Watch;

const HELP: &str = "\
Examples:
  commonweal import connecticut --dry-run downloads/         read everything, send nothing
  commonweal import connecticut --measure enrollment hartford-2016.csv
  commonweal import connecticut --organizations hosted --define-measures downloads/

Exit code 4 when rows are wrong: each is named with file, line, column, and what is wrong with it.";

/// School files of the Connecticut State Department of Education (EdSight): each organisation reports its own figures.
///
/// Every file is read to its end before anything is sent, and one wrong row is enough for nothing to be sent. Each
/// organisation's figures are one submission, all of it or nothing. If the node refuses one, no other is begun, and what
/// was done and what not is said; the same command again goes on from there, for a submission that was made is not made
/// twice.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Figures {
    /// The files, or folders with them (*.csv).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only this measure, by its code; can be given several times.
    #[arg(long, value_name = "CODE")]
    measure: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// Whose rows are imported.
    #[arg(long, value_enum, default_value_t = Organizations::Own)]
    organizations: Organizations,
    /// Define the measures that the initiative does not have yet.
    #[arg(long)]
    define_measures: bool,
    /// Why figures that were reported before change; needed where any does.
    #[arg(long, value_name = "TEXT")]
    revision_reason: Option<String>,
    #[command(flatten)]
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Organizations {
    /// Those of organisations that live on this node already; others are left out.
    Own,
    /// Those, too, of organisations that live nowhere yet: this node registers and admits them. At the backbone only.
    Hosted,
}

impl Figures {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        self.known_measures()?;
        let files = files::read(&self.files, "csv")?;
        let read = files.len();
        let batches = match plan(&files) {
            Ok(batches) => batches,
            Err(report) => {
                print(self.how.json, &Imported::faulty(read, report), Imported::words)?;
                return Ok(ExitCode::from(NOT_HELD));
            }
        };
        let wanted = |batch: &Batch| self.measure.is_empty() || self.measure.iter().any(|code| code == batch.measure);
        let batches: Vec<Batch> = batches.into_iter().filter(wanted).collect();
        if self.how.dry_run {
            return print(self.how.json, &Imported::dry(read, &batches), Imported::words);
        }
        let imported = self.send(config, read, &batches).await?;
        print(self.how.json, &imported, Imported::words)?;
        Ok(if imported.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn known_measures(&self) -> Result<(), NodeError> {
        let known: Vec<String> = connecticut::measures().into_iter().map(|measure| measure.code).collect();
        match self.measure.iter().find(|code| !known.contains(code)) {
            Some(code) => {
                let known = known.join(", ");
                Err(NodeError::Usage(format!("these files have nothing on a measure \"{code}\"; there are: {known}")))
            }
            None => Ok(()),
        }
    }

    async fn send(&self, config: &Config, read: usize, batches: &[Batch]) -> Result<Imported, NodeError> {
        let client = Client::operator(config).await?;
        let initiative = self.which.meant(&client).await?.reference;
        let (mut measures, missing) = self.measures(&client, &initiative, batches).await?;
        let reporters = self.reporters(&client, &initiative, batches).await?;
        for definition in missing {
            measures.insert(definition.code.clone(), load::define(&client, &initiative, definition).await?);
        }
        let mut left_out = LeftOut::default();
        let mut submitting = Vec::new();
        for batch in batches {
            let measure = measures.get(batch.measure).map_or("", |measure| measure.reference.as_str());
            match reporters.of(&batch.place) {
                Who::Here(organization) => submitting.push(Submitting {
                    batch,
                    measure,
                    organization,
                    source: connecticut::SOURCE,
                    revision_reason: self.revision_reason.as_deref().unwrap_or_default(),
                }),
                who => left_out.add(batch, who),
            }
        }
        if submitting.is_empty() {
            return Err(NodeError::Usage(format!(
                "nobody on this node reports for any of the places in these files, such as {}: register your \
                 organisation with the identifier they know it by, or at the backbone add --organizations hosted",
                batches.first().map_or("none", |batch| batch.place.name.as_str())
            )));
        }
        let lines = submitted(&client, &submitting).await;
        let ok = lines.iter().all(|line| matches!(line.outcome, Outcome::Submitted { .. }));
        Ok(Imported { ok, found: Found::of(read, batches), left_out, submissions: lines, ..Imported::default() })
    }

    /// The measures there are, and those that are to be defined.
    async fn measures(
        &self,
        client: &Client,
        initiative: &str,
        batches: &[Batch],
    ) -> Result<(BTreeMap<String, Measure>, Vec<MeasureDefinition>), NodeError> {
        let known = load::measures(client, initiative).await?;
        let mut missing = connecticut::measures();
        missing.retain(|one| !known.contains_key(&one.code) && batches.iter().any(|batch| batch.measure == one.code));
        match missing.first() {
            Some(one) if !self.define_measures => Err(NodeError::Usage(format!(
                "the initiative has no measure {}: let the backbone import with --define-measures first, or name those \
                 there are with --measure",
                one.code
            ))),
            _ => Ok((known, missing)),
        }
    }

    async fn reporters(&self, client: &Client, initiative: &str, batches: &[Batch]) -> Result<Reporters, NodeError> {
        let here = client.federation().get_status(GetStatusRequest {}).await?.into_inner().node;
        let places: BTreeMap<(&str, &str), &Geography> = batches
            .iter()
            .map(|batch| ((batch.place.level.as_str(), batch.place.code.as_str()), &batch.place))
            .collect();
        let wanted = places.into_values().map(|place| (place.clone(), connecticut::reporter(place))).collect();
        load::reporters(client, initiative, &here, wanted, self.organizations == Organizations::Hosted).await
    }
}

async fn submitted(client: &Client, submitting: &[Submitting<'_>]) -> Vec<Line> {
    let progress = Progress::default();
    progress.begin("submissions", submitting.len() as u64);
    let lines = load::submit_all(client, submitting, || progress.done(1)).await;
    progress.end();
    lines
}
