//! What the demo leaves behind.

use std::process::{Command, Stdio};

use node::client::announced;
use node::demo::SKETCHES;
use node::error::NodeError;
use node::fleet::until;

use super::PROGRAM;

/// Processes that work in a folder, by what they were started with.
fn at_work(folder: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(folder)).collect()
}

#[tokio::test]
async fn a_demo_that_is_killed_leaves_nothing_running() {
    let folder = tempfile::TempDir::new().unwrap();
    let name = folder.path().to_str().unwrap();
    let mut demo = Command::new(PROGRAM)
        .args(["demo", "--data-dir", name, "--files"])
        .arg(tests::school_files())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("three nodes", async || {
        let up = SKETCHES.iter().all(|sketch| announced(&folder.path().join(sketch.name)).is_some());
        Ok(up.then_some(()))
    })
    .await
    .unwrap();
    assert!(at_work(name).len() > SKETCHES.len());
    demo.kill().unwrap();
    demo.wait().unwrap();
    let ended = until("everything to end", async || Ok::<_, NodeError>(at_work(name).is_empty().then_some(()))).await;
    ended.unwrap_or_else(|error| panic!("{error}: {:?}", at_work(name)));
}
