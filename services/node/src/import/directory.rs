//! Directories of organizations and of what they do for people: Open Referral's tables (HSDS, and those of Ohana before
//! it), and the records in JSON lines of Ohana's first version.
//!
//! An organization becomes an organization with the directory's own id as an identifier; a service becomes an offer of
//! its organization, in words. What neither can hold is counted by column. People, their addresses and their numbers are
//! never taken: all members would see them.

mod offer;
mod records;
mod tables;

use std::collections::BTreeMap;

use proto::membership::{Identifier, Organization};

use super::File;
use super::report::{Fault, Report};
pub use offer::Offer;

/// The file that tables begin with.
pub const TABLE: &str = "organizations.csv";
/// The file with records.
pub const RECORDS: &str = "organizations.jsonl";

/// What the contract says an organization may have.
const NAME: usize = 200;
const IDENTIFIER: usize = 100;
const IDENTIFIERS: usize = 20;
const WEBSITE: usize = 500;

/// What is in a directory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The organizations, by their id in the directory. The sector is unspecified where the directory does not say it.
    pub organizations: BTreeMap<String, Organization>,
    /// What they offer.
    pub offers: Vec<Offer>,
    /// How much was not taken, by file and column.
    pub left_out: BTreeMap<String, usize>,
}

impl Plan {
    /// Names of the organizations of which the directory does not say the sector.
    pub fn without_sector(&self) -> Vec<&str> {
        let unsaid = self.organizations.values().filter(|one| one.sector == 0);
        unsaid.map(|one| one.display_name.as_str()).collect()
    }

    /// How many offers were too long to be taken whole.
    pub fn shortened(&self) -> usize {
        self.offers.iter().filter(|offer| offer.shortened).count()
    }

    fn leave_out(&mut self, what: String, number: usize) {
        if number > 0 {
            *self.left_out.entry(what).or_default() += number;
        }
    }
}

/// Reads the files of one directory, whose organizations are known here as `register` with their id.
///
/// # Errors
/// Every fault of every file; nothing of them may be imported then.
pub fn plan(files: &[File], register: &str) -> Result<Plan, Report> {
    let named = |name: &str| files.iter().find(|file| file.name.rsplit('/').next() == Some(name));
    let (mut plan, mut faults) = (Plan::default(), Vec::new());
    match (named(TABLE), named(RECORDS)) {
        (Some(_), _) => tables::read(&named, register, &mut plan, &mut faults),
        (None, Some(records)) => records::read(records, register, &mut plan, &mut faults),
        (None, None) => {}
    }
    if !faults.is_empty() {
        return Err(Report { faults });
    }
    for file in files {
        let name = file.name.rsplit('/').next().unwrap_or_default();
        if !tables::READ.contains(&name) && name != RECORDS {
            let rows = super::lines::lines(file).map_or(0, |lines| lines.len().saturating_sub(1));
            plan.leave_out(format!("{name}, rows"), rows);
        }
    }
    Ok(plan)
}

/// A name as people call something: one line of 1 to 200 characters.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= NAME && !text.chars().any(char::is_control)
}

/// Whether the membership room takes this as the address of a website.
fn is_website(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty()
        && !host.contains('@')
        && text.chars().count() <= WEBSITE
        && !text.chars().any(|character| character.is_whitespace() || character.is_control())
}

fn identifier(scheme: &str, value: &str) -> Identifier {
    Identifier { scheme: scheme.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests;
