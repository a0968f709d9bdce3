//! The room's tables: SQL, and nothing decided here.

pub mod channel;
pub mod entry;
pub mod meeting;
pub mod message;
pub mod practice_card;
pub mod read_position;
