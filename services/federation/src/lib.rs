//! The border of a node.

pub mod accept;
pub mod border;
pub mod domain;
pub mod governance;
pub mod have;
pub mod hub;
pub mod keep;
pub mod link;
pub mod pace;
pub mod receive;
pub mod send;
pub mod store;
pub mod tell;
pub mod verdict;
pub mod wire;

/// Name of the service, of its schema and of what it tells.
pub const NAME: &str = chassis::digest::BORDER;
