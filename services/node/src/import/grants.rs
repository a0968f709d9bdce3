//! Grants in the 360Giving format (JSON): each becomes an award.
//!
//! A file is an object with `grants`. Of a grant we take id, title and description, currency and amount, the day it was
//! awarded, who receives and who funds. The recipient is kept by name: it need not take part in the initiative. A grant
//! of nothing is left out, and counted.

use std::collections::BTreeMap;

use proto::activities::means::Kind;
use proto::activities::{AwardDefinition, Means, Money};
use rust_decimal::Decimal;
use serde_json::Value;
use time::Date;
use time::macros::format_description;

use super::File;
use super::report::{Fault, Report};

/// What the contract says an award may have.
const NAME: usize = 200;
const PURPOSE: usize = 4000;
const DECIMALS: u32 = 4;
const MOST: Decimal = Decimal::from_parts(2_764_472_319, 232_830, 0, false, 0);

/// What is in some files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What is to be awarded, by the id of the grant. Who awards is not said yet.
    pub awards: BTreeMap<String, Planned>,
    /// Ids of grants of nothing, which are left out.
    pub nothing: Vec<String>,
}

/// A grant that becomes an award.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The id under which registers know who funds it, such as `GB-CHC-327114`.
    pub funder: String,
    /// How much.
    pub amount: Decimal,
    /// The award, without its organization.
    pub definition: AwardDefinition,
}

/// Reads files and puts together what is to be awarded. The same grant twice is taken once.
///
/// # Errors
/// Every fault of every file; nothing of them may be awarded then.
pub fn plan(files: &[File]) -> Result<Plan, Report> {
    let (mut plan, mut report) = (Plan::default(), Report::default());
    for file in files {
        let grants = match grants(file) {
            Ok(grants) => grants,
            Err(fault) => {
                report.faults.push(fault);
                continue;
            }
        };
        for (nth, grant) in grants.iter().enumerate() {
            let mut reader = Reader { file, place: format!("grants[{nth}]"), faults: Vec::new() };
            let read = reader.grant(grant);
            let (place, faults) = (reader.place, reader.faults);
            report.faults.extend(faults);
            if let Some(read) = read
                && let Err(id) = plan.add(read)
            {
                let reason = "is the id of two different grants";
                report.faults.push(file.fault(0, &format!("{place}.id"), &id, reason, "an id of its own"));
            }
        }
    }
    if report.faults.is_empty() { Ok(plan) } else { Err(report) }
}

impl Plan {
    /// How much is awarded, by currency.
    pub fn sums(&self) -> BTreeMap<&str, Decimal> {
        let mut sums = BTreeMap::<&str, Decimal>::new();
        for planned in self.awards.values() {
            *sums.entry(planned.currency()).or_default() += planned.amount;
        }
        sums
    }

    /// Adds a grant, or gives back its id if it is that of another.
    fn add(&mut self, planned: Planned) -> Result<(), String> {
        let id = planned.definition.external_id.clone();
        if planned.amount.is_zero() {
            self.nothing.push(id);
            return Ok(());
        }
        match self.awards.get(&id) {
            Some(before) if *before != planned => return Err(id),
            _ => self.awards.insert(id, planned),
        };
        Ok(())
    }
}

impl Planned {
    /// The currency of what is awarded; empty for goods.
    pub fn currency(&self) -> &str {
        match self.definition.means.as_ref().and_then(|means| means.kind.as_ref()) {
            Some(Kind::Money(money)) => &money.currency,
            _ => "",
        }
    }
}

fn grants(file: &File) -> Result<Vec<Value>, Fault> {
    let bytes = file.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&file.bytes);
    let mut whole: Value = serde_json::from_slice(bytes).map_err(|error| {
        let line = u64::try_from(error.line()).unwrap_or_default();
        file.fault(line, "", "", &format!("is no JSON: {error}"), "a 360Giving file in JSON")
    })?;
    match whole.get_mut("grants").map(Value::take) {
        Some(Value::Array(grants)) if !grants.is_empty() => Ok(grants),
        _ => Err(file.fault(0, "grants", "", "is not there, no list, or empty", "a list of grants")),
    }
}

/// Reads one grant; what is wrong with it is noted.
struct Reader<'a> {
    file: &'a File,
    place: String,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn grant(&mut self, grant: &Value) -> Option<Planned> {
        let id = self.line(grant, "/id");
        let title = self.line(grant, "/title");
        let description = grant.pointer("/description").and_then(Value::as_str).unwrap_or_default();
        let purpose = title.and_then(|title| self.purpose(&title, description));
        let currency = self.currency(grant);
        let amount = self.amount(grant);
        let award_date = self.date(grant);
        let recipient_name = self.only(grant, "/recipientOrganization", "/recipientOrganization/0/name");
        let funder = self.only(grant, "/fundingOrganization", "/fundingOrganization/0/id");
        let (amount, currency) = (amount?, currency?);
        let money = Money { amount: amount.normalize().to_string(), currency };
        let definition = AwardDefinition {
            recipient_name: recipient_name?,
            means: Some(Means { kind: Some(Kind::Money(money)) }),
            award_date: award_date?,
            purpose: purpose?,
            external_id: id?,
            ..AwardDefinition::default()
        };
        Some(Planned { funder: funder?, amount, definition })
    }

    fn wrong<T>(&mut self, path: &str, value: &str, reason: &str, expected: &str) -> Option<T> {
        let place = format!("{}{}", self.place, path.replace("/0", "[0]").replace('/', "."));
        self.faults.push(self.file.fault(0, &place, value, reason, expected));
        None
    }

    /// One line of text that must be there.
    fn line(&mut self, grant: &Value, path: &str) -> Option<String> {
        let expected = format!("one line of 1 to {NAME} characters");
        match grant.pointer(path) {
            None | Some(Value::Null) => self.wrong(path, "", "is missing", &expected),
            Some(Value::String(text)) => {
                let text = text.trim();
                if text.is_empty() || text.chars().count() > NAME || text.chars().any(char::is_control) {
                    return self.wrong(path, text, "is empty, too long or has control characters", &expected);
                }
                Some(text.to_owned())
            }
            Some(other) => self.wrong(path, &other.to_string(), "is no text", &expected),
        }
    }

    /// A line of the only item of a list.
    fn only(&mut self, grant: &Value, list: &str, path: &str) -> Option<String> {
        match grant.pointer(list).and_then(Value::as_array).map(Vec::len) {
            Some(1) => self.line(grant, path),
            Some(many) => self.wrong(list, &many.to_string(), "organizations are named", "one organization"),
            None => self.wrong(list, "", "is missing", "one organization"),
        }
    }

    fn purpose(&mut self, title: &str, description: &str) -> Option<String> {
        let plain =
            |character: char| if character.is_control() && !"\n\t".contains(character) { ' ' } else { character };
        let whole: String = format!("{title}\n{}", description.trim()).trim().chars().map(plain).collect();
        if whole.chars().count() > PURPOSE {
            return self.wrong("/description", description, "is too long", "at most 4,000 characters with the title");
        }
        Some(whole)
    }

    fn currency(&mut self, grant: &Value) -> Option<String> {
        let text = self.line(grant, "/currency")?;
        if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Some(text);
        }
        self.wrong("/currency", &text, "is no currency", "three capital letters of ISO 4217")
    }

    fn amount(&mut self, grant: &Value) -> Option<Decimal> {
        const EXPECTED: &str = "a number from 0 with at most 15 digits, 4 of them after the point";
        let Some(value) = grant.pointer("/amountAwarded") else {
            return self.wrong("/amountAwarded", "", "is missing", EXPECTED);
        };
        // The shortest digits of a JSON number are those that were written, as long as there are no more than 15.
        let amount = value.as_number().and_then(|number| number.to_string().parse::<Decimal>().ok());
        let digits =
            |amount: &Decimal| amount.normalize().mantissa().unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        match amount {
            Some(amount) if digits(&amount) > 15 => self.wrong(
                "/amountAwarded",
                &value.to_string(),
                "has more digits than a number in JSON keeps",
                EXPECTED,
            ),
            Some(amount) if amount.is_sign_negative() || amount > MOST || amount.normalize().scale() > DECIMALS => {
                self.wrong("/amountAwarded", &value.to_string(), "is below zero, too large or too fine", EXPECTED)
            }
            Some(amount) => Some(amount),
            None => self.wrong("/amountAwarded", &value.to_string(), "is no amount", EXPECTED),
        }
    }

    /// The day of an instant or date.
    fn date(&mut self, grant: &Value) -> Option<String> {
        let text = self.line(grant, "/awardDate")?;
        let (day, rest) = text.split_at_checked(10).unwrap_or((&text, ""));
        let right = Date::parse(day, format_description!("[year]-[month]-[day]")).is_ok();
        if right && (rest.is_empty() || rest.starts_with('T')) {
            return Some(day.to_owned());
        }
        self.wrong("/awardDate", &text, "is no date", "a date such as 2015-06-10")
    }
}

#[cfg(test)]
mod tests;
