//! `commonweal serve` as a child process. It ends with its parent, however that ends: its standard input is a pipe, and
//! it stops when the pipe does.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

use crate::error::NodeError;

/// How long a node may take to drain and end.
const ENDS_WITHIN: Duration = Duration::from_secs(45);

/// A running node; dropped, it is killed.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a node with a configuration; what it logs is added to `log`. A variable may tell it what is to be
    /// amiss: where to crash, or by how much its clock is wrong.
    ///
    /// # Errors
    /// Where the process cannot be started.
    pub fn start(
        program: &Path,
        name: &str,
        config: &Path,
        log: PathBuf,
        amiss: Option<(&str, &str)>,
    ) -> Result<Self, NodeError> {
        let child = || -> std::io::Result<Child> {
            let out = OpenOptions::new().create(true).append(true).open(&log)?;
            let err = out.try_clone()?;
            let mut command = command(program, config);
            if let Some((variable, value)) = amiss {
                command.env(variable, value);
            }
            command
                .args(["serve", "--until-stdin-closes"])
                .stdin(Stdio::piped())
                .stdout(out)
                .stderr(err)
                .process_group(0) // Ctrl-C is for the parent: nodes end after it has asked them to
                .kill_on_drop(true)
                .spawn()
        };
        match child() {
            Ok(child) => Ok(Self { name: name.to_owned(), child, log }),
            Err(source) => Err(NodeError::Child { name: name.to_owned(), said: source.to_string(), log }),
        }
    }

    /// Fails where the node has ended by itself, with its last words.
    ///
    /// # Errors
    /// That it has.
    pub fn still_there(&mut self) -> Result<(), NodeError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            _ => Err(NodeError::Child { name: self.name.clone(), said: self.last_words(), log: self.log.clone() }),
        }
    }

    /// The number that the system gave it, while it runs.
    pub fn number(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks the node to end, as an operating system does, and waits until it has.
    ///
    /// # Errors
    /// Where it had to be killed, or ended with a failure.
    pub async fn stop(mut self) -> Result<(), NodeError> {
        if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) {
            // Fails only where it has ended already.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let said = match tokio::time::timeout(ENDS_WITHIN, self.child.wait()).await {
            // One that was asked before it could listen ends of the signal itself.
            Ok(Ok(status)) if status.success() || status.signal() == Some(Signal::SIGTERM as i32) => return Ok(()),
            Ok(Ok(status)) => format!("{} ({status})", self.last_words()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("it did not end within {} s after it was asked to", ENDS_WITHIN.as_secs()),
        };
        Err(NodeError::Child { name: self.name.clone(), said, log: self.log.clone() })
    }

    /// Ends the node as a crash would.
    pub async fn kill(mut self) {
        let _ = self.child.kill().await;
    }

    fn last_words(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().last().unwrap_or("it said nothing").to_owned()
    }
}

/// The program, with a configuration. What is set for the caller is not meant for its nodes.
fn command(program: &Path, config: &Path) -> Command {
    let mut command = Command::new(program);
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_str().and_then(|name| name.strip_prefix(chassis::config::PREFIX));
        if name.is_some_and(|name| name.contains("__") || name == "TOKEN") {
            command.env_remove(&variable);
        }
    }
    command.arg("--config").arg(config);
    command
}

/// What a command said: on standard output, and whether it ended well.
pub(super) async fn ask(program: &Path, config: &Path, words: &[&str]) -> Result<(String, bool), NodeError> {
    let output = command(program, config).args(words).stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = output.map_err(|error| NodeError::Usage(format!("{}: {error}", program.display())))?;
    let said = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    Ok((String::from_utf8_lossy(said).trim().to_owned(), output.status.success()))
}
