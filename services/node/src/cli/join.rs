//! `commonweal invite`, `join` and `revoke`: who belongs to an initiative's nodes.

use std::process::ExitCode;

use chassis::config::Config;
use chassis::names::{NodeId, Reference};
use clap::Args;
use proto::federation::{CreateInvitationRequest, JoinInitiativeRequest, RevokeNodeRequest};
use serde::Serialize;

use super::{initiative, print, request_id};
use crate::client::Client;
use crate::error::NodeError;

/// Invite another organisation's node to an initiative of this backbone.
///
/// Prints one line: hand it over on a way you trust, for whoever has it can join, once.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal invite --for \"Hartford Public Schools\" --days 3")]
pub(super) struct Invite {
    /// Whom: the name is shown to members.
    #[arg(long = "for", value_name = "NAME")]
    whom: String,
    /// Reference of the initiative; not needed where this node knows only one.
    #[arg(long, value_name = "REFERENCE")]
    initiative: Option<Reference>,
    /// For how many days the invitation is good.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=30))]
    days: u32,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Invited {
    invitation: String,
}

impl Invite {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        let initiative = initiative::meant(&client, self.initiative.as_ref()).await?;
        let request = CreateInvitationRequest {
            request_id: request_id(),
            initiative: initiative.reference,
            initiative_name: initiative.display_name,
            display_name: self.whom,
            valid_seconds: self.days * 24 * 3600,
        };
        let invitation = client.federation().create_invitation(request).await?.into_inner().invitation;
        print(self.json, &Invited { invitation }, |invited| invited.invitation.clone())
    }
}

/// Join an initiative with the line that its backbone gave you.
///
/// The node links itself to the backbone's hub and is filled with what the initiative's members share.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal join commonweal1:CiQw...")]
pub(super) struct Join {
    /// The invitation, as it was printed.
    invitation: String,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Joined {
    initiative: String,
    initiative_name: String,
    backbone: String,
}

impl Join {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        let request = JoinInitiativeRequest { request_id: request_id(), invitation: self.invitation };
        let joined = client.federation().join_initiative(request).await?.into_inner();
        let joined = Joined {
            initiative: joined.initiative,
            initiative_name: joined.initiative_name,
            backbone: joined.backbone,
        };
        print(self.json, &joined, |joined| {
            format!(
                "Joined \"{}\"\n  initiative  {}\n  backbone    {}\n\nNext: register your organisation and ask to be admitted; \
                 `commonweal status` shows how the link stands.",
                joined.initiative_name, joined.initiative, joined.backbone
            )
        })
    }
}

/// End the link of a node, at once and for good.
///
/// Its connection closes at once, nothing it signs later is accepted anywhere, and what it signed before stays.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  commonweal revoke 4bq...x7 --initiative 7f2...ab/0197b3c2-... --reason \"laptop stolen\""
)]
pub(super) struct Revoke {
    /// Id of the node.
    node: NodeId,
    /// Reference of the initiative.
    #[arg(long, value_name = "REFERENCE")]
    initiative: Reference,
    /// Why, in words that every member may read.
    #[arg(long)]
    reason: String,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Revoked {
    node: NodeId,
}

impl Revoke {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        let request = RevokeNodeRequest {
            request_id: request_id(),
            initiative: self.initiative.to_string(),
            node: self.node.to_string(),
            reason: self.reason,
        };
        client.federation().revoke_node(request).await?;
        print(self.json, &Revoked { node: self.node }, |revoked| format!("The link of {} is ended.", revoked.node))
    }
}
