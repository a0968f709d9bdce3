//! This room alone, on a real Postgres: its calls as callers make them, and its tables as they follow from its log.
#![cfg(test)]

mod access;
mod bad_input;
mod erasure;
mod fold;
mod listing;
mod meetings;
mod scene;
mod story;
mod watching;
