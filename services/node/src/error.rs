//! Why a node does not start or a command does not work: one line each, with what to do.

use std::path::PathBuf;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] chassis::config::ConfigError),
    /// The data directory cannot be made.
    #[error(
        "cannot make the data directory {path}: {source}; set node.data_dir (COMMONWEAL_NODE__DATA_DIR) to another"
    )]
    DataDir {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file with a secret.
    #[error(transparent)]
    Strongbox(#[from] chassis::strongbox::BoxError),
    /// A key.
    #[error(transparent)]
    Key(#[from] chassis::identity::KeyError),
    /// The node's own issuer.
    #[error(transparent)]
    Issuer(#[from] chassis::authn::LocalIssuerError),
    /// The appointment on disk.
    #[error("{0} is not the appointment of a backbone: restore it from a backup")]
    Appointment(PathBuf),
    /// A service that there is not.
    #[error("there is no service \"{name}\"; there are: {known}")]
    UnknownService {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The secret for pseudonyms.
    #[error("auth.pseudonym_secret must be 64 hexadecimal digits in lower case")]
    PseudonymSecret,
    /// An issuer without keys.
    #[error("auth.issuer is set without its keys: set auth.jwks_file or auth.jwks_url, or leave auth.issuer out")]
    IssuerWithoutKeys,
    /// Postgres.
    #[error(transparent)]
    Database(#[from] chassis::database::DatabaseError),
    /// What is kept cannot be read.
    #[error("cannot read the database: {0}")]
    Unreadable(sqlx::Error),
    /// A process that this node starts.
    #[error(transparent)]
    Embedded(#[from] chassis::embedded::EmbeddedError),
    /// A database of the operator's own.
    #[error("{0}; that is what database.url (COMMONWEAL_DATABASE__URL) names: correct it, or leave it out")]
    DatabaseUrl(chassis::database::DatabaseError),
    /// The broker.
    #[error(
        "cannot use the broker at {address}: {reason}; that is what broker.url (COMMONWEAL_BROKER__URL) names: correct \
         it, or leave it out"
    )]
    Broker {
        /// The address, without a password.
        address: String,
        /// Why not.
        reason: String,
    },
    /// A port of the hub is taken, or the address is not this machine's.
    #[error("cannot listen on {address} for partners: {source}; set {setting} ({variable}) to another")]
    HubPort {
        /// Where.
        address: std::net::SocketAddr,
        /// Which setting says so.
        setting: &'static str,
        /// The variable of the same meaning.
        variable: &'static str,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The hub.
    #[error("the hub: {0}")]
    Hub(#[from] federation::hub::HubError),
    /// The border.
    #[error(transparent)]
    Border(#[from] federation::border::BorderError),
    /// The fold.
    #[error(transparent)]
    Fold(#[from] chassis::room::FoldError),
    /// The port.
    #[error(transparent)]
    Server(#[from] chassis::server::ServerError),
    /// Telemetry.
    #[error(transparent)]
    Telemetry(#[from] chassis::telemetry::TelemetryError),
    /// A task that ended by itself.
    #[error("a task of this node ended by itself: {0}")]
    Task(String),
    /// There is no node here.
    #[error("there is no node under {0}: make one with `commonweal init`, or name its configuration with --config")]
    NoNode(PathBuf),
    /// No node answers.
    #[error("no node answers at {address}: is `commonweal serve` running with the same configuration? ({reason})")]
    NotRunning {
        /// Where.
        address: String,
        /// Why not.
        reason: String,
    },
    /// A node that this program started ended by itself, or would not end.
    #[error("the node {name}: {said} (its log: {log})")]
    Child {
        /// Which.
        name: String,
        /// Its last words.
        said: String,
        /// Where the rest stands.
        log: PathBuf,
    },
    /// Something that was waited for.
    #[error("waited {seconds} s in vain for {what}")]
    Late {
        /// For what.
        what: String,
        /// How long.
        seconds: u64,
    },
    /// A call was refused.
    #[error("{0}")]
    Refused(String),
    /// Anything a command itself finds wrong.
    #[error("{0}")]
    Usage(String),
}

impl NodeError {
    /// The exit code: 2 for what the caller can mend in what was typed or configured, 3 where nothing answers, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Usage(_) | Self::UnknownService { .. } | Self::NoNode(_) => 2,
            Self::NotRunning { .. } => 3,
            _ => 1,
        }
    }
}

impl From<tonic::Status> for NodeError {
    fn from(status: tonic::Status) -> Self {
        match status.code() {
            // The node found wrong what was typed.
            tonic::Code::InvalidArgument => Self::Usage(status.message().to_owned()),
            _ => Self::Refused(status.message().to_owned()),
        }
    }
}
