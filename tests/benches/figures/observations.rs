//! A batch of observations as districts report them: 250 districts, for all students and by race.

use proto::measurement::{Geography, Observation, Part, ValueState};
use rust_decimal::Decimal;
use time::{Date, Duration};

use crate::nodes::RACES;

const DISTRICTS: u32 = 250;
/// How many observations a batch has: as many as a call may bring.
pub const BATCH: usize = DISTRICTS as usize * (1 + RACES.len());

/// The batch of one period; every number has a period of its own.
pub fn messages(number: i64) -> Vec<Observation> {
    let period = format!("{}/{}", starts(number), starts(number) + Duration::days(364));
    cells().map(|cell| message(&cell, &period)).collect()
}

fn starts(number: i64) -> Date {
    Date::from_calendar_date(1900, time::Month::July, 1).unwrap_or(Date::MIN) + Duration::days(number)
}

struct Cell {
    district: u32,
    race: Option<&'static str>,
    cohort: u32,
}

fn cells() -> impl Iterator<Item = Cell> {
    let races = || std::iter::once(None).chain(RACES.into_iter().map(Some));
    (0..DISTRICTS).flat_map(move |district| races().map(move |race| Cell { district, race, cohort: 300 + district }))
}

impl Cell {
    fn code(&self) -> String {
        format!("{:07}", 10_011 + self.district * 10)
    }

    fn name(&self) -> String {
        format!("Regional School District {}", self.district)
    }
}

fn message(cell: &Cell, period: &str) -> Observation {
    let part = |amount: u32| Some(Part { state: ValueState::Reported.into(), amount: amount.to_string() });
    Observation {
        geography: Some(Geography { level: "district".to_owned(), code: cell.code(), name: cell.name() }),
        period: period.to_owned(),
        dimensions: cell.race.map(|race| ("race".to_owned(), race.to_owned())).into_iter().collect(),
        value: None,
        numerator: part(cell.cohort - 20),
        denominator: part(cell.cohort),
        rate_withheld: false,
    }
}

/// The same batch as the database takes it.
#[derive(Default)]
pub struct Columns {
    /// Names of the dimensions.
    pub breakdowns: Vec<String>,
    /// First days.
    pub starts: Vec<Date>,
    /// Last days.
    pub ends: Vec<Date>,
    /// Groups.
    pub dimensions: Vec<String>,
    /// Kinds of place.
    pub levels: Vec<String>,
    /// Codes of places.
    pub codes: Vec<String>,
    /// Names of places.
    pub names: Vec<String>,
    /// Above the line.
    pub numerators: Vec<Decimal>,
    /// Below the line.
    pub denominators: Vec<Decimal>,
}

/// The batch of one period as columns.
pub fn columns(number: i64) -> Columns {
    let mut columns = Columns::default();
    for cell in cells() {
        columns.breakdowns.push(cell.race.map_or_else(String::new, |_| "race".to_owned()));
        columns.starts.push(starts(number));
        columns.ends.push(starts(number) + Duration::days(364));
        columns.dimensions.push(cell.race.map_or_else(String::new, |race| format!("race={race}")));
        columns.levels.push("district".to_owned());
        columns.codes.push(cell.code());
        columns.names.push(cell.name());
        columns.numerators.push((cell.cohort - 20).into());
        columns.denominators.push(cell.cohort.into());
    }
    columns
}
