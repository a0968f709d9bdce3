//! `commonweal import iati`: IATI files into activities of an organisation of this node.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use chassis::config::Config;
use clap::Args;
use proto::federation::GetStatusRequest;
use serde::Serialize;

use super::super::initiative::Which;
use super::super::organization::ours;
use super::super::progress::Progress;
use super::super::{NOT_HELD, print};
use super::{How, files};
use crate::client::Client;
use crate::error::NodeError;
use crate::import::iati::{Activities, Found, Sums};
use crate::import::{Fault, Report};
use crate::load::{self, Carried, Ground};
use crate::verify::Watch;
use crate::words::{count, thousands};

/// Who may lead the activities that were read: for each the identifiers, the first at best.
type Leads = BTreeSet<Vec<String>>;

/// How many refusals a person is shown.
const SHOWN: usize = 20;

const HELP: &str = "\
Examples:
  commonweal import iati --dry-run activities.xml            read everything, send nothing
  commonweal import iati activities.xml                      the publisher is known here by its identifier
  commonweal import iati --lead \"Reading aid\" --budgets-as-needs activities.xml

An activity is led by the organisation of this node that answers for it, carries it out or publishes it, as the file
says; others that take part in the initiative support or fund it, and are known by their identifiers. A status of
finalisation or closed becomes completed; one that is suspended stays under way.

What the leading organisation has committed becomes its awards, and what it has disbursed of them is paid. What others
have committed or paid is theirs to say: it is counted, by currency, and left out. So is all that an activity cannot say
here, such as sectors, results, contacts and documents. A budget tells what will be spent, which calls on nobody: it
becomes a need only with --budgets-as-needs, for publishers whose budgets say what they ask for.

Exit code 4 when something is wrong: each fault is named with file, line and element, and what would be right.";

/// Activities in the format of the International Aid Transparency Initiative (IATI 2.x, XML).
///
/// Every file is read to its end before anything is sent, whatever its size, and one fault is enough for nothing to be
/// sent. If the node refuses an activity, no other is begun, and what was done and what not is said; the same command
/// again goes on from there, for what is here already is not made twice, and is not changed but for an activity's state,
/// which moves on.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Iati {
    /// The files, or folders with them (*.xml).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// The organisation of this node that leads all of them; needed where it is not known by the files' identifiers.
    #[arg(long, value_name = "ORGANISATION")]
    lead: Option<String>,
    /// State each budget as a need of the organisation that leads.
    #[arg(long)]
    budgets_as_needs: bool,
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
    #[serde(flatten)]
    carried: Carried,
}

impl Iati {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let paths = files::paths(&self.files, &["xml"])?;
        let (found, leads, faults) = self.read(&paths)?;
        let imported = Imported { files: paths.len(), found, faults, dry_run: self.how.dry_run, ..Imported::default() };
        if !imported.faults.is_empty() {
            print(self.how.json, &imported, Imported::words)?;
            return Ok(ExitCode::from(NOT_HELD));
        }
        if self.how.dry_run {
            return print(self.how.json, &Imported { ok: true, ..imported }, Imported::words);
        }
        let carried = self.send(config, &paths, &leads, imported.found.activities).await?;
        let ok = carried.refused.is_empty();
        print(self.how.json, &Imported { ok, carried, ..imported }, Imported::words)?;
        Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Reads all files once: what is in them, who may lead, and what is wrong.
    fn read(&self, paths: &[PathBuf]) -> Result<(Found, Leads, Vec<Fault>), NodeError> {
        let (mut found, mut leads, mut faults) = (Found::default(), BTreeSet::new(), Vec::new());
        let progress = Progress::default();
        progress.begin("files read", paths.len() as u64);
        for path in paths {
            let name = path.display().to_string();
            for activity in Activities::of(&name, files::open(path)?, &mut found, self.budgets_as_needs) {
                match activity {
                    Ok(planned) => drop(leads.insert(planned.leads)),
                    Err(wrong) => faults.extend(wrong),
                }
            }
            progress.done(1);
        }
        progress.end();
        Ok((found, leads, faults))
    }

    /// Reads all files again and sends what is in them.
    async fn send(
        &self,
        config: &Config,
        paths: &[PathBuf],
        leads: &Leads,
        activities: u64,
    ) -> Result<Carried, NodeError> {
        let client = Client::operator(config).await?;
        let initiative = self.which.meant(&client).await?.reference;
        let here = client.federation().get_status(GetStatusRequest {}).await?.into_inner().node;
        let lead = match &self.lead {
            Some(named) => Some(ours(&client, &initiative, Some(named)).await?.reference),
            None => None,
        };
        let ground = Ground::of(&client, &initiative, &here, lead.as_deref(), leads.iter()).await?;
        let progress = Progress::default();
        progress.begin("activities", activities);
        let (mut found, mut carried) = (Found::default(), Carried::default());
        for path in paths {
            let name = path.display().to_string();
            let all = Activities::of(&name, files::open(path)?, &mut found, self.budgets_as_needs);
            // Nothing was wrong with them a moment ago.
            let all = all.filter_map(Result::ok);
            carried = load::carry_all(&client, &ground, all, carried, || progress.done(1)).await;
        }
        progress.end();
        Ok(carried)
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
        let Carried { made, already, awards, disbursements, needs, not_sent, unknown_organizations, refused } =
            &self.carried;
        let counted = |number: &usize, one: &str, many: &str| count(*number as u64, one, many);
        if *unknown_organizations > 0 {
            let mentions = counted(unknown_organizations, "mention", "mentions");
            lines
                .push(format!("Left out {mentions} of organisations that nobody takes part as, by their identifiers."));
        }
        let [made, already] = [made, already].map(|number| thousands(*number as u64));
        let beside = [
            counted(awards, "award", "awards"),
            counted(disbursements, "disbursement", "disbursements"),
            counted(needs, "need", "needs"),
        ];
        lines.push(format!("Activities made: {made}. Here already: {already}. With them: {}.", beside.join(", ")));
        if !refused.is_empty() {
            lines.push(format!("Refused: {}:", counted(&refused.len(), "activity", "activities")));
            lines.extend(refused.iter().take(SHOWN).map(|(id, reason)| format!("  {id}: {reason}")));
            lines.push(format!("Not sent: {}.", thousands(*not_sent as u64)));
            lines.push("Mend what is wrong and give the same command again: nothing is made twice.".to_owned());
        }
        lines.join("\n")
    }
}

impl Found {
    fn words(&self, files: usize) -> Vec<String> {
        let (files, activities) =
            (count(files as u64, "file", "files"), count(self.activities, "activity", "activities"));
        let mut lines = vec![format!("Read {files} with {activities}:")];
        for (number, one, many) in [
            (self.awards, "award", "awards"),
            (self.disbursements, "disbursement", "disbursements"),
            (self.needs, "need", "needs"),
        ] {
            if number > 0 {
                lines.push(format!("  {}", count(number, one, many)));
            }
        }
        lines.extend(self.transactions.iter().map(|(kind, sums)| format!("  in the files, {kind}: {}", said(sums))));
        if self.budgets.count > 0 {
            lines.push(format!("  in the files, budgets: {}", said(&self.budgets)));
        }
        let counted = |(what, number): (String, &u64)| format!("{} {what}", thousands(*number));
        if !self.left_out.is_empty() {
            lines.push("Left out, since it is not said here or not theirs to say:".to_owned());
            let left = self.left_out.iter().map(|(what, number)| counted(((*what).to_owned(), number)));
            lines.extend(left.map(|line| format!("  {line}")));
        }
        if !self.passed.is_empty() {
            let passed: Vec<String> =
                self.passed.iter().map(|(name, number)| counted((name.clone(), number))).collect();
            lines.push(format!("Passed over, since an activity has no such thing here: {}.", passed.join(", ")));
        }
        lines
    }
}

/// How many, and what they add up to by currency.
fn said(sums: &Sums) -> String {
    let all: Vec<String> = sums.sums.iter().map(|(currency, sum)| format!("{currency} {}", sum.normalize())).collect();
    format!("{}, {}", thousands(sums.count), all.join(", "))
}
