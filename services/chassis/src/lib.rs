//! What every service stands on, and nothing of the domain: names, events, the ledger, the relay, the inbox, identity,
//! tokens, rules of access, errors, configuration, telemetry, and the server they share.

mod ahead;
pub mod authn;
pub mod authz;
pub mod backoff;
pub mod broker;
pub mod circles;
pub mod clock;
pub mod config;
pub mod crash;
pub mod database;
pub mod desk;
pub mod digest;
pub mod embedded;
pub mod errors;
pub mod event;
pub mod fold;
pub mod gate;
pub mod hearing;
pub mod held;
pub mod identity;
pub mod inbox;
pub mod ledger;
pub mod log;
pub mod names;
pub mod paging;
pub mod parse;
pub mod pulse;
pub mod relay;
pub mod requests;
pub mod revision;
pub mod roles;
pub mod room;
pub mod serve;
pub mod server;
pub mod spaces;
pub mod standing;
pub mod strongbox;
pub mod telemetry;
pub mod telling;
#[cfg(feature = "testing")]
pub mod testing;
pub mod words;
