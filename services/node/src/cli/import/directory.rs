//! `commonweal import directory`: a directory of organisations into organisations of this node and their offers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use chassis::config::Config;
use clap::Args;
use proto::federation::GetStatusRequest;
use proto::membership::Sector;
use serde::Serialize;

use super::super::choice::choice;
use super::super::initiative::Which;
use super::super::progress::Progress;
use super::super::{NOT_HELD, print};
use super::{How, files, left_out_words, some};
use crate::client::Client;
use crate::error::NodeError;
use crate::import::directory::{Plan, RECORDS, TABLE, plan};
use crate::import::{Fault, File, Report};
use crate::load::{self, Loaded, Loading, Sent};
use crate::words::{count, thousands};

/// How many refusals a person is shown.
const SHOWN: usize = 20;

const HELP: &str = "\
Examples:
  commonweal import directory --register smc-connect --sector nonprofit --dry-run directory/
  commonweal import directory --register smc-connect --sector nonprofit directory/

What becomes of it:
  organisation    an organisation that lives on this node, no member yet; its id is an identifier of the register
  service         an offer of its organisation, in words, with its place; those that are not active are left out
  people, e-mail addresses, telephone numbers, schedules
                  nothing: all members would see them; what is left out is counted by file and column

Exit code 4 when rows are wrong: each is named with file, line, column, and what is wrong with it.";

/// A directory of organisations and their services, in the tables of Open Referral (HSDS, or Ohana's before it).
///
/// The folder has organizations.csv, and may have locations.csv, addresses.csv, services.csv, service_at_location.csv and
/// organization_identifiers.csv; or organizations.jsonl, with one JSON record in each line, as Ohana first had it. Every
/// file is read to its end before anything is sent, and one wrong row is enough for nothing to be sent. What is here
/// already is not made twice, and not changed.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Directory {
    /// The folder with the files.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// What this directory is called here as a register, always the same: its organisation 7 is then NAME:7.
    #[arg(long, value_name = "NAME", value_parser = register)]
    register: String,
    /// The sector of those of which the directory does not say it; needed where there are such.
    #[arg(long, value_parser = choice::<Sector>())]
    sector: Option<Sector>,
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
    files: usize,
    found: Found,
    faults: Vec<Fault>,
    sent: Loaded,
}

/// What is in the files.
#[derive(Debug, Default, Serialize)]
struct Found {
    organizations: usize,
    offers: usize,
    /// Those of which the directory does not say the sector.
    without_sector: usize,
    /// Offers that were too long to be taken whole.
    shortened: usize,
    /// What neither organisations nor offers can hold: how often, by file and column.
    left_out: BTreeMap<String, usize>,
}

fn register(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match text {
        text if (1..=40).contains(&text.len()) && text.bytes().all(fits) => Ok(text.to_owned()),
        _ => Err("it needs 1 to 40 letters, digits, \".\", \"_\" and \"-\", such as smc-connect".to_owned()),
    }
}

impl Directory {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let files = self.files()?;
        let mut plan = match plan(&files, &self.register) {
            Ok(plan) => plan,
            Err(report) => {
                let imported = Imported { files: files.len(), faults: report.faults, ..Imported::default() };
                print(self.how.json, &imported, Imported::words)?;
                return Ok(ExitCode::from(NOT_HELD));
            }
        };
        let found = Found::of(&plan);
        self.sectors(&mut plan)?;
        let found = Imported { ok: true, files: files.len(), found, ..Imported::default() };
        if self.how.dry_run {
            return print(self.how.json, &Imported { dry_run: true, ..found }, Imported::words);
        }
        let sent = self.send(config, &plan).await?;
        let ok = sent.organizations.refused.is_empty() && sent.offers.refused.is_empty();
        print(self.how.json, &Imported { ok, sent, ..found }, Imported::words)?;
        Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn files(&self) -> Result<Vec<File>, NodeError> {
        let folder = self.folder.display();
        if self.folder.is_file() {
            return Err(NodeError::Usage(format!("{folder} is a file: name the folder in which {TABLE} stands")));
        }
        let there = |name: &str| self.folder.join(name).is_file();
        match (there(TABLE), there(RECORDS)) {
            (true, _) => files::read(std::slice::from_ref(&self.folder), "csv"),
            (false, true) => files::read(&[self.folder.join(RECORDS)], "jsonl"),
            (false, false) => Err(NodeError::Usage(format!("there is neither {TABLE} nor {RECORDS} in {folder}"))),
        }
    }

    /// Gives those a sector of which the directory does not say it.
    fn sectors(&self, plan: &mut Plan) -> Result<(), NodeError> {
        let without = plan.without_sector();
        let Some(first) = without.first() else { return Ok(()) };
        let Some(sector) = self.sector else {
            let organizations = count(without.len() as u64, "organisation", "organisations");
            return Err(NodeError::Usage(format!(
                "the directory does not say the sector of {organizations}, such as \"{first}\": say it for all of them \
                 with --sector"
            )));
        };
        for organization in plan.organizations.values_mut().filter(|one| one.sector == 0) {
            organization.sector = sector.into();
        }
        Ok(())
    }

    async fn send(&self, config: &Config, plan: &Plan) -> Result<Loaded, NodeError> {
        let client = Client::operator(config).await?;
        let initiative = self.which.meant(&client).await?.reference;
        let here = client.federation().get_status(GetStatusRequest {}).await?.into_inner().node;
        let what = Loading { initiative: &initiative, here: &here, register: &self.register, plan };
        let progress = Progress::default();
        let loaded = load::register_all(&client, &what, &progress).await;
        progress.end();
        loaded
    }
}

impl Found {
    fn of(plan: &Plan) -> Self {
        Self {
            organizations: plan.organizations.len(),
            offers: plan.offers.len(),
            without_sector: plan.without_sector().len(),
            shortened: plan.shortened(),
            left_out: plan.left_out.clone(),
        }
    }

    fn words(&self, files: usize) -> Vec<String> {
        let number = |number: usize, one, many| count(number as u64, one, many);
        let organizations = number(self.organizations, "organisation", "organisations");
        let offers = number(self.offers, "service", "services");
        let mut lines = vec![format!("Read {}: {organizations}, {offers}.", number(files, "file", "files"))];
        if self.without_sector > 0 {
            let those = number(self.without_sector, "organisation has", "organisations have");
            lines.push(format!("{those} the sector that --sector gives: the directory does not say it."));
        }
        if self.shortened > 0 {
            let those = number(self.shortened, "service is", "services are");
            lines.push(format!("{those} longer than an offer may be (4,000 characters): the longest part was cut."));
        }
        lines.extend(left_out_words(&self.left_out));
        lines
    }
}

impl Imported {
    fn words(&self) -> String {
        if !self.faults.is_empty() {
            return Report { faults: self.faults.clone() }.to_string();
        }
        let mut lines = self.found.words(self.files);
        if self.dry_run {
            lines.push("Nothing is wrong with them. Nothing was sent: this was a dry run.".to_owned());
            return lines.join("\n");
        }
        let Loaded { organizations, elsewhere, offers } = &self.sent;
        if !elsewhere.is_empty() {
            lines.push(format!("Left as they are, for they live on other nodes: {}", some(elsewhere)));
        }
        lines.extend(sent_words("Organisations", organizations));
        lines.extend(sent_words("Offers", offers));
        if !offers.different.is_empty() {
            let those = count(offers.different.len() as u64, "offer here says", "offers here say");
            lines.push(format!(
                "{those} something else than the directory and stay as they are: {}",
                some(&offers.different)
            ));
        }
        if !self.ok {
            lines.push("Mend what is wrong and give the same command again: nothing is made twice.".to_owned());
        }
        lines.join("\n")
    }
}

fn sent_words(what: &str, sent: &Sent) -> Vec<String> {
    let [made, already, not_sent] = [sent.made, sent.already, sent.not_sent].map(|number| thousands(number as u64));
    let mut lines = vec![format!("{what}: {made} made, {already} here already.")];
    if !sent.refused.is_empty() || sent.not_sent > 0 {
        lines.extend(sent.refused.iter().take(SHOWN).map(|(name, reason)| format!("  refused: {name}: {reason}")));
        lines.push(format!("  not sent: {not_sent}"));
    }
    lines
}
