//! Many calls to a running node, several at a time. After the first that is refused no other is begun.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use serde::Serialize;

use crate::error::NodeError;

/// How many calls are on their way at once.
const AT_ONCE: usize = 16;

/// What became of many things, each with a name of its own in another system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// How many were made.
    pub made: usize,
    /// How many were there already.
    pub already: usize,
    /// Those of them that say something else here than what was to be sent and stay so, by their name in another system.
    pub different: Vec<String>,
    /// How many were not tried, because others were refused before.
    pub not_sent: usize,
    /// Those that were refused, by their name in another system, and why.
    pub refused: Vec<(String, String)>,
}

/// Calls for each item, in no order that counts, and gives the answers in the order of the items: `None` for one that
/// was not begun. `done` is told of each that ended.
pub(super) async fn each<T, R>(
    items: &[T],
    call: impl AsyncFn(&T) -> Result<R, NodeError>,
    done: impl Fn(),
) -> Vec<Option<Result<R, NodeError>>> {
    let failed = AtomicBool::new(false);
    let calls = items.iter().map(async |item| {
        if failed.load(Ordering::Relaxed) {
            done();
            return None;
        }
        let answer = call(item).await;
        if answer.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
        done();
        Some(answer)
    });
    stream::iter(calls).buffered(AT_ONCE).collect().await
}

impl Sent {
    /// Notes what became of one by its name, and gives what was answered.
    pub(super) fn note<R>(&mut self, name: &str, answer: Option<Result<R, NodeError>>) -> Option<R> {
        match answer {
            Some(Ok(made)) => {
                self.made += 1;
                Some(made)
            }
            Some(Err(error)) => {
                self.refused.push((name.to_owned(), error.to_string()));
                None
            }
            None => {
                self.not_sent += 1;
                None
            }
        }
    }
}
