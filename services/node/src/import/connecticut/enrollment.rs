//! Enrollment: students by district in one school year, in all or by one group, and of the state over the years.

use super::{ENROLLMENT, Reading, basis_of, plain, state};
use crate::import::Row;
use crate::import::labels::{self, Labels};

const TOTAL: &str = "Total";

/// Reads a file of districts. Its row `Total` is the state's own figure; its column `Total` that of all students.
pub(super) fn read_districts(reading: &mut Reading<'_>) {
    let sheet = reading.sheet;
    let year = sheet.titles.get(2).cloned().unwrap_or_default();
    let period = reading.school_year(3, "", &year);
    let codes = sheet.column("District Code");
    if sheet.column("District") != Some(0) || codes != Some(1) {
        let header = sheet.header.join(",");
        reading.fault(0, "", &header, "is not the header of a file by district", "District, District Code, and counts");
        return;
    }
    let (Some(period), Some(groups)) = (period, counted(reading)) else { return };
    for (line, cells) in &sheet.rows {
        let (name, code) = (cells.first().map_or("", String::as_str), cells.get(1).map_or("", String::as_str));
        let is_total = name == TOTAL && (code.is_empty() || code == "=\"\"");
        let place = if is_total { Some(state()) } else { reading.district(*line, name, code) };
        let Some(place) = place else { continue };
        for ((column, of), text) in groups.iter().zip(cells.iter().skip(2)) {
            if let Some(value) = reading.count(*line, column, text) {
                let observation = plain(place.clone(), &period, *of, value);
                let basis = basis_of(&place);
                let row = Row { line: *line, column: column.clone(), measure: ENROLLMENT, basis, observation };
                reading.rows.push(row);
            }
        }
    }
}

/// A dimension and a code of it; `None` for all students.
type Of = Option<(&'static str, &'static str)>;

/// The columns of counts: each a group, or all students.
fn counted(reading: &mut Reading<'_>) -> Option<Vec<(String, Of)>> {
    let sheet = reading.sheet;
    let labels = labels::dimension(&sheet.above);
    let mut groups = Vec::new();
    for header in sheet.header.iter().skip(2) {
        let of = match (header.as_str(), labels) {
            (TOTAL, Some(_)) | ("Count", None) => Some(None),
            (header, Some(labels)) => known(reading, 0, header, labels),
            (header, None) => {
                reading.fault(
                    0,
                    header,
                    header,
                    "is a column that this reader does not know",
                    "Count, or a known group",
                );
                None
            }
        };
        groups.push((header.clone(), of?));
    }
    Some(groups)
}

fn known(reading: &mut Reading<'_>, line: u64, label: &str, labels: &'static Labels) -> Option<Of> {
    let code = labels.code(label);
    if code.is_none() {
        reading.fault(line, label, label, "is not a known group", &labels.known());
    }
    code.map(|code| Some((labels.dimension, code)))
}

/// Reads the state's own figures over the years: a row for each group, a column for each year.
pub(super) fn read_trend(reading: &mut Reading<'_>) {
    let sheet = reading.sheet;
    let of = sheet.header.first().map_or("", String::as_str);
    let labels = labels::dimension(of);
    if labels.is_none() && !of.eq_ignore_ascii_case(TOTAL) {
        reading.fault(0, of, of, "is not a known group of students", "TOTAL, or a known group");
        return;
    }
    let mut years = Vec::new();
    for year in sheet.header.iter().skip(1) {
        years.extend(reading.school_year(0, year, year).map(|period| (year.clone(), period)));
    }
    if years.len() + 1 != sheet.header.len() {
        return;
    }
    for (line, cells) in &sheet.rows {
        let label = cells.first().map_or("", String::as_str);
        let of = match (label, labels) {
            (TOTAL | super::STATE_NAME, _) => Some(None),
            (label, Some(labels)) => known(reading, *line, label, labels),
            (label, None) => {
                reading.fault(*line, "TOTAL", label, "is not a row that this reader knows", super::STATE_NAME);
                None
            }
        };
        let Some(of) = of else { continue };
        for ((year, period), text) in years.iter().zip(cells.iter().skip(1)) {
            if let Some(value) = reading.count(*line, year, text) {
                let observation = plain(state(), period, of, value);
                let basis = basis_of(&state());
                let row = Row { line: *line, column: year.clone(), measure: ENROLLMENT, basis, observation };
                reading.rows.push(row);
            }
        }
    }
}
