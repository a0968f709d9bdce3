//! Longer runs of what `deploy/test` tries for seconds.
#![no_main]

#[path = "../parse.rs"]
mod parse;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parse::parse(bytes));
