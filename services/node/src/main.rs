//! `commonweal`: a node of a collective-impact initiative, and the commands of those who run one.

use std::process::ExitCode;

use clap::Parser;
use node::cli::Cli;

fn main() -> ExitCode {
    // Two libraries each bring a TLS backend: say once which one counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("commonweal: the operating system gives no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli.run()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("commonweal: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
