//! `commonweal member grant`, `end-role`, `suspend`, `reinstate` and `end`: what a member is, by the backbone's word.

use std::process::ExitCode;

use clap::Args;
use proto::common::Role;
use proto::membership::*;

use super::{Shown, Term, Which, choice, name_of, organization, standing};
use crate::cli::{print, request_id};
use crate::client::Client;
use crate::error::NodeError;

/// Which member a command is about.
#[derive(Debug, Args)]
struct Whose {
    /// The member.
    #[arg(value_name = "ORGANISATION")]
    whom: String,
    #[command(flatten)]
    which: Which,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Whose {
    /// Its name, and the reference of its membership.
    async fn meant(&self, client: &Client) -> Result<(String, String), NodeError> {
        let initiative = self.which.meant(client).await?.reference;
        let members = standing(client, &initiative).await?;
        let known: Vec<Organization> = members.iter().filter_map(|member| member.organization.clone()).collect();
        let organization = organization::among(&known, &self.whom)?.map(|one| one.reference.as_str());
        let is = |member: &&Member| match &member.organization {
            Some(one) => Some(one.reference.as_str()) == organization,
            None => name_of(member) == self.whom,
        };
        let found = members.iter().find(is).and_then(|member| Some((name_of(member), member.membership.as_ref()?)));
        found.map(|(name, membership)| (name, membership.reference.clone())).ok_or_else(|| {
            NodeError::Usage(format!(
                "no member is called \"{}\"; `commonweal member list` shows those there are",
                self.whom
            ))
        })
    }

    fn show(&self, membership: Option<Membership>, name: String) -> Result<ExitCode, NodeError> {
        print(self.json, &Shown::of(membership.unwrap_or_default(), name), Shown::words)
    }
}

/// Grant a member one more role; on the backbone's node.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  commonweal member grant \"Hartford School District\" --role data-lead --last-day 2027-06-30")]
pub(super) struct Grant {
    #[command(flatten)]
    whose: Whose,
    /// Which role.
    #[arg(long, value_parser = choice::<Role>())]
    role: Role,
    #[command(flatten)]
    term: Term,
}

impl Grant {
    pub(super) async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let (name, membership) = self.whose.meant(client).await?;
        let role = Some(self.term.of(self.role));
        let request = GrantRoleRequest { membership, role, etag: String::new(), request_id: request_id() };
        let granted = client.membership().grant_role(request).await?.into_inner().membership;
        self.whose.show(granted, name)
    }
}

/// End a role of a member before its term does; on the backbone's node.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal member end-role \"Hartford School District\" --role data-lead")]
pub(super) struct EndRole {
    #[command(flatten)]
    whose: Whose,
    /// Which role.
    #[arg(long, value_parser = choice::<Role>())]
    role: Role,
}

impl EndRole {
    pub(super) async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let (name, membership) = self.whose.meant(client).await?;
        let (etag, request_id) = (String::new(), request_id());
        let request = EndRoleRequest { membership, role: self.role.into(), etag, request_id };
        let ended = client.membership().end_role(request).await?.into_inner().membership;
        self.whose.show(ended, name)
    }
}

/// Hold a member back: its roles rest until it is reinstated; on the backbone's node.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  commonweal member suspend \"Hartford School District\" --reason \"no report since May\""
)]
pub(super) struct Suspend {
    #[command(flatten)]
    whose: Whose,
    /// Why, in words that every member may read.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Suspend {
    pub(super) async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let (name, membership) = self.whose.meant(client).await?;
        let (etag, request_id, reason) = (String::new(), request_id(), self.reason);
        let request = SuspendMemberRequest { membership, reason, etag, request_id };
        let suspended = client.membership().suspend_member(request).await?.into_inner().membership;
        self.whose.show(suspended, name)
    }
}

/// Let a suspended member take part again; on the backbone's node.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  commonweal member reinstate \"Hartford School District\"")]
pub(super) struct Reinstate {
    #[command(flatten)]
    whose: Whose,
}

impl Reinstate {
    pub(super) async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let (name, membership) = self.whose.meant(client).await?;
        let request = ReinstateMemberRequest { membership, etag: String::new(), request_id: request_id() };
        let reinstated = client.membership().reinstate_member(request).await?.into_inner().membership;
        self.whose.show(reinstated, name)
    }
}

/// End a membership for good, or take an invitation back; on the backbone's node.
///
/// What the member said stays. Its node stays linked: `commonweal revoke` ends the link.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  commonweal member end \"Hartford School District\" --reason \"it left in good standing\""
)]
pub(super) struct End {
    #[command(flatten)]
    whose: Whose,
    /// Why, in words that every member may read.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl End {
    pub(super) async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let (name, membership) = self.whose.meant(client).await?;
        let (etag, request_id, reason) = (String::new(), request_id(), self.reason);
        let request = EndMembershipRequest { membership, reason, etag, request_id };
        let ended = client.membership().end_membership(request).await?.into_inner().membership;
        self.whose.show(ended, name)
    }
}
