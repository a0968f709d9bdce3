//! `commonweal import grants`: 360Giving files into awards of an organisation of this node.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use chassis::config::Config;
use clap::Args;
use proto::activities::AwardDefinition;
use proto::federation::GetStatusRequest;
use serde::Serialize;

use super::super::initiative::Which;
use super::super::organization::ours;
use super::super::progress::Progress;
use super::super::{NOT_HELD, print};
use super::{How, files};
use crate::client::Client;
use crate::error::NodeError;
use crate::import::grants::{Plan, plan};
use crate::import::{Fault, Report};
use crate::load::{self, Sent};
use crate::verify::Watch;
use crate::words::{count, thousands};

/// How many refusals a person is shown.
const SHOWN: usize = 20;

const HELP: &str = "\
Examples:
  commonweal import grants --dry-run grants.json             read everything, send nothing
  commonweal import grants grants.json                       the grantmaker is known here by its identifier
  commonweal import grants --awarded-by 'Lloyds Bank Foundation' grants.json

Exit code 4 when grants are wrong: each is named with file and field, and what is wrong with it.";

/// Grants in the 360Giving format (JSON): each becomes an award of the organisation that made it.
///
/// Recipients are kept by their names. A grant of nothing is left out. If the node refuses one, no other is begun, and
/// what was done and what not is said; the same command again goes on from there, for a grant that is here already is
/// not made twice.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Grants {
    /// The files, or folders with them (*.json).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// The organisation of this node whose grants these are, by name, reference or identifier; needed where it is not
    /// known by the files' identifier.
    #[arg(long, value_name = "ORGANISATION")]
    awarded_by: Option<String>,
    #[command(flatten)]
    how: How,
}

/// What an import came to.
#[derive(Debug, Default, Serialize)]
struct Imported {
    ok: bool,
    dry_run: bool,
    files: usize,
    awards: usize,
    /// Amount by currency.
    sums: BTreeMap<String, String>,
    /// Ids of grants of nothing.
    nothing: Vec<String>,
    faults: Vec<Fault>,
    #[serde(flatten)]
    sent: Sent,
}

impl Grants {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let files = files::read(&self.files, "json")?;
        let plan = match plan(&files) {
            Ok(plan) => plan,
            Err(report) => {
                let imported = Imported { files: files.len(), faults: report.faults, ..Imported::default() };
                print(self.how.json, &imported, Imported::words)?;
                return Ok(ExitCode::from(NOT_HELD));
            }
        };
        let found = Imported::of(files.len(), &plan);
        if self.how.dry_run {
            return print(self.how.json, &Imported { ok: true, dry_run: true, ..found }, Imported::words);
        }
        let sent = self.send(config, plan).await?;
        let ok = sent.refused.is_empty();
        print(self.how.json, &Imported { ok, sent, ..found }, Imported::words)?;
        Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn send(&self, config: &Config, plan: Plan) -> Result<Sent, NodeError> {
        let client = Client::operator(config).await?;
        let initiative = self.which.meant(&client).await?.reference;
        let funders = self.funders(&client, &initiative, &plan).await?;
        let definitions: Vec<AwardDefinition> = (plan.awards.into_values())
            .map(|planned| AwardDefinition {
                organization: funders.get(&planned.funder).cloned().unwrap_or_default(),
                ..planned.definition
            })
            .collect();
        let progress = Progress::default();
        progress.begin("awards", definitions.len() as u64);
        let sent = load::award_all(&client, &initiative, &definitions, || progress.done(1)).await;
        progress.end();
        sent
    }

    /// The organization of this node for each identifier of whoever funds.
    async fn funders(
        &self,
        client: &Client,
        initiative: &str,
        plan: &Plan,
    ) -> Result<BTreeMap<String, String>, NodeError> {
        let wanted: BTreeSet<&String> = plan.awards.values().map(|planned| &planned.funder).collect();
        if let Some(named) = &self.awarded_by {
            if wanted.len() > 1 {
                return Err(NodeError::Usage(
                    "these grants are of several organisations: leave out --awarded-by".to_owned(),
                ));
            }
            let organization = ours(client, initiative, Some(named)).await?.reference;
            return Ok(wanted.into_iter().map(|funder| (funder.clone(), organization.clone())).collect());
        }
        let here = client.federation().get_status(GetStatusRequest {}).await?.into_inner().node;
        let known = load::by_identifier(client, initiative).await?;
        let lives_here = |reference: &&String| reference.split('/').next() == Some(here.as_str());
        let of = |funder: &String| match known.get(funder).into_iter().flatten().find(lives_here) {
            Some(reference) => Ok((funder.clone(), reference.clone())),
            None => Err(NodeError::Usage(format!(
                "no organisation of this node is known as {funder}: register it with that identifier, or name it with \
                 --awarded-by"
            ))),
        };
        wanted.into_iter().map(of).collect()
    }
}

impl Imported {
    fn of(files: usize, plan: &Plan) -> Self {
        let sums = plan.sums().into_iter().map(|(currency, sum)| (currency.to_owned(), sum.to_string())).collect();
        Self { files, awards: plan.awards.len(), sums, nothing: plan.nothing.clone(), ..Self::default() }
    }

    fn words(&self) -> String {
        if !self.faults.is_empty() {
            return Report { faults: self.faults.clone() }.to_string();
        }
        let (files, awards) = (count(self.files as u64, "file", "files"), count(self.awards as u64, "award", "awards"));
        let mut lines = vec![format!("Read {files} with {awards}:")];
        lines.extend(self.sums.iter().map(|(currency, sum)| format!("  {currency} {sum}")));
        if !self.nothing.is_empty() {
            let grants = count(self.nothing.len() as u64, "grant", "grants");
            lines.push(format!("Left out {grants} of nothing: {}", self.nothing.join(", ")));
        }
        if self.dry_run {
            lines.push("Nothing is wrong with them. Nothing was sent: this was a dry run.".to_owned());
            return lines.join("\n");
        }
        let Sent { made, already, different, not_sent, refused } = &self.sent;
        let [made, already, not_sent] = [made, already, not_sent].map(|number| thousands(*number as u64));
        lines.push(format!("Made: {made}. Here already: {already}."));
        if !different.is_empty() {
            let number = count(different.len() as u64, "award says", "awards say");
            let shown: Vec<&str> = different.iter().take(SHOWN).map(String::as_str).collect();
            lines.push(format!(
                "Of these, {number} something else here than in the files, and stayed so: {}",
                shown.join(", ")
            ));
        }
        if !refused.is_empty() {
            lines.push(format!("Refused: {}:", count(refused.len() as u64, "award", "awards")));
            lines.extend(refused.iter().take(SHOWN).map(|(id, reason)| format!("  {id}: {reason}")));
            lines.push(format!("Not sent: {not_sent}."));
            lines.push("Mend what is wrong and give the same command again: no award is made twice.".to_owned());
        }
        lines.join("\n")
    }
}
