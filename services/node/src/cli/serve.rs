//! `commonweal serve`: the node itself.

use std::process::ExitCode;

use chassis::config::Config;
use chassis::telemetry::Telemetry;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::NodeError;
use crate::house::House;

const EXAMPLES: &str = "\
Examples:
  commonweal serve --config commonweal.toml
  commonweal serve --only measurement      one service, as on Kubernetes
  commonweal serve --print-config          every setting, with its meaning and default";

/// Run the node until it gets SIGTERM or Ctrl-C; calls under way are finished first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// Run only this service; can be given several times.
    #[arg(long, value_name = "SERVICE")]
    only: Vec<String>,
    /// Print every setting with its meaning and default, and end.
    #[arg(long)]
    print_config: bool,
}

impl Serve {
    pub(super) async fn run(self, mut config: Config) -> Result<ExitCode, NodeError> {
        if self.print_config {
            print!("{}", Config::reference());
            return Ok(ExitCode::SUCCESS);
        }
        if !self.only.is_empty() {
            config.node.only = self.only;
        }
        let telemetry = Telemetry::start(&config.telemetry, &config.node.name)?;
        let until = told_to_stop()?;
        let house = House::start(&config).await?;
        tracing::info!(node.id = %house.node, address = %house.address, "node started");
        let ended = house.serve(until).await;
        telemetry.finish();
        ended.map(|()| ExitCode::SUCCESS)
    }
}

/// Comes when the operating system asks the process to end.
fn told_to_stop() -> Result<impl Future<Output = ()>, NodeError> {
    let listen = |kind| signal(kind).map_err(|error| NodeError::Task(error.to_string()));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
