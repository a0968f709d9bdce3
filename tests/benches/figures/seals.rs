//! What digests and signatures cost an entry on its whole way, in full frames.

use std::time::Instant;

use bytes::Bytes;
use chassis::clock;
use chassis::event::{Actor, Event, Fact};
use chassis::identity::NodeKeys;
use chassis::names::{Reference, Space};
use federation::wire::{self, FeedName, GENESIS, Link};
use tempfile::TempDir;

use crate::figure::{Figure, Outcome, in_turns, median};
use crate::told::EVENT_BYTES;

const FRAMES: usize = 100;
const NODES: usize = 3;

/// Microseconds for an entry: its home hashes and seals, the backbone verifies and seals, a partner verifies both.
pub async fn figure(rounds: usize) -> Outcome<Figure> {
    let folder = TempDir::new()?;
    let keys = NodeKeys::open(folder.path())?;
    let space = Space::members(&Reference::born_on(keys.id()));
    let feed = FeedName { space: space.clone(), origin: keys.id().clone(), epoch: 1 };
    let data = Bytes::from(vec![b' '; EVENT_BYTES]);
    let fact = Fact {
        type_name: "commonweal.future.v1.Said".to_owned(),
        resource: Reference::born_on(keys.id()),
        space,
        data,
    };
    let event = Event::told(&fact, keys.id(), &Actor::default());
    let bytes = Bytes::from(event.encode());
    let entries = wire::FRAME_BYTES / (bytes.len() + 512);
    let ours = async || way(&keys, &feed, &event, &bytes, entries);
    let limit = async || Ok::<f64, Box<dyn std::error::Error + Send + Sync>>(hashing(&bytes, entries));
    let (ours, limit) = in_turns(rounds, ours, limit).await?;
    Ok(Figure { name: "federation_seals", ours: median(&ours), limit: median(&limit), unit: "us/entry" })
}

fn way(keys: &NodeKeys, feed: &FeedName, event: &Event, bytes: &Bytes, entries: usize) -> Outcome<f64> {
    let public = [keys.public()];
    let begun = Instant::now();
    for _ in 0..FRAMES {
        let mut links: Vec<Link> = Vec::with_capacity(entries);
        for sequence in (1..).take(entries) {
            let previous = links.last().map_or(GENESIS, |link| link.digest);
            links.push(wire::entry(feed, sequence, &previous, event, bytes.clone(), [7; 16]));
        }
        let head = links.last().ok_or("an empty frame")?.digest;
        let frame = wire::frame(&links, wire::seal(keys, &head));
        let chain = wire::read(&frame)?;
        chain.check(&public)?;
        let step = wire::accept(&chain, 1, &GENESIS, 0, clock::now(), std::iter::empty());
        let seal = wire::seal(keys, &step.digest);
        let step = wire::read_step(&step.bytes)?;
        wire::check_seal(&seal, &step.digest, keys.id(), &public)?;
        wire::read(&frame)?.check(&public)?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / (FRAMES * entries) as f64)
}

fn hashing(bytes: &Bytes, entries: usize) -> f64 {
    let begun = Instant::now();
    for _ in 0..FRAMES * entries * NODES {
        std::hint::black_box(wire::digest(std::hint::black_box(bytes)));
    }
    begun.elapsed().as_secs_f64() * 1e6 / (FRAMES * entries) as f64
}
