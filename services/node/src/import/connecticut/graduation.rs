//! Four-year graduation: a cohort, how many of it graduated, and a rate that may be withheld where both counts are not.

use proto::measurement::{Geography, Observation, Part, ValueState};

use super::{GRADUATION, Reading, basis_of, group, state};
use crate::import::Row;
use crate::import::labels::{self, Labels};

const COHORT: &str = "Four-Year Cohort Count";
const GRADUATES: &str = "Graduation Count";
const RATE: &str = "Graduation Rate";

/// Where the columns of a file are.
struct Columns {
    code: Option<usize>,
    dimension: Option<(usize, &'static Labels)>,
    cohort: usize,
    graduates: usize,
    rate: usize,
}

/// Reads all rows of the file.
pub(super) fn read(reading: &mut Reading<'_>) {
    let sheet = reading.sheet;
    let year = sheet.titles.first().and_then(|title| title.rsplit_once(", ")).map_or("", |(_, year)| year);
    let period = reading.school_year(1, "", year);
    let (Some(period), Some(columns)) = (period, columns(reading)) else { return };
    for (line, cells) in &sheet.rows {
        if let Some(observation) = observation(reading, *line, cells, &columns, &period) {
            let basis = basis_of(observation.geography.as_ref().unwrap_or(&Geography::default()));
            let row = Row { line: *line, column: GRADUATES.to_owned(), measure: GRADUATION, basis, observation };
            reading.rows.push(row);
        }
    }
}

fn columns(reading: &mut Reading<'_>) -> Option<Columns> {
    let sheet = reading.sheet;
    let mut missing = |header: &str| {
        let column = sheet.column(header);
        if column.is_none() {
            reading.fault(0, header, "", "is not in the header", "a column with this header");
        }
        column
    };
    let (district, cohort, graduates, rate) = (missing("District"), missing(COHORT), missing(GRADUATES), missing(RATE));
    let known = ["District", "District Code", COHORT, GRADUATES, RATE];
    let mut dimension = None;
    for (place, header) in sheet.header.iter().enumerate().filter(|(_, header)| !known.contains(&header.as_str())) {
        match labels::dimension(header) {
            Some(labels) if dimension.is_none() => dimension = Some((place, labels)),
            _ => {
                reading.fault(0, header, header, "is a column that this reader does not know", "one group of students")
            }
        }
    }
    district?;
    let code = sheet.column("District Code");
    Some(Columns { code, dimension, cohort: cohort?, graduates: graduates?, rate: rate? })
}

fn observation(
    reading: &mut Reading<'_>,
    line: u64,
    cells: &[String],
    columns: &Columns,
    period: &str,
) -> Option<Observation> {
    let cell = |place: usize| cells.get(place).map_or("", String::as_str);
    let geography = match columns.code {
        Some(code) => reading.district(line, cell(0), cell(code)),
        None if cell(0) == super::STATE_NAME => Some(state()),
        None => {
            reading.fault(line, "District", cell(0), "has no code", super::STATE_NAME);
            None
        }
    };
    let of = match columns.dimension {
        None => Some(None),
        Some((place, labels)) => {
            let code = labels.code(cell(place));
            if code.is_none() {
                let header = reading.sheet.header.get(place).cloned().unwrap_or_default();
                reading.fault(line, &header, cell(place), "is not a known group", &labels.known());
            }
            code.map(|code| Some((labels.dimension, code)))
        }
    };
    let denominator = reading.count(line, COHORT, cell(columns.cohort));
    let numerator = reading.count(line, GRADUATES, cell(columns.graduates));
    let (numerator, denominator) = (numerator?, denominator?);
    let rate_withheld = withheld(reading, line, cell(columns.rate), &numerator, &denominator)?;
    Some(Observation {
        geography: Some(geography?),
        period: period.to_owned(),
        dimensions: group(of?),
        value: None,
        numerator: Some(numerator),
        denominator: Some(denominator),
        rate_withheld,
    })
}

/// Whether the rate is withheld although both counts are there. A rate that is there must follow from them.
fn withheld(reading: &mut Reading<'_>, line: u64, rate: &str, numerator: &Part, denominator: &Part) -> Option<bool> {
    let count = |part: &Part| part.amount.parse::<u64>().ok();
    let counts = count(numerator).zip(count(denominator));
    let in_part = [numerator, denominator].iter().any(|part| part.state() == ValueState::NotApplicable);
    match (counts, rate) {
        (Some((above, below)), _) if above > below => {
            let value = above.to_string();
            reading.fault(line, GRADUATES, &value, "is more than the cohort", &format!("at most {below}"));
            None
        }
        (counts, "*") => Some(counts.is_some()),
        (None, "N/A") if in_part => Some(false),
        (Some((above, below)), rate) if below > 0 && follows(rate, above, below) => Some(false),
        (Some((above, below)), rate) => {
            reading.fault(
                line,
                RATE,
                rate,
                "does not follow from the counts",
                &format!("100 times {above}/{below}, or *"),
            );
            None
        }
        (None, rate) => {
            reading.fault(line, RATE, rate, "is there without the counts", "*, or N/A where both counts are");
            None
        }
    }
}

/// Whether a rate with one decimal is that of the counts, however a half was rounded.
fn follows(rate: &str, above: u64, below: u64) -> bool {
    let Some((whole, tenth)) = rate.split_once('.') else { return false };
    let Ok(tenths) = format!("{whole}{tenth}").parse::<u64>() else { return false };
    // |tenths/10 - 100 above/below| <= 0.05, in whole numbers.
    tenth.len() == 1 && (tenths * below).abs_diff(1000 * above) * 2 <= below
}
