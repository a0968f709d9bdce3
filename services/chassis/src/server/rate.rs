//! How often a caller may call: a bucket of calls for each, which fills with time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Limits;

/// Buckets that are kept before the full ones are thrown away.
const MOST_BUCKETS: usize = 10_000;

/// The buckets of all callers.
pub(super) struct Rates {
    per_second: f64,
    burst: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    calls: f64,
    at: Instant,
}

impl Rates {
    pub(super) fn of(limits: &Limits) -> Self {
        Self { per_second: limits.calls_per_second.into(), burst: limits.burst.into(), buckets: Mutex::default() }
    }

    /// Takes one call out of a caller's bucket; where it is empty, says how long until there is one.
    pub(super) fn take(&self, caller: &str, now: Instant) -> Result<(), Duration> {
        if self.per_second == 0.0 {
            return Ok(());
        }
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_BUCKETS && !buckets.contains_key(caller) {
            buckets.retain(|_, bucket| self.filled(bucket, now) < self.burst);
        }
        let bucket = buckets.entry(caller.to_owned()).or_insert(Bucket { calls: self.burst, at: now });
        let calls = self.filled(bucket, now);
        *bucket = Bucket { calls: if calls < 1.0 { calls } else { calls - 1.0 }, at: now };
        if calls < 1.0 { Err(Duration::from_secs_f64((1.0 - calls) / self.per_second)) } else { Ok(()) }
    }

    fn filled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.calls + since * self.per_second).min(self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_a_burst_and_then_a_rate_of_its_own() {
        let rates = Rates::of(&Limits { calls_per_second: 10, burst: 3, ..Limits::default() });
        let start = Instant::now();
        assert!((0..3).all(|_| rates.take("ana", start).is_ok()));
        let wait = rates.take("ana", start).unwrap_err();
        assert!(wait > Duration::from_millis(99) && wait <= Duration::from_millis(100), "{wait:?}");
        assert!(rates.take("ben", start).is_ok());
        assert!(rates.take("ana", start + Duration::from_millis(99)).is_err());
        assert!(rates.take("ana", start + Duration::from_millis(101)).is_ok());
        assert!(rates.take("ana", start + Duration::from_millis(102)).is_err());
    }

    #[test]
    fn zero_is_no_limit() {
        let rates = Rates::of(&Limits { calls_per_second: 0, burst: 0, ..Limits::default() });
        assert!((0..100).all(|_| rates.take("ana", Instant::now()).is_ok()));
    }
}
