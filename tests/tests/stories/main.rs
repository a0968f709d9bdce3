//! Stories on real nodes: what one signs the others see, whatever happens in between.

mod demo;
mod three_nodes;
mod two_nodes;

/// The program that the nodes run.
const PROGRAM: &str = env!("CARGO_BIN_EXE_commonweal-on-stage");
