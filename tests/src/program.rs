//! `commonweal`, as the stories start it.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::main()
}
