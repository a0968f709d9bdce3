//! The pulse of a room: beats after every commit that changed its tables, and ends when the room is told to stop. Who
//! watches waits for the next beat instead of asking again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How long a watcher waits at the most before it looks by itself: another process of the same service may have
/// committed, and its beats are not felt here.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The pulse of one room in this process.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<watch::Sender<Beat>>);

#[derive(Clone, Copy, Debug, Default)]
struct Beat {
    ended: bool,
}

impl Default for Pulse {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Beat::default())))
    }
}

impl Pulse {
    /// Something was committed.
    pub fn beat(&self) {
        self.0.send_modify(|_| {});
    }

    /// Nothing more will be: whoever waits goes home.
    pub fn end(&self) {
        self.0.send_modify(|beat| beat.ended = true);
    }

    /// Feels every beat from now on.
    pub fn felt(&self) -> Felt {
        Felt(self.0.subscribe())
    }
}

/// Somebody who waits for beats.
#[derive(Debug)]
pub struct Felt(watch::Receiver<Beat>);

impl Felt {
    /// Waits for a beat that came since the last wait, or for a while. False once the pulse has ended.
    pub async fn next(&mut self) -> bool {
        match tokio::time::timeout(LOOK_EVERY, self.0.changed()).await {
            Ok(Ok(())) => !self.0.borrow_and_update().ended,
            Ok(Err(_)) => false,
            Err(_) => !self.0.borrow().ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_beat_that_came_before_the_wait_is_not_missed() {
        let pulse = Pulse::default();
        let mut felt = pulse.felt();
        pulse.beat();
        pulse.beat();
        assert!(tokio::time::timeout(LOOK_EVERY / 2, felt.next()).await.unwrap());
        pulse.end();
        assert!(!felt.next().await);
    }
}
