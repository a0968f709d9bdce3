//! The coverage matrix: what it shows, and random activities against a naive model of it.

use std::collections::BTreeSet;

use chassis::names::Reference;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proto::activities::*;

use crate::scene::{Scene, ask, place, tutoring};

#[tokio::test]
async fn a_gap_is_a_cell_of_zeros_and_never_missing() {
    let scene = Scene::set().await;
    let (reading, sports, unserved) = (scene.organization(), scene.organization(), scene.organization());
    let lead = scene.organization();
    for (strategy, places) in [(&reading, vec![place("1"), place("2")]), (&sports, vec![place("1")])] {
        scene.activity(ActivityDefinition { strategy: strategy.to_string(), places, ..tutoring(&lead) }).await;
    }
    let planned = |cells: &[CoverageCell]| {
        let told = |cell: &CoverageCell| (cell.strategy.clone(), cell.place.clone().unwrap().code, cell.planned);
        cells.iter().map(told).collect::<Vec<_>>()
    };
    let cell = |strategy: &Reference, code: &str, planned| (strategy.to_string(), code.to_owned(), planned);
    let cells = scene.coverage(scene.everywhere()).await;
    let expected = [cell(&reading, "1", 1), cell(&reading, "2", 1), cell(&sports, "1", 1), cell(&sports, "2", 0)];
    assert_eq!(planned(&cells), expected, "nobody does sports in district 2");
    assert_eq!((cells[3].partners, cells[3].under_way, cells[3].completed), (0, 0, 0));

    let strategies = vec![unserved.to_string()];
    let cells = scene.coverage(GetCoverageRequest { strategies, ..scene.everywhere() }).await;
    assert_eq!(planned(&cells), [cell(&unserved, "1", 0), cell(&unserved, "2", 0)], "a strategy that nobody serves");
    let places = vec![place("9")];
    let cells = scene.coverage(GetCoverageRequest { places, ..scene.everywhere() }).await;
    assert_eq!(planned(&cells), [cell(&reading, "9", 0), cell(&sports, "9", 0)], "a place where nobody does anything");
    let place_level = "county".to_owned();
    assert_eq!(scene.coverage(GetCoverageRequest { place_level, ..scene.everywhere() }).await, []);
}

#[tokio::test]
async fn an_organization_counts_once_and_what_was_cancelled_not_at_all() {
    let scene = Scene::set().await;
    let (lead, supporter) = (scene.organization(), scene.organization());
    let supporting = vec![supporter.to_string()];
    let definition = ActivityDefinition { supporting, places: Vec::new(), ..tutoring(&lead) };
    let mut references = Vec::new();
    for _ in 0..3 {
        references.push(scene.activity(definition.clone()).await.reference);
    }
    scene
        .activity(ActivityDefinition { supporting: vec![lead.to_string()], places: Vec::new(), ..tutoring(&supporter) })
        .await;
    let mut here = scene.here();
    ask!(here, begin_activity, BeginActivityRequest { activity: references[0].clone() }).unwrap();
    let reason = "Too few".to_owned();
    ask!(here, cancel_activity, CancelActivityRequest { activity: references[1].clone(), reason: reason }).unwrap();
    let cells = scene.coverage(scene.everywhere()).await;
    let expected =
        CoverageCell { partners: 2, leading: 2, supporting: 2, planned: 2, under_way: 1, ..CoverageCell::default() };
    assert_eq!(cells, [expected], "without a strategy and without a place");
}

/// Strategy (0 for none), places, lead, supporters, and how far it came: planned, under way, completed or cancelled.
type Drawn = (usize, BTreeSet<u8>, usize, BTreeSet<usize>, u8);

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let places = prop::collection::btree_set(0..4_u8, 0..3);
    let supporters = prop::collection::btree_set(0..4_usize, 0..4);
    prop::collection::vec((0..3_usize, places, 0..4_usize, supporters, 0..4_u8), 0..8)
}

/// Partners, leading, supporting, planned, under way, completed.
type Counts = [usize; 6];

/// What one cell should say, the slow way.
fn naive(all: &[Drawn], strategy: usize, place: Option<u8>) -> Counts {
    let here: Vec<&Drawn> = (all.iter())
        .filter(|one| one.0 == strategy && one.4 < 3)
        .filter(|one| place.map_or(one.1.is_empty(), |place| one.1.contains(&place)))
        .collect();
    let leading: BTreeSet<usize> = here.iter().map(|one| one.2).collect();
    let supporting: BTreeSet<usize> =
        here.iter().flat_map(|one| one.3.iter().copied().filter(|who| *who != one.2)).collect();
    let partners: BTreeSet<usize> = leading.iter().chain(&supporting).copied().collect();
    let state = |state: u8| here.iter().filter(|one| one.4 == state).count();
    [partners.len(), leading.len(), supporting.len(), state(0), state(1), state(2)]
}

async fn plan(scene: &Scene, strategies: &[Reference], partners: &[Reference], drawn: &Drawn) {
    let (strategy, places, lead, supporters, state) = drawn;
    let supporting = supporters.iter().filter(|who| *who != lead).map(|who| partners[*who].to_string()).collect();
    let definition = ActivityDefinition {
        strategy: strategy.checked_sub(1).map(|nth| strategies[nth].to_string()).unwrap_or_default(),
        places: places.iter().map(|code| place(&code.to_string())).collect(),
        supporting,
        ..tutoring(&partners[*lead])
    };
    let activity = scene.activity(definition).await.reference;
    let mut here = scene.here();
    if matches!(state, 1 | 2) {
        ask!(here, begin_activity, BeginActivityRequest { activity: activity.clone() }).unwrap();
    }
    match state {
        2 => drop(ask!(here, complete_activity, CompleteActivityRequest { activity }).unwrap()),
        3 => {
            let reason = "Too few".to_owned();
            drop(ask!(here, cancel_activity, CancelActivityRequest { activity, reason: reason }).unwrap());
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_matrix_is_what_a_naive_model_says_it_is() {
    let mut scene = Scene::set().await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..25 {
        let all = drawn().new_tree(&mut runner).unwrap().current();
        // Each round in an initiative of its own.
        scene.initiative = scene.organization();
        scene.partner().await;
        let strategies = [scene.organization(), scene.organization()];
        let partners = [0; 4].map(|_| scene.organization());
        for one in &all {
            plan(&scene, &strategies, &partners, one).await;
        }
        let counting = all.iter().filter(|one| one.4 < 3);
        let rows: BTreeSet<usize> = counting.clone().map(|one| one.0).collect();
        let columns: BTreeSet<Option<u8>> = counting
            .flat_map(|one| if one.1.is_empty() { vec![None] } else { one.1.iter().copied().map(Some).collect() })
            .collect();
        let mut expected = Vec::new();
        for row in &rows {
            for column in &columns {
                let strategy = row.checked_sub(1).map(|nth| strategies[nth].to_string()).unwrap_or_default();
                expected.push((strategy, column.map(|code| code.to_string()), naive(&all, *row, *column)));
            }
        }
        let told = |cell: &CoverageCell| {
            let counts = [cell.partners, cell.leading, cell.supporting, cell.planned, cell.under_way, cell.completed];
            (cell.strategy.clone(), cell.place.clone().map(|place| place.code), counts.map(|count| count as usize))
        };
        let cells = scene.coverage(scene.everywhere()).await;
        assert_eq!(cells.iter().map(told).collect::<Vec<_>>(), expected, "{all:?}");
    }
}
