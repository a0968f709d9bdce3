//! What every call passes on its way in: it is watched, counted against its caller's rate, and given an end.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::KeyValue;
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tracing::{Instrument, field};

use super::rate::Rates;
use crate::authn::Call;
use crate::telemetry::{self, TRACEPARENT};

/// One span for the call, and its time on the meter. Never the payload.
pub(super) async fn watched(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Only what the contract knows has a name: callers must not be able to invent series.
    let method = proto::methods().find(|(known, _)| *known == path).map_or("other", |(known, _)| known);
    let span = tracing::info_span!(
        "call",
        otel.name = method,
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.method = method,
        rpc.grpc.status_code = field::Empty,
    );
    if let Some(traceparent) = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()) {
        telemetry::parent(&span, traceparent);
    }
    let begun = Instant::now();
    let response = in_words(next.run(request).instrument(span.clone()).await);
    // A call that went well says so only at its very end; one that did not, says so at once.
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    let elapsed = begun.elapsed().as_secs_f64();
    span.record("rpc.grpc.status_code", i32::from(code));
    let labels = [KeyValue::new("method", method), KeyValue::new("code", format!("{code:?}"))];
    telemetry::meters().calls.record(elapsed, &labels);
    span.in_scope(
        || tracing::debug!(rpc.method = method, rpc.code = ?code, elapsed_seconds = elapsed, "call answered"),
    );
    response
}

/// What the framework says of bytes that are no message, in the words of every other refusal.
fn in_words(response: Response) -> Response {
    let Some(status) = Status::from_header_map(response.headers()) else { return response };
    let (code, words) = match (status.code(), status.message()) {
        (Code::Internal, said) if said.starts_with("failed to decode") => {
            (Code::InvalidArgument, "the request is not the protobuf message that this method takes")
        }
        (Code::OutOfRange, said) if said.contains("too large") => (
            Code::ResourceExhausted,
            "the request is larger than limits.message_bytes allows: send it in smaller parts",
        ),
        _ => return response,
    };
    let reason = if code == Code::InvalidArgument { "MALFORMED" } else { "TOO_LARGE" };
    let details = ErrorDetails::with_error_info(reason, crate::errors::DOMAIN, std::collections::HashMap::new());
    Status::with_error_details(code, words, details).into_http::<Body>()
}

/// No caller may take all of a node's time.
pub(super) async fn within_rate(State(rates): State<Arc<Rates>>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Call>().and_then(|call| call.caller.as_ref());
    let refused = caller.and_then(|caller| rates.take(&caller.person, Instant::now()).err());
    match refused {
        None => next.run(request).await,
        Some(wait) => too_often(wait).into_http::<Body>(),
    }
}

fn too_often(wait: Duration) -> Status {
    let mut details =
        ErrorDetails::with_error_info("TOO_OFTEN", crate::errors::DOMAIN, std::collections::HashMap::new());
    details.set_retry_info(Some(wait));
    let words = format!("too many calls: try again in {} ms", wait.as_millis() + 1);
    Status::with_error_details(Code::ResourceExhausted, words, details)
}

/// Until when the caller waits: in the extensions of a call that said so. For calls that go on after their first answer.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Instant);

/// Ends a call that takes longer than the node allows, or than its caller waits.
pub(super) async fn within_time(State(longest): State<Duration>, mut request: Request, next: Next) -> Response {
    let asked = request.headers().get("grpc-timeout").and_then(|value| timeout(value.to_str().ok()?));
    if let Some(deadline) = asked.and_then(|asked| Instant::now().checked_add(asked)) {
        request.extensions_mut().insert(Deadline(deadline));
    }
    let within = asked.map_or(longest, |asked| asked.min(longest));
    match tokio::time::timeout(within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let words = format!("the call took longer than {} ms", within.as_millis());
            Status::deadline_exceeded(words).into_http::<Body>()
        }
    }
}

/// A timeout as gRPC writes it: at most 8 digits and a unit.
fn timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_as_grpc_writes_it() {
        assert_eq!(timeout("5S"), Some(Duration::from_secs(5)));
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        for nonsense in ["", "S", "5", "5s", "-5S", "999999999S", "5é"] {
            assert_eq!(timeout(nonsense), None, "{nonsense}");
        }
    }
}
