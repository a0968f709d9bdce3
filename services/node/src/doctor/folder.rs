//! The data directory: who may read it, and what does not belong there.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chassis::config::Config;
use chassis::identity::NodeKeys;

use super::Finding;

const CHECK: &str = "data directory";
const KEYS: &str = "keys";
const ROOT: &str = "root key";
/// Others may pass through, as an unprivileged child of root must; they may not list or write.
const OTHERS_READ_OR_WRITE: u32 = 0o066;
/// A group may read a key: so Kubernetes hands secrets to a process that is not root.
const OTHERS_READ_GROUP_WRITES: u32 = 0o027;
/// Files with secrets, where there are any.
const SECRETS: [&str; 12] = [
    "node.key",
    "root.key",
    "issuer.key",
    "pseudonyms",
    "postgres/password",
    "broker/password",
    "broker/nats.conf",
    "hub/keys.json",
    "hub/hub.conf",
    "hub/tls/ca.key",
    "hub/tls/server.key",
    "appointment",
];

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let folder = &config.node.data_dir;
    let Some(mode) = mode(folder) else {
        let words = format!("{} is not there", folder.display());
        let remedy = "make a node with `commonweal init`, or name its configuration with --config";
        return vec![Finding::wrong(CHECK, words, remedy)];
    };
    vec![open_to_others(folder, mode), keys(folder), root(config)]
}

fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777)
}

fn open_to_others(folder: &Path, mode: u32) -> Finding {
    let exposed: Vec<PathBuf> = SECRETS
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| self::mode(path).is_some_and(|mode| mode & OTHERS_READ_GROUP_WRITES != 0))
        .collect();
    if let Some(path) = exposed.first() {
        let words = format!("others on this machine may read {}", path.display());
        let names: Vec<String> = exposed.iter().map(|path| path.display().to_string()).collect();
        let remedy = format!("chmod 600 {}; where somebody may have read a key, make a new node", names.join(" "));
        return Finding::wrong(CHECK, words, remedy);
    }
    if mode & OTHERS_READ_OR_WRITE != 0 {
        let words = format!("others on this machine may look into {} (mode {mode:o})", folder.display());
        return Finding::advice(CHECK, words, format!("chmod go-rw {}", folder.display()));
    }
    Finding::well(CHECK, format!("{} is closed to others, and so are its keys", folder.display()))
}

fn keys(folder: &Path) -> Finding {
    match NodeKeys::load(folder) {
        Ok(Some(keys)) => Finding::well(KEYS, format!("node {}", keys.id())),
        Ok(None) => Finding::wrong(KEYS, "the node has none yet", "make them with `commonweal init`"),
        Err(error) => Finding::wrong(KEYS, error.to_string(), "restore the file from a backup"),
    }
}

fn root(config: &Config) -> Finding {
    let path = config.node.data_dir.join("root.key");
    match (path.exists(), config.hub.enabled) {
        (true, true) => Finding::advice(
            ROOT,
            format!("{} is still on this machine: whoever gets it can say who the backbone is", path.display()),
            "copy it to two safe places away from this machine, then delete it here; the node does not need it",
        ),
        (true, false) => Finding::well(ROOT, "is of no use here, for this node is no backbone"),
        (false, _) => Finding::well(ROOT, "is not on this machine"),
    }
}
