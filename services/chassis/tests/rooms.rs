//! Two tiny rooms on a real Postgres and a real NATS: `notes` tells, `echo` hears.
//!
//! Failures that count: calls that commit at once, a crash between commit and publish, a broker that is wiped, messages
//! that come twice or not at all, events that cannot be folded yet, a refusal by the backbone. Failures that do not: a
//! Postgres that loses what it confirmed.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

#[path = "rooms/circles.rs"]
mod circles;
#[path = "rooms/desk.rs"]
mod desk;
#[path = "rooms/echo.rs"]
mod echo;
#[path = "rooms/folding.rs"]
mod folding;
#[path = "rooms/notes.rs"]
mod notes;
#[path = "rooms/road.rs"]
mod road;
#[path = "rooms/waiting.rs"]
mod waiting;
