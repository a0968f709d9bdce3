//! The school files of the Connecticut State Department of Education (EdSight): four-year graduation and enrollment, by
//! district and of the state.
//!
//! A file has title lines, which say what it is about and which school year; a blank line; where columns belong together
//! a line that names them; the header; and rows. Codes are written `="0020011"`. `*` is a number withheld because few
//! students stand behind it, `N/A` one that cannot be. Files of districts may end in a row `Total`: that is the state's
//! own figure, a published total, and not another district.

mod enrollment;
mod graduation;
mod sheet;

use std::collections::BTreeMap;

use proto::measurement::{
    Aggregation, Basis, Dimension, DimensionCode, Direction, Geography, MeasureDefinition, MeasureKind, Observation,
    Part, ValueState,
};
use proto::membership::{Identifier, Organization, Sector};

use super::labels::DIMENSIONS;
use super::report::Fault;
use super::{File, Row};
use sheet::Sheet;

/// Code of the measure of graduation.
pub const GRADUATION: &str = "four-year-graduation";
/// Code of the measure of enrollment.
pub const ENROLLMENT: &str = "enrollment";
/// Code of the place that the state's own figures are about.
pub const STATE: &str = "CT";
/// Level of districts.
pub const DISTRICT_LEVEL: &str = "school-district";
/// Level of the state.
pub const STATE_LEVEL: &str = "state";
/// Where the figures come from, for the source of a submission.
pub const SOURCE: &str = "Connecticut State Department of Education, EdSight, as collected by the CT Data Collaborative \
                          (edsight-data, 2017-08-24, ODC-By 1.0)";

const STATE_NAME: &str = "State of Connecticut";
const DEPARTMENT: &str = "Connecticut State Department of Education";

/// The measures that the files report on.
pub fn measures() -> Vec<MeasureDefinition> {
    let graduation = MeasureDefinition {
        code: GRADUATION.to_owned(),
        name: "Students who graduate from high school within four years".to_owned(),
        kind: MeasureKind::Indicator.into(),
        unit: "percent".to_owned(),
        direction: Direction::Up.into(),
        aggregation: Aggregation::RatioOfSums.into(),
        dimensions: dimensions(&["race", "gender", "lunch", "english-learner", "special-education", "high-needs"]),
        numerator: "Students of the cohort who received a standard diploma within four years".to_owned(),
        denominator:
            "Students who entered ninth grade for the first time together, with those who joined them since and \
                      without those who moved away"
                .to_owned(),
        decimals: 1,
        per: 100,
        ..MeasureDefinition::default()
    };
    let enrollment = MeasureDefinition {
        code: ENROLLMENT.to_owned(),
        name: "Students enrolled in public schools on the first of October".to_owned(),
        kind: MeasureKind::Indicator.into(),
        unit: "students".to_owned(),
        direction: Direction::Range.into(),
        aggregation: Aggregation::Sum.into(),
        dimensions: dimensions(&["race", "gender", "lunch", "english-learner", "special-education", "grade"]),
        per: 1,
        ..MeasureDefinition::default()
    };
    vec![graduation, enrollment]
}

/// As what the reporter of a place is registered: a district, or for the state's own figures its department.
pub fn reporter(place: &Geography) -> Organization {
    let (name, sector, scheme) = match place.level.as_str() {
        STATE_LEVEL => (DEPARTMENT, Sector::Government, "CT-SDE-state"),
        _ => (place.name.as_str(), Sector::Institution, "CT-SDE-district"),
    };
    Organization {
        display_name: name.to_owned(),
        sector: sector.into(),
        identifiers: vec![Identifier { scheme: scheme.to_owned(), value: place.code.clone() }],
        ..Organization::default()
    }
}

fn dimensions(names: &[&str]) -> Vec<Dimension> {
    let known = DIMENSIONS.iter().filter(|labels| names.contains(&labels.dimension));
    let dimension = |labels: &super::labels::Labels| Dimension {
        name: labels.dimension.to_owned(),
        codes: labels
            .groups
            .iter()
            .map(|(code, name, _)| DimensionCode { code: (*code).to_owned(), name: (*name).to_owned() })
            .collect(),
    };
    known.map(dimension).collect()
}

/// Reads one file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(file: &File) -> Result<Vec<Row>, Vec<Fault>> {
    let sheet = Sheet::of(file)?;
    let title = sheet.titles.first().cloned().unwrap_or_default();
    let mut reading = Reading { sheet: &sheet, rows: Vec::new(), faults: Vec::new() };
    if title.starts_with("Four-Year Graduation Rates, ") {
        graduation::read(&mut reading);
    } else if title.starts_with("Student Counts by District and ") {
        enrollment::read_districts(&mut reading);
    } else if title == "Student Enrollment Trend" {
        enrollment::read_trend(&mut reading);
    } else {
        let expected = "\"Four-Year Graduation Rates, <year>\", \"Student Counts by District and <group>\" or \"Student \
                        Enrollment Trend\"";
        reading.fault(1, "", &title, "is not the title of a file that this reader knows", expected);
    }
    if reading.faults.is_empty() { Ok(reading.rows) } else { Err(reading.faults) }
}

/// A file while it is read.
struct Reading<'a> {
    sheet: &'a Sheet,
    rows: Vec<Row>,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    fn fault(&mut self, line: u64, column: &str, value: &str, reason: &str, expected: &str) {
        self.faults.push(Fault {
            file: self.sheet.file.clone(),
            line,
            column: column.to_owned(),
            value: value.to_owned(),
            reason: reason.to_owned(),
            expected: expected.to_owned(),
        });
    }

    /// A school year such as `2011-12`: from the first of July to the thirtieth of June.
    fn school_year(&mut self, line: u64, column: &str, text: &str) -> Option<String> {
        let year = text.split_once('-').and_then(|(first, last)| {
            let (first, last) = (digits::<4>(first)?, digits::<2>(last)?);
            ((first + 1) % 100 == last).then_some(first)
        });
        match year {
            Some(year) => Some(format!("{year}-07-01/{}-06-30", year + 1)),
            None => {
                self.fault(line, column, text, "is not a school year", "two years in a row, such as 2011-12");
                None
            }
        }
    }

    /// The district that a row is about.
    fn district(&mut self, line: u64, name: &str, code: &str) -> Option<Geography> {
        let plain = code.strip_prefix("=\"").and_then(|code| code.strip_suffix('"')).unwrap_or(code);
        if digits::<7>(plain).is_none() {
            self.fault(
                line,
                "District Code",
                code,
                "is not the code of a district",
                "seven digits, such as =\"0020011\"",
            );
            return None;
        }
        if name.is_empty() {
            self.fault(line, "District", name, "is empty", "the name of a district");
            return None;
        }
        Some(Geography { level: DISTRICT_LEVEL.to_owned(), code: plain.to_owned(), name: name.to_owned() })
    }

    /// A count of students, or why there is none.
    fn count(&mut self, line: u64, column: &str, text: &str) -> Option<Part> {
        let absent = |state: ValueState| Some(Part { state: state.into(), amount: String::new() });
        match text {
            "*" => absent(ValueState::Suppressed),
            "N/A" => absent(ValueState::NotApplicable),
            text => match text.parse::<u32>().ok().filter(|count| count.to_string() == text) {
                Some(count) => Some(Part { state: ValueState::Reported.into(), amount: count.to_string() }),
                None => {
                    self.fault(line, column, text, "is not a count of students", "a whole number, * or N/A");
                    None
                }
            },
        }
    }
}

fn state() -> Geography {
    Geography { level: STATE_LEVEL.to_owned(), code: STATE.to_owned(), name: STATE_NAME.to_owned() }
}

/// A number of exactly so many digits.
fn digits<const N: usize>(text: &str) -> Option<u32> {
    let plain = text.len() == N && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// The group of a value: all students, or those with a code.
fn group(of: Option<(&str, &str)>) -> BTreeMap<String, String> {
    of.map(|(dimension, code)| (dimension.to_owned(), code.to_owned())).into_iter().collect()
}

/// A value of a measure that is summed.
fn plain(geography: Geography, period: &str, of: Option<(&str, &str)>, value: Part) -> Observation {
    Observation {
        geography: Some(geography),
        period: period.to_owned(),
        dimensions: group(of),
        value: Some(value),
        ..Observation::default()
    }
}

/// Whether a figure of the state or of a district is a part or a published total.
fn basis_of(geography: &Geography) -> Basis {
    if geography.level == STATE_LEVEL { Basis::PublishedTotal } else { Basis::Component }
}
