//! What a real file adds up to, and what is said of faulty ones.

use std::fmt::Write as _;
use std::io::BufReader;

use super::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/unhcr-iati-2023");

/// All activities of a text, what was found beside them, and all faults.
fn read_as(text: &[u8], needs: bool) -> (Vec<Planned>, Found, Vec<Fault>) {
    let (mut found, mut planned, mut faults) = (Found::default(), Vec::new(), Vec::new());
    for one in Activities::of("activities.xml", BufReader::new(text), &mut found, needs) {
        match one {
            Ok(one) => planned.push(one),
            Err(wrong) => faults.extend(wrong),
        }
    }
    (planned, found, faults)
}

fn read(text: &str) -> (Vec<Planned>, Found, Vec<Fault>) {
    read_as(text.as_bytes(), false)
}

/// A file with one activity, in which one text is replaced.
fn file(from: &str, to: &str) -> String {
    let text = r#"<?xml version="1.0"?>
<iati-activities version="2.03">
<iati-activity default-currency="EUR" xml:lang="en">
<iati-identifier>AA-1-X</iati-identifier>
<reporting-org ref="AA-1" type="22"><narrative>Reading aid</narrative></reporting-org>
<title><narrative xml:lang="fr">Lire</narrative><narrative xml:lang="en">=Reading &amp;
 writing&#233;</narrative></title>
<description type="1"><narrative>Two
  lines</narrative></description>
<description type="2"><narrative><![CDATA[<Goals>]]></narrative></description>
<participating-org ref="BB-2" role="1"/><participating-org ref="AA-1" role="2"/>
<participating-org ref="CC-3" role="3"/><participating-org ref="DD-4" role="4"/><participating-org role="1"/>
<activity-status code="2"/>
<activity-date iso-date="2023-01-01Z" type="1"/><activity-date iso-date="2023-02-01" type="2"/>
<activity-date iso-date="2024-12-31" type="3"/>
<recipient-country code="KE"><narrative>Kenya</narrative></recipient-country>
<location><location-id vocabulary="G1" code="184745"/><name><narrative>Nairobi</narrative></name></location>
<location><point><pos>-1.261 36.795</pos></point></location><location/>
<sector code="110"/>
<budget type="1"><period-start iso-date="2023-01-01"/><period-end iso-date="2023-12-31"/><value>70</value></budget>
<budget type="2"><period-start iso-date="2023-01-01"/><period-end iso-date="2023-12-31"/><value>80</value></budget>
<transaction ref="T1"><transaction-type code="2"/><transaction-date iso-date="2023-03-01"/>
<value currency="USD">1000.50</value><receiver-org ref="EE-5"><narrative>A library</narrative></receiver-org>
</transaction>
<transaction><transaction-type code="3"/><transaction-date iso-date="2023-04-01"/><value currency="USD">400</value>
<description><narrative>First part</narrative></description><receiver-org ref="EE-5"/></transaction>
<transaction><transaction-type code="11"/><transaction-date iso-date="2023-01-05"/><value>-5</value></transaction>
</iati-activity>
</iati-activities>
"#;
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// The only fault of a text.
fn fault_of(text: &str) -> Fault {
    let faults = read(text).2;
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].clone()
}

#[test]
fn the_real_file_adds_up_to_the_known_figures() {
    let text = std::fs::read(format!("{FOLDER}/activities.xml")).unwrap();
    let (planned, found, faults) = read_as(&text, true);
    assert_eq!(faults, []);
    let known = std::fs::read(format!("{FOLDER}/known-answers.json")).unwrap();
    let known: Vec<serde_json::Value> = serde_json::from_slice(&known).unwrap();
    let known = |figure: &str| {
        let answer = known.iter().find(|answer| answer["figure"].as_str().unwrap().starts_with(figure)).unwrap();
        answer["value"].as_str().map_or_else(|| answer["value"].to_string(), str::to_owned)
    };
    assert_eq!(found.activities.to_string(), known("activities"));
    let levels: Vec<String> = found.hierarchy.values().map(ToString::to_string).collect();
    assert_eq!(levels.join(" / "), known("hierarchy"));
    let kinds: Vec<&str> = found.transactions.keys().copied().collect();
    let transactions = &found.transactions["incoming commitments"];
    assert_eq!((kinds, transactions.count.to_string()), (vec!["incoming commitments"], known("transactions")));
    let sum: Decimal = transactions.sums.values().sum();
    assert_eq!((sum.normalize().to_string(), transactions.sums.len()), (known("sum of transaction values"), 15));
    assert_eq!(format!("{} / {}", found.budgets.count, found.budgets.sums["USD"]), known("budget elements"));
    let needs = planned.iter().flat_map(|one| &one.needs).count();
    let budgets = needs as u64 + found.left_out["budgets of nothing"] + found.left_out["budgets that were revised"];
    assert_eq!((budgets.to_string(), needs as u64), ("416".to_owned(), found.needs));
    assert!(planned.iter().all(|one| one.leads == ["XM-DAC-41121"] && one.state == ActivityState::UnderWay));
    let places: usize = planned.iter().map(|one| one.definition.places.len()).sum();
    assert!(places > 500, "{places}");
}

#[test]
fn an_activity_is_taken_with_all_that_the_contract_can_carry() {
    let (planned, found, faults) = read(&file("2023-01-01Z", "2023-01-01"));
    assert_eq!(faults, []);
    let [planned] = planned.as_slice() else { panic!("{planned:?}") };
    let definition = &planned.definition;
    assert_eq!(definition.title, "=Reading & writingé", "a name that begins like a formula is kept");
    assert_eq!(definition.description, "Two\nlines\n\n<Goals>");
    assert_eq!((definition.start_date.as_str(), definition.end_date.as_str()), ("2023-02-01", "2024-12-31"));
    let places: Vec<String> =
        definition.places.iter().map(|place| format!("{}:{}:{}", place.level, place.code, place.name)).collect();
    assert_eq!(places, ["country:KE:Kenya", "gazetteer-g1:184745:Nairobi", "point:-1.261 36.795:"]);
    assert_eq!(planned.leads, ["AA-1", "DD-4"]);
    assert_eq!((planned.supporting.len(), planned.funding.as_slice()), (3, &["BB-2".to_owned()][..]));
    let [award] = planned.awards.as_slice() else { panic!("{planned:?}") };
    assert_eq!((award.definition.external_id.as_str(), award.recipient.as_str()), ("AA-1-X/T1", "EE-5"));
    assert_eq!((award.definition.recipient_name.as_str(), award.currency()), ("A library", "USD"));
    let [paid] = award.paid.as_slice() else { panic!("{award:?}") };
    assert_eq!((paid.amount.as_str(), paid.date.as_str(), paid.note.as_str()), ("400", "2023-04-01", "First part"));
    let left: Vec<(&str, u64)> = found.left_out.into_iter().collect();
    let without = [("organisations without an identifier", 1), ("places without a code", 1)];
    assert_eq!(left, [("budgets", 2), ("incoming commitments", 1), without[0], without[1]]);
    assert_eq!(found.passed.into_iter().collect::<Vec<_>>(), [("sector".to_owned(), 1)]);

    let (planned, ..) = read_as(file("2023-01-01Z", "2023-01-01").as_bytes(), true);
    let [need] = planned[0].needs.as_slice() else { panic!("{planned:?}") };
    assert_eq!(
        (need.needed_by.as_str(), need.purpose.as_str()),
        ("2023-12-31", "Budget from 2023-01-01 to 2023-12-31")
    );
}

#[test]
fn every_wrong_field_is_named_with_its_line() {
    for (from, to, line, place) in [
        ("AA-1-X", " ", 3, "iati-identifier"),
        ("<reporting-org ref=\"AA-1\"", "<reporting-org", 3, "reporting-org/@ref"),
        ("<title>", "<title/><old>", 3, "title"),
        ("status code=\"2\"", "status code=\"9\"", 13, "activity-status"),
        ("2023-01-01Z", "2023-02-30", 14, "activity-date/@iso-date"),
        ("2023-01-01Z", "2023-01-01 late", 14, "activity-date/@iso-date"),
        ("2023-01-01Z", "", 14, "activity-date/@iso-date"),
        ("2023-01-01Z\" type=\"1", "2023-01-01\" type=\"7", 14, "activity-date/@type"),
        ("role=\"1\"", "role=\"donor\"", 11, "participating-org/@role"),
        ("transaction-type code=\"2\"", "transaction-type code=\"99\"", 22, "transaction/transaction-type"),
        ("2023-03-01", "never", 22, "transaction/transaction-date/@iso-date"),
        ("1000.50", "1,000.50", 23, "transaction/value"),
        ("1000.50", "1e300", 23, "transaction/value"),
        ("1000.50", "9999999999999999", 23, "transaction/value"),
        ("1000.50", "-1000.50", 22, "transaction/value"),
        ("1000.50", "0.00001", 22, "transaction/value"),
        ("\"USD\">1000", "\"pounds\">1000", 23, "transaction/value/@currency"),
        ("default-currency=\"EUR\"", "default-currency=\"€\"", 20, "budget/value/@currency"),
        ("<value>70", "<worth>70", 20, "budget/value"),
    ] {
        let mut text = file(from, to);
        if to.ends_with("<old>") {
            text = text.replace("</title>", "</old>");
        }
        if to.starts_with("<worth>") {
            text = text.replacen("70</value>", "70</worth>", 1);
        }
        let (planned, _, faults) = read(&text);
        let fault = faults.first().unwrap_or_else(|| panic!("{from} {to}"));
        assert_eq!((fault.line, fault.column.split(" of ").next()), (line, Some(place)), "{from} {to} {faults:?}");
        assert!(planned.is_empty() && !fault.expected.is_empty(), "{fault:?}");
    }
    let late = read(&file("2024-12-31", "2023-01-15"));
    assert_eq!((late.0.len(), late.1.left_out["planned ends before the actual start"]), (1, 1));
}

#[test]
fn what_is_no_such_file_is_one_fault() {
    let whole = file("AA-1-X", "AA-1-X");
    assert!(fault_of(&whole[..whole.len() / 2]).reason.contains("cut short"));
    assert!(fault_of(&whole[..whole.len() - 20]).reason.contains("cut short"), "without its last tag");
    for other in ["", "id,title\n1,2", "{\"grants\": []}", "<html/>", "<iati-activities version=\"2.03\"><a></b>"] {
        assert_eq!(fault_of(other).line, if other.starts_with("id") { 2 } else { 1 }, "{other}");
    }
    let version = |version: &str| fault_of(&file("version=\"2.03\"", version));
    assert!(version("").expected.contains("2.03") && version("version=\"1.05\"").value == "1.05");
    let latin = [b"<iati-activities version=\"2.03\"><x>\xE9".as_slice(), b"</x></iati-activities>"].concat();
    let faults = read_as(&latin, false).2;
    assert_eq!((faults.len(), faults[0].reason.as_str()), (1, "is not written in UTF-8"));
    let declared = fault_of(&file("version=\"1.0\"", "version=\"1.0\" encoding=\"ISO-8859-1\""));
    assert_eq!((declared.value.as_str(), declared.expected.as_str()), ("ISO-8859-1", "UTF-8: save it so"));
    let marked = format!("\u{FEFF}{whole}");
    assert_eq!(read(&marked).0.len(), 1, "a byte order mark is no fault");
}

#[test]
fn nothing_that_grows_without_end_is_followed() {
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>\n<iati-activities";
    assert!(fault_of(&file("<iati-activities", bomb)).reason.contains("document type"));
    assert_eq!(fault_of(&file("&amp;", "&lol;")).value, "lol");
    assert!(fault_of(&file("code=\"110\"", "code=\"&lol;\"")).reason.contains("lol"));
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert!(fault_of(&file("<sector code=\"110\"/>", &deep)).reason.contains("too deep"));
    let long = "x".repeat(2 << 20);
    for huge in [format!("<sector code=\"{long}\"/>"), long.clone(), format!("<!--{long}-->")] {
        assert!(fault_of(&file("<sector code=\"110\"/>", &huge)).reason.contains("more than 1 MiB"));
    }
    let many = "<title><narrative>x</narrative></title>".repeat(110_000);
    assert!(fault_of(&file("<sector code=\"110\"/>", &many)).reason.contains("too much"));
    let mut names = String::new();
    (0..1000).for_each(|nth| write!(names, "<x{nth}/>").unwrap());
    assert_eq!(read(&file("<sector code=\"110\"/>", &names)).1.passed.len(), 201, "their names are bounded too");
}

#[test]
fn long_texts_are_cut_and_counted() {
    let (planned, found, faults) = read(&file("Two", &"word ".repeat(2000)).replace("=Reading", &"y".repeat(300)));
    assert_eq!(faults, []);
    let definition = &planned[0].definition;
    assert_eq!((definition.title.chars().count(), definition.description.chars().count()), (200, 4000));
    assert_eq!((found.left_out["ends of long titles"], found.left_out["ends of long descriptions"]), (1, 1));
}

#[test]
fn the_same_activity_counts_once_and_another_under_its_identifier_is_a_fault() {
    let one = file("AA-1-X", "AA-1-X");
    let inner = &one[one.find("<iati-activity ").unwrap()..one.find("</iati-activities>").unwrap()];
    let (planned, found, faults) = read(&one.replace("</iati-activities>", &format!("{inner}</iati-activities>")));
    assert_eq!((planned.len(), found.activities, faults.len()), (1, 1, 0));
    assert_eq!(found.transactions["incoming commitments"].count, 1, "it is not counted twice");
    let other = inner.replace("Two", "Three");
    let (planned, _, faults) = read(&one.replace("</iati-activities>", &format!("{other}</iati-activities>")));
    assert_eq!((planned.len(), faults.len(), faults[0].column.as_str()), (1, 1, "iati-identifier"));
}

#[test]
fn a_disbursement_is_paid_only_out_of_a_commitment_that_suffices() {
    for (from, to) in [(">400<", ">1000.51<"), ("currency=\"USD\">400", ">400"), ("<receiver-org ref=\"EE-5\"/>", "")] {
        let (planned, found, faults) = read(&file(from, to));
        assert_eq!((faults.len(), planned[0].awards[0].paid.len()), (0, 0), "{from}");
        assert_eq!(found.left_out["disbursements that are not of just one commitment, or exceed it"], 1);
    }
    let theirs =
        file("<receiver-org ref=\"EE-5\"><narr", "<provider-org ref=\"ZZ-9\"/><receiver-org ref=\"EE-5\"><narr");
    assert_eq!(read(&theirs).0[0].awards, [], "what others commit is theirs to say");
}

#[test]
fn a_file_cut_or_changed_anywhere_is_read_or_refused() {
    let whole = file("AA-1-X", "AA-1-X");
    for cut in 0..whole.trim_end().len() {
        let (_, _, faults) = read_as(&whole.as_bytes()[..cut], false);
        assert!(!faults.is_empty(), "{cut}: a file that is not whole is never taken");
    }
    for changed in 0..whole.len() {
        let mut bytes = whole.clone().into_bytes();
        bytes[changed] ^= 0x15;
        let (planned, _, faults) = read_as(&bytes, true);
        assert!(planned.len() + faults.len() > 0, "{changed}");
    }
}
