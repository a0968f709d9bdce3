//! Waiting for a condition of a running fleet: asked often, given up after a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tonic::{Code, Response, Status};

use crate::error::NodeError;

/// How long anything that a fleet does may take: no limit of performance, only the point where nothing comes any more.
pub const PATIENCE: Duration = Duration::from_secs(90);

const ASK_EVERY: Duration = Duration::from_millis(25);

/// Asks until there is an answer. `Ok(None)` means not yet; an error is the answer, too.
///
/// # Errors
/// What asking says, or that it did not come about in time; `what` says what.
pub async fn until<T>(
    what: impl Into<String>,
    mut ask: impl AsyncFnMut() -> Result<Option<T>, NodeError>,
) -> Result<T, NodeError> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if started.elapsed() > PATIENCE {
            return Err(NodeError::Late { what: what.into(), seconds: PATIENCE.as_secs() });
        }
        sleep(ASK_EVERY).await;
    }
}

/// Makes a call until its node has heard of what the call needs: what another node or another room tells comes a moment
/// later. The request must be the same each time, its id included.
///
/// # Errors
/// What the node says, other than that it does not know something or somebody yet; or that it never came to know.
pub async fn heard<T>(
    what: impl Into<String>,
    mut call: impl AsyncFnMut() -> Result<Response<T>, Status>,
) -> Result<T, NodeError> {
    let mut last = String::new();
    let answered = until(what, async || match call().await {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => {
            status.message().clone_into(&mut last);
            Ok(None)
        }
        Err(status) => Err(status.into()),
    })
    .await;
    answered.map_err(|error| match error {
        NodeError::Late { what, seconds } => NodeError::Late { what: format!("{what} ({last})"), seconds },
        other => other,
    })
}
