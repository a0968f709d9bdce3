//! The room's tables: SQL, and nothing decided here.

pub mod channel;
pub mod entry;
pub mod message;
pub mod read_position;
