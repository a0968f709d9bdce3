//! The configuration of a node: one struct, filled from defaults, then a TOML file, then the environment.
//!
//! The comments on the fields are the documentation: [`Config::reference`] prints them as an example file.

mod load;
mod section;
mod setting;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use load::environment;
use section::{config, section};
pub use setting::{LogFormat, Secret};

/// What begins the name of every variable: `COMMONWEAL_LISTEN__GRPC` sets `grpc` in `[listen]`.
pub const PREFIX: &str = "COMMONWEAL_";

/// Why a configuration cannot be used. One line, that names the place and says what is allowed there.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Something in the file is not allowed.
    #[error("{path}, line {line}{place}: {wrong}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Section and field, as `, [listen] grpc`.
        place: String,
        /// What is wrong, and what is allowed.
        wrong: String,
    },
    /// A variable is not allowed.
    #[error("environment variable {variable}: {wrong}")]
    Variable {
        /// Which.
        variable: String,
        /// What is wrong, and what is allowed.
        wrong: String,
    },
    /// Settings do not go together.
    #[error("configuration: {0}")]
    Together(&'static str),
}

config! {
    /// This node.
    node: Node,
    /// Where this node is called.
    listen: Listen,
    /// The truth: Postgres.
    database: Database,
    /// The road between the services of this node: NATS with JetStream.
    broker: Broker,
    /// The hub, through which the nodes of an initiative are linked. Only a backbone's node has one.
    hub: Hub,
    /// Whose tokens count. Without an issuer the node is its own: `commonweal token` makes tokens then.
    auth: Auth,
    /// What this node tells about itself.
    telemetry: Telemetry,
    /// What a caller may ask for.
    limits: Limits,
}

section! {
    Node "node" {
        /// How people call this node.
        name: String = "a node".to_owned();
        /// Folder for keys and, where embedded, for Postgres and NATS. Only this node's user may read it.
        data_dir: PathBuf = PathBuf::from("commonweal-data");
        /// Folder for the marker by which the node knows its database again, and finds that it was restored. It must
        /// outlive the process, and no backup belongs into it. Without it the data_dir.
        marker_dir: Option<PathBuf> = None, as "/var/lib/commonweal-marker";
        /// The services that run in this process; all of them where the list is empty.
        only: Vec<String> = Vec::new();
        /// Where the services that other machines run are called, each as name=http://host:port. Commands ask there.
        elsewhere: Vec<String> = Vec::new();
    }
}

impl Node {
    /// Where the marker lies.
    pub fn markers(&self) -> &Path {
        self.marker_dir.as_deref().unwrap_or(&self.data_dir)
    }

    /// Whether a service runs in this process.
    pub fn runs(&self, service: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == service)
    }
}

section! {
    Listen "listen" {
        /// Address and port for gRPC, gRPC-web, health, reflection and /metrics.
        grpc: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 7420));
        /// File with the certificate chain (PEM). With it the port speaks TLS.
        certificate: Option<PathBuf> = None, as "/etc/commonweal/tls/tls.crt";
        /// File with the certificate's private key (PEM).
        key: Option<PathBuf> = None, as "/etc/commonweal/tls/tls.key";
        /// Allows an address beyond this machine without TLS, where something before it speaks TLS.
        insecure: bool = false;
        /// Origins whose web pages may call over gRPC-web, each as scheme, host and port, such as
        /// https://console.example.org; none where the list is empty.
        allowed_origins: Vec<String> = Vec::new();
        /// Seconds that calls under way have to finish when the node stops.
        drain_seconds: u64 = 10;
    }
}

section! {
    Database "database" {
        /// Address of a Postgres 18 database, as a login that may make roles and schemas in it. Without it the node
        /// starts a Postgres of its own. Text, or { file = "..." }.
        url: Option<Secret> = None, as "postgres://commonweal@localhost:5433/commonweal";
        /// Connections of each service, at the most.
        connections: u32 = 16;
    }
}

section! {
    Broker "broker" {
        /// Address of a NATS server. Without it the node starts one of its own. Text, or { file = "..." }.
        url: Option<Secret> = None, as "nats://localhost:4333";
    }
}

section! {
    Hub "hub" {
        /// Runs a hub beside this node.
        enabled: bool = false;
        /// Where this node reaches the hub's server, where something else runs it with what `commonweal hub-config` wrote.
        /// Without it the node runs the server itself.
        server: Option<String> = None, as "tls://hub.internal:7421";
        /// Address and port where nodes of partners come in, over TLS.
        listen: SocketAddr = SocketAddr::from(([0, 0, 0, 0], 7421));
        /// Address and port where they come in over WebSocket with TLS, from networks that let nothing else out.
        websocket_listen: Option<SocketAddr> = None, as "0.0.0.0:443";
        /// Where partners find the hub, as it stands in invitations: tls://host:port, or wss://host:port. Without it
        /// invitations name the address listened on, which only reaches as far as this machine.
        public_address: Option<String> = None, as "tls://hub.example.org:7421";
        /// File with the hub's certificate chain (PEM). Without it the hub has an authority of its own, which
        /// invitations pin.
        certificate: Option<PathBuf> = None, as "/etc/commonweal/hub/tls.crt";
        /// File with the certificate's private key (PEM).
        key: Option<PathBuf> = None, as "/etc/commonweal/hub/tls.key";
        /// File with the certificate (PEM) of the authority that signed it, which invitations pin.
        authority: Option<PathBuf> = None, as "/etc/commonweal/hub/ca.crt";
        /// Bytes of disk for all mailboxes together.
        disk_bytes: u64 = 16 << 30;
        /// Bytes in each direction of one mailbox; a hub takes disk_bytes / (2 * mailbox_bytes + 4 MiB) partners.
        mailbox_bytes: u64 = 64 << 20;
    }
}

section! {
    Auth "auth" {
        /// The issuer of tokens: the `iss` they carry. Without it the node's own.
        issuer: Option<String> = None, as "https://login.example.org/realms/commonweal";
        /// The `aud` that tokens must name.
        audience: String = "commonweal".to_owned();
        /// File with the issuer's keys, as a JSON Web Key Set.
        jwks_file: Option<PathBuf> = None, as "/etc/commonweal/jwks.json";
        /// Address of the issuer's keys; asked again when a token names a key that is unknown.
        jwks_url: Option<String> = None, as "https://login.example.org/realms/commonweal/protocol/openid-connect/certs";
        /// The claim that lists the references of the organizations a caller speaks for.
        organizations_claim: String = "organizations".to_owned();
        /// The claim that is true for those who operate this node.
        operator_claim: String = "operator".to_owned();
        /// 64 hexadecimal digits from which pseudonyms of callers are made; all processes of a node need the same, and
        /// it must never change. Without it a file in data_dir. Text, or { file = "..." }.
        pseudonym_secret: Option<Secret> = None, as "0000000000000000000000000000000000000000000000000000000000000000";
    }
}

section! {
    Telemetry "telemetry" {
        /// How log lines look: text or json.
        log_format: LogFormat = LogFormat::Text;
        /// Which log lines are written: error, warn, info, debug or trace, also by module as in info,chassis=debug. What
        /// the drivers of database and broker say of their daily work, nobody needs to know.
        log_filter: String = "info,async_nats=warn,sqlx=warn".to_owned();
        /// OTLP endpoint (gRPC) for traces, metrics and logs. Without it none are sent.
        otlp_endpoint: Option<String> = None, as "http://localhost:4317";
    }
}

section! {
    Limits "limits" {
        /// Bytes of a request or an answer, at the most.
        message_bytes: usize = 4 << 20;
        /// Seconds that a call may take; a caller may ask for less.
        request_seconds: u64 = 30;
        /// Calls of one caller in a second, on the long run; 0 for no limit.
        calls_per_second: u32 = 1000;
        /// Calls of one caller at once.
        burst: u32 = 2000;
    }
}
