//! Activities in the format of the International Aid Transparency Initiative (IATI 2.x, XML).
//!
//! Files of any size are read as a stream: one activity is held at a time. Of an activity we take its identifier, title
//! and descriptions, days, status, places and organizations, what its publisher has committed and disbursed, and where
//! asked for its budgets as needs. What the contract cannot carry is counted, and the counts are said.

mod activity;
mod money;
mod texts;
mod xml;

use std::collections::BTreeMap;
use std::io::BufRead;

use prost::Message;
use proto::activities::means::Kind;
use proto::activities::{ActivityDefinition, ActivityState, AwardDefinition, Disbursement, NeedDefinition};
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::report::Fault;
use activity::Reading;
use xml::{Elements, Flaw};

/// What is in some files, beside the activities themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Found {
    /// Activities, each counted once.
    pub activities: u64,
    /// Activities by their level, which is not kept.
    pub hierarchy: BTreeMap<String, u64>,
    /// Transactions by type.
    pub transactions: BTreeMap<&'static str, Sums>,
    /// Budgets.
    pub budgets: Sums,
    /// Awards, parts of them that were paid, and needs.
    pub awards: u64,
    /// Parts of awards that were paid.
    pub disbursements: u64,
    /// Needs.
    pub needs: u64,
    /// What could not be carried, in words.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Elements that were passed over, by name.
    pub passed: BTreeMap<String, u64>,
    /// Digests of what was read, by identifier.
    #[serde(skip)]
    seen: BTreeMap<String, Vec<u8>>,
}

/// How many, and what they add up to by currency.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sums {
    /// How many.
    pub count: u64,
    /// The sum by currency.
    pub sums: BTreeMap<String, Decimal>,
}

/// One activity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planned {
    /// What it is, without its organizations.
    pub definition: ActivityDefinition,
    /// How far it has come.
    pub state: ActivityState,
    /// Identifiers of whoever may lead it, the first at best: who answers for it, who carries it out, who publishes it.
    pub leads: Vec<String>,
    /// Identifiers of whoever takes part otherwise.
    pub supporting: Vec<String>,
    /// Identifiers of whoever funds.
    pub funding: Vec<String>,
    /// What is committed.
    pub awards: Vec<PlannedAward>,
    /// What is needed, without organization and activity.
    pub needs: Vec<NeedDefinition>,
}

/// A commitment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlannedAward {
    /// What is awarded, without organizations and activity.
    pub definition: AwardDefinition,
    /// How much.
    pub amount: Decimal,
    /// Identifier of whoever receives; may be empty.
    pub recipient: String,
    /// What was paid of it.
    pub paid: Vec<Disbursement>,
}

impl PlannedAward {
    fn currency(&self) -> &str {
        match self.definition.means.as_ref().and_then(|means| means.kind.as_ref()) {
            Some(Kind::Money(money)) => &money.currency,
            _ => "",
        }
    }
}

impl Found {
    /// Adds what was found in one activity.
    fn add(&mut self, one: Self) {
        for (level, count) in one.hierarchy {
            *self.hierarchy.entry(level).or_default() += count;
        }
        for (what, count) in one.left_out {
            *self.left_out.entry(what).or_default() += count;
        }
        for (kind, sums) in one.transactions {
            self.transactions.entry(kind).or_default().add_all(sums);
        }
        self.budgets.add_all(one.budgets);
    }
}

impl Sums {
    fn add_all(&mut self, other: Self) {
        self.count += other.count;
        for (currency, sum) in other.sums {
            *self.sums.entry(currency).or_default() += sum;
        }
    }

    fn add(&mut self, currency: &str, amount: Decimal) {
        self.count += 1;
        *self.sums.entry(currency.to_owned()).or_default() += amount;
    }
}

/// The activities of a file, one after the other; what is wrong with one stands in its place. `found` goes on from file
/// to file: the same activity twice is given once.
pub struct Activities<'a, R> {
    name: &'a str,
    elements: Elements<R>,
    found: &'a mut Found,
    needs: bool,
    begun: bool,
    over: bool,
}

impl<'a, R: BufRead> Activities<'a, R> {
    /// Those of one file. `needs`: its budgets say what is needed.
    pub fn of(name: &'a str, input: R, found: &'a mut Found, needs: bool) -> Self {
        Self { name, elements: Elements::of(input), found, needs, begun: false, over: false }
    }

    /// Looks whether this is a file of activities in a version that is known.
    fn begin(&mut self) -> Result<(), Flaw> {
        self.begun = true;
        let root = self.elements.root()?;
        let flaw = |value: &str, reason: &str, expected| {
            Err(Flaw { line: root.line, value: value.to_owned(), reason: reason.to_owned(), expected })
        };
        if root.name != "iati-activities" {
            return flaw(&root.name, "is not what a file of activities begins with", "iati-activities");
        }
        match root.attribute("version") {
            Some(version) if version.starts_with("2.") => Ok(()),
            version => {
                flaw(version.unwrap_or_default(), "is no version that is known here", "2.01, 2.02 or 2.03 of IATI")
            }
        }
    }

    fn one(&mut self) -> Result<Option<xml::Element>, Flaw> {
        if !self.begun {
            self.begin()?;
        }
        loop {
            match self.elements.next(activity::wanted)? {
                Some(other) if other.name != "iati-activity" => {
                    *self.found.passed.entry(other.name.chars().take(64).collect()).or_default() += 1;
                }
                found => return Ok(found),
            }
        }
    }

    /// Reads an activity and counts it; `None` where it was counted before.
    fn read(&mut self, element: &xml::Element) -> Option<Result<Planned, Vec<Fault>>> {
        let mut reading = Reading::of(self.name, self.needs);
        let Some(planned) = reading.activity(element) else {
            reading.faults.sort_by_key(|fault| fault.line);
            return Some(Err(reading.faults));
        };
        let (line, found) = (element.line, reading.found);
        let identifier = planned.definition.external_id.clone();
        let digest = planned.digest();
        match self.found.seen.get(&identifier) {
            Some(before) if *before == digest => None,
            Some(_) => Some(Err(vec![Fault {
                file: self.name.to_owned(),
                line,
                column: "iati-identifier".to_owned(),
                value: identifier,
                reason: "is the identifier of two different activities".to_owned(),
                expected: "an identifier of its own".to_owned(),
            }])),
            None => {
                self.found.seen.insert(identifier, digest);
                self.found.activities += 1;
                self.found.awards += planned.awards.len() as u64;
                self.found.disbursements += planned.awards.iter().map(|award| award.paid.len() as u64).sum::<u64>();
                self.found.needs += planned.needs.len() as u64;
                self.found.add(found);
                Some(Ok(planned))
            }
        }
    }
}

impl<R: BufRead> Iterator for Activities<'_, R> {
    type Item = Result<Planned, Vec<Fault>>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.over {
            let element = match self.one() {
                Ok(Some(element)) => element,
                Ok(None) => {
                    self.over = true;
                    for (name, count) in std::mem::take(&mut self.elements.passed) {
                        *self.found.passed.entry(name).or_default() += count;
                    }
                    return None;
                }
                Err(Flaw { line, value, reason, expected }) => {
                    self.over = true;
                    let (file, expected) = (self.name.to_owned(), expected.to_owned());
                    return Some(Err(vec![Fault { file, line, column: String::new(), value, reason, expected }]));
                }
            };
            if let Some(read) = self.read(&element) {
                return Some(read);
            }
        }
        None
    }
}

impl Planned {
    fn digest(&self) -> Vec<u8> {
        let mut whole = Sha256::new();
        whole.update(self.definition.encode_to_vec());
        whole.update(self.state.as_str_name());
        whole.update(format!("{:?} {:?} {:?}", self.leads, self.supporting, self.funding));
        for award in &self.awards {
            whole.update(award.definition.encode_to_vec());
            award.paid.iter().for_each(|part| whole.update(part.encode_to_vec()));
        }
        self.needs.iter().for_each(|need| whole.update(need.encode_to_vec()));
        whole.finalize().to_vec()
    }
}

#[cfg(test)]
mod tests;
