//! The figures: what the house does, each beside what the machine under it could do, measured in one run.

mod batch;
mod calls;
mod catch_up;
mod cpu;
mod figure;
mod lag;
mod nodes;
mod observations;
mod posted;
mod raw;
mod receivers;
mod road;
mod seals;
mod standing;
mod told;
mod transit;
mod writes;

use std::process::ExitCode;

use figure::{Figure, Outcome};
use posted::Posting;
use told::Opening;

const HELP: &str = "\
Usage: deploy/bench [--rounds N] [NAME ...]

Prints one JSON line a figure, {\"name\", \"ours\", \"limit\", \"unit\", \"ratio\"}, where ratio = ours / limit. Without a NAME all of
them but catch_up_100000. A NAME may be the beginning of several, as in `writes`.

`ours` is a whole node at work, called as anybody calls it: gRPC with a token, the rule of the call, the request id, the event
in the log, the tables, the answer; and behind it the relay, the other rooms and the border. `limit` is the bare machine
beside it: the same rows with the same indexes and constraints in the same Postgres, or the same bytes through the same
hub. Writes and batches are durable alike on both sides (fsync on). The limit of the federation figures is the road alone,
which promises no disk; ours waits for the disk at every home and border, not in the room at the end, which would hear
again what a crash took back. They take turns, ours, limit, ours, limit, N times (5), and each is the median of its turns.
Before a turn of the limit the node has come to rest, so what is still to be relayed after a turn of ours is no part of it.
All on loopback, the nodes of the federation figures in one process. Absolute numbers belong to the machine; only the
ratio can be compared, and only with that of a machine as quiet.

Rates (per second: more is better, the ratio is at most about 1):
  calls_1               GetMeasure calls of 1 caller: token, rule, one read, the answer.
                        Limit: a server without anything behind it that gives the same bytes back.
  calls_32              The same with 32 callers at once, on one connection.
  writes_1              OpenSubmission calls of 1 caller: one event of 1 KiB and one submission, four rows in one commit.
                        Limit: the same four rows in one statement and one commit, on 1 connection.
  writes_32             The same with 32 callers at once. Limit: 32 connections.
  messages_8            PostMessage calls of 8 callers at once: a message of a few sentences in one channel, with its words
                        for the search; five rows in one commit.
                        Limit: the same five rows in one statement and one commit, on 8 connections.
  batch_observations    Observations by SubmitObservations with 2,000 in each call, one call at a time: checked, signed for,
                        logged in events of up to 96 KiB, and put in the table of observations.
                        Limit: one INSERT ... SELECT unnest of the same 2,000 rows a commit, on 1 connection.
  federation_entries    Events of 1 KiB, 4,000 at a time, from their commit at alpha to their commit in the room of beta, by
                        the backbone: sealed, verified, judged, ordered, verified again and applied on each node.
                        Limit: 4,000 messages of 1 KiB, one event each, through two mailboxes of the same hub: published
                        to a stream in one account, taken out, published to a stream in another, taken out, acknowledged.

Processor time of the same entries (microseconds an entry, of both cores: less is better, the ratio is the share). Limit: all
stages together:
  federation_cpu_nodes  The three nodes: their rooms, relays and borders, with digests and signatures.
  federation_cpu_brokers
                        The nodes' brokers and the hub.
  federation_cpu_postgres_alpha, _backbone, _beta
                        What Postgres does for each of them.
  federation_cpu_postgres_server
                        What it does for all of them: the log on the disk, checkpoints.

  federation_seals      Of that the digests and signatures, on the whole way in full frames, without anything else: the home
                        hashes and seals, the backbone verifies and seals, a partner verifies both.
                        Limit: hashing the same events once on each of the three.

Lag (milliseconds: less is better, the ratio is at least 1), at 300 events a second:
  federation_lag_p50    From an event's row being written in alpha's room, before its commit, to when a reader sees it
                        committed in beta's room. Limit: the same bytes through the two mailboxes, sent one at a time.
  federation_lag_p99    The same, of the slowest hundredth.

Catching up (seconds: less is better, the ratio is at least about 1):
  catch_up_1000         A partner is cut off from the hub while the backbone tells so many events of 1 KiB: from the moment
                        its connection reaches the hub again to the last of them in its room, greeting included.
                        Limit: as many messages of 1 KiB through two mailboxes.
  catch_up_100000       The same, once, and only where it is named: it takes minutes to prepare.

Standing by (one process of a node that runs everything, with Postgres beside it):
  start                 Seconds from the start of the process to its first answer, on tables that are there already; its
                        own broker, which it starts and waits for, included. Limit: that broker alone.
  idle_memory           MiB that the process holds 5 s after its start, without Postgres and broker. Limit: its broker.

Fifty small nodes linked to one backbone, which runs as a process of its own; each verifies and confirms what it is sent, and
says 20 entries of 1 KiB a minute, for one minute:
  receivers_50_memory   MiB that the backbone's process holds then, without Postgres, broker and hub. Limit: its broker and
                        its hub.
  receivers_50_lag_p99  Milliseconds from an entry being said by one of them to another having verified it, of the slowest
                        hundredth of 49,000. Limit: messages of 1 KiB through two mailboxes of the same hub, 300 a second.
";

/// What one figure or several of one measurement are called.
const NAMES: &[&str] = &[
    "calls_1",
    "calls_32",
    "writes_1",
    "writes_32",
    "messages_8",
    "batch_observations",
    "federation_entries",
    "federation_cpu_nodes",
    "federation_cpu_brokers",
    "federation_cpu_postgres_alpha",
    "federation_cpu_postgres_backbone",
    "federation_cpu_postgres_beta",
    "federation_cpu_postgres_server",
    "federation_seals",
    "federation_lag_p50",
    "federation_lag_p99",
    "catch_up_1000",
    "catch_up_100000",
    "start",
    "idle_memory",
    "receivers_50_memory",
    "receivers_50_lag_p99",
];

/// Takes minutes to prepare: only where it is asked for.
const LONG: &str = "catch_up_100000";

/// What is asked for.
struct Asked {
    rounds: usize,
    names: Vec<&'static str>,
}

impl Asked {
    fn any(&self, beginning: &str) -> bool {
        self.names.iter().any(|name| name.starts_with(beginning))
    }

    fn print(&self, figures: &[Figure]) {
        figures.iter().filter(|figure| self.names.contains(&figure.name)).for_each(Figure::print);
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match asked(&words).and_then(|asked| run(&asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn asked(words: &[String]) -> Outcome<Asked> {
    let mut asked = Asked { rounds: 5, names: Vec::new() };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            // What `cargo bench` says to every bench.
            "--bench" => {}
            "--rounds" => {
                asked.rounds = words.next().and_then(|number| number.parse().ok()).ok_or("--rounds needs a number")?
            }
            name => {
                let before = asked.names.len();
                asked.names.extend(NAMES.iter().filter(|known| known.starts_with(name)));
                if asked.names.len() == before {
                    return Err(format!("there is no figure {name}, only {}", NAMES.join(", ")).into());
                }
            }
        }
    }
    if asked.names.is_empty() {
        asked.names = NAMES.iter().filter(|name| **name != LONG).copied().collect();
    }
    Ok(asked)
}

fn run(asked: &Asked) -> Outcome<()> {
    // Two libraries each bring a TLS backend: say once which one counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(all(asked))
}

/// Figures of one node without partners.
async fn of_one_node(asked: &Asked) -> Outcome<()> {
    let alone = nodes::alone().await?;
    for (name, callers) in [("calls_1", 1), ("calls_32", 32)] {
        if asked.names.contains(&name) {
            asked.print(&[calls::figure(&alone, name, callers, asked.rounds).await?]);
        }
    }
    if asked.any("writes") {
        let opening = Opening::at(alone.node(0)?, &alone.measure).await?;
        for (name, callers) in [("writes_1", 1), ("writes_32", 32)] {
            if asked.names.contains(&name) {
                let names = (name, "writes/s");
                asked.print(&[writes::figure(&alone, &opening, names, callers, asked.rounds).await?]);
            }
        }
    }
    if asked.any("messages") {
        let (posting, names) = (Posting::at(&alone).await?, ("messages_8", "messages/s"));
        asked.print(&[writes::figure(&alone, &posting, names, 8, asked.rounds).await?]);
    }
    if asked.any("batch") {
        asked.print(&[batch::figure(&alone, asked.rounds).await?]);
    }
    alone.close().await
}

async fn all(asked: &Asked) -> Outcome<()> {
    if ["calls", "writes", "messages", "batch"].iter().any(|beginning| asked.any(beginning)) {
        of_one_node(asked).await?;
    }
    if asked.any("federation_seals") {
        asked.print(&[seals::figure(asked.rounds).await?]);
    }
    if asked.any("federation") && asked.names != ["federation_seals"] {
        let coalition = nodes::coalition().await?;
        if asked.any("federation_entries") || asked.any("federation_cpu") {
            asked.print(&transit::figures(&coalition, asked.rounds).await?);
        }
        if asked.any("federation_lag") {
            asked.print(&lag::figures(&coalition, asked.rounds).await?);
        }
        coalition.close().await?;
    }
    if asked.any("catch_up") {
        let mut distant = nodes::distant().await?;
        for (name, entries, turns) in [("catch_up_1000", 1000, asked.rounds), ("catch_up_100000", 100_000, 1)] {
            if asked.names.contains(&name) {
                asked.print(&[catch_up::figure(&mut distant, name, entries, turns).await?]);
            }
        }
        distant.coalition.close().await?;
    }
    if asked.any("start") || asked.any("idle") {
        asked.print(&standing::figures(asked.rounds).await?);
    }
    if asked.any("receivers") {
        asked.print(&receivers::figures().await?);
    }
    Ok(())
}
