//! The dashboard and the alert rules of the operations guide name only what a node shows to Prometheus.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use std::collections::BTreeSet;
use std::path::Path;

use chassis::names::NodeId;
use chassis::telemetry::{SERVICE, exposition, meters, of};
use federation::meters::{link_meters, peer};

/// The names on the page for Prometheus, when everything has been counted once.
fn shown() -> BTreeSet<String> {
    let all = meters();
    for counter in [&all.told, &all.heard, &all.held, &all.refused, &all.gaps] {
        counter.add(1, &[of(SERVICE, "membership")]);
    }
    all.calls.record(0.1, &[]);
    let (links, node) = (link_meters(), peer(&NodeId::of_key(&[7; 32])));
    for counter in [&links.sent, &links.received, &links.refused, &links.quarantined, &links.alarms, &links.gaps] {
        counter.add(1, &node);
    }
    links.lag_entries.record(1, &node);
    links.lag_seconds.record(1.0, &node);
    let page = exposition();
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect()
}

/// The names of this project's metrics in a file of the operations guide.
fn named(file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/observe").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("commonweal_")).map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_dashboard_and_the_alerts_exists() {
    let shown = shown();
    for file in ["dashboard.json", "alerts.yaml"] {
        let named = named(file);
        assert!(named.len() >= 6, "{file} names {named:?}");
        let unknown: Vec<_> = named.difference(&shown).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}; there are {shown:?}");
    }
}

#[test]
fn the_dashboard_shows_everything_that_is_counted() {
    let named = named("dashboard.json");
    let base =
        |name: &str| name.trim_end_matches("_sum").trim_end_matches("_bucket").trim_end_matches("_count").to_owned();
    let bases: BTreeSet<String> = named.iter().map(|name| base(name)).collect();
    let own = shown().into_iter().filter(|name| name.starts_with("commonweal_"));
    let missing: Vec<_> = own.filter(|name| !bases.contains(&base(name))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
