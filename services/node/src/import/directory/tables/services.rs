//! The table of services: each that is active becomes an offer of its organization.

use std::collections::BTreeSet;

use super::{Reading, SERVICES, nobody, nowhere};
use crate::import::directory::offer::Words;
use crate::import::table::{Record, Table};

/// What of a service an offer says, in this order, and under which label.
const SAID: &[(&str, &str)] = &[
    ("name", ""),
    ("alternate_name", "Also called"),
    ("description", ""),
    ("alert", "Note"),
    ("audience", "For"),
    ("eligibility", "Who may come"),
    ("eligibility_description", "Who may come"),
    ("minimum_age", "From the age of"),
    ("maximum_age", "To the age of"),
    ("application_process", "How to apply"),
    ("required_documents", "To bring"),
    ("fees", "Fees"),
    ("fees_description", "Fees"),
    ("accepted_payments", "Payment"),
    ("wait_time", "Wait"),
    ("languages", "Languages"),
    ("interpretation_services", "Interpreters"),
    ("accreditations", "Accreditations"),
    ("licenses", "Licenses"),
    ("service_areas", "Service area"),
    ("keywords", "Keywords"),
    ("funding_sources", "Funding"),
    ("website", "Web"),
    ("url", "Web"),
];

pub(super) fn read(reading: &mut Reading<'_>, table: Option<&Table<'_>>) {
    let Some(table) = table else { return };
    let mut seen = BTreeSet::new();
    for record in table.records() {
        let known = !seen.insert(record.get("id").to_owned());
        let named = reading.name(&record);
        let Some((organization, places)) = reading.whose(&record) else { continue };
        if !reading.id(&record, known) || named.is_empty() {
            continue;
        }
        match record.get("status") {
            "" | "active" => {}
            status => {
                reading.plan.leave_out(format!("{SERVICES}, rows that are {status}"), 1);
                continue;
            }
        }
        let words = reading.words(&record, &places);
        let source = format!("Directory: {}, service {}", reading.register, record.get("id"));
        reading.plan.offers.push(words.offer(&organization, source));
    }
    let said = SAID.iter().map(|(column, _)| *column);
    let read: Vec<&str> = said.chain(["id", "organization_id", "location_id", "status"]).collect();
    reading.unread(SERVICES, table, &read);
}

impl Reading<'_> {
    /// The organization that a service is of, and the locations where it is.
    fn whose(&mut self, record: &Record<'_>) -> Option<(String, Vec<String>)> {
        let mut places = self.at.get(record.get("id")).cloned().unwrap_or_default();
        let location = record.get("location_id");
        if !location.is_empty() {
            if !self.places.contains_key(location) {
                self.faults.push(nowhere(record));
                return None;
            }
            places.push(location.to_owned());
        }
        let at = places
            .first()
            .and_then(|place| self.places.get(place))
            .map(|place| place.organization.clone())
            .filter(|one| !one.is_empty());
        let organization = match (record.get("organization_id"), at) {
            ("", Some(of_place)) => {
                return self.plan.organizations.contains_key(&of_place).then_some((of_place, places));
            }
            (own, _) => own.to_owned(),
        };
        if !self.plan.organizations.contains_key(&organization) {
            self.faults.push(nobody(record));
            return None;
        }
        Some((organization, places))
    }

    fn words(&self, record: &Record<'_>, places: &[String]) -> Words {
        let mut words = Words::default();
        for (column, label) in SAID {
            words.say(label, record.get(column));
        }
        for place in places.iter().filter_map(|place| self.places.get(place)) {
            let name = Some(place.name.as_str()).filter(|name| *name != record.get("name"));
            let parts: Vec<&str> =
                name.into_iter().chain([place.address.as_str()]).filter(|part| !part.is_empty()).collect();
            words.say("Where", &parts.join(", "));
            words.say("Getting there", &place.transportation);
            words.say("Accessibility", &place.accessibility);
        }
        words
    }
}
