//! `commonweal member list`: who belongs, and who asks.

use std::process::ExitCode;

use clap::Args;
use proto::common::Role;
use proto::membership::{ListMembersRequest, MembershipState};
use serde::Serialize;

use super::{Shown, Which, choice, name_of, organization};
use crate::cli::print;
use crate::client::Client;
use crate::error::NodeError;

/// List who belongs to an initiative, and who asks to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  commonweal member list
  commonweal member list --role data-lead
  commonweal member list --json | jq '.asking'")]
pub(super) struct List {
    /// Only those that stand so.
    #[arg(long, value_parser = choice::<MembershipState>())]
    state: Option<MembershipState>,
    /// Only those that hold this role now.
    #[arg(long, value_parser = choice::<Role>())]
    role: Option<Role>,
    #[command(flatten)]
    which: Which,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed {
    members: Vec<Shown>,
    asking: Vec<Asking>,
}

/// A request that waits for the backbone's answer.
#[derive(Serialize)]
struct Asking {
    join_request: String,
    organization: String,
    name: String,
    statement: String,
}

impl List {
    pub(super) async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let initiative = self.which.meant(client).await?.reference;
        let wanted = ListMembersRequest {
            initiative: initiative.clone(),
            state: self.state.map_or(0, i32::from),
            role: self.role.map_or(0, i32::from),
            ..ListMembersRequest::default()
        };
        let members = client.members(wanted).await?.into_iter().filter_map(|member| {
            let name = name_of(&member);
            Some(Shown::of(member.membership?, name))
        });
        let members = members.collect();
        let asking = match (self.state, self.role) {
            (None, None) => asking(client, &initiative).await?,
            _ => Vec::new(),
        };
        print(self.json, &Listed { members, asking }, words)
    }
}

async fn asking(client: &Client, initiative: &str) -> Result<Vec<Asking>, NodeError> {
    let requests = client.asking(initiative).await?;
    let known = if requests.is_empty() { Vec::new() } else { organization::all(client, initiative).await? };
    let asking = requests.into_iter().map(|request| Asking {
        name: known
            .iter()
            .find(|one| one.reference == request.organization)
            .map_or_else(|| request.organization.clone(), |one| one.display_name.clone()),
        join_request: request.reference,
        organization: request.organization,
        statement: request.statement,
    });
    Ok(asking.collect())
}

fn words(listed: &Listed) -> String {
    let mut lines: Vec<String> = listed.members.iter().map(Shown::words).collect();
    lines.extend(listed.asking.iter().map(|one| {
        let statement = if one.statement.is_empty() { String::new() } else { format!(": \"{}\"", one.statement) };
        format!("{} asks to be admitted{statement}\n  organisation  {}", one.name, one.organization)
    }));
    if lines.is_empty() {
        return "Nobody.".to_owned();
    }
    lines.join("\n")
}
