//! The gate before all that writes. A node that was restored reads and writes nothing until it has compared itself with
//! the others: its border knows when, and every process of the node asks it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::broker;
use crate::errors;

const ASK_EVERY: Duration = Duration::from_secs(1);
/// The same while nobody has answered yet: a call may wait for it.
const ASK_AGAIN: Duration = Duration::from_millis(50);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// How long a call waits for the border's first word.
const WAIT: Duration = Duration::from_secs(5);
const NOT_ASKED: &str =
    "this service waits for the word of the node's border whether it may write: is `federation` up?";

/// The border's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Word {
    #[default]
    Open,
    Closed(String),
    NotYet,
}

/// Whether this node may write at present, and why not. Clones are one gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<watch::Sender<Word>>);

impl Gate {
    /// A gate that stays closed until the border has said its word.
    pub fn not_known_yet() -> Self {
        Self(Arc::new(watch::Sender::new(Word::NotYet)))
    }

    /// Closes it: from now on nothing is written, for this reason in words for a person.
    pub fn close(&self, words: impl Into<String>) {
        self.0.send_replace(Word::Closed(words.into()));
    }

    /// Opens it.
    pub fn open(&self) {
        self.0.send_replace(Word::Open);
    }

    /// Lets a call pass that writes.
    ///
    /// # Errors
    /// `UNAVAILABLE` while the gate is closed.
    pub async fn pass(&self) -> Result<(), Status> {
        let mut word = self.0.subscribe();
        let known = tokio::time::timeout(WAIT, word.wait_for(|word| *word != Word::NotYet)).await;
        match known.ok().and_then(Result::ok).as_deref() {
            Some(Word::Open) => Ok(()),
            Some(Word::Closed(words)) => Err(errors::read_only(words)),
            Some(Word::NotYet) | None => Err(errors::read_only(NOT_ASKED)),
        }
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
            let word = match &*self.0.borrow() {
                Word::Open => String::new(),
                Word::Closed(words) => words.clone(),
                Word::NotYet => continue,
            };
            // Whoever gets no answer asks again.
            let _ = client.publish(reply, word.into()).await;
        }
    }

    /// Asks the border again and again, until `stop`: what a process does that runs no border. What was said last counts
    /// while nobody answers.
    pub async fn ask(self, client: async_nats::Client, stop: CancellationToken) {
        loop {
            let asked = tokio::time::timeout(ANSWER_WITHIN, client.request(broker::GATE, "".into())).await;
            if let Ok(Ok(answer)) = asked {
                match String::from_utf8_lossy(&answer.payload).into_owned() {
                    words if words.is_empty() => self.open(),
                    words => self.close(words),
                }
            }
            let again = if *self.0.borrow() == Word::NotYet { ASK_AGAIN } else { ASK_EVERY };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(again) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_may_not_be_written_says_why() {
        let gate = Gate::default();
        assert!(gate.pass().await.is_ok());
        let same = gate.clone();
        same.close("restored last night");
        let status = gate.pass().await.unwrap_err();
        assert_eq!((status.code(), status.message()), (tonic::Code::Unavailable, "restored last night"));
        same.open();
        assert!(gate.pass().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_for_the_borders_first_word() {
        let gate = Gate::not_known_yet();
        assert!(gate.pass().await.is_err());
        let (passed, ()) = tokio::join!(gate.pass(), async { gate.open() });
        assert!(passed.is_ok());
    }
}
