//! Requests about organizations, read.

use std::collections::BTreeSet;

use chassis::errors::Violations;
use chassis::names::{NodeId, Reference};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::{Mask, Read};
use proto::membership as message;
use tonic::Status;

use crate::api::filter;
use crate::domain::organization::Revision;
use crate::domain::{Identifier, OrganizationProfile, Sector};

const NAME_LENGTH: usize = 200;
const WEBSITE_LENGTH: usize = 500;
const SCHEME_LENGTH: usize = 40;
const VALUE_LENGTH: usize = 100;
const IDENTIFIERS: usize = 20;
const CHANGEABLE: &[&str] = &["display_name", "sector", "identifiers", "website"];

pub(super) fn named(organization: &str) -> Result<Reference, Status> {
    let mut violations = Violations::default();
    let organization = parse::reference(&mut violations, "organization", organization);
    violations.finish(|| organization)
}

pub(super) struct Registration {
    pub(super) initiative: Reference,
    pub(super) profile: OrganizationProfile,
}

pub(super) fn registration(request: &message::RegisterOrganizationRequest) -> Result<Registration, Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let given = parse::message(&mut violations, "organization", request.organization.as_ref());
    let profile = given.and_then(|given| {
        let Revision { display_name, sector, identifiers, website } = fields(&mut violations, given, |_| true);
        Some(OrganizationProfile {
            display_name: display_name?,
            sector: sector?,
            identifiers: identifiers?,
            website: website?,
        })
    });
    violations.finish(|| Some(Registration { initiative: initiative?, profile: profile? }))
}

pub(super) struct Update {
    pub(super) reference: Reference,
    pub(super) read: Read,
    pub(super) revision: Revision,
}

pub(super) fn update(request: &message::UpdateOrganizationRequest) -> Result<Update, Status> {
    let mut violations = Violations::default();
    let mask = Mask::asked(&mut violations, request.update_mask.as_ref(), CHANGEABLE);
    let given = parse::message(&mut violations, "organization", request.organization.as_ref());
    let update = given.and_then(|given| {
        let reference = parse::reference(&mut violations, "organization.reference", &given.reference);
        let read = Read::asked(&mut violations, "organization.etag", &given.etag);
        let mask = mask?;
        let revision = fields(&mut violations, given, |field| mask.has(field));
        Some(Update { reference: reference?, read: read?, revision })
    });
    violations.finish(|| update)
}

fn fields(violations: &mut Violations, given: &message::Organization, take: impl Fn(&str) -> bool) -> Revision {
    let mut revision = Revision::default();
    if take("display_name") {
        revision.display_name = parse::text(violations, "organization.display_name", &given.display_name, NAME_LENGTH);
    }
    if take("sector") {
        revision.sector = parse::choice(violations, "organization.sector", given.sector);
    }
    if take("identifiers") {
        revision.identifiers = identifiers(violations, &given.identifiers);
    }
    if take("website") {
        revision.website = website(violations, &given.website);
    }
    revision
}

fn identifiers(violations: &mut Violations, given: &[message::Identifier]) -> Option<Vec<Identifier>> {
    if given.len() > IDENTIFIERS {
        let told = format!("has {} entries, at most {IDENTIFIERS} are allowed", given.len());
        violations.add("organization.identifiers", told);
        return None;
    }
    let mut seen = BTreeSet::new();
    let mut identifiers = Vec::new();
    for (place, given) in given.iter().enumerate() {
        let field = format!("organization.identifiers[{place}]");
        let Some(identifier) = identifier(violations, &field, given) else { continue };
        if !seen.insert(identifier.clone()) {
            violations.add(&field, "stands in the list already");
        }
        identifiers.push(identifier);
    }
    Some(identifiers)
}

fn identifier(violations: &mut Violations, field: &str, given: &message::Identifier) -> Option<Identifier> {
    let scheme = parse::text(violations, &format!("{field}.scheme"), &given.scheme, SCHEME_LENGTH);
    let value = parse::text(violations, &format!("{field}.value"), &given.value, VALUE_LENGTH);
    let scheme = scheme?;
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) {
        violations.add(format!("{field}.scheme"), "may have letters, digits, \".\", \"_\" and \"-\" only, as US-EIN");
        return None;
    }
    Some(Identifier { scheme, value: value? })
}

/// An address that a page may link to: it leads to a host and nowhere else.
fn website(violations: &mut Violations, given: &str) -> Option<String> {
    let website = parse::optional_text(violations, "organization.website", given, WEBSITE_LENGTH)?;
    let rest = website.strip_prefix("https://").or_else(|| website.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let fits = !host.is_empty() && !host.contains('@') && !website.contains(char::is_whitespace);
    if !website.is_empty() && !fits {
        violations.add("organization.website", "must be an address such as https://example.org");
        return None;
    }
    Some(website)
}

pub(super) struct Listing {
    pub(super) initiative: Reference,
    pub(super) sector: Option<Sector>,
    pub(super) node: Option<NodeId>,
    pub(super) identifier: Option<Identifier>,
    pub(super) page: Page,
}

pub(super) fn listing(request: &message::ListOrganizationsRequest) -> Result<Listing, Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let sector = filter(&mut violations, "sector", request.sector);
    let node = (!request.node.is_empty()).then(|| parse::node(&mut violations, "node", &request.node));
    let identifier = request.identifier.as_ref().map(|given| identifier(&mut violations, "identifier", given));
    let list = message::ListOrganizationsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (node, identifier) = (node.flatten(), identifier.flatten());
    violations.finish(|| Some(Listing { initiative: initiative?, sector, node, identifier, page: page? }))
}
