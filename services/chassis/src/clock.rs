//! Time, ids and randomness: the one place they come from, so that tests can fix them.

#![expect(clippy::disallowed_methods, reason = "this is the place the others are sent to")]

use rand::TryRngCore;
use rand::rngs::OsRng;
use time::OffsetDateTime;
use uuid::Uuid;

/// The present instant in UTC, cut to microseconds: what Postgres keeps.
pub fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(now.nanosecond() / 1000 * 1000).unwrap_or(now)
}

/// A new UUIDv7: sorted by the time it was made.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
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
