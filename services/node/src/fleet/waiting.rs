//! Waiting for a condition of a running fleet: asked often, given up after a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};

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
