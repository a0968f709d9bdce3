//! This room alone, on a real Postgres: its calls as callers make them, and its tables as they follow from its log.

mod access;
mod bad_input;
mod fold;
mod reads;
mod scene;
mod story;
