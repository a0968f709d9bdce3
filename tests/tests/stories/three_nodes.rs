//! The demo's story with fewer districts: every figure on every node.

use std::collections::BTreeSet;

use node::demo::figures::{Figure, KNOWN, Reading};
use node::demo::{SKETCHES, checks, read, tell};
use node::import::Batch;
use node::import::connecticut::{ENROLLMENT, STATE};
use proto::measurement::{Basis, ValueState};
use tests::{Stage, school_files, voice};

use super::PROGRAM;

/// Hartford, Bridgeport, a neighbour of each, and the state.
const PLACES: [&str; 5] = [STATE, "0640011", "0150011", "1550011", "1580011"];
const YEAR: u16 = 2011;

/// What the districts enrolled, added up by hand.
fn enrolled(batches: &[Batch]) -> u64 {
    let period = format!("{YEAR}-07-01/{}-06-30", YEAR + 1);
    let parts = batches.iter().filter(|batch| batch.measure == ENROLLMENT && batch.basis == Basis::Component);
    let cells = parts.flat_map(|batch| &batch.observations);
    let all = cells.filter(|cell| cell.period == period && cell.dimensions.is_empty());
    let values = all.filter_map(|cell| cell.value.as_ref());
    values.filter(|part| part.state() == ValueState::Reported).map(|part| part.amount.parse::<u64>().unwrap()).sum()
}

#[tokio::test]
async fn every_figure_holds_on_three_nodes() {
    let mut batches = read(&school_files()).unwrap();
    batches.retain(|batch| PLACES.contains(&batch.place.code.as_str()));
    let sum = enrolled(&batches).to_string();
    let mut figures: Vec<Figure<'_>> =
        KNOWN.iter().filter(|known| known.basis == Basis::PublishedTotal).copied().collect();
    figures.push(Figure {
        name: "enrollment of four districts",
        measure: ENROLLMENT,
        basis: Basis::Component,
        year: YEAR,
        group: None,
        reading: Reading::Value,
        expected: &sum,
    });

    let mut stage = Stage::set(PROGRAM, &SKETCHES).await.unwrap();
    let voice = voice();
    let memory = tell(&mut stage.coalition, batches, &voice).await.unwrap();
    let checks = checks::all(&stage.coalition, &memory, &figures, &voice).await.unwrap();
    let wrong: Vec<_> = checks.iter().filter(|check| !check.ok).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let nodes: BTreeSet<&str> = checks.iter().map(|check| check.node).collect();
    assert_eq!(nodes.len(), 3);
    stage.end().await.unwrap();
}
