//! This room alone, on a real Postgres: its calls as callers make them, and its tables as they follow from its log.

#[path = "room/access.rs"]
mod access;
#[path = "room/bad_input.rs"]
mod bad_input;
#[path = "room/fold.rs"]
mod fold;
#[path = "room/reads.rs"]
mod reads;
#[path = "room/scene.rs"]
mod scene;
#[path = "room/story.rs"]
mod story;
