//! `commonweal`: a node of a collective-impact initiative, and the commands of those who run one.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::main()
}
