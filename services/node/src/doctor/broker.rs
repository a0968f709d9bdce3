//! The local broker: whether it answers, and has JetStream.

use chassis::broker::{BrokerError, look};
use chassis::config::Config;
use chassis::database::without_password;
use chassis::embedded;

use super::Finding;
use crate::words;

const CHECK: &str = "broker";

pub(super) async fn examine(config: &Config, node_runs: bool) -> Finding {
    let folder = config.node.data_dir.join("broker");
    let url = match &config.broker.url {
        Some(url) => url.reveal().to_owned(),
        None => match (embedded::Nats::running(&folder), node_runs, embedded::nats_server()) {
            (Some(url), ..) => url,
            (None, true, _) => {
                let words = format!("the node runs, and its broker under {} does not answer", folder.display());
                return Finding::wrong(CHECK, words, format!("see {}", folder.join("log").display()));
            }
            (None, false, Ok(_)) => return Finding::skipped(CHECK, "starts with the node, which does not run"),
            (None, false, Err(error)) => return Finding::wrong(CHECK, error.to_string(), "see the line itself"),
        },
    };
    match look(&url).await {
        Ok(stored) => {
            let words = format!("NATS with JetStream at {}, {} stored", without_password(&url), words::bytes(stored));
            Finding::well(CHECK, words)
        }
        Err(error) => unusable(&url, &error),
    }
}

fn unusable(url: &str, reason: &BrokerError) -> Finding {
    let words = format!("cannot use the broker at {}: {reason}", without_password(url));
    Finding::wrong(CHECK, words, "start it with JetStream enabled, or correct broker.url (COMMONWEAL_BROKER__URL)")
}
