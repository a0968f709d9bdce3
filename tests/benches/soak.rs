//! `deploy/soak`: a coalition under random faults and load, as long as one likes.

use std::process::ExitCode;
use std::time::Duration;

use tempfile::TempDir;
use tests::soak::{NODES, Soak};

const HELP: &str = "\
Usage: deploy/soak [--minutes M] [--seed N] [--nodes K] [--keep]

Runs a coalition of K nodes (3: backbone, alpha, beta) as real processes, each with a Postgres, a broker and a proxy on
its link to the hub of its own, for M minutes (5) under random load by gRPC and random faults, with one more partner who
cheats and one who joins late. Load and faults follow from the seed N (1). Then the faults stop, everybody is left alone until all agree, and the books of
all nodes are held against what was acknowledged.

The last line is one of JSON; exit code 0 only if \"ok\" is true. Of a run that fails the folder is kept, and named.
With --keep it is kept in any case.
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match asked(&words).and_then(|(soak, keep)| run(&soak, keep)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn asked(words: &[String]) -> Outcome<(Soak, bool)> {
    let program = env!("CARGO_BIN_EXE_commonweal-on-stage").into();
    let mut soak = Soak { program, time: Duration::from_secs(300), seed: 1, nodes: *NODES.start() };
    let (mut words, mut keep) = (words.iter(), false);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a number"));
        match word.as_str() {
            "--minutes" => soak.time = Duration::try_from_secs_f64(value()?.parse::<f64>()? * 60.0)?,
            "--seed" => soak.seed = value()?.parse()?,
            "--nodes" => soak.nodes = value()?.parse()?,
            "--keep" => keep = true,
            other => return Err(format!("what is {other}? See deploy/soak --help").into()),
        }
    }
    if !NODES.contains(&soak.nodes) {
        return Err(format!("{} to {} nodes, please", NODES.start(), NODES.end()).into());
    }
    Ok((soak, keep))
}

fn run(soak: &Soak, keep: bool) -> Outcome<bool> {
    // Two libraries each bring a TLS backend: say once which one counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = TempDir::with_prefix("commonweal-soak-")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(soak.run(folder.path()));
    let well = report.as_ref().is_ok_and(tests::soak::Report::ok);
    if keep || !well {
        eprintln!("soak: everything is kept in {}", folder.keep().display());
    }
    let report = report?;
    if let Some(first) = report.first_wrong() {
        eprintln!("soak: {} things are wrong, the first: {first}", report.wrong().len());
    }
    println!("{}", report.line());
    Ok(well)
}
