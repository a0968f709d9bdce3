//! The command as people and programs meet it: what it says, where it says it, and how it ends.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends where its scene breaks")]

mod agenda;
mod apart;
mod backbone;
mod configuration;
mod directory;
mod help;
mod import;
mod init;
mod partner;
mod shape;
mod stage;
