//! The gate before all that writes. A node that was restored reads and writes nothing until it has compared itself with
//! the others: its border knows when, and every process of the node asks it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::broker;
use crate::errors;

const ASK_EVERY: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// What a process says that does not know yet.
const NOT_ASKED: &str = "this service has just started, and waits for the word of the node's border whether it may \
                         write: try again in a moment";

/// Whether this node may write at present, and why not. Clones are one gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<String>>);

impl Gate {
    /// A gate that stays closed until the border has said its word.
    pub fn not_known_yet() -> Self {
        let gate = Self::default();
        gate.close(NOT_ASKED);
        gate
    }

    /// Closes it: from now on nothing is written, for this reason in words for a person.
    pub fn close(&self, words: impl Into<String>) {
        *self.words() = words.into();
    }

    /// Opens it.
    pub fn open(&self) {
        self.words().clear();
    }

    /// Why nothing may be written; `None` while it may.
    pub fn closed(&self) -> Option<String> {
        Some(self.words().clone()).filter(|words| !words.is_empty())
    }

    /// Lets a call pass that writes.
    ///
    /// # Errors
    /// `UNAVAILABLE` while the gate is closed.
    pub fn pass(&self) -> Result<(), Status> {
        self.closed().map_or(Ok(()), |words| Err(errors::read_only(words)))
    }

    /// Tells every process of this node that asks, until `stop`: what the border's own does.
    pub async fn tell(self, client: async_nats::Client, stop: CancellationToken) {
        let Ok(mut asked) = client.subscribe(broker::GATE).await else { return };
        loop {
            let message = tokio::select! {
                () = stop.cancelled() => return,
                message = asked.next() => message,
            };
            let Some(message) = message else { return };
            let Some(reply) = message.reply else { continue };
            // Whoever gets no answer asks again.
            let _ = client.publish(reply, self.closed().unwrap_or_default().into()).await;
        }
    }

    /// Asks the border again and again, until `stop`: what a process does that runs no border. What was said last counts
    /// while nobody answers.
    pub async fn ask(self, client: async_nats::Client, stop: CancellationToken) {
        loop {
            let asked = tokio::time::timeout(ANSWER_WITHIN, client.request(broker::GATE, "".into())).await;
            if let Ok(Ok(answer)) = asked {
                *self.words() = String::from_utf8_lossy(&answer.payload).into_owned();
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ASK_EVERY) => {}
            }
        }
    }

    fn words(&self) -> std::sync::MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_written_says_why() {
        let gate = Gate::default();
        assert!(gate.pass().is_ok());
        let same = gate.clone();
        same.close("restored last night");
        let status = gate.pass().unwrap_err();
        assert_eq!((status.code(), status.message()), (tonic::Code::Unavailable, "restored last night"));
        same.open();
        assert!(gate.pass().is_ok());
        assert!(Gate::not_known_yet().pass().is_err());
    }
}
