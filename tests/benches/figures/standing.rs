//! What a node costs while nothing happens, and how soon it answers after its start.

use std::path::Path;
use std::time::{Duration, Instant};

use chassis::embedded::{Nats, NatsConfig, NatsOptions};
use node::fleet::{Coalition, Sketch};
use tempfile::TempDir;

use crate::figure::{Figure, Outcome, median};

/// The node as a process.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_commonweal-on-stage");
const ALPHA: Sketch = Sketch { name: "alpha", title: "alpha", backbone: false };
/// What was busy with the start has come to rest.
const REST: Duration = Duration::from_secs(5);
const MIB: f64 = 1024.0 * 1024.0;

/// Seconds from the start of the process to its first answer, on tables that are there already; beside its broker alone.
/// And MiB of memory that the process holds at rest, beside those of its broker.
pub async fn figures(rounds: usize) -> Outcome<[Figure; 2]> {
    let folder = TempDir::new()?;
    let mut alpha = Coalition::settle(folder.path(), Path::new(PROGRAM), &[ALPHA], true).await?;
    alpha.start().await?;
    let (mut ours, mut limits) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        alpha.stop_node(ALPHA.name).await?;
        let begun = Instant::now();
        alpha.start_node(ALPHA.name).await?;
        ours.push(begun.elapsed().as_secs_f64());
        limits.push(broker().await?);
    }
    tokio::time::sleep(REST).await;
    let node = alpha.node(ALPHA.name)?.process().ok_or("the node does not run")?;
    let memory = resident(node)?;
    let broker = descendants(node)?.into_iter().map(resident).sum::<Outcome<f64>>()?;
    alpha.stop().await?;
    Ok([
        Figure { name: "start", ours: median(&ours), limit: median(&limits), unit: "s" },
        Figure { name: "idle_memory", ours: memory, limit: broker, unit: "MiB" },
    ])
}

async fn broker() -> Outcome<f64> {
    let folder = TempDir::new()?;
    let begun = Instant::now();
    let nats = Nats::start(NatsOptions { dir: folder.path().join("nats"), config: NatsConfig::Local { port: None } });
    let nats = nats.await?;
    let seconds = begun.elapsed().as_secs_f64();
    nats.stop().await?;
    Ok(seconds)
}

/// Memory of a process, as the system counts it.
pub fn resident(process: u32) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the process has no memory")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / MIB)
}

/// The processes that a process has started, and those that they have.
pub fn descendants(process: u32) -> Outcome<Vec<u32>> {
    let mut found = Vec::new();
    // Threads and processes end while one looks: they have no children any more.
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else { return Ok(found) };
    for task in tasks.flatten() {
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in text.split_whitespace() {
            let child = child.parse()?;
            found.push(child);
            found.extend(descendants(child)?);
        }
    }
    Ok(found)
}
