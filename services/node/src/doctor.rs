//! What is wrong with a node and what to do about it, found out one by one. Nothing is changed.

mod broker;
mod certificate;
mod disk;
mod folder;
mod hub;
mod postgres;
mod rooms;
mod running;

use chassis::config::{Config, ConfigError};
use serde::Serialize;

/// How a finding is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Well,
    /// It works, and something should be done nevertheless.
    Advice,
    /// It does not work, or soon will not.
    Wrong,
    /// It could not be looked at, because of something else.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it is.
    pub level: Level,
    /// The same in words.
    pub words: String,
    /// What to do; empty where nothing.
    pub remedy: String,
}

impl Finding {
    fn well(check: &'static str, words: impl Into<String>) -> Self {
        Self { check, level: Level::Well, words: words.into(), remedy: String::new() }
    }

    fn advice(check: &'static str, words: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Advice, words: words.into(), remedy: remedy.into() }
    }

    fn wrong(check: &'static str, words: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Wrong, words: words.into(), remedy: remedy.into() }
    }

    fn skipped(check: &'static str, words: impl Into<String>) -> Self {
        Self { check, level: Level::Skipped, words: words.into(), remedy: String::new() }
    }
}

/// Looks at everything, in the order in which one thing stands on another.
pub async fn examine(config: &Result<Config, ConfigError>) -> Vec<Finding> {
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            let remedy = "mend it; `commonweal serve --print-config` shows every setting";
            return vec![Finding::wrong("configuration", error.to_string(), remedy)];
        }
    };
    let mut found = vec![Finding::well("configuration", "can be read")];
    found.extend(folder::examine(config));
    found.extend(disk::examine(&config.node.data_dir));
    let node = running::Answering::of(config).await;
    let database = postgres::find(config, node.runs()).await;
    found.extend(database.findings);
    if let Some(url) = &database.url {
        found.extend(postgres::examine(url).await);
        found.extend(rooms::examine(url, node.runs()).await);
    }
    found.push(broker::examine(config, node.runs()).await);
    found.extend(hub::examine(config, database.url.as_deref(), node.runs()).await);
    found.extend(node.examine().await);
    found
}
