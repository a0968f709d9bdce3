//! What is sent over OTLP, read by a collector of our own. One test: a process has one telemetry.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use chassis::config;
use chassis::telemetry::{Telemetry, TelemetryError, exposition, link, meters, parent, traceparent};
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// Keeps what it is sent, as text.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<String>>);

impl Collector {
    fn keep(&self, sent: &impl std::fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{sent:?}\n"));
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.keep(request.get_ref());
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.keep(request.get_ref());
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.keep(request.get_ref());
        Ok(Response::new(Default::default()))
    }
}

async fn collect(collector: &Collector) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Routes::new(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector.clone()))
        .add_service(LogsServiceServer::new(collector.clone()));
    tokio::spawn(async move { axum::serve(listener, routes.prepare().into_axum_router()).await });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_lines_and_numbers_arrive_and_traces_go_on() {
    let wrong = config::Telemetry { log_filter: "chassis=loud".to_owned(), ..config::Telemetry::default() };
    let refused = Telemetry::start(&wrong, "alpha").map(|_| ()).unwrap_err();
    assert!(matches!(refused, TelemetryError::Filter { .. }), "{refused}");

    let collector = Collector::default();
    let endpoint = format!("http://{}", collect(&collector).await);
    let config = config::Telemetry { otlp_endpoint: Some(endpoint), ..config::Telemetry::default() };
    let telemetry = Telemetry::start(&config, "alpha").unwrap();
    assert!(matches!(Telemetry::start(&config, "alpha"), Err(TelemetryError::Twice)));

    let span = tracing::info_span!("accept", entries.count = 3);
    parent(&span, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    link(&span, "00-1bf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let onward = span.in_scope(|| {
        tracing::info!(member.id = "m-1", "a line that is sent");
        traceparent()
    });
    assert!(onward.unwrap().starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
    drop(span);
    meters().told.add(1, &[KeyValue::new("service", "membership")]);
    assert!(exposition().contains("commonweal_events_told_total{service=\"membership\"} 1"));
    tokio::task::spawn_blocking(|| telemetry.finish()).await.unwrap();

    let sent = collector.0.lock().unwrap().clone();
    let own = format!("trace_id: {:?}", hex("0af7651916cd43dd8448eb211c80319c"));
    let linked = format!("trace_id: {:?}", hex("1bf7651916cd43dd8448eb211c80319c"));
    for part in ["\"accept\"", "a line that is sent", "commonweal.events.told", "alpha", &own, &linked] {
        assert!(sent.contains(part), "{part} in {sent}");
    }
}

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}
