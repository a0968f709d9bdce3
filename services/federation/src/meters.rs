//! What the border counts, for each link: shown to Prometheus and, as lag, to people beside the numbers that depend on it.

use std::sync::OnceLock;

use chassis::names::NodeId;
use chassis::telemetry::meters;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge};

use crate::advice;

static METERS: OnceLock<LinkMeters> = OnceLock::new();

/// The meters of all links. Each is told apart by `peer`.
pub struct LinkMeters {
    /// Entries (at the backbone: steps of an order) put on the road.
    pub sent: Counter<u64>,
    /// Messages of the other side that were taken in.
    pub received: Counter<u64>,
    /// Lines added to quarantine.
    pub quarantined: Counter<u64>,
    /// What was refused, not taken in or found wrong, each time it came; told apart by `code`, too.
    pub refused: Counter<u64>,
    /// What the backbone accepted, and this node finds wrong or misses.
    pub alarms: Counter<u64>,
    /// Times the other side was asked to send again.
    pub gaps: Counter<u64>,
    /// Entries or steps that the other side has not confirmed.
    pub lag_entries: Gauge<u64>,
    /// Age of the oldest of them.
    pub lag_seconds: Gauge<f64>,
}

/// The meters of this process.
pub fn link_meters() -> &'static LinkMeters {
    METERS.get_or_init(|| {
        let meter = &meters().meter;
        let counter = |name: &'static str, what: &'static str| meter.u64_counter(name).with_description(what).build();
        LinkMeters {
            sent: counter("commonweal_link_sent", "Entries or steps put on the road"),
            received: counter("commonweal_link_received", "Messages of the other side taken in"),
            quarantined: counter("commonweal_link_quarantined", "Lines added to quarantine"),
            refused: counter(
                "commonweal_link_refused",
                "What was refused, not taken in or found wrong, each time it came",
            ),
            alarms: counter(
                "commonweal_link_alarms",
                "What the backbone accepted, and this node finds wrong or misses",
            ),
            gaps: counter("commonweal_link_gap_requests", "Times the other side was asked to send again"),
            lag_entries: meter
                .u64_gauge("commonweal_link_lag_entries")
                .with_description("Entries or steps not confirmed yet")
                .build(),
            lag_seconds: meter
                .f64_gauge("commonweal_link_lag_seconds")
                .with_description("Age of the oldest entry or step not confirmed yet")
                .build(),
        }
    })
}

/// The attribute that tells links apart.
pub fn peer(node: &NodeId) -> [KeyValue; 1] {
    [KeyValue::new("peer", node.to_string())]
}

/// The attributes of what was refused. A code that this version does not know is `OTHER`: another node must not be able
/// to make up series.
pub fn refused(node: &NodeId, code: &str) -> [KeyValue; 2] {
    let code = advice::known(code).unwrap_or("OTHER");
    [KeyValue::new("peer", node.to_string()), KeyValue::new("code", code)]
}
