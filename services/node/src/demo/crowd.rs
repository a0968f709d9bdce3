//! Many calls at once: a node is quickest when several are on their way.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::error::NodeError;

/// How many calls are on their way at once.
const IN_FLIGHT: usize = 16;

/// Does all of it, several at a time; the answers in no order.
pub(super) async fn all<T>(
    work: impl IntoIterator<Item = impl Future<Output = Result<T, NodeError>>>,
) -> Result<Vec<T>, NodeError> {
    stream::iter(work).buffer_unordered(IN_FLIGHT).try_collect().await
}
