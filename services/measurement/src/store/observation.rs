//! Observations as rows.

use chassis::database::unreadable;
use chassis::names::Space;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::Date;

use super::{key, series};
use crate::domain::{Absent, Breakdown, Geography, Heading, Observation, Part, Period, State, Submission};

/// What a reported part has as its state.
const REPORTED: i16 = 1;

/// Observations as columns: a chunk goes in as one statement.
#[derive(Default)]
struct Columns {
    breakdowns: Vec<String>,
    starts: Vec<Date>,
    ends: Vec<Date>,
    dimensions: Vec<String>,
    levels: Vec<String>,
    codes: Vec<String>,
    names: Vec<String>,
    values: Parts,
    numerators: Parts,
    denominators: Parts,
    rates_withheld: Vec<bool>,
}

#[derive(Default)]
struct Parts {
    amounts: Vec<Option<Decimal>>,
    states: Vec<Option<i16>>,
}

impl Parts {
    fn push(&mut self, part: Option<Part>) {
        self.amounts.push(part.and_then(Part::amount));
        self.states.push(part.map(|part| match part {
            Part::Reported(_) => REPORTED,
            Part::Absent(absent) => i16::try_from(absent.number()).unwrap_or_default(),
        }));
    }
}

impl Columns {
    fn of(observations: &[Observation]) -> Self {
        let mut columns = Self::default();
        for observation in observations {
            columns.breakdowns.push(observation.breakdown.names());
            columns.starts.push(observation.period.starts);
            columns.ends.push(observation.period.ends);
            columns.dimensions.push(observation.breakdown.to_string());
            columns.levels.push(observation.geography.level.clone());
            columns.codes.push(observation.geography.code.clone());
            columns.names.push(observation.geography.name.clone());
            columns.values.push(observation.value);
            columns.numerators.push(observation.numerator);
            columns.denominators.push(observation.denominator);
            columns.rates_withheld.push(observation.rate_withheld);
        }
        columns
    }
}

/// A part as its two columns have it.
pub(super) fn part(amount: Option<Decimal>, state: Option<i16>) -> Result<Option<Part>, sqlx::Error> {
    match (amount, state) {
        (_, None) => Ok(None),
        (Some(amount), Some(_)) => Ok(Some(Part::Reported(amount))),
        (None, Some(state)) => Ok(Some(Part::Absent(Absent::try_from(i32::from(state)).map_err(unreadable)?))),
    }
}

/// Adds observations of a submission; tells how many, which is fewer where it has some of the cells already.
pub async fn insert(
    connection: &mut PgConnection,
    submission: &Submission,
    observations: &[Observation],
) -> Result<u64, sqlx::Error> {
    let columns = Columns::of(observations);
    let inserted = sqlx::query!(
        "insert into measurement.observations
             (series, submission, breakdown, starts, ends, dimensions, level, code, name, value, value_state, numerator,
              numerator_state, denominator, denominator_state, rate_withheld)
         select $1, $2, o.* from unnest($3::text[], $4::date[], $5::date[], $6::text[], $7::text[], $8::text[],
                                        $9::text[], $10::numeric[], $11::smallint[], $12::numeric[], $13::smallint[],
                                        $14::numeric[], $15::smallint[], $16::boolean[]) o
         on conflict do nothing",
        series(&submission.space, &submission.heading),
        key(&submission.reference),
        &columns.breakdowns,
        &columns.starts,
        &columns.ends,
        &columns.dimensions,
        &columns.levels,
        &columns.codes,
        &columns.names,
        &columns.values.amounts as _,
        &columns.values.states as _,
        &columns.numerators.amounts as _,
        &columns.numerators.states as _,
        &columns.denominators.amounts as _,
        &columns.denominators.states as _,
        &columns.rates_withheld,
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected())
}

// The limits below keep the planner from joining whole series: each cell is looked up by the index, however wrong its
// guess of their number is while the tables grow.

/// How many of these observations are about cells that a submission has already.
pub async fn recorded_already(
    connection: &mut PgConnection,
    submission: &Submission,
    observations: &[Observation],
) -> Result<u64, sqlx::Error> {
    let columns = Columns::of(observations);
    let cells = sqlx::query_scalar!(
        r#"select count(*) as "cells!"
             from unnest($3::text[], $4::date[], $5::date[], $6::text[], $7::text[], $8::text[])
                  as c(breakdown, starts, ends, dimensions, level, code)
            cross join lateral (
                  select from measurement.observations o
                   where o.series = $1 and o.submission = $2 and o.breakdown = c.breakdown and o.starts = c.starts
                     and o.ends = c.ends and o.dimensions = c.dimensions and o.level = c.level and o.code = c.code
                   limit 1) before"#,
        series(&submission.space, &submission.heading),
        key(&submission.reference),
        &columns.breakdowns,
        &columns.starts,
        &columns.ends,
        &columns.dimensions,
        &columns.levels,
        &columns.codes,
    );
    counted(cells.fetch_one(connection).await?)
}

/// For how many of these observations their reporter has sealed a value before.
pub async fn sealed_before(
    connection: &mut PgConnection,
    space: &Space,
    heading: &Heading,
    observations: &[Observation],
) -> Result<u64, sqlx::Error> {
    let columns = Columns::of(observations);
    let cells = sqlx::query_scalar!(
        r#"select count(*) as "cells!"
             from unnest($3::text[], $4::date[], $5::date[], $6::text[], $7::text[], $8::text[])
                  as c(breakdown, starts, ends, dimensions, level, code)
            cross join lateral (
                  select from measurement.observations o
                    join measurement.submissions s on s.key = o.submission and s.state = $2
                   where o.series = $1 and o.breakdown = c.breakdown and o.starts = c.starts and o.ends = c.ends
                     and o.dimensions = c.dimensions and o.level = c.level and o.code = c.code
                   limit 1) before"#,
        series(space, heading),
        State::Sealed.number(),
        &columns.breakdowns,
        &columns.starts,
        &columns.ends,
        &columns.dimensions,
        &columns.levels,
        &columns.codes,
    );
    counted(cells.fetch_one(connection).await?)
}

/// For how many cells of an open submission its reporter has sealed a value before.
pub async fn replaced_by(connection: &mut PgConnection, submission: &Submission) -> Result<u64, sqlx::Error> {
    let cells = sqlx::query_scalar!(
        r#"select count(*) as "cells!"
             from measurement.observations c
            cross join lateral (
                  select from measurement.observations o
                    join measurement.submissions s on s.key = o.submission and s.state = $3
                   where o.series = c.series and o.breakdown = c.breakdown and o.starts = c.starts and o.ends = c.ends
                     and o.dimensions = c.dimensions and o.level = c.level and o.code = c.code
                   limit 1) before
            where c.series = $1 and c.submission = $2"#,
        series(&submission.space, &submission.heading),
        key(&submission.reference),
        State::Sealed.number(),
    );
    counted(cells.fetch_one(connection).await?)
}

fn counted(cells: i64) -> Result<u64, sqlx::Error> {
    cells.try_into().map_err(unreadable)
}

struct Row {
    starts: Date,
    ends: Date,
    dimensions: String,
    level: String,
    code: String,
    name: String,
    value: Option<Decimal>,
    value_state: Option<i16>,
    numerator: Option<Decimal>,
    numerator_state: Option<i16>,
    denominator: Option<Decimal>,
    denominator_state: Option<i16>,
    rate_withheld: bool,
}

impl TryFrom<Row> for Observation {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            geography: Geography { level: row.level, code: row.code, name: row.name },
            period: Period { starts: row.starts, ends: row.ends },
            breakdown: Breakdown::read(&row.dimensions),
            value: part(row.value, row.value_state)?,
            numerator: part(row.numerator, row.numerator_state)?,
            denominator: part(row.denominator, row.denominator_state)?,
            rate_withheld: row.rate_withheld,
        })
    }
}

/// Observations of a submission by group, period and place, a page at a time: those that follow so many others.
pub async fn list(
    connection: &mut PgConnection,
    submission: &Submission,
    after: i64,
    limit: i64,
) -> Result<Vec<Observation>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select starts, ends, dimensions, level, code, name, value, value_state, numerator, numerator_state, denominator,
                denominator_state, rate_withheld
           from measurement.observations where series = $1 and submission = $2
          order by breakdown, starts, ends, dimensions, level, code offset $3 limit $4",
        series(&submission.space, &submission.heading),
        key(&submission.reference),
        after,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}
