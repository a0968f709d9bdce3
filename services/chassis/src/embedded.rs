//! Real Postgres and NATS as children of this process: what a node without servers of its own stands on.
//!
//! A child never outlives its parent: it hangs on a pipe, and ends by itself when the pipe does, so even a parent that was killed
//! leaves nothing behind. Two parents never share a folder: its lock is held by the child's own processes.

mod address;
mod find;
mod keeper;
mod nats;
mod postgres;
mod shield;

use std::io;
use std::path::{Path, PathBuf};

#[cfg(feature = "containers")]
pub(crate) use address::Address;
pub use find::{PostgresInstall, nats_server, postgres};
#[cfg(feature = "containers")]
pub(crate) use keeper::{last_words, make_folder};
#[cfg(feature = "containers")]
pub(crate) use nats::Plan;
pub use nats::{Nats, NatsConfig, NatsOptions};
#[cfg(feature = "containers")]
pub(crate) use postgres::settings;
pub use postgres::{Postgres, PostgresOptions};

/// Why an embedded server could not be started, asked or stopped.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// A private file cannot be used.
    #[error(transparent)]
    Private(#[from] crate::strongbox::BoxError),
    /// No binary that is new enough.
    #[error(
        "no {what} {wanted} or newer found (looked at: {}). Run deploy/tools, or set {variable} to {example}",
        tried.join("; ")
    )]
    NotFound {
        /// The program.
        what: &'static str,
        /// The oldest version that will do.
        wanted: String,
        /// What to set so that it is found.
        variable: &'static str,
        /// What to set it to.
        example: &'static str,
        /// Each place and what was wrong with it.
        tried: Vec<String>,
    },
    /// Somebody else runs a server over the same folder.
    #[error("{} is in use by process {pid}: stop that one first, or choose another folder", dir.display())]
    Running {
        /// The folder.
        dir: PathBuf,
        /// Who started the server that is there.
        pid: String,
    },
    /// The port that was asked for is taken.
    #[error("port {port} on 127.0.0.1 is in use: stop what listens there, or choose another port for {what}")]
    PortInUse {
        /// Which server wanted it.
        what: &'static str,
        /// The port.
        port: u16,
    },
    /// The data is of another major version of Postgres.
    #[error("{} holds data of Postgres {theirs}, found is Postgres {ours}: export with the old one and import again", dir.display())]
    OtherVersion {
        /// The folder.
        dir: PathBuf,
        /// The major version that wrote it.
        theirs: String,
        /// The major version found here.
        ours: u32,
    },
    /// The data is there and its password is not.
    #[error("{} is missing: the database beside it cannot be opened without it", .0.display())]
    NoPassword(PathBuf),
    /// Root may not run Postgres, and no other user can be used for it here.
    #[error("Postgres refuses to run as root, and no unprivileged user can use {}: choose a folder that others may enter, or run as another user", .0.display())]
    NoUnprivilegedUser(PathBuf),
    /// The server ended instead of serving.
    #[error("{what} did not start: {said} (its log: {})", log.display())]
    Exited {
        /// The server.
        what: &'static str,
        /// Its last words.
        said: String,
        /// Where the rest stands.
        log: PathBuf,
    },
    /// The server lives and does not serve.
    #[error("{what} was not ready after {seconds} s (its log: {})", log.display())]
    Late {
        /// The server.
        what: &'static str,
        /// How long was waited.
        seconds: u64,
        /// Where it may say why.
        log: PathBuf,
    },
    /// A file or a process could not be had.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server answered with an error.
    #[error("embedded Postgres: {0}")]
    Database(#[from] sqlx::Error),
    /// The operating system gave no randomness for a password.
    #[error("no randomness for a password: {0}")]
    Random(#[from] rand::rand_core::OsError),
}

/// Names what was tried on which path, for `map_err`.
fn io_error<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> EmbeddedError + 'a {
    move |source| EmbeddedError::Io { doing, path: path.to_owned(), source }
}
