//! The chains: every header follows the one before it, every body is the one its header names, and what was accepted and
//! has no body was erased by a later header.

use std::collections::{BTreeMap, BTreeSet};

use chassis::event::Event;
use chassis::names::Space;
use federation::wire::{self, FORMAT, GENESIS, Runs};
use prost::Message;
use proto::federation::{EntryBody, EntryHeader};
use sqlx::PgConnection;

use super::rows::{self, Entry, Feed};
use super::{Check, Stop, Verifier, Wrong, entries, unsigned};
use crate::words;

const CHECK: &str = "chains";

#[derive(Default)]
struct Count {
    entries: u64,
    without_body: u64,
}

/// What a feed's entries must still account for, from one to the next.
struct Walk {
    /// Sequence and digest of the last header.
    before: (i64, Vec<u8>),
    /// Accepted entries without body, by run, that no accepted entry after them erased yet.
    missing: BTreeSet<(i32, i64)>,
}

impl Walk {
    fn entry(&mut self, feed: &Feed, entry: Entry) {
        if entry.refused.is_none() {
            if entry.event.is_none() {
                self.missing.insert((feed.epoch, entry.sequence));
            }
            // One that waits for its verdict erases nothing.
            let erases = if entry.sequence <= feed.judged { wire::erases(&entry.header) } else { Runs::new() };
            for (epoch, entries) in erases {
                let epoch = i32::try_from(epoch).unwrap_or(i32::MAX);
                for erased in entries {
                    self.missing.remove(&(epoch, i64::try_from(erased).unwrap_or(i64::MAX)));
                }
            }
        }
        self.before = (entry.sequence, entry.digest);
    }
}

impl Verifier<'_> {
    pub(super) async fn chains(&self, connection: &mut PgConnection) -> Result<Check, Stop> {
        let (total, _) = rows::totals(connection).await?;
        self.watch.begin("chains of entries", unsigned(total));
        let feeds = rows::feeds(connection).await?;
        let mut count = Count::default();
        for runs in feeds.chunk_by(|one, next| (&one.space, &one.origin) == (&next.space, &next.origin)) {
            // Each run of a feed follows the last header of the run before.
            let mut walk = Walk { before: (0, GENESIS.to_vec()), missing: BTreeSet::new() };
            for feed in runs {
                walk.before.0 = 0;
                self.chain(connection, feed, &mut walk, &mut count).await?;
            }
            let run_of = |epoch: i32| runs.iter().find(|feed| feed.epoch == epoch);
            if let Some((feed, sequence)) = walk.missing.first().and_then(|(epoch, one)| Some((run_of(*epoch)?, *one)))
            {
                let what = "the body is missing, and no accepted entry after it erased it";
                return Err(feed.wrong(CHECK, Some(sequence), what).into());
            }
        }
        if let Some((space, origin, sequence)) = rows::stray(connection).await? {
            let what = "an entry that its feed knows nothing of".to_owned();
            let place = (Some(space), Some(origin), Some(sequence));
            return Err(Wrong {
                check: CHECK,
                space: place.0,
                origin: place.1,
                sequence: place.2,
                what,
                ..Wrong::default()
            }
            .into());
        }
        Ok(held(&feeds, &count))
    }

    async fn chain(
        &self,
        connection: &mut PgConnection,
        feed: &Feed,
        walk: &mut Walk,
        count: &mut Count,
    ) -> Result<(), Stop> {
        let space: Space =
            feed.space.parse().map_err(|_| feed.wrong(CHECK, None, "the name of the space is not one"))?;
        loop {
            let page = rows::entries(connection, feed, walk.before.0).await?;
            let done = unsigned(i64::try_from(page.len()).unwrap_or(0));
            if page.is_empty() {
                break;
            }
            for entry in page {
                check(feed, &space, &walk.before, &entry)?;
                count.entries += 1;
                count.without_body += u64::from(entry.event.is_none());
                walk.entry(feed, entry);
            }
            self.watch.done(done);
        }
        let before = &walk.before;
        if before.0 < feed.sequence {
            return Err(missing(feed, before.0 + 1).into());
        }
        // What lies beyond the feed's own word is found as a stray entry.
        if before.0 == feed.sequence && before.1 != feed.digest {
            let what = "the feed's digest is not that of its last header";
            return Err(feed.wrong(CHECK, Some(feed.sequence), what).into());
        }
        Ok(())
    }
}

fn missing(feed: &Feed, sequence: i64) -> Wrong {
    feed.wrong(CHECK, Some(sequence), format!("the entry is missing; the feed is held up to {}", feed.sequence))
}

fn check(feed: &Feed, space: &Space, before: &(i64, Vec<u8>), entry: &Entry) -> Result<(), Box<Wrong>> {
    let wrong = |what: &str| feed.wrong(CHECK, Some(entry.sequence), what);
    if entry.sequence != before.0 + 1 {
        return Err(missing(feed, before.0 + 1).into());
    }
    if wire::digest(&entry.header) != *entry.digest {
        return Err(wrong("the header is not the one whose digest was kept").into());
    }
    let header = EntryHeader::decode(entry.header.as_slice()).map_err(|_| wrong("the header cannot be read"))?;
    let initiative = space.initiative().map(ToString::to_string).unwrap_or_default();
    let same = header.format == FORMAT
        && header.initiative == initiative
        && header.space == wire::within(space)
        && header.origin == feed.origin
        && i64::from(header.epoch) == i64::from(feed.epoch)
        && i64::try_from(header.sequence) == Ok(entry.sequence);
    if !same {
        return Err(wrong("the header belongs to another place").into());
    }
    if header.previous.as_ref() != before.1 {
        return Err(wrong("the header does not follow the one before it").into());
    }
    body(feed, entry, &header)
}

fn body(feed: &Feed, entry: &Entry, header: &EntryHeader) -> Result<(), Box<Wrong>> {
    let wrong = |what: &str| feed.wrong(CHECK, Some(entry.sequence), what);
    let (event, salt) = match (&entry.event, &entry.salt) {
        (Some(event), Some(salt)) => (event.clone(), salt.clone()),
        (None, None) => return Ok(()),
        _ => return Err(wrong("body and salt are not erased together").into()),
    };
    let body = EntryBody { event: event.into(), salt: salt.into() };
    if wire::body_digest(&body) != header.body_digest.as_ref() {
        return Err(wrong("the body is not the one that the header names").into());
    }
    // What is no event was refused, and says so.
    match Event::decode(&body.event) {
        Ok(event) if entry.event_id.is_some_and(|id| id != event.id) => {
            Err(wrong("the event's id is another one").into())
        }
        Ok(_) if entry.event_id.is_none() && entry.refused.is_none() => Err(wrong("the event's id is missing").into()),
        Err(_) if entry.refused.is_none() => Err(wrong("the body is not an event").into()),
        _ => Ok(()),
    }
}

fn held(feeds: &[Feed], count: &Count) -> Check {
    let nodes = feeds.iter().map(|feed| feed.origin.as_str()).collect::<BTreeSet<_>>().len() as u64;
    let feeds = feeds.len() as u64;
    let without = match count.without_body {
        0 => String::new(),
        number => format!("; {} held without a body, refused or erased", entries(number)),
    };
    Check {
        check: CHECK,
        counts: BTreeMap::from([
            ("entries", count.entries),
            ("feeds", feeds),
            ("nodes", nodes),
            ("entries_without_body", count.without_body),
        ]),
        words: format!(
            "{} in {} of {}: every header follows the one before, every body is the one its header names or was erased by a later one{without}",
            entries(count.entries),
            words::count(feeds, "feed", "feeds"),
            words::count(nodes, "node", "nodes"),
        ),
    }
}
