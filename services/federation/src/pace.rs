//! How far a link has sent, in memory only: what counts is what the other side confirms. And how patient it is: what
//! the other side can make it do again, and what it asks of the other side, has a measure.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chassis::backoff::{Backoff, LONGEST};
use chassis::names::Space;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::wire::FeedName;

/// At most so many entries of a feed, or steps of an order, are on the road unconfirmed.
pub const ENTRIES_ON_THE_ROAD: u64 = 8192;
/// So many frames of a feed are on the road without a verdict before what comes next is gathered until it fills one: the
/// busier the other side is, the more entries go with one seal.
pub const FRAMES_ON_THE_ROAD: usize = 4;
/// See [`ENTRIES_ON_THE_ROAD`].
pub const STEPS_ON_THE_ROAD: u64 = 256;
/// So often the other side may ask at once to be sent everything again; after that once a second.
const REWINDS: u32 = 16;
/// How long to wait between two questions for what is missing, at the least.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// What was taken in is confirmed at most so often.
const CONFIRM_EVERY: Duration = Duration::from_millis(20);

/// What one link has sent.
pub struct Pace {
    sent: Mutex<Sent>,
    /// There may be something to send.
    pub wake: Notify,
    /// Something is missing on this side.
    pub gap: Notify,
    /// Something was taken in that the other side waits to have confirmed.
    pub news: Notify,
    progressed: Notify,
    rewinds: Mutex<(u32, Instant)>,
    contact: Mutex<Option<Instant>>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            sent: Mutex::default(),
            wake: Notify::new(),
            gap: Notify::new(),
            news: Notify::new(),
            progressed: Notify::new(),
            rewinds: Mutex::new((REWINDS, Instant::now())),
            contact: Mutex::default(),
        }
    }
}

#[derive(Default)]
struct Sent {
    /// The last sequence in each frame.
    feeds: BTreeMap<FeedName, VecDeque<u64>>,
    spaces: BTreeMap<Space, u64>,
    confirmed: BTreeMap<Space, u64>,
    /// Counts how often the link went back.
    turn: u64,
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
    /// Counts how often the link went back: what is sent under one turn counts only as long as that lasts.
    pub fn turn(&self) -> u64 {
        self.with(|sent| sent.turn)
    }

    /// How far a feed was sent, given how far it was judged.
    pub fn feed(&self, name: &FeedName, judged: u64) -> u64 {
        self.with(|sent| sent.feeds.get(name).and_then(|frames| frames.back().copied()).unwrap_or(0).max(judged))
    }

    /// Whether enough frames of a feed wait for their verdict, given how far it was judged.
    pub fn gathers(&self, name: &FeedName, judged: u64) -> bool {
        self.with(|sent| {
            let Some(frames) = sent.feeds.get_mut(name) else { return false };
            frames.retain(|last| *last > judged);
            frames.len() >= FRAMES_ON_THE_ROAD
        })
    }

    /// Notes that a feed was sent so far, unless the link went back meanwhile.
    pub fn feed_sent(&self, turn: u64, name: &FeedName, sequence: u64) {
        self.with(|sent| (sent.turn == turn).then(|| sent.feeds.entry(name.clone()).or_default().push_back(sequence)));
    }

    /// How far a space was sent and confirmed.
    pub fn space(&self, space: &Space) -> (u64, u64) {
        self.with(|sent| {
            let confirmed = sent.confirmed.get(space).copied().unwrap_or(0);
            (sent.spaces.get(space).copied().unwrap_or(0).max(confirmed), confirmed)
        })
    }

    /// How far a space was put on the road, at least to where it is confirmed. What parted was not.
    pub fn space_on_the_road(&self, space: &Space, confirmed: u64) -> u64 {
        let (sent, _) = self.space(space);
        if sent == u64::MAX { confirmed } else { sent.max(confirmed) }
    }

    /// The same for a feed.
    pub fn feed_on_the_road(&self, name: &FeedName, judged: u64) -> u64 {
        let sent = self.feed(name, judged);
        if sent == u64::MAX { judged } else { sent }
    }

    /// Notes that a space was sent so far, unless the link went back meanwhile.
    pub fn space_sent(&self, turn: u64, space: &Space, position: u64) {
        self.with(|sent| (sent.turn == turn).then(|| sent.spaces.insert(space.clone(), position)));
    }

    /// Notes what the other side has of spaces. Where it asks to resume, what it does not name it does not have.
    pub fn confirmed(&self, spaces: impl Iterator<Item = (Space, u64)>, resume: bool) {
        self.with(|sent| {
            if resume {
                sent.turn += 1;
                sent.spaces.clear();
                sent.confirmed.clear();
            }
            sent.confirmed.extend(spaces);
        });
        self.wake.notify_one();
    }

    /// Goes back to what the other side has of feeds; what it does not name it does not have.
    pub fn resume_feeds(&self, feeds: impl Iterator<Item = (FeedName, u64)>) {
        self.with(|sent| {
            sent.turn += 1;
            sent.feeds = feeds.map(|(name, sequence)| (name, VecDeque::from([sequence]))).collect();
        });
        self.wake.notify_one();
    }

    /// Goes back to what the other side is known to have: what was sent since may not have got there.
    pub fn go_back(&self) {
        self.with(|sent| {
            sent.turn += 1;
            sent.feeds.clear();
            sent.spaces.clear();
        });
        self.wake.notify_one();
    }

    /// Says what it has as soon as something was taken in, and then not again too soon: one word confirms much.
    pub async fn confirm_for_ever(&self) {
        loop {
            self.news.notified().await;
            self.say(Say::default());
            tokio::time::sleep(CONFIRM_EVERY).await;
        }
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

    /// Something new was taken in.
    pub fn progress(&self) {
        self.progressed.notify_one();
    }

    /// Asks for what is missing each time something is found to be, less and less often while nothing comes of it: what
    /// the other side sends again may be as wrong as before.
    pub async fn ask_for_ever(&self) {
        let mut patience = Backoff::between(ASK_AGAIN, LONGEST);
        loop {
            self.gap.notified().await;
            self.say(Say { answer: false, resume: true });
            tokio::select! {
                () = patience.wait() => {}
                () = self.progressed.notified() => {
                    patience.reset();
                    tokio::time::sleep(ASK_AGAIN).await;
                }
            }
        }
    }

    /// Whether the other side may make this one send everything again just now. It asks again by itself.
    pub fn may_rewind(&self) -> bool {
        let mut rewinds = self.rewinds.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *rewinds;
        let earned = u32::try_from(since.elapsed().as_secs()).unwrap_or(REWINDS);
        let left = left.saturating_add(earned).min(REWINDS);
        let since = if earned > 0 { Instant::now() } else { since };
        *rewinds = (left.saturating_sub(1), since);
        left > 0
    }

    /// Whether it is to be noted again that the other side said something: once a second will do.
    pub fn note_contact(&self) -> bool {
        let mut contact = self.contact.lock().unwrap_or_else(PoisonError::into_inner);
        let due = contact.is_none_or(|noted| noted.elapsed() >= Duration::from_secs(1));
        if due {
            *contact = Some(Instant::now());
        }
        due
    }

    fn with<T>(&self, action: impl FnOnce(&mut Sent) -> T) -> T {
        action(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_makes_a_link_send_everything_again_and_again() {
        let pace = Pace::default();
        let granted = (0..1000).filter(|_| pace.may_rewind()).count();
        assert!((16..20).contains(&granted), "{granted}");
    }

    #[test]
    fn a_send_under_way_does_not_undo_a_step_back() {
        let node = chassis::names::NodeId::of_key(&[1; 32]);
        let space = Space::members(&chassis::names::Reference::born_on(&node));
        let feed = FeedName { space: space.clone(), origin: node, epoch: 1 };
        let pace = Pace::default();
        let turn = pace.turn();
        pace.feed_sent(turn, &feed, 9);
        assert_eq!(pace.feed(&feed, 0), 9);
        pace.resume_feeds([(feed.clone(), 3)].into_iter());
        pace.feed_sent(turn, &feed, 12);
        assert_eq!(pace.feed(&feed, 0), 3);
        let turn = pace.turn();
        pace.space_sent(turn, &space, 7);
        pace.confirmed([(space.clone(), 2)].into_iter(), true);
        pace.space_sent(turn, &space, 8);
        assert_eq!(pace.space(&space), (2, 2));
    }

    #[test]
    fn what_comes_while_the_other_side_is_busy_is_gathered() {
        let node = chassis::names::NodeId::of_key(&[1; 32]);
        let feed =
            FeedName { space: Space::members(&chassis::names::Reference::born_on(&node)), origin: node, epoch: 1 };
        let pace = Pace::default();
        for last in [2, 3, 5, 9] {
            assert!(!pace.gathers(&feed, 0), "before {last}");
            pace.feed_sent(pace.turn(), &feed, last);
        }
        assert!(pace.gathers(&feed, 0));
        assert!(!pace.gathers(&feed, 3), "two of them have their verdict");
        assert_eq!(pace.feed(&feed, 3), 9);
    }

    #[tokio::test(start_paused = true)]
    async fn questions_that_bring_nothing_become_rare() {
        let pace = Pace::default();
        let mut asked = 0;
        let counting = async {
            loop {
                pace.gap.notify_one();
                pace.wake.notified().await;
                asked += usize::from(pace.to_say().is_some_and(|say| say.resume));
            }
        };
        let hour = tokio::time::sleep(Duration::from_secs(3600));
        tokio::select! {
            () = pace.ask_for_ever() => {}
            () = counting => {}
            () = hour => {}
        }
        assert!((120..200).contains(&asked), "{asked}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_after_progress_does_not_wait_for_those_that_brought_nothing() {
        let pace = Pace::default();
        let asked = async || {
            pace.gap.notify_one();
            pace.wake.notified().await;
            pace.to_say()
        };
        let weary = async {
            for _ in 0..20 {
                asked().await;
            }
            pace.progress();
            let began = Instant::now();
            asked().await;
            assert!(began.elapsed() <= ASK_AGAIN, "{:?}", began.elapsed());
        };
        tokio::select! {
            () = pace.ask_for_ever() => {}
            () = weary => {}
        }
    }
}
