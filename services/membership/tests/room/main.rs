//! This room alone, on a real Postgres: its calls as callers make them, and its tables as they follow from its log.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where what it stands on breaks")]

mod access;
mod at_once;
mod bad_input;
mod circles;
mod fold;
mod groups_and_postings;
mod reads;
mod scene;
mod story;
mod void;
