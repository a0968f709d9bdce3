//! `commonweal verify`: proof from the node's own database.

use std::process::ExitCode;

use chassis::config::Config;
use chassis::identity::NodeKeys;
use clap::Args;

use super::print;
use super::progress::Progress;
use crate::error::NodeError;
use crate::ground::Ground;
use crate::verify::{Report, Verifier};

const HELP: &str = "\
Examples:
  commonweal verify
  commonweal verify --json | jq .wrong

Exit code 4 when something does not hold: the first thing that is wrong is named, with its space, origin and \
sequence, or its table and row.";

/// Prove from this node's own database that nothing was altered.
///
/// Computes everything again that can be proved: that no entry is missing or altered, that every seal holds, that the
/// backbone judged by the rules, and that the tables follow from the logs. The node may run meanwhile; its rooms wait
/// while their logs are folded again.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Verify {
    /// Do not fold the rooms' logs again: they need not wait then.
    #[arg(long)]
    skip_folds: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let folder = &config.node.data_dir;
        let keys = NodeKeys::load(folder)?.ok_or_else(|| NodeError::NoNode(folder.clone()))?;
        let own_keys = keys.chain().iter().filter_map(|key| key.public_key.as_ref().try_into().ok()).collect();
        let ground = Ground::open(config).await?;
        let watch = Progress::default();
        let verifier = Verifier {
            database: &ground.url,
            node: keys.id().clone(),
            own_keys,
            folds: !self.skip_folds,
            watch: &watch,
        };
        let report = verifier.run().await;
        watch.end();
        ground.close().await;
        let report = report?;
        print(self.json, &report, words)?;
        Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(super::NOT_HELD) })
    }
}

fn words(report: &Report) -> String {
    let mut lines = vec![format!("node {}", report.node)];
    lines.extend(report.checks.iter().map(|check| format!("  ok     {:<12} {}", check.check, check.words)));
    match &report.wrong {
        None => lines.push("Everything holds.".to_owned()),
        Some(wrong) => {
            lines.push(format!("  WRONG  {:<12} {}", wrong.check, wrong.words()));
            lines.push("What comes after was not checked.".to_owned());
        }
    }
    lines.join("\n")
}
