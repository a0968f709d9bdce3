//! What the chassis counts, and the page on which Prometheus reads it.

use std::sync::OnceLock;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder, TextEncoder};

/// The label for the service that counts.
pub const SERVICE: &str = "service";
/// The label for the service that told what is counted.
pub const SOURCE: &str = "source";

static METERS: OnceLock<Meters> = OnceLock::new();

/// What every service counts. Each is told apart by `service`.
pub struct Meters {
    /// Where a service makes meters of its own.
    pub meter: Meter,
    /// Events recorded by a service of this node.
    pub told: Counter<u64>,
    /// Events taken in from others.
    pub heard: Counter<u64>,
    /// Events that wait because they cannot be folded yet.
    pub held: Counter<u64>,
    /// Events of this node that the backbone refused.
    pub refused: Counter<u64>,
    /// Ranges asked for because a gap was seen, by `source`.
    pub gaps: Counter<u64>,
    /// Seconds that calls took, by `method` and `code`.
    pub calls: Histogram<f64>,
    registry: prometheus::Registry,
    /// Metering ends with its last owner.
    _provider: SdkMeterProvider,
}

/// The meters of this process. Counted before telemetry is started, they are shown to Prometheus but not sent.
pub fn meters() -> &'static Meters {
    METERS.get_or_init(|| {
        let registry = prometheus::Registry::new();
        let provider = provider(&registry, &Resource::builder().build(), None);
        Meters::of(&provider.unwrap_or_default(), registry)
    })
}

/// A label and what it says.
pub fn of(label: &'static str, says: impl Into<opentelemetry::Value>) -> KeyValue {
    KeyValue::new(label, says)
}

/// Makes the meters of this process, which also go to an exporter.
pub(super) fn install(resource: &Resource, exporter: Option<MetricExporter>) -> Result<SdkMeterProvider, String> {
    let registry = prometheus::Registry::new();
    let provider = provider(&registry, resource, exporter)?;
    // Whatever was counted before has its place already; telling it from what comes would help nobody.
    let _ = METERS.set(Meters::of(&provider, registry));
    opentelemetry::global::set_meter_provider(provider.clone());
    Ok(provider)
}

/// The page for Prometheus.
pub fn exposition() -> String {
    let mut page = Vec::new();
    let encoded = TextEncoder::new().encode(&meters().registry.gather(), &mut page);
    if let Err(error) = encoded {
        tracing::warn!(%error, "metrics not shown");
    }
    String::from_utf8(page).unwrap_or_default()
}

fn provider(
    registry: &prometheus::Registry,
    resource: &Resource,
    exporter: Option<MetricExporter>,
) -> Result<SdkMeterProvider, String> {
    let reader = opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false).build();
    let reader = reader.map_err(|error| error.to_string())?;
    let builder = SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(reader);
    Ok(match exporter {
        Some(exporter) => builder.with_periodic_exporter(exporter).build(),
        None => builder.build(),
    })
}

impl Meters {
    fn of(provider: &SdkMeterProvider, registry: prometheus::Registry) -> Self {
        let meter = provider.meter("commonweal");
        let counter = |name: &'static str, about: &'static str| meter.u64_counter(name).with_description(about).build();
        Self {
            told: counter("commonweal.events.told", "Events recorded by a service of this node"),
            heard: counter("commonweal.events.heard", "Events taken in from others"),
            held: counter("commonweal.events.held", "Events that wait because they cannot be folded yet"),
            refused: counter("commonweal.events.refused", "Events of this node that the backbone refused"),
            gaps: counter("commonweal.gaps.asked", "Ranges asked for because a gap was seen"),
            calls: meter
                .f64_histogram("commonweal.calls")
                .with_unit("s")
                .with_description("Time that calls took")
                .with_boundaries(vec![
                    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
                ])
                .build(),
            meter,
            registry,
            _provider: provider.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        meters().told.add(2, &[of(SERVICE, "measurement-test")]);
        let page = exposition();
        assert!(page.contains("commonweal_events_told_total{service=\"measurement-test\"} 2"), "{page}");
    }
}
