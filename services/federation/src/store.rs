//! SQL of the border: free functions, nothing decided here.

pub mod entries;
pub mod erasure;
pub mod feeds;
pub mod invitations;
pub mod key_chains;
pub mod key_changes;
pub mod links;
pub mod nodes;
pub mod order;
pub mod quarantine;
pub mod reissues;
pub mod restored;
pub mod rooms;

/// Numbers on the wire are unsigned, in Postgres signed; all of ours fit both.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
