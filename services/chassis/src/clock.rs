//! Time, ids and randomness: the one place they come from, so that tests can fix them.

#![expect(clippy::disallowed_methods, reason = "this is the place the others are sent to")]

use rand::TryRngCore;
use rand::rngs::OsRng;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// The variable that says by how many seconds this process's clock is ahead, or behind where it is negative. Only a build
/// with debug assertions looks at it: a test shows with it what a wrong clock does.
pub const AHEAD: &str = "COMMONWEAL_CLOCK_AHEAD";

/// The present instant in UTC, cut to microseconds: what Postgres keeps.
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc().saturating_add(ahead());
    now.replace_nanosecond(now.nanosecond() / 1000 * 1000).unwrap_or(now)
}

/// A new UUIDv7: sorted by the time it was made.
pub fn new_id() -> Uuid {
    if ahead().is_zero() {
        return Uuid::now_v7();
    }
    let now = now();
    let seconds = u64::try_from(now.unix_timestamp()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.nanosecond()))
}

#[cfg(debug_assertions)]
fn ahead() -> Duration {
    static READ: std::sync::LazyLock<Duration> = std::sync::LazyLock::new(|| {
        let seconds = std::env::var(AHEAD).ok().and_then(|seconds| seconds.parse().ok());
        Duration::seconds(seconds.unwrap_or(0))
    });
    *READ
}

/// Never: this is a release.
#[cfg(not(debug_assertions))]
fn ahead() -> Duration {
    Duration::ZERO
}

/// Random bytes from the operating system.
///
/// # Errors
/// Where the operating system gives none; nothing that needs a secret may go on then.
pub fn random<const N: usize>() -> Result<[u8; N], rand::rand_core::OsError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes)?;
    Ok(bytes)
}
