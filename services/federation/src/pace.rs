//! How far a link has sent, in memory only: what counts is what the other side confirms.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chassis::names::Space;
use tokio::sync::Notify;

use crate::wire::FeedName;

/// At most so many entries of a feed, or steps of an order, are on the road unconfirmed.
pub const ENTRIES_ON_THE_ROAD: u64 = 8192;
/// See [`ENTRIES_ON_THE_ROAD`].
pub const STEPS_ON_THE_ROAD: u64 = 256;

/// What one link has sent.
#[derive(Default)]
pub struct Pace {
    sent: Mutex<Sent>,
    /// There may be something to send.
    pub wake: Notify,
}

#[derive(Default)]
struct Sent {
    feeds: BTreeMap<FeedName, u64>,
    spaces: BTreeMap<Space, u64>,
    confirmed: BTreeMap<Space, u64>,
    say: Option<Say>,
}

/// What is to be said to the other side at the next chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Say {
    /// Ask it to say what it has.
    pub answer: bool,
    /// Ask it to send again from what is said.
    pub resume: bool,
}

impl Pace {
    /// How far a feed was sent, given how far it was judged.
    pub fn feed(&self, name: &FeedName, judged: u64) -> u64 {
        self.with(|sent| sent.feeds.get(name).copied().unwrap_or(0).max(judged))
    }

    /// Notes that a feed was sent so far.
    pub fn feed_sent(&self, name: &FeedName, sequence: u64) {
        self.with(|sent| sent.feeds.insert(name.clone(), sequence));
    }

    /// How far a space was sent and confirmed.
    pub fn space(&self, space: &Space) -> (u64, u64) {
        self.with(|sent| {
            let confirmed = sent.confirmed.get(space).copied().unwrap_or(0);
            (sent.spaces.get(space).copied().unwrap_or(0).max(confirmed), confirmed)
        })
    }

    /// Notes that a space was sent so far.
    pub fn space_sent(&self, space: &Space, position: u64) {
        self.with(|sent| sent.spaces.insert(space.clone(), position));
    }

    /// Notes what the other side has of spaces. Where it asks to resume, what it does not name it does not have.
    pub fn confirmed(&self, spaces: &[(Space, u64)], resume: bool) {
        self.with(|sent| {
            if resume {
                sent.spaces.clear();
                sent.confirmed.clear();
            }
            sent.confirmed.extend(spaces.iter().cloned());
        });
        self.wake.notify_one();
    }

    /// Goes back to what the other side has of feeds; what it does not name it does not have.
    pub fn resume_feeds(&self, feeds: impl Iterator<Item = (FeedName, u64)>) {
        self.with(|sent| sent.feeds = feeds.collect());
        self.wake.notify_one();
    }

    /// Something is to be said; asked twice, said once.
    pub fn say(&self, say: Say) {
        self.with(|sent| {
            let before = sent.say.unwrap_or_default();
            sent.say = Some(Say { answer: before.answer || say.answer, resume: before.resume || say.resume });
        });
        self.wake.notify_one();
    }

    /// What is to be said, once.
    pub fn to_say(&self) -> Option<Say> {
        self.with(|sent| sent.say.take())
    }

    fn with<T>(&self, action: impl FnOnce(&mut Sent) -> T) -> T {
        action(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
