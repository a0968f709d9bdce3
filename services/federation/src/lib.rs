//! Placeholder.
pub mod hub;
