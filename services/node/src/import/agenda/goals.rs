//! Goals, targets and indicators of the Sustainable Development Goals: one row each, tied by codes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Framework, Indicator, Part};
use crate::import::File;
use crate::import::report::Fault;
use crate::import::table::{Record, Table};

/// What stands before the code of a goal's indicator in that of the measure that it is.
const MEASURE: &str = "sdg-";

/// A row that was read.
struct Row<'a> {
    record: Record<'a>,
    level: &'a str,
    code: &'a str,
    parent: &'a str,
}

pub(super) fn read(file: &File) -> Result<Framework, Vec<Fault>> {
    let table = Table::of(file, &["level", "code", "parent_code"])?;
    let Some(title) = table.column("title") else {
        return Err(vec![table.fault("has no column with titles", "a column title, or title_en")]);
    };
    let short = table.column("short_title").unwrap_or_default();
    let (mut rows, mut faults) = (BTreeMap::new(), Vec::new());
    for record in table.records() {
        let [level, code, parent] = ["level", "code", "parent_code"].map(|column| record.get(column));
        if !is_code(code) {
            faults.push(record.fault("code", "is no code", "one such as 1, 1.1 or 1.a.1"));
        } else if rows.insert(Code(code), Row { record, level, code, parent }).is_some() {
            faults.push(record.fault("code", "is the code of a row before", "a code of its own"));
        }
        if record.get(title).is_empty() || [title, short].iter().any(|column| record.get(column).contains('\n')) {
            faults.push(record.fault(title, "is empty or has several lines", "what it is about, in one line"));
        }
    }
    if rows.is_empty() && faults.is_empty() {
        faults.push(table.fault("has a header and no rows", "goals, targets and indicators"));
    }
    let mut framework = Framework::default();
    for row in rows.values() {
        faults.extend(row.misplaced(&rows));
        if row.level == "goal" {
            framework.results.push(row.goal(&rows, title, short));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let read = ["level", "code", "parent_code", title, short];
    framework.left_out = table.unread(&read);
    Ok(framework)
}

/// Letters and digits in parts with points between them.
fn is_code(text: &str) -> bool {
    let fits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 40 && text.split('.').all(fits)
}

type Rows<'a> = BTreeMap<Code<'a>, Row<'a>>;

impl<'a> Row<'a> {
    /// What is wrong with where a row stands.
    fn misplaced(&self, rows: &Rows<'_>) -> Option<Fault> {
        let above = match self.level {
            "goal" if self.parent.is_empty() => return None,
            "goal" => return Some(self.record.fault("parent_code", "is above a goal", "nothing")),
            "target" => "goal",
            "indicator" => "target",
            _ => return Some(self.record.fault("level", "is no level", "goal, target or indicator")),
        };
        match rows.get(&Code(self.parent)) {
            Some(row) if row.level == above => None,
            _ => Some(self.record.fault(
                "parent_code",
                &format!("is no {above} of this file"),
                &format!("the code of a {above}"),
            )),
        }
    }

    fn under(&self, rows: &'a Rows<'a>) -> impl Iterator<Item = &'a Row<'a>> {
        rows.values().filter(|row| row.parent == self.code && row.level != "goal")
    }

    fn goal(&self, rows: &Rows<'_>, title: &str, short: &str) -> Part {
        let whole = self.record.get(title);
        let (name, description) = match self.record.get(short) {
            "" => (whole, ""),
            name => (name, whole),
        };
        let mut goal = Part::titled(self.record.line, format!("{} {name}", self.code), description.to_owned());
        for target in self.under(rows) {
            let name = format!("{} {}", target.code, target.record.get(title));
            let mut strategy = Part::titled(target.record.line, name, String::new());
            strategy.indicators.extend(target.under(rows).map(|indicator| Indicator {
                measure: format!("{MEASURE}{}", indicator.code.to_ascii_lowercase().replace('.', "-")),
                words: format!("{} {}", indicator.code, indicator.record.get(title)),
            }));
            goal.strategies.push(strategy);
        }
        goal
    }
}

/// A code in the order of people: 2 before 10, and 1.5 before 1.a.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Code<'a>(&'a str);

impl Ord for Code<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |part: &str| (part.bytes().any(|byte| !byte.is_ascii_digit()), part.len());
        let one = self.0.split('.').map(|part| (key(part), part));
        one.cmp(other.0.split('.').map(|part| (key(part), part)))
    }
}

impl PartialOrd for Code<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
