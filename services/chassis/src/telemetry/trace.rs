//! How a trace goes on over a wire: the W3C `traceparent`, in gRPC metadata and in broker headers alike.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of the header.
pub const TRACEPARENT: &str = "traceparent";

/// The `traceparent` to send on from the current span; `None` outside any trace.
pub fn traceparent() -> Option<String> {
    let context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Makes a span, not yet entered, the child of what a `traceparent` names: the same work, further on. What is no
/// `traceparent` changes nothing.
pub fn parent(span: &Span, traceparent: &str) {
    let context = extracted(traceparent);
    if context.span().span_context().is_valid() {
        // A span that the filter leaves out has no parent to set.
        let _ = span.set_parent(context);
    }
}

/// Links a span to what a `traceparent` names: work of another node that led to it.
pub fn link(span: &Span, traceparent: &str) {
    span.add_link(extracted(traceparent).span().span_context().clone());
}

fn extracted(traceparent: &str) -> Context {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use tracing_subscriber::layer::SubscriberExt;

    const FROM_ELSEWHERE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_goes_on_through_a_node_that_keeps_none() {
        let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::info_span!("call");
            parent(&span, FROM_ELSEWHERE);
            let onward = span.in_scope(traceparent).unwrap();
            assert!(onward.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{onward}");
            let alone = tracing::info_span!("call");
            parent(&alone, "nonsense");
            link(&alone, "nonsense");
            let other = alone.in_scope(traceparent);
            assert!(other.is_none_or(|other| !other.contains("0af7651916cd43dd8448eb211c80319c")));
        });
        assert_eq!(traceparent(), None);
    }
}
