//! `commonweal initiative`: begins an initiative, lists those there are; and which one a command means.

use std::process::ExitCode;

use chassis::config::Config;
use chassis::names::Reference;
use clap::{Args, Subcommand};
use proto::membership::{CreateInitiativeRequest, GetInitiativeRequest, Initiative, InitiativeState};
use serde::Serialize;

use super::choice::Word;
use super::{print, request_id};
use crate::client::Client;
use crate::error::NodeError;

const HELP: &str = "\
Examples:
  commonweal initiative begin \"Every child reads\" --purpose \"Every child of Hartford reads by the age of nine\"
  commonweal initiative list";

/// Begin an initiative on this node, or list those this node takes part in.
///
/// The node on which an initiative is begun is its backbone.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Begin(Begin),
    List(List),
}

/// Begin an initiative and make this node its backbone.
///
/// Nobody belongs to it yet: register your own organisation next, and admit it with the role backbone-staff. Partners
/// come in through the hub; this node needs one (`commonweal init --backbone`, or hub.enabled) before it can invite.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  commonweal initiative begin \"Every child reads\" --purpose \"Every child reads by the age of nine\" --region Hartford")]
struct Begin {
    /// How people call it.
    name: String,
    /// What it is for, in a few sentences.
    #[arg(long, value_name = "TEXT")]
    purpose: String,
    /// Where it works, in words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    region: String,
    /// Still being brought together: it says "forming" of itself, where it would say "active".
    #[arg(long)]
    forming: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// List the initiatives that this node takes part in.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal initiative list --json | jq -r '.[].reference'")]
struct List {
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Which initiative a command is about.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Reference of the initiative; not needed where this node knows only one.
    #[arg(long, value_name = "REFERENCE")]
    initiative: Option<Reference>,
}

#[derive(Serialize)]
struct Shown {
    reference: String,
    name: String,
    purpose: String,
    region: String,
    state: String,
    backbone: String,
}

impl From<Initiative> for Shown {
    fn from(initiative: Initiative) -> Self {
        Self {
            state: initiative.state().typed(),
            reference: initiative.reference,
            name: initiative.display_name,
            purpose: initiative.purpose,
            region: initiative.region,
            backbone: initiative.backbone_node,
        }
    }
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        match self.what {
            What::Begin(begin) => begin.run(&client).await,
            What::List(List { json }) => {
                let known: Vec<Shown> = client.initiatives().await?.into_iter().map(Shown::from).collect();
                print(json, &known, |known| words(known))
            }
        }
    }
}

impl Begin {
    async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        if let Some(one) = client.initiatives().await?.into_iter().find(|one| one.display_name == self.name) {
            return Err(NodeError::Usage(format!(
                "there is an initiative \"{}\" already: {}; begin another under another name",
                one.display_name, one.reference
            )));
        }
        let state = if self.forming { InitiativeState::Forming } else { InitiativeState::Active };
        let wanted = Initiative {
            display_name: self.name,
            purpose: self.purpose,
            region: self.region,
            state: state.into(),
            ..Initiative::default()
        };
        let request = CreateInitiativeRequest { initiative: Some(wanted), request_id: request_id() };
        let begun = client.membership().create_initiative(request).await?.into_inner().initiative;
        print(self.json, &Shown::from(begun.unwrap_or_default()), |begun| {
            format!(
                "Began \"{}\"; this node is its backbone\n  initiative  {}\n\nNext: register your organisation with \
                 `commonweal organization register`, and admit it with\n`commonweal member invite` and `commonweal \
                 member admit --role backbone-staff`; `commonweal invite` brings in the nodes of partners.",
                begun.name, begun.reference
            )
        })
    }
}

fn words(known: &[Shown]) -> String {
    if known.is_empty() {
        return "None: join one with `commonweal join`, or begin one with `commonweal initiative begin`.".to_owned();
    }
    let line = |one: &Shown| {
        let region = if one.region.is_empty() { String::new() } else { format!(", {}", one.region) };
        format!("{} ({}{region})\n  {}", one.name, one.state, one.reference)
    };
    known.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl Which {
    /// The initiative that is named, or else the only one that this node knows.
    pub(super) async fn meant(&self, client: &Client) -> Result<Initiative, NodeError> {
        if let Some(named) = &self.initiative {
            let request = GetInitiativeRequest { initiative: named.to_string() };
            return Ok(client.membership().get_initiative(request).await?.into_inner().initiative.unwrap_or_default());
        }
        let mut known = client.initiatives().await?.into_iter();
        match (known.next(), known.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(NodeError::Usage(
                "this node belongs to no initiative: join one with `commonweal join`, or begin one with `commonweal \
                 initiative begin`; of one that it only follows (`commonweal status` says so) it holds the practice \
                 cards and nothing else"
                    .to_owned(),
            )),
            (Some(one), Some(other)) => Err(NodeError::Usage(format!(
                "say which with --initiative: this node knows several, such as {} ({}) and {} ({})",
                one.reference, one.display_name, other.reference, other.display_name
            ))),
        }
    }
}
