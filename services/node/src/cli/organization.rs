//! `commonweal organization`: registers organisations on this node, lists those that are known; and which one a command
//! means.

use std::process::ExitCode;

use chassis::config::Config;
use clap::{Args, Subcommand};
use proto::federation::GetStatusRequest;
use proto::membership::{Identifier, ListOrganizationsRequest, Organization, Sector};
use serde::Serialize;

use super::choice::{Word, choice};
use super::initiative::Which;
use super::print;
use crate::client::Client;
use crate::error::NodeError;
use crate::load;

const HELP: &str = "\
Examples:
  commonweal organization register \"Hartford School District\" --sector institution \\
      --identifier CT-SDE-district:0640011
  commonweal organization list --sector government";

/// Register an organisation on this node, or list those that are known.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Register(Register),
    List(List),
}

/// Register an organisation that lives on this node: your own, or one that you host.
///
/// The others of the initiative see it. It is no member yet: it asks with `commonweal member request`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  commonweal organization register \"Hartford Public Library\" --sector institution --website https://www.hplct.org
  commonweal organization register \"Hartford School District\" --sector institution \\
      --identifier CT-SDE-district:0640011")]
struct Register {
    /// How people call it.
    name: String,
    /// The sector it belongs to.
    #[arg(long, value_parser = choice::<Sector>())]
    sector: Sector,
    /// What a register knows it by, in the way of org-id.guide, such as US-EIN:06-1234567; can be given several times.
    /// An import finds whose figures it reads by it.
    #[arg(long, value_name = "REGISTER:NUMBER", value_parser = identifier)]
    identifier: Vec<Identifier>,
    /// Address of its website.
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    website: String,
    #[command(flatten)]
    which: Which,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// List the organisations that are known in an initiative, members or not.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal organization list --sector institution --json")]
struct List {
    /// Only those of this sector.
    #[arg(long, value_parser = choice::<Sector>())]
    sector: Option<Sector>,
    #[command(flatten)]
    which: Which,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    reference: String,
    name: String,
    sector: String,
    identifiers: Vec<String>,
    website: String,
    node: String,
    lives_here: bool,
}

impl Shown {
    fn of(organization: Organization, here: &str) -> Self {
        Self {
            sector: organization.sector().typed(),
            identifiers: organization.identifiers.iter().map(written).collect(),
            reference: organization.reference,
            name: organization.display_name,
            website: organization.website,
            lives_here: organization.node == here,
            node: organization.node,
        }
    }
}

/// Reads `US-EIN:06-1234567`.
fn identifier(text: &str) -> Result<Identifier, String> {
    match text.split_once(':') {
        Some((scheme, value)) if !scheme.is_empty() && !value.is_empty() => {
            Ok(Identifier { scheme: scheme.to_owned(), value: value.to_owned() })
        }
        _ => Err("it needs the register and the number there, such as US-EIN:06-1234567".to_owned()),
    }
}

fn written(identifier: &Identifier) -> String {
    format!("{}:{}", identifier.scheme, identifier.value)
}

/// Id of the node that a client calls.
async fn here(client: &Client) -> Result<String, NodeError> {
    Ok(client.federation().get_status(GetStatusRequest {}).await?.into_inner().node)
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        match self.what {
            What::Register(register) => register.run(&client).await,
            What::List(list) => list.run(&client).await,
        }
    }
}

impl Register {
    async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let (initiative, here) = (self.which.meant(client).await?, here(client).await?);
        let known = known(client, &initiative.reference, &here).await?;
        // Two of one name are told apart by what registers know them by.
        if let Some(one) = known.iter().find(|one| one.display_name == self.name && self.identifier.is_empty()) {
            return Err(NodeError::Usage(format!(
                "\"{}\" is registered on this node already: {}; another of the same name needs an --identifier",
                one.display_name, one.reference
            )));
        }
        let wanted = Organization {
            display_name: self.name,
            sector: self.sector.into(),
            identifiers: self.identifier,
            website: self.website,
            ..Organization::default()
        };
        let reference = load::register(client, &initiative.reference, wanted.clone()).await?;
        let registered = Organization { reference, node: here.clone(), ..wanted };
        let ours = initiative.backbone_node == here;
        print(self.json, &Shown::of(registered, &here), |registered| words(registered, ours))
    }
}

fn words(registered: &Shown, backbone: bool) -> String {
    let next = if backbone { "commonweal member invite" } else { "commonweal member request" };
    format!(
        "Registered \"{}\"\n  organisation  {}\n\nNext: {next} \"{}\"",
        registered.name, registered.reference, registered.name
    )
}

impl List {
    async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let (initiative, here) = (self.which.meant(client).await?, here(client).await?);
        let wanted = ListOrganizationsRequest {
            initiative: initiative.reference,
            sector: self.sector.map_or(0, i32::from),
            ..ListOrganizationsRequest::default()
        };
        let known = client.organizations(wanted).await?;
        let known: Vec<Shown> = known.into_iter().map(|one| Shown::of(one, &here)).collect();
        print(self.json, &known, |known| list_words(known))
    }
}

fn list_words(known: &[Shown]) -> String {
    if known.is_empty() {
        return "None: register yours with `commonweal organization register`.".to_owned();
    }
    let line = |one: &Shown| {
        let mut about = vec![one.sector.clone()];
        about.extend(one.identifiers.iter().cloned());
        about.extend(one.lives_here.then(|| "lives on this node".to_owned()));
        format!("{} ({})\n  {}", one.name, about.join(", "), one.reference)
    };
    known.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The organizations of an initiative, on one node only where `node` is not empty.
async fn known(client: &Client, initiative: &str, node: &str) -> Result<Vec<Organization>, NodeError> {
    let wanted = ListOrganizationsRequest {
        initiative: initiative.to_owned(),
        node: node.to_owned(),
        ..ListOrganizationsRequest::default()
    };
    client.organizations(wanted).await
}

/// Every organization that is known in an initiative.
pub(super) async fn all(client: &Client, initiative: &str) -> Result<Vec<Organization>, NodeError> {
    known(client, initiative, "").await
}

/// The organization of this node that is named, or else its only one.
pub(super) async fn ours(client: &Client, initiative: &str, named: Option<&str>) -> Result<Organization, NodeError> {
    let here = here(client).await?;
    let known = known(client, initiative, &here).await?;
    if let Some(named) = named {
        return match among(&known, named)? {
            Some(one) => Ok(one.clone()),
            None => Err(NodeError::Usage(format!(
                "no organisation \"{named}\" lives on this node: register it with `commonweal organization register`, \
                 or name one that `commonweal organization list` shows"
            ))),
        };
    }
    match known.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(NodeError::Usage(
            "no organisation lives on this node yet: register yours with `commonweal organization register`".to_owned(),
        )),
        [one, other, ..] => Err(NodeError::Usage(format!(
            "say which: several organisations live on this node, such as \"{}\" and \"{}\"",
            one.display_name, other.display_name
        ))),
    }
}

/// The one that is meant by its name, its reference or an identifier; `None` where there is none.
pub(super) fn among<'a>(known: &'a [Organization], named: &str) -> Result<Option<&'a Organization>, NodeError> {
    let is = |one: &&Organization| {
        one.reference == named
            || one.display_name.to_lowercase() == named.to_lowercase()
            || one.identifiers.iter().any(|identifier| written(identifier) == named)
    };
    let mut found = known.iter().filter(is);
    match (found.next(), found.next()) {
        (Some(one), Some(other)) => Err(NodeError::Usage(format!(
            "several organisations are called \"{named}\", such as {} and {}: give the reference of the one you mean",
            one.reference, other.reference
        ))),
        (found, _) => Ok(found),
    }
}
