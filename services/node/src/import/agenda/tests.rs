//! What real frameworks hold, and what is said of faulty ones.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data");

fn real(path: &str) -> File {
    File { name: path.to_owned(), bytes: std::fs::read(format!("{DATA}/{path}")).unwrap() }
}

fn file(text: impl Into<Vec<u8>>) -> File {
    File { name: "goals.csv".to_owned(), bytes: text.into() }
}

fn none() -> BTreeMap<String, String> {
    BTreeMap::new()
}

#[test]
fn the_goals_of_the_united_nations_fit_one_agenda_whole() {
    let framework = plan(&real("un-sdg-framework/sdg-goals-targets-indicators.en.csv"), &[]).unwrap();
    let known = std::fs::read(format!("{DATA}/un-sdg-framework/known-answers.json")).unwrap();
    for answer in serde_json::from_slice::<Vec<Value>>(&known).unwrap() {
        let found = match answer["figure"].as_str().unwrap() {
            "goals" => framework.results.len(),
            "targets" => framework.strategies(),
            "indicator entries" => framework.indicators(),
            // One would be a fault.
            "orphans" => 0,
            other => panic!("{other}"),
        };
        assert_eq!(answer["value"], found, "{answer}");
    }
    assert_eq!(framework.left_out, BTreeMap::new());
    let tree = framework.tree(&Head::default(), &none());
    assert!(bytes(&tree) <= BYTES, "{}", bytes(&tree));
    let codes: Vec<&str> = tree.results.iter().map(|result| result.title.split(' ').next().unwrap()).collect();
    assert_eq!(codes, (1..=17).map(|goal| goal.to_string()).collect::<Vec<_>>(), "in the order of people");
    let poverty = &tree.results[0];
    assert_eq!(
        (poverty.title.as_str(), poverty.description.as_str()),
        ("1 No poverty", "End poverty in all its forms everywhere")
    );
    let codes: Vec<&str> = poverty.strategies.iter().map(|one| one.title.split(' ').next().unwrap()).collect();
    assert_eq!(codes, ["1.1", "1.2", "1.3", "1.4", "1.5", "1.a", "1.b"]);
    assert!(poverty.strategies[1].description.starts_with("Indicators:\n1.2.1 Proportion of population"));
    assert_eq!(poverty.strategies[1].description.lines().count(), 3);
    let long: Vec<_> =
        tree.results.iter().flat_map(|one| &one.strategies).filter(|one| one.title.ends_with('…')).collect();
    assert_eq!(long.len(), 2);
    let start = long[0].title.trim_end_matches('…');
    assert!(long[0].title.chars().count() == TITLE && long[0].description.starts_with(start), "the whole is kept");
}

#[test]
fn a_catalogue_becomes_results_with_every_indicator_in_words() {
    let framework = plan(&real("elkhart-child-dashboard/catalogue.csv"), &[]).unwrap();
    assert_eq!((framework.results.len(), framework.strategies(), framework.indicators()), (8, 0, 41));
    assert_eq!(framework.left_out, BTreeMap::from([("sections without a lens".to_owned(), 1)]));
    let tree = framework.tree(&Head::default(), &none());
    let wellness = &tree.results[0];
    assert_eq!(wellness.title, "Community Wellness Indicators");
    let lines: Vec<&str> = wellness.description.lines().collect();
    assert_eq!(lines[..2], ["Child Protective Factors (protective/community)", "Indicators:"]);
    assert_eq!(lines[3], "High Attendance Rate (attendance-rate): Students attending 96% of enrolled days.");
    assert_eq!(lines.len(), 6);
}

#[test]
fn an_indicator_that_the_initiative_measures_is_named_by_reference_and_no_longer_in_words() {
    let framework = plan(&real("un-sdg-framework/sdg-goals-targets-indicators.en.csv"), &[]).unwrap();
    let measures = BTreeMap::from([("sdg-1-2-1", "a"), ("sdg-1-a-1", "b"), ("sdg-99-1-1", "c")]);
    let measures = measures.into_iter().map(|(code, reference)| (code.to_owned(), reference.to_owned())).collect();
    let tree = framework.tree(&Head::default(), &measures);
    assert_eq!(tree.results[0].measures, ["a", "b"]);
    assert_eq!(tree.results[0].strategies[1].description.lines().count(), 2);
    let every = framework.results.iter().flat_map(|result| result.all_indicators());
    let every: BTreeSet<&str> = every.map(|indicator| indicator.measure.as_str()).collect();
    assert_eq!(every.len(), 252);
    assert!(every.iter().all(|code| chassis::names::is_slug(code)), "each is the code of a measure");
}

const GOALS: &str =
    "level,code,parent_code,title_en\ngoal,1,,No poverty\ntarget,1.1,1,Halve it\nindicator,1.1.1,1.1,A rate\n";

fn faults(bytes: impl Into<Vec<u8>>) -> Vec<(u64, String, String)> {
    let report = plan(&file(bytes), &[]).unwrap_err();
    report.faults.into_iter().map(|fault| (fault.line, fault.column, fault.reason)).collect()
}

#[test]
fn a_wrong_row_is_told_with_its_column() {
    let row = |row: &str| {
        let mut faults = faults(format!("{GOALS}{row}\n"));
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.remove(0)
    };
    let told = |column: &str, reason: &str| (5, column.to_owned(), reason.to_owned());
    assert_eq!(row("goal,1,,Again"), told("code", "is the code of a row before"));
    assert_eq!(row("goal,1 2,,Again"), told("code", "is no code"));
    assert_eq!(row("goal,2,1,Again"), told("parent_code", "is above a goal"));
    assert_eq!(row("target,2.1,2,Nobody's"), told("parent_code", "is no goal of this file"));
    assert_eq!(row("indicator,1.2.1,1,Too high"), told("parent_code", "is no target of this file"));
    assert_eq!(row("purpose,2,,What"), told("level", "is no level"));
    assert_eq!(row("goal,2,,"), told("title_en", "is empty or has several lines"));
    assert_eq!(row("goal,2,,bell\u{7}"), told("title_en", "has the control character U+0007"));
    assert_eq!(row("goal,2"), told("", "has 2 cells"));
}

#[test]
fn a_file_that_is_no_framework_is_told() {
    let one = |bytes: &[u8]| faults(bytes).remove(0).2;
    assert_eq!(one(b""), "is not the header of a framework that this reader knows");
    assert_eq!(one(b"name,age\nA,1\n"), "is not the header of a framework that this reader knows");
    assert_eq!(one(b"level,code,parent_code,title\n"), "has a header and no rows");
    assert_eq!(one(b"level,code,parent_code\ngoal,1,\n"), "has no column with titles");
    assert_eq!(one(b"level,code,title\ngoal,1,A\n"), "is not in the header, which has level, code, title");
    assert_eq!(one(b"level,code,parent_code,title\ngoal,1,,Caf\xe9\n"), "is not UTF-8");
    assert_eq!(one(b"level,code,parent_code,title\ngoal,1,,\"No pov"), "opens a quotation mark that is never closed");
    assert_eq!(one(b"\x89PNG\r\n\x1a\n\0\0"), "has bytes that are no text");
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(GOALS.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    assert_eq!(one(&utf16), "is saved as UTF-16 (\"Unicode text\")");
}

#[test]
fn a_byte_order_mark_and_either_line_end_do_no_harm_and_a_title_is_kept_as_it_is() {
    let plain = plan(&file(GOALS), &[]).unwrap();
    for text in [format!("\u{feff}{GOALS}"), GOALS.replace('\n', "\r\n")] {
        assert_eq!(plan(&file(text), &[]).unwrap().results, plain.results);
    }
    let formula = plan(&file(GOALS.replace("No poverty", "=1+1")), &[]).unwrap();
    assert_eq!(formula.results[0].title, "1 =1+1");
}

#[test]
fn what_an_agenda_cannot_hold_is_told_before_anything_is_sent() {
    let goals: String = (1..=101).map(|goal| format!("goal,{goal},,Goal\n")).collect();
    let reasons = faults(format!("level,code,parent_code,title\n{goals}"));
    assert_eq!(reasons, [(0, String::new(), "makes 101 results".to_owned())]);
    let indicators: String = (1..=20).map(|nth| format!("indicator,1.1.{nth},1.1,{}\n", "x".repeat(300))).collect();
    let reasons = faults(format!("level,code,parent_code,title\ngoal,1,,A\ntarget,1.1,1,B\n{indicators}"));
    assert_eq!((reasons.len(), reasons[0].0), (1, 3));
    assert!(reasons[0].2.ends_with("characters of one description, indicators included"), "{reasons:?}");
    let targets: String = (1..=100).map(|nth| format!("target,1.{nth},1,{}\n", "x".repeat(900))).collect();
    let reasons = faults(format!("level,code,parent_code,title\ngoal,1,,A\n{targets}"));
    assert!(reasons.len() == 1 && reasons[0].2.ends_with(" bytes"), "{reasons:?}");
}

const CATALOGUE: &str = "lens,domain,slug,kind,title\nrisks,,,section,Risks\nrisks,health,,section,Health\n\
                         risks,health,births,indicator,Births\n";

#[test]
fn a_wrong_row_of_a_catalogue_is_told_with_its_column() {
    for (row, column, reason) in [
        ("risks,school,marks,indicator,Marks", "domain", "has no section"),
        ("risks,health,births,indicator,Again", "slug", "is the code of a row before"),
        ("risks,health,Live Births,indicator,Births", "slug", "is no code of a measure"),
        ("risks,health,,section,Again", "domain", "has a section before"),
        ("risks,,,section,Again", "lens", "has a section before"),
        ("risks,health,deaths,measure,Deaths", "kind", "is no kind of row"),
        ("risks,health,deaths,indicator,", "title", "is empty"),
    ] {
        assert_eq!(faults(format!("{CATALOGUE}{row}\n")), [(5, column.to_owned(), reason.to_owned())], "{row}");
    }
}

fn pages() -> Vec<File> {
    let names = ["kindergarten-readiness", "aftershool-program-attendance", "parenting-training", "wellchild-exams"];
    names.iter().map(|name| real(&format!("elkhart-child-dashboard/published/{name}.md"))).collect()
}

/// The four known answers, as `known-answers.json` beside the files has them.
#[test]
fn what_was_published_of_an_indicator_stands_in_its_words() {
    let framework = plan(&real("elkhart-child-dashboard/catalogue.csv"), &pages()).unwrap();
    let words = |slug: &str| {
        let mut every = framework.results.iter().flat_map(|result| &result.indicators);
        every.find(|indicator| indicator.measure == slug).unwrap().words.clone()
    };
    let readiness = " Published: 38.0 (2017-2018), 39.6 (2018-2019), 47.1 (2019-2020); %; green.";
    assert!(words("kindergarten-readiness").ends_with(readiness));
    assert!(words("aftershool-program-attendance").ends_with(", 485 (Q4 2020), 587 (Q1 2021); persons; green."));
    assert!(words("parenting-training").ends_with(", 54 (Q4 2020), 177 (Q1 2021); parents; green."));
    // It has a date more than values: which one is missing nobody can say.
    assert!(words("wellchild-exams").ends_with(", 2997, 2785; visits; red."));
    assert!(!words("attendance-rate").contains("Published"));
}

#[test]
fn a_page_that_is_wrong_is_named_and_nothing_is_made() {
    let catalogue = real("elkhart-child-dashboard/catalogue.csv");
    let good = String::from_utf8(pages().remove(0).bytes).unwrap();
    let page = |name: &str, text: String| File { name: name.to_owned(), bytes: text.into() };
    for (name, text, reason) in [
        ("kindergarten-readiness.md", good.replace("47.1", "many"), "is no number"),
        ("kindergarten-readiness.md", good.replace("    - ", ""), "are not there"),
        ("kindergarten-readiness.md", good.trim_end().trim_end_matches("---").to_owned(), "without an end"),
        ("kindergarten-readiness.md", String::new(), "does not begin"),
        ("kindergarten-readiness.md", "\0".repeat(9), "does not begin"),
        ("readiness.md", good, "is no indicator of the catalogue"),
    ] {
        let report = plan(&catalogue, &[page(name, text)]).unwrap_err();
        assert_eq!(report.faults.len(), 1, "{report}");
        assert!(report.to_string().contains(reason), "{report}");
    }
    let latin = File { name: "kindergarten-readiness.md".to_owned(), bytes: b"---\nstatus: gr\xfcn\n---".to_vec() };
    assert!(plan(&catalogue, &[latin]).unwrap_err().to_string().contains("is not UTF-8"));
}
