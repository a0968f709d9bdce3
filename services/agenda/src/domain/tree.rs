//! The tree of an agenda: problem, vision, population, results, and the strategies under them.

use std::collections::BTreeSet;

use chassis::errors::Flaw;
use chassis::names::{NodeId, Reference};
use serde::{Deserialize, Serialize};

/// A whole agenda. Results and strategies are the same ones from version to version by their references.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// Name of the agenda.
    pub display_name: String,
    /// What is wrong.
    pub problem: String,
    /// How it should be.
    pub vision: String,
    /// For whom.
    pub population: String,
    /// The results, in the order of the agenda.
    pub results: Vec<TreeResult>,
}

/// A condition of well-being.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeResult {
    /// Which one it is; `None` for a new one.
    pub reference: Option<Reference>,
    /// The condition in plain language.
    pub title: String,
    /// More about it.
    pub description: String,
    /// The measures it is read by.
    pub measures: Vec<Reference>,
    /// How its curves are to be turned.
    pub strategies: Vec<Strategy>,
}

/// How to turn a curve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// Which one it is; `None` for a new one.
    pub reference: Option<Reference>,
    /// What is to be done.
    pub title: String,
    /// More about it.
    pub description: String,
}

impl Tree {
    /// The references of its results and strategies, with their fields.
    fn named(&self) -> impl Iterator<Item = (String, Option<&Reference>)> {
        self.results.iter().enumerate().flat_map(|(nth, result)| {
            let strategies = result.strategies.iter().enumerate().map(move |(which, strategy)| {
                (format!("tree.results[{nth}].strategies[{which}].reference"), strategy.reference.as_ref())
            });
            std::iter::once((format!("tree.results[{nth}].reference"), result.reference.as_ref())).chain(strategies)
        })
    }

    /// The references of its results and strategies.
    pub fn references(&self) -> BTreeSet<Reference> {
        self.named().filter_map(|(_, reference)| reference.cloned()).collect()
    }

    /// What is wrong with its references: each stands there once, and is one that the agenda has or had.
    pub fn strange(&self, known: &BTreeSet<Reference>) -> Vec<Flaw> {
        let mut seen = BTreeSet::new();
        let mut flaws = Vec::new();
        for (field, reference) in self.named() {
            let Some(reference) = reference else { continue };
            if !known.contains(reference) {
                flaws.push(Flaw::of(field, "is no result or strategy of this agenda: leave it empty for a new one"));
            } else if !seen.insert(reference) {
                flaws.push(Flaw::of(field, "is there twice"));
            }
        }
        flaws
    }

    /// Gives every new result and strategy its reference, born on this node.
    pub fn with_references(mut self, node: &NodeId) -> Self {
        for result in &mut self.results {
            result.reference.get_or_insert_with(|| Reference::born_on(node));
            for strategy in &mut result.strategies {
                strategy.reference.get_or_insert_with(|| Reference::born_on(node));
            }
        }
        self
    }

    /// What is missing or wrong, if it is to be a version of an agenda of this home: nothing of it may be left open, and
    /// every result and strategy has a reference of its own, born there.
    pub fn unpublishable(&self, home: &NodeId) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        for (field, text) in [("problem", &self.problem), ("vision", &self.vision), ("population", &self.population)] {
            if text.is_empty() {
                flaws.push(Flaw::of(format!("tree.{field}"), "is required to publish"));
            }
        }
        if self.results.is_empty() {
            flaws.push(Flaw::of("tree.results", "must be at least one to publish"));
        }
        let mut seen = BTreeSet::new();
        for (field, reference) in self.named() {
            match reference {
                Some(reference) if reference.node == *home && seen.insert(reference) => {}
                Some(_) => flaws.push(Flaw::of(field, "is there twice, or born elsewhere")),
                None => flaws.push(Flaw::of(field, "is required to publish")),
            }
        }
        flaws
    }
}
