//! What a real file adds up to, and what is said of faulty ones.

use std::collections::BTreeSet;

use super::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/360giving-lloyds-bank-foundation");

fn file(text: &str) -> File {
    File { name: "grants.json".to_owned(), bytes: text.as_bytes().to_vec() }
}

/// A grant with one field replaced by JSON; an empty one is taken out.
fn grant(field: &str, json: &str) -> File {
    let mut grant = serde_json::json!({
        "id": "360G-1", "title": "Grant to a village hall", "description": "Heating\r\nand light", "currency": "GBP",
        "amountAwarded": 1500.5, "awardDate": "2015-06-10T00:00:00+00:00",
        "recipientOrganization": [{"id": "GB-CHC-1", "name": "A village hall"}],
        "fundingOrganization": [{"id": "GB-CHC-2", "name": "A foundation"}],
    });
    if !field.is_empty() {
        grant[field] = serde_json::from_str(json).unwrap();
    }
    file(&serde_json::json!({ "grants": [grant] }).to_string())
}

/// The only fault of a file: its place and reason.
fn fault_of(file: File) -> (String, String) {
    let faults = plan(&[file]).unwrap_err().faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    (faults[0].column.clone(), faults[0].reason.clone())
}

#[test]
fn the_real_file_adds_up_to_the_known_figures() {
    let bytes = std::fs::read(format!("{FOLDER}/grants.json")).unwrap();
    let grants: Value = serde_json::from_slice(&bytes).unwrap();
    let grants = grants["grants"].as_array().unwrap();
    let plan = plan(&[File { name: "grants.json".to_owned(), bytes }]).unwrap();
    let known: Value = serde_json::from_slice(&std::fs::read(format!("{FOLDER}/known-answers.json")).unwrap()).unwrap();
    let known = |figure: &str| {
        let answers = known.as_array().unwrap();
        let answer = answers.iter().find(|answer| answer["figure"].as_str().unwrap().starts_with(figure)).unwrap();
        answer["value"].as_str().map_or_else(|| answer["value"].to_string(), str::to_owned)
    };
    assert_eq!((plan.awards.len() + plan.nothing.len()).to_string(), known("grants"));
    let sums = plan.sums().into_iter().map(|(currency, sum)| (currency, sum.to_string())).collect::<Vec<_>>();
    assert_eq!(sums, [("GBP", known("sum awarded GBP"))]);
    for year in ["2010", "2011", "2012", "2013", "2014", "2015"] {
        let of_year = |planned: &&Planned| planned.definition.award_date.starts_with(year);
        let nothing = grants.iter().filter(|grant| {
            plan.nothing.iter().any(|id| grant["id"] == id.as_str())
                && grant["awardDate"].as_str().unwrap().starts_with(year)
        });
        let count = plan.awards.values().filter(of_year).count() + nothing.count();
        let sum: Decimal = plan.awards.values().filter(of_year).map(|planned| planned.amount).sum();
        assert_eq!(format!("{count} / {}", sum.normalize()), known(year), "{year}");
    }
    let recipients: BTreeSet<&str> =
        grants.iter().map(|grant| grant["recipientOrganization"][0]["id"].as_str().unwrap()).collect();
    assert_eq!(recipients.len().to_string(), known("distinct recipients"), "the copy has every recipient");
    let largest = plan.awards.values().max_by_key(|planned| planned.amount).unwrap();
    assert_eq!(format!("{} ({})", largest.amount, largest.definition.external_id), known("largest grant"));
    assert!(plan.awards.values().all(|planned| planned.funder == "GB-CHC-327114"));
}

#[test]
fn a_grant_becomes_an_award() {
    let plan = plan(&[grant("", "")]).unwrap();
    let planned = &plan.awards["360G-1"];
    assert_eq!((planned.funder.as_str(), planned.amount.to_string().as_str()), ("GB-CHC-2", "1500.5"));
    let definition = &planned.definition;
    assert_eq!(definition.purpose, "Grant to a village hall\nHeating \nand light");
    assert_eq!((definition.award_date.as_str(), definition.recipient_name.as_str()), ("2015-06-10", "A village hall"));
    let money = Money { amount: "1500.5".to_owned(), currency: "GBP".to_owned() };
    assert_eq!(definition.means, Some(Means { kind: Some(Kind::Money(money)) }));
}

#[test]
fn every_wrong_field_is_named_with_its_place() {
    for (field, json, place) in [
        ("id", "null", "id"),
        ("id", "7", "id"),
        ("title", "\" \"", "title"),
        ("title", "\"two\\nlines\"", "title"),
        ("currency", "\"pounds\"", "currency"),
        ("amountAwarded", "\"1500\"", "amountAwarded"),
        ("amountAwarded", "-1", "amountAwarded"),
        ("amountAwarded", "0.00001", "amountAwarded"),
        ("amountAwarded", "1e15", "amountAwarded"),
        ("amountAwarded", "1e300", "amountAwarded"),
        ("awardDate", "\"10/06/2015\"", "awardDate"),
        ("awardDate", "\"2015-02-30\"", "awardDate"),
        ("awardDate", "\"2015-06-10x\"", "awardDate"),
        ("awardDate", "\"Жжжжжжжжж\"", "awardDate"),
        ("recipientOrganization", "[]", "recipientOrganization"),
        ("recipientOrganization", "[{}, {}]", "recipientOrganization"),
        ("recipientOrganization", "[{\"id\": \"x\"}]", "recipientOrganization[0].name"),
        ("fundingOrganization", "{}", "fundingOrganization"),
    ] {
        assert_eq!(fault_of(grant(field, json)).0, format!("grants[0].{place}"), "{field} {json}");
    }
    let long = format!("\"{}\"", "x".repeat(4001));
    assert_eq!(fault_of(grant("description", &long)).0, "grants[0].description");
    let nobody = plan(&[file("{\"grants\": [7]}")]).unwrap_err();
    assert_eq!(nobody.faults.len(), 7, "a grant that is none lacks everything: {nobody}");
}

#[test]
fn what_is_no_such_file_is_one_fault() {
    let whole = String::from_utf8(grant("", "").bytes).unwrap();
    assert!(fault_of(file(&whole[..whole.len() / 2])).1.starts_with("is no JSON: EOF"), "cut short");
    assert!(fault_of(file(&"[".repeat(100_000))).1.contains("recursion limit"), "nested without end");
    assert!(fault_of(File { bytes: b"{\"grants\": [\"\xFF\"]}".to_vec(), ..file("") }).1.starts_with("is no JSON"));
    for other in ["", "{}", "[]", "{\"grants\": {}}", "id,title\n1,2"] {
        assert_ne!(fault_of(file(other)).1, "", "{other}");
    }
    let marked = File { bytes: [b"\xEF\xBB\xBF".as_slice(), whole.as_bytes()].concat(), ..file("") };
    assert_eq!(plan(&[marked]).unwrap().awards.len(), 1, "a byte order mark is no fault");
}

#[test]
fn the_same_grant_counts_once_another_under_its_id_is_a_fault_and_nothing_is_left_out() {
    let twice = plan(&[grant("", ""), grant("", "")]).unwrap();
    assert_eq!((twice.awards.len(), twice.nothing.len()), (1, 0));
    let report = plan(&[grant("", ""), grant("amountAwarded", "7")]).unwrap_err();
    assert_eq!((report.faults.len(), report.faults[0].column.as_str()), (1, "grants[0].id"));
    let nothing = plan(&[grant("amountAwarded", "0")]).unwrap();
    assert_eq!((nothing.awards.len(), nothing.nothing), (0, vec!["360G-1".to_owned()]));
}
