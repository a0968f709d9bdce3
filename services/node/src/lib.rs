//! The one binary: a whole node, or some of its services, and the commands of those who run one.

pub mod cli;
pub mod client;
pub mod demo;
pub mod doctor;
pub mod error;
pub mod fleet;
pub mod ground;
pub mod house;
pub mod import;
pub mod load;
pub mod verify;
pub mod words;
