//! `commonweal serve`: the node itself.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use chassis::config::Config;
use chassis::telemetry::Telemetry;
use clap::Args;

use crate::error::NodeError;
use crate::house::House;

const EXAMPLES: &str = "\
Examples:
  commonweal serve --config commonweal.toml
  commonweal serve --only measurement      one service, as on Kubernetes
  commonweal serve --print-config          every setting, with its meaning and default";

/// Run the node: all its services, or some of them.
///
/// Runs until it gets SIGTERM or Ctrl-C; calls under way are finished first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// Run only this service; can be given several times.
    #[arg(long, value_name = "SERVICE")]
    only: Vec<String>,
    /// Print every setting with its meaning and default, and end.
    #[arg(long)]
    print_config: bool,
    /// Also end when standard input does: for a program that starts nodes and may be killed.
    #[arg(long, hide = true)]
    until_stdin_closes: bool,
}

impl Serve {
    pub(super) async fn run(self, mut config: Config, file: Option<&Path>) -> Result<ExitCode, NodeError> {
        if self.print_config {
            super::out(Config::reference().trim_end())?;
            return Ok(ExitCode::SUCCESS);
        }
        if !self.only.is_empty() {
            config.node.only = self.only;
        }
        let telemetry = Telemetry::start(&config.telemetry, &config.node.name)?;
        let mut told = super::stop::told(self.until_stdin_closes)?;
        let house = House::start(&config).await?;
        tracing::info!(node.id = %house.node, address = %house.address, "node started");
        if std::io::stdout().is_terminal() {
            super::out(&greeting(&config, &house, file))?;
        }
        let ended = house.serve(told.stop()).await;
        telemetry.finish();
        ended.map(|()| ExitCode::SUCCESS)
    }
}

/// What whoever started it wants to know next.
fn greeting(config: &Config, house: &House, file: Option<&Path>) -> String {
    let scheme = if config.listen.certificate.is_some() { "https" } else { "http" };
    let with = file.map(|file| format!(" --config {}", file.display())).unwrap_or_default();
    let services = match config.node.only.as_slice() {
        [] => "all services".to_owned(),
        only => only.join(", "),
    };
    let mut lines = vec![
        format!("\n{} is up: {services}", config.node.name),
        format!("  node      {}", house.node),
        format!("  called at {scheme}://{}", house.address),
        format!("  data      {}", config.node.data_dir.display()),
    ];
    if let Some(hub) = house.hub() {
        lines.push(format!("  partners  come in at {hub}"));
    }
    if config.auth.issuer.is_none() {
        lines.push(format!("  a token   commonweal token --operator{with}"));
    }
    lines.push(format!("  status    commonweal status{with}"));
    lines.push("Ctrl-C ends it; calls under way are finished first.\n".to_owned());
    lines.join("\n")
}
