//! Records of Ohana's first version: one JSON object in a line, which is an organization and what it does in one. With an
//! `agency` it is something that this organization does; without, an organization of its own.

use std::collections::BTreeMap;

use proto::membership::Organization;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::offer::Words;
use super::{Fault, File, IDENTIFIER, NAME, Plan, identifier, is_name, is_website};

/// What of a record an offer says, in this order, and under which label.
const SAID: &[(&str, &str)] = &[
    ("description", ""),
    ("services_provided", "Services"),
    ("target_group", "For"),
    ("eligibility_requirements", "Who may come"),
    ("how_to_apply", "How to apply"),
    ("fees", "Fees"),
    ("payments_accepted", "Payment"),
    ("service_wait", "Wait"),
    ("service_hours", "Hours"),
    ("hours", "Hours"),
    ("products_sold", "Products"),
    ("service_area", "Service area"),
    ("transportation_availability", "Getting there"),
    ("accessibility_options", "Accessibility"),
    ("languages_spoken", "Languages"),
    ("keywords", "Keywords"),
    ("funding_sources", "Funding"),
    ("urls", "Web"),
];
const PLACE: [&str; 4] = ["street_address", "city", "state", "zipcode"];

type Fields = Map<String, Value>;

pub(super) fn read(file: &File, register: &str, plan: &mut Plan, faults: &mut Vec<Fault>) {
    let mut seen = BTreeMap::<(String, String), usize>::new();
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match record(file, line, bytes) {
            Ok(record) => add(&record, register, plan, &mut seen),
            Err(fault) => faults.push(fault),
        }
    }
    if plan.organizations.is_empty() && faults.is_empty() {
        faults.push(file.fault(0, "", "", "is empty", "one JSON object in each line"));
    }
}

/// A record and the names in it.
struct Record {
    fields: Fields,
    organization: String,
    name: String,
}

fn record(file: &File, line: u64, bytes: &[u8]) -> Result<Record, Fault> {
    let start = || String::from_utf8_lossy(bytes.get(..NAME.min(bytes.len())).unwrap_or_default()).into_owned();
    let wrong = |reason: String| file.fault(line, "", &start(), &reason, "one JSON object in each line, as UTF-8");
    let fields: Fields = match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(wrong("is no JSON object".to_owned())),
        Err(error) => return Err(wrong(format!("is no JSON: {error}"))),
    };
    let name = |field: &str| match fields.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_name(text.trim()) => Ok(Some(text.trim().to_owned())),
        Some(other) => {
            Err(file.fault(line, field, &other.to_string(), "is no name", "one line of 1 to 200 characters"))
        }
    };
    let (agency, own) = (name("agency")?, name("name")?);
    let own = own.ok_or_else(|| file.fault(line, "name", "", "is missing", "what it is called"))?;
    Ok(Record { organization: agency.unwrap_or_else(|| own.clone()), name: own, fields })
}

fn add(record: &Record, register: &str, plan: &mut Plan, seen: &mut BTreeMap<(String, String), usize>) {
    let Record { fields, organization: named, name } = record;
    let id = id_of(named);
    let organization = plan.organizations.entry(id.clone()).or_insert_with(|| Organization {
        display_name: named.clone(),
        identifiers: vec![identifier(register, &id)],
        ..Organization::default()
    });
    // What a part of an organization has for a website need not be that of the whole.
    if named == name && organization.website.is_empty() {
        let urls = fields.get("urls").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        organization.website = urls.map(str::trim).find(|url| is_website(url)).unwrap_or_default().to_owned();
    }
    for (field, value) in fields {
        let said = SAID.iter().any(|(known, _)| known == field) || PLACE.contains(&field.as_str());
        if !said && !matches!(field.as_str(), "name" | "agency") && !matches!(value, Value::Null) {
            plan.leave_out(format!("{}, {field}", super::RECORDS), 1);
        }
    }
    let nth = seen.entry((id.clone(), name.clone())).or_default();
    *nth += 1;
    let nth = if *nth > 1 { format!(" ({nth})") } else { String::new() };
    plan.offers.push(words(fields, name).offer(&id, format!("Directory: {register}, \"{name}\"{nth}")));
}

fn words(fields: &Fields, name: &str) -> Words {
    let mut words = Words::default();
    words.say("", name);
    for (field, label) in SAID {
        words.say(label, &text(fields, field));
    }
    let place: Vec<String> = PLACE.iter().map(|field| text(fields, field)).filter(|part| !part.is_empty()).collect();
    words.say("Where", &place.join(", "));
    words
}

/// A text, or several after one another.
fn text(fields: &Fields, field: &str) -> String {
    match fields.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(texts)) => {
            texts.iter().filter_map(Value::as_str).map(str::trim).collect::<Vec<_>>().join("; ")
        }
        _ => String::new(),
    }
}

/// The name of an organization as its id, for these directories give none; made short enough for an identifier.
fn id_of(name: &str) -> String {
    if name.chars().count() <= IDENTIFIER {
        return name.to_owned();
    }
    let digest: String = Sha256::digest(name.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    name.chars().take(IDENTIFIER - digest.len() - 1).chain(['-']).chain(digest.chars()).collect()
}
