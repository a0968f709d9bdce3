//! Random submissions against a naive model of what they add up to.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proto::measurement::*;

use crate::scene::{Scene, YEAR, graduation, of_group, pair, rollup_of, submission};

const LATER: &str = "2015-07-01/2016-06-30";
const STATES: [&str; 4] = ["SUPPRESSED", "MISSING", "NOT_APPLICABLE", "NOT_YET_DUE"];

/// Place, later year, race, and the two counts; a count above 90 stands for a state.
type Cell = (u8, bool, u8);
type Counts = (u8, u8, bool);

/// Reporter, and what it says.
fn submissions() -> impl Strategy<Value = Vec<(usize, BTreeMap<Cell, Counts>)>> {
    let cell = (0..3_u8, any::<bool>(), 0..3_u8);
    let counts = (0..100_u8, 0..100_u8, any::<bool>());
    let said = prop::collection::btree_map(cell, counts, 1..12);
    prop::collection::vec((0..3_usize, said), 1..8)
}

/// The count, or its state.
fn read(count: u8) -> Result<u64, &'static str> {
    if count > 90 { Err(STATES[usize::from(count % 4)]) } else { Ok(u64::from(count)) }
}

/// Numerators never exceed their denominators.
fn parts((one, other, _): Counts) -> (Result<u64, &'static str>, Result<u64, &'static str>) {
    match (read(one), read(other)) {
        (Ok(one), Ok(other)) => (Ok(one.min(other)), Ok(one.max(other))),
        parts => parts,
    }
}

fn observation((place, later, race): Cell, counts: Counts) -> Observation {
    let text = |part: Result<u64, &str>| part.map_or_else(str::to_owned, |count| count.to_string());
    let (numerator, denominator) = parts(counts);
    let pair = pair(&place.to_string(), &text(numerator), &text(denominator));
    let group: &[(&str, &str)] = match race {
        0 => &[],
        1 => &[("race", "black")],
        _ => &[("race", "white")],
    };
    let period = if later { LATER } else { YEAR }.to_owned();
    Observation { period, rate_withheld: counts.2, ..of_group(pair, group) }
}

/// Numerator, denominator, tenths of a percent, and the counts of a coverage: expected, reporting, suppressed, missing,
/// not applicable, not yet due.
type Group = (Option<u64>, Option<u64>, Option<u64>, [u64; 6]);

/// What the last word of every reporter on every cell adds up to, the slow way.
fn naive(said: &[(usize, BTreeMap<Cell, Counts>)], broken_down: bool) -> BTreeMap<(bool, u8), Group> {
    let mut last = BTreeMap::new();
    for (reporter, cells) in said {
        for (cell, counts) in cells {
            last.insert((*reporter, *cell), *counts);
        }
    }
    let groups: BTreeSet<(bool, u8)> = (last.keys().map(|(_, (_, later, race))| (*later, *race)))
        .filter(|(_, race)| (*race > 0) == broken_down)
        .collect();
    let group = |group: (bool, u8)| {
        let values: Vec<Counts> = (last.iter())
            .filter(|((_, (_, later, race)), _)| (*later, *race) == group)
            .map(|(_, counts)| *counts)
            .collect();
        let pairs: Vec<(u64, u64)> =
            values.iter().filter_map(|one| Some((parts(*one).0.ok()?, parts(*one).1.ok()?))).collect();
        let state = |one: &Counts| {
            let absent = [parts(*one).0.err(), parts(*one).1.err()];
            STATES.into_iter().find(|state| absent.contains(&Some(state)))
        };
        let count = |state_: &str| values.iter().filter(|one| state(one) == Some(state_)).count() as u64;
        let counts = STATES.map(count);
        let reporting = pairs.len() as u64;
        let coverage =
            [reporting + counts[0] + counts[1] + counts[3], reporting, counts[0], counts[1], counts[2], counts[3]];
        if pairs.is_empty() {
            return (None, None, None, coverage);
        }
        let (above, below) = pairs.iter().fold((0, 0), |(n, d), (above, below)| (n + above, d + below));
        let alone_and_withheld = pairs.len() == 1 && values.iter().any(|one| state(one).is_none() && one.2);
        let rate = (below > 0 && !alone_and_withheld).then(|| (2000 * above + below) / (2 * below));
        (Some(above), Some(below), rate, coverage)
    };
    groups.into_iter().map(|key| (key, group(key))).collect()
}

fn told(group: &RollupGroup) -> Group {
    let number = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    let coverage = group.coverage.clone().unwrap();
    let Coverage { expected, reporting, suppressed, missing, not_applicable, not_yet_due, .. } = coverage;
    let absences = suppressed + missing + not_applicable + not_yet_due;
    assert_eq!(coverage.absences.len() as u64, absences);
    (
        number(&group.numerator),
        number(&group.denominator),
        number(&group.rate.replace('.', "")),
        [expected, reporting, suppressed, missing, not_applicable, not_yet_due],
    )
}

#[tokio::test]
async fn a_rollup_is_what_a_naive_model_says_it_is() {
    let scene = Scene::set().await;
    let mut runner = TestRunner::deterministic();
    for round in 0..40 {
        let said = submissions().new_tree(&mut runner).unwrap().current();
        let measure = scene.measure(MeasureDefinition { code: format!("round-{round}"), ..graduation() }).await;
        let organizations = [scene.organization(), scene.organization(), scene.organization()];
        for (reporter, cells) in &said {
            let observations = cells.iter().map(|(cell, counts)| observation(*cell, *counts)).collect();
            let request = submission(&measure, &organizations[*reporter], observations);
            let request = SubmitObservationsRequest { revision_reason: "Again".to_owned(), ..request };
            scene.here().submit_observations(request).await.unwrap();
        }
        for by in [vec![], vec!["race".to_owned()]] {
            let expected = naive(&said, !by.is_empty());
            let groups = scene.rollup(GetRollupRequest { by, ..rollup_of(&measure) }).await;
            let races = [None, Some("black"), Some("white")];
            let key = |group: &RollupGroup| {
                let race = group.dimensions.get("race").map(String::as_str);
                (group.period == LATER, races.iter().position(|one| *one == race).unwrap() as u8)
            };
            let told: BTreeMap<(bool, u8), Group> = groups.iter().map(|group| (key(group), told(group))).collect();
            assert_eq!(told, expected, "{said:?}");
        }
    }
}
