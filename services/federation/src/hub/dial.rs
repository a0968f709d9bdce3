//! When a line to the hub dials: at once the first time, then with patience, which begins anew after any sign of life;
//! and at once where somebody knows that it is worth it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chassis::backoff::Backoff;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const FIRST: Duration = Duration::from_millis(50);

/// With it somebody makes a line dial.
#[derive(Clone)]
pub struct Dialler(pub(super) Arc<Dial>);

impl Dialler {
    /// Where the line is not open it is tried at once, instead of when it would be its turn.
    pub fn now(&self) {
        self.0.now();
    }
}

/// When one line dials.
pub(super) struct Dial {
    last: Mutex<Last>,
    knock: Notify,
    over: CancellationToken,
}

struct Last {
    backoff: Backoff,
    /// It has dialled before.
    dialled: bool,
    /// The hub spoke, the time before and this time; it may have refused all the same.
    answered: (bool, bool),
    /// The line was open.
    opened: bool,
}

impl Dial {
    /// Waits at most so long between two tries.
    pub(super) fn patient(longest: Duration) -> Self {
        let backoff = Backoff::between(FIRST, longest);
        let last = Last { backoff, dialled: false, answered: (false, false), opened: false };
        Self { last: Mutex::new(last), knock: Notify::new(), over: CancellationToken::new() }
    }

    /// Comes when it is time to dial; never again after the end.
    pub(super) async fn turn(&self) {
        let wait = self.with(Last::wait);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.knock.notified() => self.with(|last| last.backoff.reset()),
        }
        if self.over.is_cancelled() {
            // The library cannot be told to stop trying.
            std::future::pending::<()>().await;
        }
    }

    /// The hub spoke.
    pub(super) fn answered(&self) {
        self.with(|last| last.answered.1 = true);
    }

    /// The line is open.
    pub(super) fn opened(&self) {
        self.with(|last| last.opened = true);
    }

    fn now(&self) {
        self.knock.notify_one();
    }

    /// Nobody holds the line any more.
    pub(super) fn end(&self) {
        self.over.cancel();
    }

    fn with<T>(&self, action: impl FnOnce(&mut Last) -> T) -> T {
        action(&mut self.last.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Last {
    /// A hub that is back after a silence is a sign of life, even where it refuses: it may only not have been told yet
    /// whom to let in. That it goes on refusing is none.
    fn wait(&mut self) -> Duration {
        if self.opened || self.answered == (false, true) {
            self.backoff.reset();
        }
        self.answered = (self.answered.1 || self.opened, false);
        self.opened = false;
        match std::mem::replace(&mut self.dialled, true) {
            true => self.backoff.step(),
            false => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use chassis::backoff::LONGEST;
    use tokio::time::Instant;

    use super::*;

    async fn waited(dial: &Dial) -> Duration {
        let began = Instant::now();
        dial.turn().await;
        began.elapsed()
    }

    /// One that has waited in vain for a long time.
    async fn weary() -> Dial {
        let dial = Dial::patient(LONGEST);
        assert_eq!(waited(&dial).await, Duration::ZERO);
        for _ in 0..20 {
            waited(&dial).await;
        }
        assert!(waited(&dial).await >= LONGEST / 2);
        dial
    }

    #[tokio::test(start_paused = true)]
    async fn a_hub_that_is_back_and_refuses_is_asked_again_soon_and_then_ever_more_rarely() {
        let dial = weary().await;
        let mut waits = Vec::new();
        for _ in 0..20 {
            dial.answered();
            waits.push(waited(&dial).await);
        }
        assert!(waits[0] <= FIRST, "{waits:?}");
        assert!(waits[19] >= LONGEST / 2, "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_was_open_dials_soon() {
        let dial = weary().await;
        dial.answered();
        dial.opened();
        assert!(waited(&dial).await <= FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_knows_better_makes_it_dial_at_once() {
        let dial = weary().await;
        let began = Instant::now();
        let knocking = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            dial.now();
        };
        tokio::join!(dial.turn(), knocking);
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        assert!(waited(&dial).await <= FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_nobody_holds_dials_no_more() {
        let dial = weary().await;
        dial.end();
        assert!(tokio::time::timeout(Duration::from_secs(3600), dial.turn()).await.is_err());
    }
}
