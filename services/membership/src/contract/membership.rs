//! Memberships, invitations and roles on the wire.

use std::collections::BTreeSet;

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::etag;
use proto::membership as message;
use time::OffsetDateTime;

use super::written;
use crate::domain::{Invitee, Membership, Role, RoleTerm};

const NAME_LENGTH: usize = 200;

/// Reads who is invited: an organization, or the name of one that is not registered yet.
pub fn read_invitee(violations: &mut Violations, organization: &str, invitee: &str) -> Option<Invitee> {
    let registered = parse::optional_reference(violations, "organization", organization);
    let to_come = parse::optional_text(violations, "invitee", invitee, NAME_LENGTH);
    match (organization.is_empty(), invitee.trim().is_empty()) {
        (true, true) => violations.add("organization", "is required, or invitee for one that is not registered yet"),
        (false, false) => violations.add("invitee", "must be empty where organization is given"),
        _ => {}
    }
    registered.map(Invitee::Registered).or(to_come.map(Invitee::ToCome))
}

/// Reads an admission: the organization, and the request that it answers.
pub fn read_admitted(
    violations: &mut Violations,
    message: &message::MemberAdmitted,
) -> Option<(Reference, Option<Reference>)> {
    let organization = resident(violations, &message.organization, &message.node);
    let join_request = parse::optional_reference(violations, "join_request", &message.join_request);
    Some((organization?, join_request))
}

/// Reads a role that was granted.
pub fn read_granted(violations: &mut Violations, message: &message::RoleGranted) -> Option<(Reference, RoleTerm)> {
    let organization = resident(violations, &message.organization, &message.node);
    let from = parse::instant(violations, "from", message.from.as_ref())?;
    let given = message::RoleTerm { role: message.role, from: None, until: message.until };
    let term = read_term(violations, "term", &given, from);
    Some((organization?, term?))
}

/// Reads a role.
pub fn read_role(violations: &mut Violations, role: i32) -> Option<Role> {
    parse::choice(violations, "role", role)
}

/// Reads one role for a term that begins now, unless it says otherwise.
pub fn read_term(
    violations: &mut Violations,
    field: &str,
    message: &message::RoleTerm,
    now: OffsetDateTime,
) -> Option<RoleTerm> {
    let role = parse::choice(violations, &format!("{field}.role"), message.role);
    let from = parse::optional_instant(violations, &format!("{field}.from"), message.from.as_ref()).unwrap_or(now);
    let until = parse::optional_instant(violations, &format!("{field}.until"), message.until.as_ref());
    if until.is_some_and(|until| until <= from) {
        violations.add(format!("{field}.until"), "must be after from; from is now where it is absent");
    }
    Some(RoleTerm { role: role?, from, until })
}

/// Reads at least one role, none twice.
pub fn read_terms(
    violations: &mut Violations,
    messages: &[message::RoleTerm],
    now: OffsetDateTime,
) -> Option<Vec<RoleTerm>> {
    if messages.is_empty() {
        violations.add("roles", "is required: at least one");
        return None;
    }
    let mut seen = BTreeSet::new();
    let mut terms = Vec::new();
    for (nth, message) in messages.iter().enumerate() {
        let field = format!("roles[{nth}]");
        let Some(term) = read_term(violations, &field, message, now) else { continue };
        if !seen.insert(term.role) {
            violations.add(field, "names a role that stands in the list already");
        }
        terms.push(term);
    }
    Some(terms)
}

/// An organization, which lives on the node that is named beside it.
fn resident(violations: &mut Violations, organization: &str, node: &str) -> Option<Reference> {
    let organization = parse::reference(violations, "organization", organization)?;
    if organization.node.as_str() != node {
        violations.add("node", "is not the one on which the organization lives");
    }
    Some(organization)
}

/// A membership as the contract writes it.
pub fn write(membership: &Membership) -> message::Membership {
    message::Membership {
        reference: membership.reference.to_string(),
        initiative: membership.initiative.to_string(),
        organization: written(membership.organization.as_ref()),
        node: membership.organization.as_ref().map(|organization| organization.node.to_string()).unwrap_or_default(),
        invitee: membership.invitee.clone(),
        state: membership.state.number(),
        reason: membership.reason.clone(),
        roles: membership.roles.iter().map(write_term).collect(),
        join_request: written(membership.join_request.as_ref()),
        create_time: Some(timestamp(membership.stamp.created_at)),
        update_time: Some(timestamp(membership.stamp.updated_at)),
        etag: etag(membership.stamp.version),
    }
}

fn write_term(term: &RoleTerm) -> message::RoleTerm {
    message::RoleTerm { role: term.role.number(), from: Some(timestamp(term.from)), until: term.until.map(timestamp) }
}

/// The message of `MemberInvited`.
pub fn invited(initiative: &Reference, membership: &Reference, invitee: &Invitee) -> message::MemberInvited {
    let (organization, invitee) = match invitee {
        Invitee::Registered(organization) => (organization.to_string(), String::new()),
        Invitee::ToCome(name) => (String::new(), name.clone()),
    };
    let (initiative, membership) = (initiative.to_string(), membership.to_string());
    message::MemberInvited { initiative, membership, organization, invitee }
}

/// The message of `MemberAdmitted`.
pub fn admitted(
    initiative: &Reference,
    membership: &Reference,
    organization: &Reference,
    join_request: Option<&Reference>,
) -> message::MemberAdmitted {
    message::MemberAdmitted {
        initiative: initiative.to_string(),
        membership: membership.to_string(),
        organization: organization.to_string(),
        node: organization.node.to_string(),
        join_request: written(join_request),
    }
}

/// The message of `RoleGranted`.
pub fn granted(
    initiative: &Reference,
    membership: &Reference,
    organization: &Reference,
    term: &RoleTerm,
) -> message::RoleGranted {
    message::RoleGranted {
        initiative: initiative.to_string(),
        membership: membership.to_string(),
        organization: organization.to_string(),
        node: organization.node.to_string(),
        role: term.role.number(),
        from: Some(timestamp(term.from)),
        until: term.until.map(timestamp),
    }
}
