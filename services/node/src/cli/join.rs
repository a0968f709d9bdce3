//! `commonweal invite`, `join` and `revoke`: who belongs to an initiative's nodes, and who follows it.

use std::process::ExitCode;
use std::time::Duration;

use chassis::config::Config;
use chassis::names::NodeId;
use clap::Args;
use proto::federation::{CreateInvitationRequest, GetStatusRequest, JoinInitiativeRequest, RevokeNodeRequest};
use proto::membership::GetInitiativeRequest;
use serde::Serialize;

use super::initiative::Which;
use super::{print, request_id};
use crate::client::Client;
use crate::error::NodeError;
use crate::fleet::until;

/// How long `join` waits for the first that the backbone sends.
const HEARD_WITHIN: Duration = Duration::from_secs(20);

/// Invite another organisation's node to an initiative of this backbone.
///
/// Prints one line: hand it over on a way you trust, for whoever has it can join, once. With --follower it lets a node
/// follow: it is sent what is public (practice cards), and nothing that members share.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  commonweal invite --for \"Hartford Public Schools\" --days 3
  commonweal invite --for \"Every Child Reads, New Haven\" --follower")]
pub(super) struct Invite {
    /// Whom, in words.
    #[arg(long = "for", value_name = "NAME")]
    whom: String,
    /// Only to follow: such a node is no member, writes nothing, and the members are not told of it.
    #[arg(long)]
    follower: bool,
    #[command(flatten)]
    which: Which,
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
        let initiative = self.which.meant(&client).await?;
        let request = CreateInvitationRequest {
            request_id: request_id(),
            initiative: initiative.reference,
            initiative_name: initiative.display_name,
            display_name: self.whom,
            valid_seconds: self.days * 24 * 3600,
            follower: self.follower,
        };
        let invitation = client.federation().create_invitation(request).await?.into_inner().invitation;
        print(self.json, &Invited { invitation }, |invited| invited.invitation.clone())
    }
}

/// Join an initiative with the line that its backbone gave you.
///
/// The node links itself to the backbone's hub and is filled with what the initiative's members share; with a line that
/// lets it follow, with what is public there.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal join commonweal1:CiQw...")]
pub(super) struct Join {
    /// The invitation, as it was printed; line breaks, spaces and quotes that came into it on the way do no harm.
    #[arg(required = true)]
    invitation: Vec<String>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Joined {
    initiative: String,
    initiative_name: String,
    backbone: String,
    /// Whether it only follows: it is sent the public space and belongs to nothing.
    follower: bool,
    /// Whether the node knows of it already: commands about the initiative work then.
    heard: bool,
}

impl Join {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        let request = JoinInitiativeRequest { request_id: request_id(), invitation: self.invitation.concat() };
        let joined = client.federation().join_initiative(request).await?.into_inner();
        // A follower is sent what is public, be it nothing yet, and never the initiative itself.
        let heard = match joined.follower {
            true => Ok(Ok(())),
            false => tokio::time::timeout(HEARD_WITHIN, heard(&client, &joined.initiative)).await,
        };
        let joined = Joined {
            initiative: joined.initiative,
            initiative_name: joined.initiative_name,
            backbone: joined.backbone,
            follower: joined.follower,
            heard: matches!(heard, Ok(Ok(()))),
        };
        print(self.json, &joined, words)
    }
}

/// Waits until what members share begins to come in: the next command is about it.
async fn heard(client: &Client, initiative: &str) -> Result<(), NodeError> {
    until("the initiative to come in", async || {
        let request = GetInitiativeRequest { initiative: initiative.to_owned() };
        Ok(client.membership().get_initiative(request).await.ok().map(|_| ()))
    })
    .await
}

fn words(joined: &Joined) -> String {
    if joined.follower {
        return format!(
            "Follows \"{}\", its public space only\n  initiative  {}\n  backbone    {}\n\nNext: whoever has a token on this \
             node can read its practice cards, as they come. `commonweal status` shows how\nthe link stands.",
            joined.initiative_name, joined.initiative, joined.backbone
        );
    }
    let next = match joined.heard {
        true => {
            "Next: register your organisation with `commonweal organization register`, and ask to be admitted with\n\
                 `commonweal member request`."
        }
        false => {
            "The hub has not sent anything yet: `commonweal status` shows how the link stands. Once it is\n\
                  connected, register your organisation with `commonweal organization register`."
        }
    };
    format!(
        "Joined \"{}\"\n  initiative  {}\n  backbone    {}\n\n{next}",
        joined.initiative_name, joined.initiative, joined.backbone
    )
}

/// End the link of a node, at once and for good.
///
/// Its connection closes at once, nothing it signs later is accepted anywhere, and what it signed before stays. A
/// follower's link ends the same way: it keeps what it was sent, and is sent nothing more.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal revoke \"Hartford Public Schools\" --reason \"laptop stolen\"")]
pub(super) struct Revoke {
    /// The node: its id, or what `commonweal status` calls it.
    #[arg(value_name = "NODE")]
    whom: String,
    #[command(flatten)]
    which: Which,
    /// Why, in words that every member may read; of a follower they are not told.
    #[arg(long)]
    reason: String,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Revoked {
    node: String,
}

impl Revoke {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        let initiative = self.which.meant(&client).await?.reference;
        let node = linked(&client, &initiative, &self.whom).await?;
        let request =
            RevokeNodeRequest { request_id: request_id(), initiative, node: node.clone(), reason: self.reason };
        client.federation().revoke_node(request).await?;
        print(self.json, &Revoked { node }, |revoked| format!("The link of {} is ended.", revoked.node))
    }
}

/// Id of the node that is meant by its id or its name.
async fn linked(client: &Client, initiative: &str, whom: &str) -> Result<String, NodeError> {
    if whom.parse::<NodeId>().is_ok() {
        return Ok(whom.to_owned());
    }
    let links = client.federation().get_status(GetStatusRequest {}).await?.into_inner().links;
    let mut called = links.into_iter().filter(|link| link.initiative == initiative && link.display_name == whom);
    match (called.next(), called.next()) {
        (Some(link), None) => Ok(link.node),
        (Some(_), Some(_)) => Err(NodeError::Usage(format!("several nodes are called \"{whom}\": give the id of one"))),
        (None, _) => Err(NodeError::Usage(format!(
            "no node is called \"{whom}\" here; `commonweal status` shows those there are"
        ))),
    }
}
