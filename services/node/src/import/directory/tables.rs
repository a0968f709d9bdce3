//! Open Referral's tables: organizations, their locations with addresses, and services, tied by ids.

mod services;

use std::collections::BTreeMap;

use proto::membership::{Organization, Sector};

use super::{Fault, File, IDENTIFIER, IDENTIFIERS, Plan, TABLE, identifier, is_name, is_website};
use crate::import::table::{Record, Table};

const LOCATIONS: &str = "locations.csv";
const ADDRESSES: &str = "addresses.csv";
const SERVICES: &str = "services.csv";
const AT: &str = "service_at_location.csv";
const REGISTERED: &str = "organization_identifiers.csv";
/// The files that are read, where they are there.
pub(super) const READ: &[&str] = &[TABLE, LOCATIONS, ADDRESSES, SERVICES, AT, REGISTERED];

const PLACE: [&str; 6] = ["address_1", "address_2", "city", "region", "state_province", "postal_code"];

/// What directories call the sectors.
const SECTORS: &[(&str, Sector)] = &[
    ("nonprofit", Sector::Nonprofit),
    ("non-profit", Sector::Nonprofit),
    ("not-for-profit", Sector::Nonprofit),
    ("not for profit", Sector::Nonprofit),
    ("501(c)3", Sector::Nonprofit),
    ("501(c)(3)", Sector::Nonprofit),
    ("501c3", Sector::Nonprofit),
    ("charity", Sector::Nonprofit),
    ("government", Sector::Government),
    ("public agency", Sector::Government),
    ("business", Sector::Business),
    ("for-profit", Sector::Business),
    ("for profit", Sector::Business),
    ("church", Sector::HouseOfWorship),
    ("religious organization", Sector::HouseOfWorship),
    ("foundation", Sector::Grantmaker),
];

/// Reads the tables of a folder.
pub(super) fn read<'a>(
    named: &dyn Fn(&str) -> Option<&'a File>,
    register: &str,
    plan: &mut Plan,
    faults: &mut Vec<Fault>,
) {
    let mut table = |name: &str, needed: &[&str]| {
        let file = named(name)?;
        Table::of(file, needed).map_err(|found| faults.extend(found)).ok()
    };
    let organizations = table(TABLE, &["id", "name"]);
    let locations = table(LOCATIONS, &["id"]);
    let addresses = table(ADDRESSES, &["location_id"]);
    let services = table(SERVICES, &["id", "name"]);
    let at = table(AT, &["service_id", "location_id"]);
    let registered = table(REGISTERED, &["organization_id", "identifier_scheme", "identifier"]);
    if !faults.is_empty() {
        return;
    }
    let mut reading = Reading { register, plan, faults, places: BTreeMap::new(), at: BTreeMap::new() };
    reading.organizations(organizations.as_ref());
    reading.registered(registered.as_ref());
    reading.locations(locations.as_ref());
    reading.addresses(addresses.as_ref());
    reading.at(at.as_ref());
    services::read(&mut reading, services.as_ref());
}

/// A location: whose it is, and what an offer says of it.
struct Place {
    organization: String,
    name: String,
    accessibility: String,
    transportation: String,
    address: String,
}

struct Reading<'a> {
    register: &'a str,
    plan: &'a mut Plan,
    faults: &'a mut Vec<Fault>,
    places: BTreeMap<String, Place>,
    /// Locations of a service, by its id, where a table of its own says so.
    at: BTreeMap<String, Vec<String>>,
}

impl Reading<'_> {
    fn organizations(&mut self, table: Option<&Table<'_>>) {
        let Some(table) = table else { return };
        for record in table.records() {
            let sector = self.sector(&record);
            let website = [record.get("website"), record.get("url")].into_iter().find(|url| !url.is_empty());
            let website = website.unwrap_or_default();
            if !website.is_empty() && !is_website(website) {
                let column = if record.get("website").is_empty() { "url" } else { "website" };
                self.faults.push(record.fault(column, "is no address of a website", "one such as https://example.org"));
            }
            let organization = Organization {
                display_name: self.name(&record),
                sector,
                identifiers: vec![identifier(self.register, record.get("id"))],
                website: website.to_owned(),
                ..Organization::default()
            };
            if self.id(&record, self.plan.organizations.contains_key(record.get("id"))) {
                self.plan.organizations.insert(record.get("id").to_owned(), organization);
            }
        }
        if table.records().next().is_none() {
            self.faults.push(table.fault("has a header and no rows", "one row for each organization"));
        }
        self.unread(TABLE, table, &["id", "name", "website", "url", "legal_status", "tax_status"]);
    }

    /// The sector as a number, if one of the columns that may say it does in words that are known.
    fn sector(&mut self, record: &Record<'_>) -> i32 {
        let mut found = Sector::Unspecified;
        for column in ["legal_status", "tax_status"] {
            let said = record.get(column).to_lowercase();
            match SECTORS.iter().find(|(known, _)| *known == said) {
                Some((_, sector)) => found = *sector,
                None => self.plan.leave_out(format!("{TABLE}, {column}"), usize::from(!said.is_empty())),
            }
        }
        found.into()
    }

    fn registered(&mut self, table: Option<&Table<'_>>) {
        let Some(table) = table else { return };
        for record in table.records() {
            let (scheme, value) = (record.get("identifier_scheme"), record.get("identifier"));
            let fits = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
            if scheme.is_empty() || scheme.len() > 40 || !fits || value.is_empty() || value.chars().count() > IDENTIFIER
            {
                self.plan.leave_out(format!("{REGISTERED}, identifier"), 1);
                continue;
            }
            let Some(organization) = self.plan.organizations.get_mut(record.get("organization_id")) else {
                self.faults.push(nobody(&record));
                continue;
            };
            let new = identifier(scheme, value);
            match organization.identifiers.len() {
                _ if organization.identifiers.contains(&new) => {}
                IDENTIFIERS => self.plan.leave_out(format!("{REGISTERED}, identifier"), 1),
                _ => organization.identifiers.push(new),
            }
        }
        let read = ["id", "organization_id", "identifier_scheme", "identifier"];
        self.unread(REGISTERED, table, &read);
    }

    fn locations(&mut self, table: Option<&Table<'_>>) {
        let Some(table) = table else { return };
        for record in table.records() {
            let id = record.get("id");
            let known = self.places.contains_key(id);
            let organization = record.get("organization_id");
            if !organization.is_empty() && !self.plan.organizations.contains_key(organization) {
                self.faults.push(nobody(&record));
            }
            // One that is nobody's is kept too, so that what names it is not told as well.
            if self.id(&record, known) {
                let said = |column: &str| record.get(column).to_owned();
                let place = Place {
                    organization: said("organization_id"),
                    name: said("name"),
                    accessibility: said("accessibility"),
                    transportation: said("transportation"),
                    address: String::new(),
                };
                self.places.insert(id.to_owned(), place);
            }
        }
        self.unread(LOCATIONS, table, &["id", "organization_id", "name", "accessibility", "transportation"]);
    }

    fn addresses(&mut self, table: Option<&Table<'_>>) {
        let Some(table) = table else { return };
        for record in table.records() {
            let Some(place) = self.places.get_mut(record.get("location_id")) else {
                self.faults.push(nowhere(&record));
                continue;
            };
            let parts: Vec<&str> =
                PLACE.iter().map(|column| record.get(column)).filter(|part| !part.is_empty()).collect();
            place.address = parts.join(", ");
        }
        self.unread(ADDRESSES, table, &[&["id", "location_id"][..], &PLACE].concat());
    }

    fn at(&mut self, table: Option<&Table<'_>>) {
        let Some(table) = table else { return };
        for record in table.records() {
            let (service, location) = (record.get("service_id"), record.get("location_id"));
            if self.places.contains_key(location) {
                self.at.entry(service.to_owned()).or_default().push(location.to_owned());
            } else {
                self.faults.push(nowhere(&record));
            }
        }
        self.unread(AT, table, &["id", "service_id", "location_id"]);
    }

    /// The name of a row; one that cannot be is a fault.
    fn name(&mut self, record: &Record<'_>) -> String {
        let name = record.get("name");
        if is_name(name) {
            return name.to_owned();
        }
        self.faults.push(record.fault("name", "is no name", "one line of 1 to 200 characters"));
        String::new()
    }

    /// Whether the id of a row is one, and its own; else that is a fault.
    fn id(&mut self, record: &Record<'_>, known: bool) -> bool {
        let id = record.get("id");
        let fits = !id.is_empty() && id.chars().count() <= IDENTIFIER && !id.chars().any(char::is_control);
        if !fits {
            self.faults.push(record.fault("id", "is no id", "one line of 1 to 100 characters"));
        } else if known {
            self.faults.push(record.fault("id", "is the id of a row before", "an id of its own"));
        }
        fits && !known
    }

    fn unread(&mut self, name: &str, table: &Table<'_>, read: &[&str]) {
        for (column, number) in table.unread(read) {
            self.plan.leave_out(format!("{name}, {column}"), number);
        }
    }
}

fn nobody(record: &Record<'_>) -> Fault {
    record.fault("organization_id", "is no organization of this directory", "an id that stands in organizations.csv")
}

fn nowhere(record: &Record<'_>) -> Fault {
    record.fault("location_id", "is no location of this directory", "an id that stands in locations.csv")
}
