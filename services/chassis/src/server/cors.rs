//! Which web pages may call: a browser asks before it lets a page of another origin read an answer (CORS).
//!
//! It guards people who use a browser, not the node: whoever calls needs a token, from a page or not.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::ServerError;

/// What a gRPC-web client sends.
const SENT: &str = "authorization, content-type, grpc-timeout, traceparent, x-grpc-web, x-user-agent";
/// What a page may read of an answer: the status of a call stands in these where it has no body.
const READ: &str = "grpc-status, grpc-message, grpc-status-details-bin";
/// Seconds for which a browser need not ask again.
const REMEMBERED: &str = "7200";

/// The origins whose pages may call.
pub(super) struct Origins(Vec<HeaderValue>);

impl Origins {
    pub(super) fn of(allowed: &[String]) -> Result<Self, ServerError> {
        let origin = |text: &String| {
            let value = HeaderValue::from_str(text).ok().filter(|_| is_origin(text));
            value.ok_or_else(|| ServerError::Origin(text.clone()))
        };
        Ok(Self(allowed.iter().map(origin).collect::<Result<_, _>>()?))
    }

    /// The origin that a request comes from, if its pages may call.
    fn admits(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        headers.get(ORIGIN).filter(|origin| self.0.contains(origin)).cloned()
    }
}

/// As a browser writes it: `https://host` or `https://host:port`, in lower case.
fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    !host.is_empty() && !host.contains(['/', '?', '#', '@', '*', ',', ' ']) && host == host.to_lowercase()
}

/// Answers a browser that asks, and says on every answer whose pages may read it.
pub(super) async fn shared(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    // Nobody is allowed: nothing is said of it.
    if origins.0.is_empty() {
        return next.run(request).await;
    }
    let asks = request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let admitted = origins.admits(request.headers());
    let mut response = match asks {
        true => (StatusCode::NO_CONTENT, Body::empty()).into_response(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = admitted {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
        if asks {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_alone() {
        for origin in ["https://console.example.org", "http://localhost:5173", "https://[::1]:8443"] {
            assert!(is_origin(origin), "{origin}");
        }
        for nonsense in ["*", "https://*.example.org", "https://a.org/", "a.org", "https://", "https://A.org", "null"] {
            assert!(!is_origin(nonsense), "{nonsense}");
        }
    }
}
