//! The patience of whoever tries again: each time about twice as long, up to a measure, spread by chance, and from the
//! beginning after any sign of life.

use std::time::Duration;

use crate::clock;

/// Nobody waits longer between two tries: longer would look like being cut off.
pub const LONGEST: Duration = Duration::from_secs(30);

/// How long to wait before each try.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits no longer than `first` the first time, and never longer than `longest`, or than [`LONGEST`].
    pub fn between(first: Duration, longest: Duration) -> Self {
        let longest = longest.min(LONGEST);
        let first = first.min(longest);
        Self { first, longest, next: first }
    }

    /// How long to wait this time: somewhere between half of the present measure and all of it, so that many who lost
    /// the same thing do not all come back in the same instant.
    pub fn step(&mut self) -> Duration {
        let measure = self.next;
        self.next = measure.saturating_mul(2).min(self.longest);
        // Without chance from the operating system all wait the whole measure, which harms nobody.
        let chance = clock::random::<2>().map_or(u16::MAX, u16::from_le_bytes);
        measure.mul_f64(0.5 + f64::from(chance) / f64::from(u16::MAX) / 2.0)
    }

    /// There was a sign of life: the next try comes soon.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits for the next try.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.step()).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const FIRST: Duration = Duration::from_millis(50);

    #[test]
    fn it_waits_longer_each_time_and_never_longer_than_half_a_minute() {
        let mut backoff = Backoff::between(FIRST, Duration::from_secs(3600));
        let mut measure = FIRST;
        for _ in 0..200 {
            let waited = backoff.step();
            assert!((measure / 2..=measure).contains(&waited), "{waited:?} of {measure:?}");
            measure = (measure * 2).min(LONGEST);
        }
        assert_eq!(measure, LONGEST);
    }

    #[test]
    fn a_sign_of_life_brings_it_back_to_the_beginning() {
        let mut backoff = Backoff::between(FIRST, LONGEST);
        for _ in 0..20 {
            backoff.step();
        }
        backoff.reset();
        assert!(backoff.step() <= FIRST);
    }

    #[test]
    fn two_who_lost_the_same_come_back_at_different_times() {
        let waits = || {
            let mut backoff = Backoff::between(FIRST, LONGEST);
            (0..20).map(|_| backoff.step()).collect::<Vec<_>>()
        };
        assert_ne!(waits(), waits());
    }

    #[tokio::test(start_paused = true)]
    async fn an_hour_of_waiting_is_well_over_a_hundred_tries() {
        let mut backoff = Backoff::between(FIRST, LONGEST);
        let (began, mut tries) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(3600) {
            backoff.wait().await;
            tries += 1;
        }
        assert!((120..=260).contains(&tries), "{tries}");
    }
}
