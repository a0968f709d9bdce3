//! `commonweal key`: the key with which this node seals.

use std::process::ExitCode;

use chassis::config::Config;
use chassis::identity::NodeKeys;
use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use proto::federation::key_standing::State;
use proto::federation::{GetKeyRequest, KeyStanding};
use serde::Serialize;

use super::print;
use crate::client::Client;
use crate::error::NodeError;

const HELP: &str = "\
Examples:
  commonweal key show
  commonweal key rotate
  commonweal key forget";

/// The key with which this node seals all that it tells.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Key {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The node's key, and how far a change of it has come.
    Show(Show),
    /// Makes the next key.
    ///
    /// It is signed by the key before it and put into the data directory. A node that runs takes it over within
    /// seconds, without a restart; one that does not when it starts. It tells each of its initiatives, and from the
    /// moment that one accepts the change the former key is good for nothing there. When all have, its secret is
    /// forgotten. Back the data directory up afterwards.
    Rotate(Rotate),
    /// Forgets the former key, where the node itself cannot write into its data directory.
    ///
    /// Anywhere else the node does that by itself. Where it answers, it must say that all its initiatives know the new key;
    /// where it does not, make sure of that first: what an initiative does not know yet could never be told.
    #[command(after_help = "Example:\n  commonweal key forget")]
    Forget,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal key show --json")]
struct Show {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal key rotate")]
struct Rotate {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    node: String,
    public_key: String,
    number: usize,
    /// Whether the secret of a former key is still needed.
    changing: bool,
    /// None where the node does not answer.
    initiatives: Option<Vec<Initiative>>,
}

#[derive(Serialize)]
struct Initiative {
    initiative: String,
    name: String,
    state: &'static str,
    words: String,
}

impl Key {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let folder = &config.node.data_dir;
        match self.what {
            What::Show(Show { json }) => {
                let keys = NodeKeys::load(folder)?.ok_or_else(|| NodeError::NoNode(folder.clone()))?;
                let initiatives = initiatives(config).await;
                print(json, &shown(&keys, initiatives), words)
            }
            What::Forget => {
                let keys = NodeKeys::load(folder)?.ok_or_else(|| NodeError::NoNode(folder.clone()))?;
                if let Some(one) = initiatives(config).await.into_iter().flatten().find(|one| one.state != "known") {
                    let words = format!("the former key is still needed: {}: {}", one.initiative, one.words);
                    return Err(NodeError::Usage(words));
                }
                keys.forget_former()?;
                super::out("The former key is forgotten.")?;
                Ok(ExitCode::SUCCESS)
            }
            What::Rotate(Rotate { json }) => {
                NodeKeys::load(folder)?.ok_or_else(|| NodeError::NoNode(folder.clone()))?;
                let keys = NodeKeys::rotate(folder)?;
                print(json, &shown(&keys, None), |shown| {
                    format!(
                        "{}\nA node that runs tells its initiatives of it within seconds: see `commonweal key show`. Back \
                         the data directory up.",
                        first_line(shown)
                    )
                })
            }
        }
    }
}

/// How the key stands in each initiative, by the word of the running node.
async fn initiatives(config: &Config) -> Option<Vec<Initiative>> {
    let client = Client::operator(config).await.ok()?;
    let answer = client.federation().get_key(GetKeyRequest {}).await.ok()?.into_inner();
    Some(answer.standings.into_iter().map(initiative).collect())
}

fn initiative(standing: KeyStanding) -> Initiative {
    let state = match standing.state() {
        State::Known => "known",
        State::Untold => "untold",
        State::Told => "told",
        State::Refused => "refused",
        State::Lost => "lost",
        State::Unspecified => "unknown",
    };
    Initiative { initiative: standing.initiative, name: standing.initiative_name, state, words: standing.words }
}

fn shown(keys: &NodeKeys, initiatives: Option<Vec<Initiative>>) -> Shown {
    Shown {
        node: keys.id().to_string(),
        public_key: HEXLOWER.encode(&keys.public()),
        number: keys.chain().len(),
        changing: keys.is_changing(),
        initiatives,
    }
}

fn first_line(shown: &Shown) -> String {
    format!("node {}\nkey {}: {}", shown.node, shown.number, shown.public_key)
}

fn words(shown: &Shown) -> String {
    let mut lines = vec![first_line(shown)];
    match &shown.initiatives {
        None => lines.push("The node does not answer: how the key stands in its initiatives is not known.".to_owned()),
        Some(initiatives) if initiatives.is_empty() => lines.push("It is in no initiative.".to_owned()),
        Some(initiatives) => lines.extend(initiatives.iter().map(|one| match one.name.as_str() {
            "" => format!("  {}: {}", one.initiative, one.words),
            name => format!("  {name}: {}", one.words),
        })),
    }
    if shown.changing {
        lines.push("The former key is kept until all of them know this one.".to_owned());
    }
    lines.join("\n")
}
