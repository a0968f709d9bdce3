//! The command line.

mod choice;
mod demo;
mod doctor;
mod health;
mod hub_config;
mod import;
mod init;
mod initiative;
mod join;
mod key;
mod measure;
mod member;
mod migrate;
mod organization;
pub(crate) mod progress;
mod quarantine;
mod reissue;
mod serve;
mod status;
mod stop;
mod token;
mod verify;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use chassis::config::Config;
use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::error::NodeError;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed
  2  something typed or configured is wrong
  3  no node answers
  4  a check did not hold

Every setting of the configuration file can also come from the environment, as COMMONWEAL_<SECTION>__<FIELD>:
  COMMONWEAL_LISTEN__GRPC=127.0.0.1:7430 commonweal serve

To begin:
  commonweal demo                                    see three organisations work together
  commonweal init --name \"Hartford Public Schools\"   make a node of your own
  commonweal serve --config commonweal.toml          run it";

/// The exit code of a check that did not hold.
const NOT_HELD: u8 = 4;

/// A node of a collective-impact initiative: it keeps an organisation's data at home and shares with the others what
/// agreements allow.
#[derive(Debug, Parser)]
#[command(name = "commonweal", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// The configuration file (TOML). Without it the defaults and the environment count.
    #[arg(long, global = true, env = "COMMONWEAL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Token(token::Token),
    Invite(join::Invite),
    Join(join::Join),
    Revoke(join::Revoke),
    Key(key::Key),
    Initiative(initiative::Command),
    Organization(organization::Command),
    Member(member::Command),
    Measure(measure::Command),
    Import(import::Import),
    Status(status::Status),
    Doctor(doctor::Doctor),
    Quarantine(quarantine::Quarantine),
    Reissue(reissue::Reissue),
    Verify(verify::Verify),
    Health(health::Health),
    Migrate(migrate::Migrate),
    HubConfig(hub_config::HubConfig),
    Demo(demo::Demo),
}

/// The whole program: does what stands on the command line, and says in one line what stood in the way.
pub fn main() -> ExitCode {
    // Two libraries each bring a TLS backend: say once which one counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("commonweal: the operating system gives no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli.run()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("commonweal: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// Why not, in one line.
    pub async fn run(self) -> Result<ExitCode, NodeError> {
        let config = || Config::load(self.config.as_deref());
        match self.command {
            Command::Init(init) => init.run(self.config.as_deref()),
            Command::Serve(serve) => serve.run(config()?, self.config.as_deref()).await,
            Command::Token(token) => token.run(&config()?),
            Command::Invite(invite) => invite.run(&config()?).await,
            Command::Join(join) => join.run(&config()?).await,
            Command::Revoke(revoke) => revoke.run(&config()?).await,
            Command::Key(key) => key.run(&config()?).await,
            Command::Initiative(initiative) => initiative.run(&config()?).await,
            Command::Organization(organization) => organization.run(&config()?).await,
            Command::Member(member) => member.run(&config()?).await,
            Command::Measure(measure) => measure.run(&config()?).await,
            Command::Import(import) => import.run(&config()?).await,
            Command::Status(status) => status.run(&config()?).await,
            Command::Doctor(doctor) => doctor.run(config()).await,
            Command::Quarantine(quarantine) => quarantine.run(&config()?).await,
            Command::Reissue(reissue) => reissue.run(&config()?).await,
            Command::Verify(verify) => verify.run(&config()?).await,
            Command::Health(health) => health.run(&config()?).await,
            Command::Migrate(migrate) => migrate.run(&config()?).await,
            Command::HubConfig(hub) => hub.run(&config()?),
            Command::Demo(demo) => demo.run().await,
        }
    }
}

/// Prints data: as JSON for programs, or as `words` for people.
fn print<T: Serialize>(json: bool, data: &T, words: impl FnOnce(&T) -> String) -> Result<ExitCode, NodeError> {
    let text = match json {
        true => serde_json::to_string_pretty(data).map_err(|error| NodeError::Usage(error.to_string()))?,
        false => words(data),
    };
    out(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output. Whoever reads there may have read enough (`| head`): that is no failure.
fn out(text: &str) -> Result<(), NodeError> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(NodeError::Usage(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// A fresh id for a request that writes.
pub(crate) fn request_id() -> String {
    chassis::clock::new_id().to_string()
}
