//! Points at which a test lets this process end as a crash would, between two steps that a crash must be able to part.
//!
//! Only a build with debug assertions has them: a release has nothing here.

/// The points. A test may name each.
pub const POINTS: [&str; 10] = [
    "ledger.before_commit",
    "ledger.after_commit",
    "relay.numbered",
    "relay.published",
    "inbox.before_commit",
    "inbox.after_commit",
    "sender.sent",
    "receiver.before_commit",
    "receiver.after_commit",
    "confirmer.said",
];

/// The variable that says where this process is to end: the name of a point, a colon, and which time it comes there.
pub const VARIABLE: &str = "COMMONWEAL_CRASH_AT";

/// Ends this process here, if a test wants it so.
#[cfg(debug_assertions)]
pub fn point(name: &str) {
    if let Some((wanted, left)) = WANTED.as_ref()
        && wanted == name
        && left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 1
    {
        tracing::warn!(point = name, "ends here, as a test wants it");
        std::process::abort();
    }
}

/// Nothing: this is a release.
#[cfg(not(debug_assertions))]
pub fn point(_: &str) {}

#[cfg(debug_assertions)]
static WANTED: std::sync::LazyLock<Option<(String, std::sync::atomic::AtomicI64)>> = std::sync::LazyLock::new(|| {
    let (name, time) =
        std::env::var(VARIABLE).ok()?.rsplit_once(':').map(|(name, time)| (name.to_owned(), time.parse()))?;
    Some((name, std::sync::atomic::AtomicI64::new(time.ok()?)))
});
