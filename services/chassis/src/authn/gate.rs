//! The gate before every service: no call comes in without a rule in the contract, and none without a caller unless
//! the rule says so.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::AUTHORIZATION;
use tonic::Status;

use super::{Authenticator, Call};

/// What is open to anyone beside the contract: health and reflection.
const OPEN: [&str; 3] =
    ["/grpc.health.v1.Health/", "/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/"];

/// Puts a [`Call`] into the request's extensions, or answers why not. A middleware for axum.
pub async fn gate(State(authenticator): State<Arc<Authenticator>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if OPEN.iter().any(|open| path.starts_with(open)) {
        return next.run(request).await;
    }
    let Some(mut call) = Call::of(path, None) else {
        return Status::unimplemented(format!("there is no method {path}")).into_http::<Body>();
    };
    if !call.rule.open {
        match authenticator.authenticate(request.headers().get(AUTHORIZATION)).await {
            Ok(caller) => call.caller = Some(caller),
            Err(denied) => return Status::from(denied).into_http::<Body>(),
        }
    }
    request.extensions_mut().insert(call);
    next.run(request).await
}
