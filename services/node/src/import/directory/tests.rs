//! What real directories add up to, and what is said of faulty ones.

use serde_json::Value;

use super::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data");

fn file(name: &str, bytes: impl Into<Vec<u8>>) -> File {
    File { name: format!("folder/{name}"), bytes: bytes.into() }
}

fn known() -> Vec<(String, Value)> {
    let text = std::fs::read(format!("{DATA}/san-mateo-community-services/known-answers.json")).unwrap();
    let answers: Vec<Value> = serde_json::from_slice(&text).unwrap();
    answers.into_iter().map(|one| (one["figure"].as_str().unwrap().to_owned(), one["value"].clone())).collect()
}

/// How many offers say this in a line that begins so, as one item of a list.
fn saying(plan: &Plan, label: &str, item: &str) -> usize {
    let says = |offer: &&Offer| {
        let lines = offer.description.lines().filter_map(|line| line.strip_prefix(label));
        lines.flat_map(|line| line.split(if label == "Where: " { ", " } else { "; " })).any(|said| said == item)
    };
    plan.offers.iter().filter(says).count()
}

#[test]
fn the_directory_of_san_mateo_adds_up_to_the_known_figures() {
    let bytes = std::fs::read(format!("{DATA}/san-mateo-community-services/{RECORDS}")).unwrap();
    let plan = plan(&[file(RECORDS, bytes)], "smc").unwrap();
    let alone = |offer: &&Offer| {
        let organization = &plan.organizations[&offer.organization];
        offer.description.lines().next() == Some(organization.display_name.as_str())
    };
    let keywords: std::collections::BTreeSet<&str> = (plan.offers.iter())
        .filter_map(|offer| offer.description.lines().find_map(|line| line.strip_prefix("Keywords: ")))
        .flat_map(|line| line.split("; "))
        .collect();
    for (figure, value) in known() {
        let found = match figure.as_str() {
            "records" => plan.offers.len(),
            "records with coordinates" => plan.left_out["organizations.jsonl, coordinates"],
            "records with e-mail" => plan.left_out["organizations.jsonl, emails"],
            // Of these two, one is there with a blank behind it, which counts for nothing here.
            "distinct keywords" => keywords.len() + 1,
            "records with keyword \"Youth\"" => saying(&plan, "Keywords: ", "Youth"),
            "records offering Spanish" => saying(&plan, "Languages: ", "Spanish") - 1,
            "records in Redwood City" => saying(&plan, "Where: ", "Redwood City"),
            "records in zip 94063" => saying(&plan, "Where: ", "94063"),
            "records funded by \"County\"" => saying(&plan, "Funding: ", "County"),
            "records funded by \"Grants\"" => saying(&plan, "Funding: ", "Grants"),
            // Of these two an organization of its own may bear the name of another's agency.
            "distinct agencies" | "records without agency" => continue,
            other => panic!("{other}"),
        };
        assert_eq!(value, found, "{figure}");
    }
    assert_eq!((plan.organizations.len(), plan.offers.iter().filter(alone).count()), (1321, 1060));
    assert_eq!((plan.without_sector().len(), plan.shortened()), (1321, 0));
    let sources: std::collections::BTreeSet<_> =
        plan.offers.iter().map(|one| (&one.organization, &one.source)).collect();
    assert_eq!(sources.len(), 1703, "each is named apart within its organization");
}

const ORGANIZATIONS: &str = "id,name,website,legal_status\n1,A hall,,Nonprofit\n2,A choir,https://choir.example,\n";

/// The faults of a folder with this table of organizations: line, column and reason.
fn faults(bytes: impl Into<Vec<u8>>) -> Vec<(u64, String, String)> {
    let report = plan(&[file(TABLE, bytes)], "d").unwrap_err();
    report.faults.into_iter().map(|fault| (fault.line, fault.column, fault.reason)).collect()
}

#[test]
fn a_file_that_is_no_such_table_is_told_with_what_is_wrong_with_it() {
    let one = |bytes: &[u8]| {
        let faults = faults(bytes);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.into_iter().next().map(|(line, _, reason)| (line, reason)).unwrap()
    };
    let utf16: Vec<u8> = ORGANIZATIONS.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut huge = ORGANIZATIONS.replace("A hall", &"x".repeat(300_000)).into_bytes();
    for (bytes, line, reason) in [
        (&b""[..], 0, "is empty"),
        (b"id,name\n", 0, "has a header and no rows"),
        (&[b"\xff\xfe", &utf16[..]].concat(), 0, "is saved as UTF-16 (\"Unicode text\")"),
        (&utf16, 1, "has bytes that are no text"),
        (b"\x7fELF\x02\x01\x01\0\0", 1, "has bytes that are no text"),
        (b"id,name\n1,Caf\xe9\n", 2, "is not UTF-8"),
        (b"id,name\n1,A\n2,B,C\n", 3, "has 3 cells"),
        (b"id,name\n1,A\n2\n", 3, "has 1 cells"),
        (b"id,name\n1,\"A hall\n2,B\n", 2, "opens a quotation mark that is never closed"),
        (b"id,name\n1,\"A\" hall\n2,B\n", 2, "goes on behind a closing quotation mark"),
        (b"id;name\n1;A\n", 1, "is not in the header, which has id;name"),
        (b"id,name,name\n1,A,B\n", 1, "is in the header twice"),
    ] {
        if reason.starts_with("is not in") {
            assert_eq!(faults(bytes).len(), 2, "id and name");
            continue;
        }
        assert_eq!(one(bytes), (line, reason.to_owned()));
    }
    assert_eq!(one(&huge), (2, "has a cell that is far too long".to_owned()));
    huge.truncate(100);
    assert_eq!(one(&huge).1, "has 2 cells", "cut short");
}

#[test]
fn a_wrong_row_is_told_with_its_column() {
    let row = |row: &str| {
        let faults = faults(format!("{ORGANIZATIONS}{row}\n"));
        assert_eq!(faults.len(), 1, "{faults:?}");
        (faults[0].0, faults[0].1.clone(), faults[0].2.clone())
    };
    let told = |column: &str, reason: &str| (4, column.to_owned(), reason.to_owned());
    assert_eq!(row("1,Again,,"), told("id", "is the id of a row before"));
    assert_eq!(row(",Nameless,,"), told("id", "is no id"));
    assert_eq!(row(&format!("3,{},,", "x".repeat(201))), told("name", "is no name"));
    assert_eq!(row("3,\"two\nlines\",,"), told("name", "is no name"));
    assert_eq!(row("3,A band,ftp://band.example,"), told("website", "is no address of a website"));
    assert_eq!(row("3,A band,https://me@band.example,"), told("website", "is no address of a website"));
}

#[test]
fn a_byte_order_mark_and_either_line_end_do_no_harm_and_a_name_is_kept_as_it_is() {
    for text in [format!("\u{feff}{ORGANIZATIONS}"), ORGANIZATIONS.replace('\n', "\r\n")] {
        assert_eq!(plan(&[file(TABLE, text)], "d").unwrap().organizations.len(), 2);
    }
    for name in ["=SUM(A1)", "+1", "-1", "@home", "\"O\"\"Neill\""] {
        let plan = plan(&[file(TABLE, ORGANIZATIONS.replace("A hall", name))], "d").unwrap();
        assert_eq!(plan.organizations["1"].display_name, name.trim_matches('"').replace("\"\"", "\""));
    }
}

#[test]
fn rows_that_name_what_is_not_there_are_told_by_file() {
    let locations = "id,organization_id,name\n1,1,Here\n2,9,There\n";
    let services = "id,name,location_id,organization_id,status\n1,Lunch,1,,\n2,Tea,7,,\n3,Talk,,8,active\n4,Old,1,,defunct\n1,Again,1,,\n";
    let files = [file(TABLE, ORGANIZATIONS), file("locations.csv", locations), file("services.csv", services)];
    let report = plan(&files, "d").unwrap_err();
    let told: Vec<_> = report.faults.iter().map(|one| (one.file.as_str(), one.line, one.column.as_str())).collect();
    assert_eq!(
        told,
        [
            ("folder/locations.csv", 3, "organization_id"),
            ("folder/services.csv", 3, "location_id"),
            ("folder/services.csv", 4, "organization_id"),
            ("folder/services.csv", 6, "id"),
        ]
    );
}

#[test]
fn the_tables_of_hsds_3_are_read_by_their_own_columns() {
    let files = [
        file(
            TABLE,
            "id,name,url,uri,legal_status\nd9d5,Example Organization Inc.,http://example.com,urn:x,Limited Company\n",
        ),
        file(
            "organization_identifiers.csv",
            "id,organization_id,identifier_scheme,identifier\nd4,d9d5,GB-COH,1234567\n",
        ),
        file("locations.csv", "id,organization_id,name,latitude\n3a19,d9d5,MyCity Civic Center,100\n"),
        file("addresses.csv", "id,location_id,address_1,city\n7470,3a19,1-30 Main Street,MyCity\n"),
        file("service_at_location.csv", "id,service_id,location_id\ne94c,ac14,3a19\n"),
        file(
            "services.csv",
            "id,organization_id,name,url,status,email\nac14,d9d5,Counselling,http://example.com/c,active,e@x\n",
        ),
        file("contacts.csv", "id,name\n1,Ann Persona\n"),
    ];
    let plan = plan(&files, "hsds").unwrap();
    let identifiers = &plan.organizations["d9d5"].identifiers;
    assert_eq!(identifiers, &[identifier("hsds", "d9d5"), identifier("GB-COH", "1234567")]);
    let description = "Counselling\nWeb: http://example.com/c\nWhere: MyCity Civic Center, 1-30 Main Street, MyCity\n\
                       Directory: hsds, service ac14";
    assert_eq!(plan.offers[0].description, description);
    let left_out: Vec<(&str, usize)> = plan.left_out.iter().map(|(what, number)| (what.as_str(), *number)).collect();
    assert_eq!(
        left_out,
        [
            ("contacts.csv, rows", 1),
            ("locations.csv, latitude", 1),
            ("organizations.csv, legal_status", 1),
            ("organizations.csv, uri", 1),
            ("services.csv, email", 1),
        ]
    );
}

#[test]
fn a_wrong_record_is_told_by_its_line() {
    let text = "{\"name\": \"A\"}\n\n[]\n{\"name\": \"\"}\n{\"agency\": \"A\"}\n{\"name\": \"B\", \"agency\": 7}\n{\"name\": \"C";
    let report = plan(&[file(RECORDS, text)], "d").unwrap_err();
    let told: Vec<_> = report.faults.iter().map(|one| (one.line, one.column.as_str())).collect();
    assert_eq!(told, [(3, ""), (4, "name"), (5, "name"), (6, "agency"), (7, "")]);
    assert_eq!(plan(&[file(RECORDS, "\n")], "d").unwrap_err().faults[0].reason, "is empty");
    let latin = plan(&[file(RECORDS, b"{\"name\": \"Caf\xe9\"}".to_vec())], "d").unwrap_err();
    assert!(latin.faults[0].expected.ends_with("as UTF-8"), "{latin}");
}
