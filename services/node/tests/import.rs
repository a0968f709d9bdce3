//! The reader of foreign files: what the real files add up to, and what is said of faulty ones.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use node::import::connecticut::{ENROLLMENT, GRADUATION, STATE};
use node::import::{Batch, Fault, File, measures, plan};
use proto::measurement::{Basis, Observation, Part, ValueState};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/ct-education-districts");

fn files() -> Vec<File> {
    let mut files = Vec::new();
    for folder in ["four-year-graduation-rates-district", "enrollment-district"] {
        for entry in std::fs::read_dir(Path::new(FOLDER).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            files.push(File { name, bytes: std::fs::read(path).unwrap() });
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files
}

fn batches() -> Vec<Batch> {
    plan(&files()).unwrap_or_else(|report| panic!("{report}"))
}

/// The observations of a measure and basis in a school year, for one group, with the code of their place.
fn values<'a>(
    batches: &'a [Batch],
    measure: &str,
    basis: Basis,
    year: u16,
    group: &[(&str, &str)],
) -> Vec<(&'a str, &'a Observation)> {
    let period = format!("{year}-07-01/{}-06-30", year + 1);
    let group: BTreeMap<String, String> = group.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    let batches = batches.iter().filter(|batch| batch.measure == measure && batch.basis == basis);
    let values = batches.flat_map(|batch| batch.observations.iter().map(|one| (batch.place.code.as_str(), one)));
    values.filter(|(_, one)| one.period == period && one.dimensions == group).collect()
}

fn amount(part: &Option<Part>) -> Option<u64> {
    part.as_ref().filter(|part| part.state() == ValueState::Reported).map(|part| part.amount.parse().unwrap())
}

fn pairs(values: &[(&str, &Observation)]) -> (u64, u64, usize) {
    let pairs = values.iter().filter_map(|(_, one)| amount(&one.numerator).zip(amount(&one.denominator)));
    pairs.fold((0, 0, 0), |(above, below, count), (n, d)| (above + n, below + d, count + 1))
}

#[test]
fn enrollment_by_district_adds_up_to_the_published_figures() {
    let batches = batches();
    let sum = |year| {
        let values = values(&batches, ENROLLMENT, Basis::Component, year, &[]);
        let suppressed = values.iter().filter(|(_, one)| one.value.as_ref().unwrap().state() == ValueState::Suppressed);
        (values.iter().filter_map(|(_, one)| amount(&one.value)).sum::<u64>(), suppressed.count())
    };
    assert_eq!(sum(2011), (558_377, 0));
    assert_eq!(sum(2016), (538_820, 2));
}

#[test]
fn the_total_rows_are_the_states_own_figure_and_no_district() {
    let batches = batches();
    for (year, group, published) in
        [(2011, vec![], 558_377), (2016, vec![], 538_893), (2016, vec![("race", "hispanic")], 129_440)]
    {
        let values = values(&batches, ENROLLMENT, Basis::PublishedTotal, year, &group);
        assert_eq!(
            values.iter().map(|(code, one)| (*code, amount(&one.value))).collect::<Vec<_>>(),
            [(STATE, Some(published))]
        );
    }
}

#[test]
fn graduation_by_district_adds_up_to_what_is_not_suppressed() {
    let batches = batches();
    let values = values(&batches, GRADUATION, Basis::Component, 2010, &[]);
    assert_eq!(values.len(), 135);
    assert_eq!(pairs(&values), (37_020, 44_813, 131));
}

#[test]
fn graduation_of_the_state_is_read_as_published() {
    let batches = batches();
    for (year, group, counts) in [
        (2010, vec![], (37_416, 45_221, 1)),
        (2014, vec![], (36_965, 42_392, 1)),
        (2014, vec![("race", "black")], (4_567, 5_850, 1)),
        (2014, vec![("race", "hispanic")], (6_114, 8_177, 1)),
        (2014, vec![("race", "white")], (23_941, 25_820, 1)),
    ] {
        assert_eq!(pairs(&values(&batches, GRADUATION, Basis::PublishedTotal, year, &group)), counts);
    }
}

#[test]
fn a_rate_that_is_withheld_beside_its_counts_is_told_apart_from_a_suppressed_count() {
    let batches = batches();
    let values = values(&batches, GRADUATION, Basis::Component, 2010, &[("race", "black")]);
    let (_, withheld) = values.iter().find(|(code, _)| *code == "2790013").unwrap();
    assert_eq!((amount(&withheld.numerator), amount(&withheld.denominator)), (Some(9), Some(15)));
    assert!(withheld.rate_withheld);
    let suppressed = values.iter().find(|(_, one)| amount(&one.numerator).is_none()).unwrap().1;
    assert!(!suppressed.rate_withheld);
}

#[test]
fn not_applicable_is_no_suppression() {
    let batches = batches();
    let values = values(&batches, GRADUATION, Basis::Component, 2014, &[("race", "asian")]);
    let (_, amistad) = values.iter().find(|(code, _)| *code == "2790013").unwrap();
    assert_eq!(amistad.numerator.as_ref().unwrap().state(), ValueState::NotApplicable);
}

#[test]
fn every_batch_fits_one_call_and_its_measure() {
    let measures = measures();
    for batch in batches() {
        assert!(batch.observations.len() <= 2000);
        let measure = measures.iter().find(|measure| measure.code == batch.measure).unwrap();
        let codes: BTreeSet<(&str, &str)> = (measure.dimensions.iter())
            .flat_map(|dimension| dimension.codes.iter().map(|code| (dimension.name.as_str(), code.code.as_str())))
            .collect();
        for (name, code) in batch.observations.iter().flat_map(|one| &one.dimensions) {
            assert!(codes.contains(&(name.as_str(), code.as_str())), "{name}={code}");
        }
    }
}

#[test]
fn the_same_batch_has_the_same_request_id_and_another_another() {
    let batches = batches();
    let id = |batch: &Batch| batch.request("m", "o", "", "s").request_id;
    assert_eq!(id(&batches[0]), id(&batches[0].clone()));
    assert_ne!(id(&batches[0]), id(&batches[1]));
}

fn faults(text: &str) -> Vec<Fault> {
    plan(&[File { name: "f.csv".to_owned(), bytes: text.into() }]).unwrap_err().faults
}

const GRADUATES: &str = "\"Four-Year Graduation Rates, 2010-11\"\r\n\"All Districts, Race/Ethnicity\"\r\n\r\n\"\",,,,\"Graduates\",\r\n\"District\",\"District Code\",\"Race/Ethnicity\",\"Four-Year Cohort Count\",\"Graduation Count\",\"Graduation Rate\"\r\n";
const ENROLLED: &str = "\"Student Counts by District and Year\"\n\"All Districts\"\n\"2011-12\"\n\n\"District\",\"District Code\",\"Count\"\n";

#[test]
fn every_fault_is_told_with_its_place_its_value_and_what_was_expected() {
    let rows = "\"A\",\"=\"\"0020011\"\"\",\"Black\",12,15,*\r\n\
                \"B\",\"=\"\"20011\"\"\",\"Black\",\"1,200\",15,\r\n\
                \"C\",\"=\"\"0030011\"\"\",\"Blak\",-1,15,*\r\n\
                \"D\",\"=\"\"0040011\"\"\",\"Black\",100,50,55.0\r\n\
                \"E\",\"=\"\"0040011\"\"\",\"Black\",100\r\n";
    let faults = faults(&format!("{GRADUATES}{rows}"));
    // A row that lacks cells is told before any cell is looked at.
    assert_eq!(faults.len(), 1);
    assert_eq!(
        (faults[0].line, faults[0].reason.as_str(), faults[0].expected.as_str()),
        (10, "has 4 cells", "6 cells, as the header")
    );

    let whole = rows.rsplit_once("\"E\"").unwrap().0;
    let faults = self::faults(&format!("{GRADUATES}{whole}"));
    let told: Vec<_> = faults.iter().map(|one| (one.line, one.column.as_str(), one.value.as_str())).collect();
    assert_eq!(
        told,
        [
            (6, "Graduation Count", "15"),
            (7, "District Code", "=\"20011\""),
            (7, "Four-Year Cohort Count", "1,200"),
            (8, "Race/Ethnicity", "Blak"),
            (8, "Four-Year Cohort Count", "-1"),
            (9, "Graduation Rate", "55.0"),
        ]
    );
    assert_eq!(
        faults[2].to_string(),
        "f.csv, line 7, column \"Four-Year Cohort Count\": \"1,200\" is not a count of students; expected a whole number, * or N/A"
    );
    assert!(faults[3].expected.contains("Black"));
}

#[test]
fn a_cell_with_two_values_is_a_fault_and_the_same_value_twice_is_not() {
    let row = |code: &str, count: &str| format!("\"A\",\"=\"\"{code}\"\"\",{count}\n");
    let twice = format!("{ENROLLED}{}{}", row("0020011", "7"), row("0020011", "7"));
    let planned = plan(&[File { name: "f.csv".to_owned(), bytes: twice.into() }]).unwrap();
    assert_eq!(planned[0].observations.len(), 1);

    let faults = faults(&format!("{ENROLLED}{}{}", row("0020011", "7"), row("0020011", "8")));
    assert_eq!(
        faults[0].to_string(),
        "f.csv, line 7, column \"Count\": \"8\" is one of two values for the same cell, the other stands in line 6 of \
         f.csv; expected 7"
    );

    for (first, second) in [("7", "*"), ("*", "7")] {
        let text = format!("{ENROLLED}{}{}", row("0020011", first), row("0020011", second));
        let planned = plan(&[File { name: "f.csv".to_owned(), bytes: text.into() }]).unwrap();
        assert_eq!(amount(&planned[0].observations[0].value), Some(7), "what one file withholds another publishes");
    }
}

#[test]
fn what_is_no_such_file_is_told_apart() {
    let reason = |text: &str| faults(text)[0].reason.clone();
    assert_eq!(reason(""), "has no header and no rows");
    assert_eq!(
        reason("\"Bullying\"\n\n\"District\",\"Count\"\n\"A\",1\n"),
        "is not the title of a file that this reader knows"
    );
    assert_eq!(reason(&ENROLLED.replace("2011-12", "2011-13")), "has a header and no rows");
    let year = faults(&format!("{}\"A\",\"=\"\"0020011\"\"\",7\n", ENROLLED.replace("2011-12", "2011-13")));
    assert_eq!((year[0].line, year[0].reason.as_str()), (3, "is not a school year"));
    let latin = [ENROLLED.as_bytes(), b"\"Caf\xe9\",\"=\"\"0020011\"\"\",7\n"].concat();
    let faults = plan(&[File { name: "f.csv".to_owned(), bytes: latin }]).unwrap_err().faults;
    assert_eq!((faults[0].line, faults[0].reason.as_str()), (6, "is not UTF-8"));
}

#[test]
fn a_byte_order_mark_and_either_line_end_do_no_harm() {
    let row = "\"A\",\"=\"\"0020011\"\"\",7\n";
    for text in [format!("\u{feff}{ENROLLED}{row}"), format!("{ENROLLED}{row}").replace('\n', "\r\n")] {
        let planned = plan(&[File { name: "f.csv".to_owned(), bytes: text.into() }]).unwrap();
        assert_eq!(planned[0].place.code, "0020011");
    }
}
