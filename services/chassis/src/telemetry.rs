//! What a node tells about itself: log lines, traces, metrics. None of it holds payloads, tokens or people's names.

mod meters;
mod trace;

use std::io::IsTerminal;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

pub use meters::{Meters, SERVICE, SOURCE, exposition, meters, of};
pub use trace::{TRACEPARENT, link, parent, traceparent};

use crate::config::{self, LogFormat};

/// Why nothing can be told.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("telemetry.log_filter \"{filter}\" is not a filter such as info or info,chassis=debug: {source}")]
    Filter {
        /// As configured.
        filter: String,
        /// What is wrong.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The endpoint cannot be used.
    #[error("telemetry.otlp_endpoint {endpoint}: {source}")]
    Endpoint {
        /// As configured.
        endpoint: String,
        /// What is wrong.
        source: ExporterBuildError,
    },
    /// The metrics cannot be shown to Prometheus.
    #[error("metrics: {0}")]
    Metrics(String),
    /// It was started before.
    #[error("telemetry was started before in this process")]
    Twice,
}

/// What is being told, until it is dropped.
pub struct Telemetry {
    traces: SdkTracerProvider,
    logs: Option<SdkLoggerProvider>,
    metrics: SdkMeterProvider,
}

impl Telemetry {
    /// Begins to tell. Once in a process, within a tokio runtime, before anything is measured. `node` is what tells
    /// this node from others in what is sent.
    ///
    /// # Errors
    /// Where the filter or the endpoint is not one, or it was started before.
    pub fn start(config: &config::Telemetry, node: &str) -> Result<Self, TelemetryError> {
        // What the sending says of itself is for those who ask for it.
        let filter = EnvFilter::try_new(format!("opentelemetry=warn,{}", config.log_filter))
            .map_err(|source| TelemetryError::Filter { filter: config.log_filter.clone(), source })?;
        let resource = Resource::builder()
            .with_service_name("commonweal")
            .with_attribute(KeyValue::new("service.instance.id", node.to_owned()))
            .build();
        let sent = config.otlp_endpoint.as_deref().map(Sent::to).transpose()?;
        let (traces, logs, exported) = providers(sent, &resource);
        let metrics = meters::install(&resource, exported).map_err(TelemetryError::Metrics)?;

        let tracer = traces.tracer("commonweal");
        let layers = Registry::default()
            .with(filter)
            .with(lines(config.log_format))
            .with(tracing_opentelemetry::layer().with_tracer(tracer).with_location(false).with_threads(false))
            .with(logs.as_ref().map(|logs| OpenTelemetryTracingBridge::new(logs).with_filter(not_its_own())));
        layers.try_init().map_err(|_| TelemetryError::Twice)?;
        Ok(Self { traces, logs, metrics })
    }

    /// Sends what is left.
    pub fn finish(self) {
        // Who cannot be told now is gone: there is nobody left to complain to.
        let _ = self.traces.shutdown();
        let _ = self.metrics.shutdown();
        let _ = self.logs.map(|logs| logs.shutdown());
    }
}

/// What sends over OTLP.
struct Sent {
    spans: SpanExporter,
    metrics: MetricExporter,
    logs: LogExporter,
}

impl Sent {
    fn to(endpoint: &str) -> Result<Self, TelemetryError> {
        let wrong = |source| TelemetryError::Endpoint { endpoint: endpoint.to_owned(), source };
        Ok(Self {
            spans: SpanExporter::builder().with_tonic().with_endpoint(endpoint).build().map_err(wrong)?,
            metrics: MetricExporter::builder().with_tonic().with_endpoint(endpoint).build().map_err(wrong)?,
            logs: LogExporter::builder().with_tonic().with_endpoint(endpoint).build().map_err(wrong)?,
        })
    }
}

fn providers(
    sent: Option<Sent>,
    resource: &Resource,
) -> (SdkTracerProvider, Option<SdkLoggerProvider>, Option<MetricExporter>) {
    let traces = SdkTracerProvider::builder().with_resource(resource.clone());
    let Some(Sent { spans, metrics, logs }) = sent else {
        // Nobody to send to: a context that comes in still goes on to others, and nothing is recorded.
        return (traces.with_sampler(Sampler::AlwaysOff).build(), None, None);
    };
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let traces = traces.with_sampler(sampler).with_batch_exporter(spans).build();
    let logs = SdkLoggerProvider::builder().with_resource(resource.clone()).with_batch_exporter(logs).build();
    (traces, Some(logs), Some(metrics))
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    }
}

/// What the sending itself logs is not sent: it would never end.
fn not_its_own() -> FilterFn {
    filter_fn(|metadata| {
        let own = ["opentelemetry", "hyper", "h2", "tonic", "tower", "reqwest"];
        !own.iter().any(|module| metadata.target().starts_with(module))
    })
}
