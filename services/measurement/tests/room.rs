//! This room alone, on a real Postgres: its calls as callers make them, and its tables as they follow from its log.
#![cfg(test)]

#[path = "room/access.rs"]
mod access;
#[path = "room/bad_input.rs"]
mod bad_input;
#[path = "room/bad_observations.rs"]
mod bad_observations;
#[path = "room/fold.rs"]
mod fold;
#[path = "room/model.rs"]
mod model;
#[path = "room/rollups.rs"]
mod rollups;
#[path = "room/scene.rs"]
mod scene;
#[path = "room/story.rs"]
mod story;
#[path = "room/void.rs"]
mod void;
