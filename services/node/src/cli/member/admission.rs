//! `commonweal member request`, `invite` and `admit`: how an organisation becomes a member.

use std::process::ExitCode;

use clap::Args;
use proto::common::Role;
use proto::membership::*;

use super::{Shown, Term, Which, Word, choice, name_of, organization, standing};
use crate::cli::{print, request_id};
use crate::client::Client;
use crate::error::NodeError;

/// Ask the backbone to admit an organisation that lives on this node.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  commonweal member request --statement \"We run the schools of Hartford\"
  commonweal member request \"Hartford Public Library\"")]
pub(super) struct Ask {
    /// Which organisation asks; not needed where only one lives on this node.
    #[arg(value_name = "ORGANISATION")]
    whom: Option<String>,
    /// What it wants to bring and hopes to find, in its own words.
    #[arg(long, value_name = "TEXT", default_value = "")]
    statement: String,
    #[command(flatten)]
    which: Which,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(serde::Serialize)]
struct Asked {
    join_request: String,
    organization: String,
    name: String,
}

impl Ask {
    pub(super) async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let initiative = self.which.meant(client).await?.reference;
        let organization = organization::ours(client, &initiative, self.whom.as_deref()).await?;
        let request = CreateJoinRequestRequest {
            initiative,
            join_request: Some(JoinRequest {
                organization: organization.reference.clone(),
                statement: self.statement,
                ..JoinRequest::default()
            }),
            request_id: request_id(),
        };
        let made = client.membership().create_join_request(request).await?.into_inner().join_request;
        let asked = Asked {
            join_request: made.unwrap_or_default().reference,
            organization: organization.reference,
            name: organization.display_name,
        };
        print(self.json, &asked, |asked| {
            format!(
                "\"{}\" asks to be admitted\n  request  {}\n\nNext: the backbone admits it; `commonweal member list` \
                 shows when it has.",
                asked.name, asked.join_request
            )
        })
    }
}

/// Invite an organisation to become a member; on the backbone's node.
///
/// An organisation that lives on this node is admitted next. One with a node of its own needs that node invited too
/// (`commonweal invite`), registers there, and asks.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  commonweal member invite \"First Baptist Church\"
  commonweal member invite --to-come \"Hartford School District\"")]
pub(super) struct Invite {
    /// Whom: a registered organisation.
    #[arg(value_name = "ORGANISATION", required_unless_present = "to_come")]
    whom: Option<String>,
    /// Whom, by the name people call it: an organisation that is not registered yet.
    #[arg(long, value_name = "NAME", conflicts_with = "whom")]
    to_come: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Invite {
    pub(super) async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let initiative = self.which.meant(client).await?.reference;
        let organization = match &self.whom {
            Some(whom) => registered(client, &initiative, whom).await?,
            None => Organization::default(),
        };
        let request = InviteOrganizationRequest {
            initiative: initiative.clone(),
            organization: organization.reference,
            invitee: self.to_come.unwrap_or_default(),
            request_id: request_id(),
        };
        let invited = client.membership().invite_organization(request).await?.into_inner().membership;
        let role = if led(client, &initiative).await? { "partner" } else { "backbone-staff" };
        print(self.json, &Shown::of(invited.unwrap_or_default(), organization.display_name), |invited| {
            let next = match invited.organization.as_str() {
                "" => "it registers on its node and asks with `commonweal member request`; then admit it".to_owned(),
                _ => format!("commonweal member admit \"{}\" --role {role}", invited.name),
            };
            format!("{}\n\nNext: {next}", invited.words())
        })
    }
}

/// Whether somebody holds an initiative together by now: the first to be admitted is the backbone's own organization.
async fn led(client: &Client, initiative: &str) -> Result<bool, NodeError> {
    let staff = ListMembersRequest {
        initiative: initiative.to_owned(),
        role: Role::BackboneStaff.into(),
        ..ListMembersRequest::default()
    };
    Ok(!client.members(staff).await?.is_empty())
}

async fn registered(client: &Client, initiative: &str, whom: &str) -> Result<Organization, NodeError> {
    let known = organization::all(client, initiative).await?;
    organization::among(&known, whom)?.cloned().ok_or_else(|| {
        NodeError::Usage(format!(
            "no organisation \"{whom}\" is registered; `commonweal organization list` shows those that are, and \
             --to-come invites one that is not registered yet"
        ))
    })
}

/// Admit an organisation that asked or was invited, and grant its first roles; on the backbone's node.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  commonweal member admit \"Hartford School District\" --role partner
  commonweal member admit \"Hartford School District\" --role partner --role data-lead --last-day 2027-06-30")]
pub(super) struct Admit {
    /// Whom.
    #[arg(value_name = "ORGANISATION")]
    whom: String,
    /// As what; can be given several times.
    #[arg(long, required = true, value_parser = choice::<Role>())]
    role: Vec<Role>,
    #[command(flatten)]
    term: Term,
    #[command(flatten)]
    which: Which,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Admit {
    pub(super) async fn run(self, client: &Client) -> Result<ExitCode, NodeError> {
        let initiative = self.which.meant(client).await?.reference;
        let organization = registered(client, &initiative, &self.whom).await?;
        let (membership, join_request) = self.grounds(client, &initiative, &organization).await?;
        let request = AdmitMemberRequest {
            initiative,
            membership,
            join_request,
            roles: self.role.iter().map(|role| self.term.of(*role)).collect(),
            etag: String::new(),
            request_id: request_id(),
        };
        let admitted = client.membership().admit_member(request).await?.into_inner().membership;
        print(self.json, &Shown::of(admitted.unwrap_or_default(), organization.display_name), Shown::words)
    }

    /// The invitation and the request by which it is admitted: one of them at least.
    async fn grounds(
        &self,
        client: &Client,
        initiative: &str,
        organization: &Organization,
    ) -> Result<(String, String), NodeError> {
        let asking = client.asking(initiative).await?;
        let request = asking.into_iter().find(|request| request.organization == organization.reference);
        let request = request.map(|request| request.reference).unwrap_or_default();
        let standing = standing(client, initiative).await?;
        let its = |member: &&Member| {
            let Some(membership) = &member.membership else { return false };
            match membership.organization.as_str() {
                // An invitation of one who was to come is taken up by whoever asks under that name.
                "" => !request.is_empty() && name_of(member).to_lowercase() == organization.display_name.to_lowercase(),
                invited => invited == organization.reference,
            }
        };
        match standing.iter().find(its).and_then(|member| member.membership.as_ref()) {
            Some(membership) if membership.state() == MembershipState::Invited => {
                Ok((membership.reference.clone(), request))
            }
            Some(membership) => Err(NodeError::Usage(format!(
                "\"{}\" is a member already, and {}; `commonweal member grant` gives it another role",
                organization.display_name,
                membership.state().typed()
            ))),
            None if request.is_empty() => Err(NodeError::Usage(format!(
                "\"{}\" has not asked and is not invited: let it ask with `commonweal member request`, or invite it with \
                 `commonweal member invite`",
                organization.display_name
            ))),
            None => Ok((String::new(), request)),
        }
    }
}
