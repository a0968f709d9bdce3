//! Coverage: which strategies are carried by how many organizations in which places, and where nobody does anything.

use std::collections::{BTreeMap, BTreeSet};

use chassis::names::Reference;

use super::Refusal;
use super::activity::{Definition, Place, State};

/// Cells that an answer may have.
pub const MOST_CELLS: usize = 20_000;

/// What the matrix is to show; what is not said is taken from the activities.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// These strategies; none for all that an activity serves.
    pub strategies: Vec<Reference>,
    /// These places; none for all in which an activity takes place.
    pub places: Vec<Place>,
    /// Only places of this level; empty for all.
    pub level: String,
}

/// What makes two places the same: level and code.
type Spot = (String, String);

/// What is done for one strategy in one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Who leads an activity.
    pub leading: BTreeSet<Reference>,
    /// Who supports one.
    pub supporting: BTreeSet<Reference>,
    /// How many are planned.
    pub planned: u32,
    /// How many are under way.
    pub under_way: u32,
    /// How many were completed.
    pub completed: u32,
}

impl Cell {
    /// How many organizations lead or support; each counts once.
    pub fn partners(&self) -> usize {
        self.leading.union(&self.supporting).count()
    }

    fn count(&mut self, state: State, definition: &Definition) {
        match state {
            State::Planned => self.planned += 1,
            State::UnderWay => self.under_way += 1,
            State::Completed => self.completed += 1,
            State::Cancelled | State::Void => return,
        }
        self.leading.insert(definition.lead.clone());
        self.supporting.extend(definition.supporting.iter().cloned());
    }
}

/// The matrix, as activities are counted into it one by one.
pub struct Coverage {
    question: Question,
    strategies: BTreeSet<Option<Reference>>,
    /// Names by place: of several the first in their order, so that it does not depend on which came first.
    places: BTreeMap<Option<Spot>, String>,
    cells: BTreeMap<(Option<Reference>, Option<Spot>), Cell>,
}

/// One cell with where it stands.
pub type Placed = (Option<Reference>, Option<Place>, Cell);

impl Coverage {
    /// A matrix of which nothing is known but what is asked.
    pub fn of(question: Question) -> Self {
        let strategies = question.strategies.iter().cloned().map(Some).collect();
        let places = question.places.iter().map(|place| (Some(spot(place)), place.name.clone())).collect();
        Self { question, strategies, places, cells: BTreeMap::new() }
    }

    /// Counts an activity. One that was cancelled or is void counts nowhere, and makes no row or column.
    pub fn count(&mut self, state: State, definition: &Definition) {
        if matches!(state, State::Cancelled | State::Void) {
            return;
        }
        if self.question.strategies.is_empty() {
            self.strategies.insert(definition.strategy.clone());
        }
        for place in placed(definition) {
            if !self.question.level.is_empty() && place.is_none_or(|place| place.level != self.question.level) {
                continue;
            }
            let spot = place.map(spot);
            if self.question.places.is_empty() {
                let name = place.map_or("", |place| place.name.as_str());
                let known = self.places.entry(spot.clone()).or_insert_with(|| name.to_owned());
                if name < known.as_str() {
                    name.clone_into(known);
                }
            }
            self.cells.entry((definition.strategy.clone(), spot)).or_default().count(state, definition);
        }
    }

    /// Every cell, zero or not, by strategy and place.
    ///
    /// # Errors
    /// Where there are too many.
    pub fn cells(mut self) -> Result<Vec<Placed>, Refusal> {
        let cells = self.strategies.len().saturating_mul(self.places.len());
        if cells > MOST_CELLS {
            return Err(Refusal::TooManyCells { cells, most: MOST_CELLS });
        }
        let mut all = Vec::with_capacity(cells);
        for strategy in &self.strategies {
            for (spot, name) in &self.places {
                let cell = self.cells.remove(&(strategy.clone(), spot.clone())).unwrap_or_default();
                let place = spot.clone().map(|(level, code)| Place { level, code, name: name.clone() });
                all.push((strategy.clone(), place, cell));
            }
        }
        Ok(all)
    }
}

fn spot(place: &Place) -> Spot {
    (place.level.clone(), place.code.clone())
}

/// The places of an activity; one that has none stands for itself.
fn placed(definition: &Definition) -> impl Iterator<Item = Option<&Place>> {
    let nowhere = definition.places.is_empty().then_some(None);
    definition.places.iter().map(Some).chain(nowhere)
}
