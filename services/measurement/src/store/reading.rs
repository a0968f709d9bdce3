//! Values as they stand: of everything a reporter has sealed for a cell, the last.

use chassis::names::{Reference, Space};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::Date;
use time::macros::date;
use uuid::Uuid;

use super::observation::part;
use crate::domain::rollup::{Contribution, Sealed};
use crate::domain::{Basis, Geography, Period, State};

/// Which values are asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// On this measure.
    pub measure: Reference,
    /// In this space.
    pub space: Space,
    /// Parts or published totals.
    pub basis: Basis,
    /// Broken down by exactly these dimensions, in the written form of their names.
    pub breakdown: String,
    /// With these codes, each in its written form.
    pub pairs: Vec<String>,
    /// In any of these periods; none for all.
    pub periods: Vec<Period>,
    /// Of this organization only.
    pub organization: Option<Reference>,
    /// For places of this level only; empty for all.
    pub level: String,
    /// For the place of this code only; empty for all.
    pub code: String,
}

/// A value as it stands, and where it comes from.
#[derive(Clone, Debug)]
pub struct Current {
    /// The value.
    pub contribution: Contribution,
    /// Reference of the submission.
    pub submission: String,
    /// Why it replaced an earlier value; empty for a first one.
    pub revision_reason: String,
}

impl Current {
    /// Where it stands among the values of a question. No part of it holds a tab.
    pub fn place(&self) -> String {
        let Contribution { organization, geography, period, breakdown, .. } = &self.contribution;
        format!("{organization}\t{}\t{}\t{breakdown}\t{period}", geography.level, geography.code)
    }
}

/// A place among values, as [`Current::place`] wrote it; `None` for one that it did not write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    organization: String,
    level: String,
    code: String,
    dimensions: String,
    period: Period,
}

impl After {
    /// Reads a place.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('\t').map(str::to_owned);
        let (organization, level, code) = (parts.next()?, parts.next()?, parts.next()?);
        let (dimensions, period) = (parts.next()?, parts.next()?.parse().ok()?);
        Some(Self { organization, level, code, dimensions, period })
    }
}

struct Row {
    organization: String,
    submission: String,
    revision_reason: String,
    sealed_by: Uuid,
    accepted_position: Option<i64>,
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

impl TryFrom<Row> for Current {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let position = row.accepted_position.unwrap_or(i64::MAX);
        let contribution = Contribution {
            organization: row.organization,
            geography: Geography { level: row.level, code: row.code, name: row.name },
            period: Period { starts: row.starts, ends: row.ends },
            breakdown: row.dimensions,
            value: part(row.value, row.value_state)?,
            numerator: part(row.numerator, row.numerator_state)?,
            denominator: part(row.denominator, row.denominator_state)?,
            rate_withheld: row.rate_withheld,
            sealed: Sealed { position, event: row.sealed_by },
        };
        Ok(Self { contribution, submission: row.submission, revision_reason: row.revision_reason })
    }
}

/// The values that a question is about, sorted by organization, place, group and period, one by one as they are read.
pub fn current<'c>(
    connection: &'c mut PgConnection,
    question: &Question,
    after: Option<After>,
    limit: Option<i64>,
) -> BoxStream<'c, Result<Current, sqlx::Error>> {
    let starts: Vec<Date> = question.periods.iter().map(|period| period.starts).collect();
    let ends: Vec<Date> = question.periods.iter().map(|period| period.ends).collect();
    // The index goes by first day, and has no use for a list of periods.
    let first = starts.iter().min().copied().unwrap_or(date!(0001 - 01 - 01));
    let last = starts.iter().max().copied().unwrap_or(date!(9999 - 12 - 31));
    // One reporter may have sealed several values for a cell: the seal that was accepted last wins, and one that is
    // pending before all others. See `Sealed`.
    let rows = sqlx::query_as!(
        Row,
        r#"select distinct on (s.organization, o.level, o.code, o.dimensions, o.starts, o.ends)
                  s.organization, s.reference as submission, s.revision_reason, s.sealed_by as "sealed_by!",
                  l.accepted_position as "accepted_position?", o.starts, o.ends, o.dimensions, o.level, o.code, o.name,
                  o.value, o.value_state, o.numerator, o.numerator_state, o.denominator, o.denominator_state,
                  o.rate_withheld
             from (select distinct series from measurement.submissions
                    where measure = $1 and space = $2 and basis = $3) reporter
             join measurement.observations o
               on o.series = reporter.series and o.breakdown = $5 and o.starts between $19 and $20
             join measurement.submissions s on s.key = o.submission and s.state = $4
             left join measurement.log l on l.event_id = s.sealed_by
            where string_to_array(o.dimensions, ';') @> $6::text[]
              and (cardinality($7::date[]) = 0 or (o.starts, o.ends) in (select * from unnest($7::date[], $8::date[])))
              and ($9::text is null or s.organization = $9)
              and ($10 = '' or o.level = $10) and ($11 = '' or o.code = $11)
              and ($12::text is null
                   or (s.organization, o.level, o.code, o.dimensions, o.starts, o.ends) > ($12, $13, $14, $15, $16, $17))
            order by s.organization, o.level, o.code, o.dimensions, o.starts, o.ends,
                     l.accepted_position desc nulls first, s.sealed_by desc
            limit $18"#,
        question.measure.to_string(),
        question.space.to_string(),
        question.basis.number(),
        State::Sealed.number(),
        question.breakdown,
        &question.pairs,
        &starts,
        &ends,
        question.organization.as_ref().map(ToString::to_string),
        question.level,
        question.code,
        after.as_ref().map(|after| after.organization.clone()),
        after.as_ref().map(|after| after.level.clone()),
        after.as_ref().map(|after| after.code.clone()),
        after.as_ref().map(|after| after.dimensions.clone()),
        after.as_ref().map(|after| after.period.starts),
        after.as_ref().map(|after| after.period.ends),
        limit,
        first,
        last,
    );
    rows.fetch(connection).map(|row| row.and_then(Current::try_from)).boxed()
}
