//! This room alone, on a real Postgres: its calls as callers make them, and its tables as they follow from its log.
#![cfg(test)]

mod access;
mod bad_input;
mod fold;
mod order;
mod scene;
mod story;
mod void;
