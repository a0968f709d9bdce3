//! Frameworks of goals and indicators into one agenda: the United Nations' goals, targets and indicators, and catalogues
//! of indicators by section.
//!
//! A goal, or a section, becomes a *Result*; a target under a goal a *Strategy*, for it says what is to be done and has no
//! number and date that a *Target* would need. An indicator is a measure that the result is read by: by reference where
//! the initiative has a measure of its code, else in words, for frameworks do not say in what unit it is counted, how it
//! is added up and which way is better.

mod catalogue;
mod goals;
mod page;

use std::collections::BTreeMap;

use prost::Message;
use proto::agenda::{AgendaResult, AgendaTree, Strategy};

use super::File;
use super::lines::lines;
use super::report::{Fault, Report};

/// What the contract says an agenda may have.
const TITLE: usize = 500;
const PROSE: usize = 4000;
const RESULTS: usize = 100;
const STRATEGIES: usize = 500;
const STRATEGIES_OF_A_RESULT: usize = 100;
const MEASURES: usize = 50;
/// A tree's most bytes, with its references.
pub const BYTES: usize = 88 * 1024;
/// A reference in a tree: a node's id, a slash and a UUID, with what they are wrapped in.
const REFERENCE: usize = 32 + 1 + 36 + 2;

/// What a framework holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Framework {
    /// The results, in the order of the agenda.
    pub results: Vec<Part>,
    /// How much was not taken, by file and column.
    pub left_out: BTreeMap<String, usize>,
}

/// A result, or a strategy under one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// The line that it stands in.
    line: u64,
    /// How it is called.
    pub title: String,
    /// More about it.
    pub description: String,
    /// What it is read by.
    pub indicators: Vec<Indicator>,
    /// What is under it; nothing under a strategy.
    pub strategies: Vec<Self>,
}

/// What a result is read by.
#[derive(Clone, Debug, PartialEq)]
pub struct Indicator {
    /// Code of the measure that it is, if the initiative has that.
    pub measure: String,
    /// What it is, in words.
    pub words: String,
}

/// What an agenda says besides its results.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub problem: String,
    /// How it should be.
    pub vision: String,
    /// For whom.
    pub population: String,
}

/// Reads a framework, and pages with what was published of its indicators.
///
/// # Errors
/// Every fault of the files; nothing of them may be imported then.
pub fn plan(file: &File, pages: &[File]) -> Result<Framework, Report> {
    let header = lines(file).map_err(|faults| Report { faults })?.into_iter().next();
    let has = |column: &str| header.iter().any(|(_, cells)| cells.iter().any(|cell| cell == column));
    let read = match () {
        () if has("level") => goals::read(file),
        () if has("lens") => catalogue::read(file),
        () => {
            let known = "level, code, parent_code and title; or lens, domain, slug, kind and title";
            let cells = header.map(|(_, cells)| cells.join(",")).unwrap_or_default();
            Err(vec![file.fault(1, "", &cells, "is not the header of a framework that this reader knows", known)])
        }
    };
    let mut framework = read.map_err(|faults| Report { faults })?;
    let mut faults: Vec<Fault> = pages.iter().filter_map(|page| framework.publish(page).err()).collect();
    faults.extend(framework.too_large(file));
    if faults.is_empty() { Ok(framework) } else { Err(Report { faults }) }
}

impl Framework {
    /// How many indicators there are.
    pub fn indicators(&self) -> usize {
        self.results.iter().map(|result| result.all_indicators().count()).sum()
    }

    /// How many strategies there are.
    pub fn strategies(&self) -> usize {
        self.results.iter().map(|result| result.strategies.len()).sum()
    }

    /// The agenda, with the references of the measures there are by their codes.
    pub fn tree(&self, head: &Head, measures: &BTreeMap<String, String>) -> AgendaTree {
        let Head { name, problem, vision, population } = head.clone();
        let results = self.results.iter().map(|result| result.tree(measures)).collect();
        AgendaTree { display_name: name, problem, vision, population, results }
    }

    /// Adds what a page says to the words of its indicator.
    fn publish(&mut self, file: &File) -> Result<(), Fault> {
        let page = page::read(file)?;
        let mut indicators = self.results.iter_mut().flat_map(|result| &mut result.indicators);
        let Some(indicator) = indicators.find(|indicator| indicator.measure == page.slug) else {
            let expected = "a page that is called as an indicator's slug in the catalogue";
            return Err(file.fault(0, "", &page.slug, "is no indicator of the catalogue", expected));
        };
        indicator.words.push_str(&page.words());
        Ok(())
    }

    /// What of it an agenda cannot hold.
    fn too_large(&self, file: &File) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut most = |what: &str, line: u64, number: usize, most: usize| {
            if number > most {
                let reason = format!("makes {number} {what}");
                faults.push(file.fault(line, "", "", &reason, &format!("at most {most}: an agenda has no more")));
            }
        };
        most("results", 0, self.results.len(), RESULTS);
        most("strategies", 0, self.strategies(), STRATEGIES);
        for result in &self.results {
            most("strategies of one result", result.line, result.strategies.len(), STRATEGIES_OF_A_RESULT);
            for part in std::iter::once(result).chain(&result.strategies) {
                let length = part.in_words(&BTreeMap::new()).chars().count();
                most("characters of one description, indicators included", part.line, length, PROSE);
            }
        }
        most("bytes", 0, bytes(&self.tree(&Head::default(), &BTreeMap::new())), BYTES);
        faults
    }
}

/// How many bytes an agenda has once its results and strategies have references.
pub fn bytes(tree: &AgendaTree) -> usize {
    let named = tree.results.iter().map(|result| 1 + result.strategies.len());
    tree.encoded_len() + named.sum::<usize>() * REFERENCE
}

impl Part {
    /// A part whose title may be too long for one: then the description has the whole.
    fn titled(line: u64, title: String, description: String) -> Self {
        let whole = Self { line, title, description, ..Self::default() };
        if whole.title.chars().count() <= TITLE {
            return whole;
        }
        let cut: String = whole.title.chars().take(TITLE - 1).chain(['…']).collect();
        let description = [whole.title.as_str(), &whole.description].join("\n").trim().to_owned();
        Self { title: cut, description, ..whole }
    }

    fn all_indicators(&self) -> impl Iterator<Item = &Indicator> {
        self.indicators.iter().chain(self.strategies.iter().flat_map(|strategy| &strategy.indicators))
    }

    /// The description, and under it the indicators that are no measures here.
    fn in_words(&self, measures: &BTreeMap<String, String>) -> String {
        let indicators: Vec<&str> = (self.indicators.iter())
            .filter(|indicator| !measures.contains_key(&indicator.measure))
            .map(|indicator| indicator.words.as_str())
            .collect();
        let heading = if indicators.is_empty() { "" } else { "Indicators:" };
        let parts = [self.description.as_str(), heading].into_iter().chain(indicators);
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    fn tree(&self, measures: &BTreeMap<String, String>) -> AgendaResult {
        let mut named = BTreeMap::new();
        for indicator in self.all_indicators() {
            if let Some(reference) = measures.get(&indicator.measure)
                && named.len() < MEASURES
            {
                named.insert(indicator.measure.clone(), reference.clone());
            }
        }
        let strategies = self.strategies.iter().map(|strategy| Strategy {
            reference: String::new(),
            title: strategy.title.clone(),
            description: strategy.in_words(&named),
        });
        AgendaResult {
            reference: String::new(),
            title: self.title.clone(),
            description: self.in_words(&named),
            strategies: strategies.collect(),
            measures: named.into_values().collect(),
        }
    }
}

#[cfg(test)]
mod tests;
