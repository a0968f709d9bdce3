//! Periods: from one day to another, both within.

use std::fmt;
use std::str::FromStr;

use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// A period, written as an ISO 8601 interval of two dates: `2014-07-01/2015-06-30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    /// First day.
    pub starts: Date,
    /// Last day; not before the first.
    pub ends: Date,
}

/// Why a text is not a period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not two dates.
    #[error("\"{0}\" is not an interval of two dates such as 2014-07-01/2015-06-30")]
    Form(String),
    /// The wrong way round.
    #[error("\"{0}\" ends before it starts")]
    Backwards(String),
}

impl Period {
    /// The period between two days, both within; `None` if it would end before it starts.
    pub fn between(starts: Date, ends: Date) -> Option<Self> {
        (starts <= ends).then_some(Self { starts, ends })
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let form = || PeriodError::Form(text.to_owned());
        let (starts, ends) = text.split_once('/').ok_or_else(form)?;
        let day = |text: &str| Date::parse(text, DAY).ok().filter(|day| (1..=9999).contains(&day.year()));
        let (Some(starts), Some(ends)) = (day(starts), day(ends)) else { return Err(form()) };
        Self::between(starts, ends).ok_or_else(|| PeriodError::Backwards(text.to_owned()))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |day: Date| (day.year(), u8::from(day.month()), day.day());
        let ((y, m, d), (yy, mm, dd)) = (day(self.starts), day(self.ends));
        write!(formatter, "{y:04}-{m:02}-{d:02}/{yy:04}-{mm:02}-{dd:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_back_as_it_was_written() {
        for text in ["2014-07-01/2015-06-30", "2020-02-29/2020-02-29", "0001-01-01/9999-12-31"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in ["", "2014", "2014-07-01", "2014-07-01/", "2014-7-1/2015-06-30", "2014-02-30/2015-01-01", "a/b/c"] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError::Form(text.to_owned())));
        }
        let backwards = "2015-06-30/2014-07-01";
        assert_eq!(backwards.parse::<Period>(), Err(PeriodError::Backwards(backwards.to_owned())));
    }
}
