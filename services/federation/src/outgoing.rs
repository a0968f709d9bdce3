//! Messages on the road of which it is not known yet whether the hub has them. Nobody waits for one before the next is
//! sent; where one does not get there, the link goes back to what the other side has.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::hub::{MailboxError, Sent};

/// What one link has put on the road, first to last.
#[derive(Default)]
pub struct Outgoing {
    sent: Mutex<VecDeque<Sent>>,
    more: Notify,
}

impl Outgoing {
    /// One more.
    pub fn add(&self, sent: Sent) {
        self.with(|waiting| waiting.push_back(sent));
        self.more.notify_one();
    }

    /// Comes when one of them did not get there; what was sent after it is forgotten with it.
    pub async fn failed(&self) -> MailboxError {
        loop {
            let Some(sent) = self.with(VecDeque::pop_front) else {
                self.more.notified().await;
                continue;
            };
            if let Err(error) = sent.await {
                self.with(VecDeque::clear);
                return error;
            }
        }
    }

    fn with<T>(&self, action: impl FnOnce(&mut VecDeque<Sent>) -> T) -> T {
        action(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
