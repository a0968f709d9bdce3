//! Stories on real nodes: what one signs the others see, whatever happens in between.
//!
//! Failures that count: a node that is stopped or killed at any instant and comes back; somebody with another key in a
//! partner's mailbox, or with a partner's key on what is not the partner's; a node that is shut out; a demo that is
//! killed; a node that is restored from a backup, and a Postgres that loses what it confirmed. Failures that do not: a key
//! that is lost.
#![cfg(test)]

mod circle;
#[cfg(target_os = "linux")]
mod demo;
mod followers;
mod keys;
mod readme;
mod restore;
mod three_nodes;
mod two_nodes;

use sqlx::{Connection, PgConnection};

/// The program that the nodes run.
const PROGRAM: &str = env!("CARGO_BIN_EXE_commonweal-on-stage");

/// The tables of a node's database in which words stand.
async fn tables_with(database: &str, words: &str) -> Vec<String> {
    chassis::testing::tables_with(&mut PgConnection::connect(database).await.unwrap(), words).await
}
