//! `commonweal doctor`: what is wrong with a node and what to do about it.

use std::process::ExitCode;

use chassis::config::{Config, ConfigError};
use clap::Args;
use serde::Serialize;

use super::{NOT_HELD, print};
use crate::doctor::{self, Finding, Level};
use crate::error::NodeError;

const HELP: &str = "\
Examples:
  commonweal doctor
  commonweal doctor --json | jq '.findings[] | select(.level == \"wrong\")'

Exit code 4 when something is wrong; advice alone is no failure.";

/// Say what is wrong with this node and what to do.
///
/// Looks at everything the node stands on, one by one: configuration, keys, disk, Postgres, broker, hub, clocks, links,
/// and what waits. Nothing is changed, and the node may run or not.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Doctor {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Examined {
    ok: bool,
    findings: Vec<Finding>,
}

impl Doctor {
    pub(super) async fn run(self, config: Result<Config, ConfigError>) -> Result<ExitCode, NodeError> {
        let findings = doctor::examine(&config).await;
        let examined = Examined { ok: findings.iter().all(|finding| finding.level != Level::Wrong), findings };
        print(self.json, &examined, words)?;
        Ok(if examined.ok { ExitCode::SUCCESS } else { ExitCode::from(NOT_HELD) })
    }
}

fn words(examined: &Examined) -> String {
    let mut lines = Vec::new();
    for Finding { check, level, words, remedy } in &examined.findings {
        let mark = match level {
            Level::Well => "ok",
            Level::Advice => "advice",
            Level::Wrong => "WRONG",
            Level::Skipped => "-",
        };
        lines.push(format!("{mark:<7} {check:<22} {words}"));
        if !remedy.is_empty() {
            lines.push(format!("{:<31}-> {remedy}", ""));
        }
    }
    let wrong = examined.findings.iter().filter(|finding| finding.level == Level::Wrong).count();
    lines.push(match wrong {
        0 => "Nothing is wrong.".to_owned(),
        1 => "One thing is wrong.".to_owned(),
        many => format!("{many} things are wrong; mend the first, and look again."),
    });
    lines.join("\n")
}
