//! Every reason for which something is kept out has a name, advice for a person, a row in the README with what one does,
//! and a test that is there.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use federation::advice;

fn here(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of every file of ours below a folder.
fn sources(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    texts
}

/// The codes that the sources give to what they refuse: `=> "CODE"` in the functions that name a refusal, and those that
/// are named where something is found.
fn given() -> BTreeSet<String> {
    let files = ["accept.rs", "receive.rs", "have.rs", "erasure.rs", "domain.rs", "wire/error.rs"];
    let text: String = files.iter().map(|file| fs::read_to_string(here("src").join(file)).unwrap()).collect();
    let words = text.split('"').skip(1).step_by(2);
    let is_code = |word: &&str| {
        word.len() > 3
            && !word.ends_with('_')
            && word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
    };
    // Something that is still to come is asked for, and refused nowhere.
    words.filter(is_code).filter(|code| *code != "GAP").map(str::to_owned).collect()
}

/// The rows of the README's tables that begin with a code: each code with all its rows.
fn rows() -> BTreeMap<String, Vec<String>> {
    let readme = fs::read_to_string(here("README.md")).unwrap();
    let mut rows = BTreeMap::<String, Vec<String>>::new();
    for line in readme.lines().filter(|line| line.starts_with("| `")) {
        let named = line.split('|').nth(1).unwrap_or_default();
        for code in named.split('`').skip(1).step_by(2) {
            rows.entry(code.to_owned()).or_default().push(line.to_owned());
        }
    }
    rows
}

#[test]
fn every_refusal_has_a_name_that_this_version_gives_advice_on() {
    let advised: BTreeSet<String> = advice::CODES.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(given(), advised);
}

#[test]
fn every_refusal_stands_in_the_readme_with_a_test_that_exists() {
    let (rows, files) = (rows(), [sources(&here("tests")), sources(&here("src"))].concat());
    for (code, _) in advice::CODES {
        let rows = rows.get(code).unwrap_or_else(|| panic!("{code} has no row in the README"));
        for row in rows {
            let columns: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [_, meaning, to_do, test] = columns[..] else { panic!("{code}: four columns, please: {row}") };
            assert!(!meaning.is_empty() && !to_do.is_empty(), "{row}");
            let named: Vec<&str> = test.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty(), "{code}: no test is named: {row}");
            for test in named {
                let of_test = files.iter().find(|file| file.contains(&format!("fn {test}(")));
                let file = of_test.unwrap_or_else(|| panic!("{code}: there is no test {test}"));
                assert!(file.contains(&format!("\"{code}\"")), "{code} stands nowhere beside the test {test}");
            }
        }
    }
}
