//! Organizations on the wire.

use std::collections::BTreeSet;

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::{Mask, etag};
use proto::membership as message;

use crate::domain::organization::Revision;
use crate::domain::{Identifier, Organization, OrganizationProfile};

/// What of an organization may change.
pub const MAY_CHANGE: &[&str] = &["display_name", "sector", "identifiers", "website"];

const NAME_LENGTH: usize = 200;
const WEBSITE_LENGTH: usize = 500;
const SCHEME_LENGTH: usize = 40;
const VALUE_LENGTH: usize = 100;
const IDENTIFIERS: usize = 20;

/// Reads the whole of what is known of an organization.
pub fn read_profile(
    violations: &mut Violations,
    message: Option<&message::Organization>,
) -> Option<OrganizationProfile> {
    let message = parse::message(violations, "organization", message)?;
    let Revision { display_name, sector, identifiers, website } = read(violations, message, |_| true);
    Some(OrganizationProfile {
        display_name: display_name?,
        sector: sector?,
        identifiers: identifiers?,
        website: website?,
    })
}

/// Reads the fields that the mask names; others are not looked at.
pub fn read_revision(violations: &mut Violations, message: &message::Organization, mask: &Mask) -> Revision {
    read(violations, message, |field| mask.has(field))
}

fn read(violations: &mut Violations, message: &message::Organization, take: impl Fn(&str) -> bool) -> Revision {
    let mut revision = Revision::default();
    if take("display_name") {
        revision.display_name =
            parse::text(violations, "organization.display_name", &message.display_name, NAME_LENGTH);
    }
    if take("sector") {
        revision.sector = parse::choice(violations, "organization.sector", message.sector);
    }
    if take("identifiers") {
        revision.identifiers = identifiers(violations, &message.identifiers);
    }
    if take("website") {
        revision.website = website(violations, &message.website);
    }
    revision
}

fn identifiers(violations: &mut Violations, messages: &[message::Identifier]) -> Option<Vec<Identifier>> {
    if messages.len() > IDENTIFIERS {
        let told = format!("has {} entries, at most {IDENTIFIERS} are allowed", messages.len());
        violations.add("organization.identifiers", told);
        return None;
    }
    let mut seen = BTreeSet::new();
    let mut identifiers = Vec::new();
    for (nth, message) in messages.iter().enumerate() {
        let field = format!("organization.identifiers[{nth}]");
        let Some(identifier) = read_identifier(violations, &field, message) else { continue };
        if !seen.insert(identifier.clone()) {
            violations.add(&field, "stands in the list already");
        }
        identifiers.push(identifier);
    }
    Some(identifiers)
}

/// Reads an identifier that a register gave.
pub fn read_identifier(violations: &mut Violations, field: &str, message: &message::Identifier) -> Option<Identifier> {
    let scheme = parse::text(violations, &format!("{field}.scheme"), &message.scheme, SCHEME_LENGTH);
    let value = parse::text(violations, &format!("{field}.value"), &message.value, VALUE_LENGTH);
    let scheme = scheme?;
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) {
        violations.add(format!("{field}.scheme"), "may have letters, digits, \".\", \"_\" and \"-\" only, as US-EIN");
        return None;
    }
    Some(Identifier { scheme, value: value? })
}

/// An address that a page may link to: it leads to a host and nowhere else.
fn website(violations: &mut Violations, text: &str) -> Option<String> {
    let website = parse::optional_text(violations, "organization.website", text, WEBSITE_LENGTH)?;
    let rest = website.strip_prefix("https://").or_else(|| website.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let fits = !host.is_empty() && !host.contains('@') && !website.contains(char::is_whitespace);
    if !website.is_empty() && !fits {
        violations.add("organization.website", "must be an address such as https://example.org");
        return None;
    }
    Some(website)
}

/// An organization as the contract writes it.
pub fn write(organization: &Organization) -> message::Organization {
    message::Organization {
        create_time: Some(timestamp(organization.stamp.created_at)),
        update_time: Some(timestamp(organization.stamp.updated_at)),
        etag: etag(organization.stamp.version),
        ..write_profile(&organization.reference, &organization.initiative, &organization.profile)
    }
}

/// What is known of an organization, without times and etag.
pub fn write_profile(
    reference: &Reference,
    initiative: &Reference,
    profile: &OrganizationProfile,
) -> message::Organization {
    message::Organization {
        reference: reference.to_string(),
        initiative: initiative.to_string(),
        node: reference.node.to_string(),
        display_name: profile.display_name.clone(),
        sector: profile.sector.number(),
        identifiers: profile.identifiers.iter().map(write_identifier).collect(),
        website: profile.website.clone(),
        ..message::Organization::default()
    }
}

fn write_identifier(identifier: &Identifier) -> message::Identifier {
    message::Identifier { scheme: identifier.scheme.clone(), value: identifier.value.clone() }
}
