#![doc = include_str!("../README.md")]

pub mod accept;
pub mod advice;
pub mod api;
pub mod belonging;
pub mod border;
pub mod domain;
pub mod ending;
pub mod enrol;
pub mod erasure;
pub mod findings;
pub mod following;
pub mod governance;
pub mod have;
pub mod hello;
mod holding;
pub mod hub;
pub mod invitation;
pub mod join;
pub mod keep;
pub mod keys;
pub mod link;
pub mod links;
pub mod marker;
pub mod meters;
mod outgoing;
pub mod own;
pub mod pace;
pub mod protocol;
pub mod receive;
mod regain;
pub mod reissue;
pub mod restored;
pub mod run;
pub mod send;
pub mod service;
pub mod standing;
pub mod states;
pub mod status;
pub mod store;
pub mod take;
pub mod tell;
mod tending;
pub mod verdict;
pub mod wire;

/// Name of the service, of its schema and of what it tells.
pub const NAME: &str = chassis::digest::BORDER;
