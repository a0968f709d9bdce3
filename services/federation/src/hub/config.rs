//! The hub server's configuration file. It names no partner and so never changes with them.

use std::net::SocketAddr;
use std::path::Path;

use chassis::strongbox;
use serde_json::{Value, json};

use super::error::{HubError, unusable};
use super::keys::HubKeys;
use super::outlet::MAX_MESSAGE_BYTES;
use super::tls::HubTls;

/// Slow partners may take this long over a handshake, in seconds.
const HANDSHAKE_SECONDS: u32 = 10;

/// What the hub's server is started with.
#[derive(Debug, Clone)]
pub struct HubConfig<'a> {
    /// A name for server logs.
    pub server_name: &'a str,
    /// Where `tls://` is listened for. The port must be a real one: partners are told it.
    pub listen: SocketAddr,
    /// Where `wss://` is listened for, if at all.
    pub websocket: Option<SocketAddr>,
    /// Folder for streams and accounts.
    pub store_dir: &'a Path,
    /// Disk for all mailboxes together; each reserves its share when it is opened.
    pub max_disk_bytes: u64,
    /// The certificates.
    pub tls: &'a HubTls,
    /// The keys whose tokens stand in the file.
    pub keys: &'a HubKeys,
}

impl HubConfig<'_> {
    /// The file's text. It is JSON, which the server reads as its own format.
    pub fn render(&self) -> Result<String, HubError> {
        let (operator, system, system_token) = self.keys.for_config()?;
        let tls = json!({
            "cert_file": self.tls.cert_file, "key_file": self.tls.key_file,
            "timeout": HANDSHAKE_SECONDS,
        });
        let mut config = json!({
            "server_name": self.server_name,
            "host": self.listen.ip(), "port": self.listen.port(),
            "tls": tls,
            "authorization": {"timeout": HANDSHAKE_SECONDS},
            "max_payload": MAX_MESSAGE_BYTES,
            // Half-open connections of partners that vanished count against their limit.
            "ping_interval": "10s", "ping_max": 2,
            "jetstream": {
                "store_dir": self.store_dir.join("jetstream"), "domain": "hub",
                "max_file": self.max_disk_bytes, "max_mem": 0,
            },
            "operator": operator,
            "system_account": system,
            "resolver": {
                "type": "full", "dir": self.store_dir.join("accounts"),
                "allow_delete": true, "interval": "2m",
            },
            "resolver_preload": {system.clone(): system_token},
        });
        if let (Some(listen), Value::Object(config)) = (self.websocket, &mut config) {
            let websocket = json!({"host": listen.ip(), "port": listen.port(), "tls": tls});
            config.insert("websocket".into(), websocket);
        }
        serde_json::to_string_pretty(&config).map_err(|_| HubError::Token("not representable"))
    }

    /// Writes the file, and makes the folder for what the server stores.
    pub fn write(&self, path: &Path) -> Result<(), HubError> {
        if self.listen.port() == 0 || self.websocket.is_some_and(|listen| listen.port() == 0) {
            return Err(unusable(path, &"the hub needs a fixed port, since partners are told it"));
        }
        strongbox::folder(self.store_dir)?;
        Ok(strongbox::replace(path, self.render()?.as_bytes())?)
    }
}
