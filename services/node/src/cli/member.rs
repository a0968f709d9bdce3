//! `commonweal member`: who belongs to an initiative, as what, for how long.

mod admission;
mod list;
mod standing;

use std::process::ExitCode;

use chassis::config::Config;
use chassis::event::{instant, timestamp};
use clap::{Args, Subcommand};
use proto::common::Role;
use proto::membership::{ListMembersRequest, Member, Membership, MembershipState, RoleTerm};
use serde::Serialize;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, Duration, OffsetDateTime};

use super::choice::{Word, choice};
use super::initiative::Which;
use super::organization;
use crate::client::Client;
use crate::error::NodeError;

const HELP: &str = "\
Examples:
  commonweal member request --statement \"We run the schools of Hartford\"      on a partner's node
  commonweal member list                                                      on any node
  commonweal member admit \"Hartford School District\" --role partner           on the backbone's node
  commonweal member grant \"Hartford School District\" --role data-lead --last-day 2027-06-30";

/// Ask to be admitted, invite, admit, grant roles, and see who belongs.
///
/// An organisation is named by its name, its reference, or an identifier such as US-EIN:06-1234567. Only the backbone
/// admits members and changes what they are; every other node can ask, and see.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Command {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Request(admission::Ask),
    Invite(admission::Invite),
    Admit(admission::Admit),
    Grant(standing::Grant),
    EndRole(standing::EndRole),
    Suspend(standing::Suspend),
    Reinstate(standing::Reinstate),
    End(standing::End),
    List(list::List),
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode, NodeError> {
        let client = Client::operator(config).await?;
        match self.what {
            What::Request(ask) => ask.run(&client).await,
            What::Invite(invite) => invite.run(&client).await,
            What::Admit(admit) => admit.run(&client).await,
            What::Grant(grant) => grant.run(&client).await,
            What::EndRole(end) => end.run(&client).await,
            What::Suspend(suspend) => suspend.run(&client).await,
            What::Reinstate(reinstate) => reinstate.run(&client).await,
            What::End(end) => end.run(&client).await,
            What::List(list) => list.run(&client).await,
        }
    }
}

/// For how long a role is held.
#[derive(Debug, Args)]
struct Term {
    /// First day of the term, such as 2026-09-01 (UTC) [default: now].
    #[arg(long, value_name = "DATE", value_parser = day)]
    first_day: Option<Date>,
    /// Last day of the term, such as 2027-06-30 (UTC) [default: none, it goes on].
    #[arg(long, value_name = "DATE", value_parser = day)]
    last_day: Option<Date>,
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text, &Iso8601::DATE).map_err(|_| "a date is written as 2027-06-30".to_owned())
}

impl Term {
    fn of(&self, role: Role) -> RoleTerm {
        let begins = |day: Date| day.midnight().assume_utc();
        RoleTerm {
            role: role.into(),
            from: self.first_day.map(begins).map(timestamp),
            until: self.last_day.and_then(Date::next_day).map(begins).map(timestamp),
        }
    }
}

/// A membership, as it is shown.
#[derive(Serialize)]
struct Shown {
    membership: String,
    organization: String,
    name: String,
    node: String,
    state: String,
    reason: String,
    roles: Vec<Held>,
}

#[derive(Serialize)]
struct Held {
    role: String,
    from: Option<String>,
    until: Option<String>,
    last_day: Option<String>,
}

impl Held {
    fn of(term: &RoleTerm) -> Self {
        let said = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
        let until = term.until.as_ref().and_then(instant);
        Self {
            role: term.role().typed(),
            from: term.from.as_ref().and_then(instant).map(said),
            until: until.map(said),
            last_day: until.map(|until| (until - Duration::NANOSECOND).date().to_string()),
        }
    }

    fn words(&self) -> String {
        match &self.last_day {
            Some(day) => format!("{} until {day}", self.role),
            None => self.role.clone(),
        }
    }
}

impl Shown {
    /// `name` is what the organization is called.
    fn of(membership: Membership, name: String) -> Self {
        Self {
            state: membership.state().typed(),
            roles: membership.roles.iter().map(Held::of).collect(),
            name: if name.is_empty() { membership.invitee } else { name },
            membership: membership.reference,
            organization: membership.organization,
            node: membership.node,
            reason: membership.reason,
        }
    }

    fn words(&self) -> String {
        let roles: Vec<String> = self.roles.iter().map(Held::words).collect();
        let roles = if roles.is_empty() { String::new() } else { format!(": {}", roles.join(", ")) };
        let reason = if self.reason.is_empty() { String::new() } else { format!(" ({})", self.reason) };
        let organization = match self.organization.as_str() {
            "" => "not registered yet",
            reference => reference,
        };
        format!(
            "{} is {}{reason}{roles}\n  organisation  {organization}\n  membership    {}",
            self.name, self.state, self.membership
        )
    }
}

/// The memberships of an initiative that have not ended.
async fn standing(client: &Client, initiative: &str) -> Result<Vec<Member>, NodeError> {
    let wanted = ListMembersRequest { initiative: initiative.to_owned(), ..ListMembersRequest::default() };
    let mut members = client.members(wanted).await?;
    members.retain(|member| member.membership.as_ref().is_some_and(|one| one.state() != MembershipState::Ended));
    Ok(members)
}

fn name_of(member: &Member) -> String {
    let invitee = || member.membership.as_ref().map(|one| one.invitee.clone()).unwrap_or_default();
    member.organization.as_ref().map_or_else(invitee, |one| one.display_name.clone())
}
