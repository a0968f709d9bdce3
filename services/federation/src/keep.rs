//! What the backbone and every receiver do alike with a frame that has its place: keep the entries, fold what the
//! border itself must know, and hand the events on to the rooms of this node.

use std::collections::{BTreeMap, BTreeSet};

use chassis::event::{Event, Place};
use chassis::log::{self, Line};
use prost::Message;
use proto::federation::{Acceptance, EntryHeader};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::border::{Border, BorderError};
use crate::domain::{self, Governance, Refusal};
use crate::store::entries::{self, NewEntry, OwnEntry};
use crate::store::feeds::{self, Feed};
use crate::store::nodes::Initiative;
use crate::verdict::{self, Told};
use crate::wire::{self, Chain, Link};
use crate::{erasure, governance};

/// The verdict on each entry of a chain, in order.
pub type Verdicts = Vec<(u64, Result<Event, Refusal>)>;

/// A chain with its place and verdicts.
pub struct Kept<'a> {
    /// In which initiative.
    pub initiative: &'a Initiative,
    /// The entries.
    pub chain: &'a Chain,
    /// The backbone's word.
    pub acceptance: &'a Acceptance,
    /// The same, entry by entry.
    pub verdicts: Verdicts,
    /// The place in the order.
    pub place: Place,
}

/// How far the feed of a chain is held, and which of the events in the chain stand in an accepted entry already.
///
/// # Errors
/// Where the database fails.
pub async fn held(
    connection: &mut PgConnection,
    chain: &Chain,
    backbone: bool,
) -> Result<(Feed, BTreeSet<Uuid>), sqlx::Error> {
    let read = |link: &Link| Some(domain::read(&chain.feed, link, backbone).ok()?.id);
    let ids: Vec<Uuid> = chain.links.iter().filter_map(read).collect();
    feeds::held(connection, &chain.feed, &ids).await
}

/// Judges every entry; `told` are those of the events that were told before.
pub fn judge(chain: &Chain, governance: &Governance, mut told: BTreeSet<Uuid>) -> Verdicts {
    let judge = |link: &Link| {
        let verdict = domain::judge(&chain.feed, link, governance, false)
            .and_then(|event| if told.insert(event.id) { Ok(event) } else { Err(Refusal::DuplicateEvent) });
        (link.sequence, verdict)
    };
    chain.links.iter().map(judge).collect()
}

/// Keeps the entries of another node, and how far their feed is held and judged.
///
/// # Errors
/// Where the database fails.
pub async fn entries(connection: &mut PgConnection, kept: &Kept<'_>) -> Result<(), sqlx::Error> {
    let chain = kept.chain;
    let reason = |sequence| kept.acceptance.refused.iter().find(|refused| refused.sequence == sequence);
    let new = chain.links.iter().zip(&kept.verdicts).map(|(link, (_, verdict))| NewEntry {
        link: link.clone(),
        event_id: verdict.as_ref().ok().map(|event| event.id),
        resource: resource(link, verdict),
        refused: reason(link.sequence).map(|refused| refused.reason.clone()),
        told: None,
    });
    let feed = Feed { sequence: chain.last(), digest: chain.head(), judged: kept.acceptance.to, closed: false };
    entries::append(connection, &chain.feed, &feed, &new.collect::<Vec<_>>()).await
}

/// Notes what the backbone, which this node is, said of its own entries: they are kept already.
///
/// # Errors
/// Where the database fails.
pub async fn own_entries(connection: &mut PgConnection, kept: &Kept<'_>) -> Result<(), sqlx::Error> {
    for refused in &kept.acceptance.refused {
        entries::refuse(connection, &kept.chain.feed, refused.sequence, &refused.reason).await?;
    }
    feeds::judged_to(connection, &kept.chain.feed, kept.acceptance.to).await
}

/// What was refused has a body, too, and is erased with the rest of its resource.
fn resource(link: &Link, verdict: &Result<Event, Refusal>) -> String {
    let event = || wire::event(link.body.as_ref()?).ok();
    match verdict {
        Ok(event) => erasure::found_by(event),
        Err(_) => event().as_ref().map(erasure::found_by).unwrap_or_default(),
    }
}

/// The lines that tell the rooms accepted events that they do not know yet.
pub fn lines(kept: &Kept<'_>) -> Vec<Line> {
    let accepted = kept.chain.links.iter().zip(&kept.verdicts).filter_map(|(link, (_, verdict))| {
        let event = Event { accepted: Some(kept.place), ..verdict.as_ref().ok()?.clone() };
        Some(Line::folded(&event, link.body.as_ref()?.event.to_vec()))
    });
    accepted.collect()
}

/// Folds what the border itself must know, tells the rooms, and erases what is to be erased.
///
/// # Errors
/// Where the database fails.
pub async fn hand_on(connection: &mut PgConnection, kept: &Kept<'_>, lines: &[Line]) -> Result<(), BorderError> {
    for (link, (_, verdict)) in kept.chain.links.iter().zip(&kept.verdicts) {
        let (Ok(event), Some(_)) = (verdict, &link.body) else { continue };
        let event = Event { accepted: Some(kept.place), ..event.clone() };
        governance::fold(connection, kept.initiative, &event).await?;
    }
    log::append_told(connection, crate::NAME, lines).await?;
    for (link, (_, verdict)) in kept.chain.links.iter().zip(&kept.verdicts) {
        if !erasure::is_refused(kept.acceptance, link.sequence) {
            let entry = (link.sequence, link.header.as_ref());
            erasure::carry_out(connection, &kept.chain.feed, entry, verdict.as_ref().ok()).await?;
        }
    }
    Ok(())
}

/// The line that tells the rooms what the backbone, which this node is, said of entries that a room told just now; none
/// of them is beyond the number in its sequence.
pub fn judged_now(border: &Border, kept: &Kept<'_>, (room, number): (&str, u64)) -> Line {
    let id = |(link, (_, verdict)): (&Link, &(u64, Result<Event, Refusal>))| match verdict {
        Ok(event) => Some((link.sequence, event.id)),
        Err(_) => Some((link.sequence, wire::event(link.body.as_ref()?).ok()?.id)),
    };
    let events: Vec<(u64, Uuid)> = kept.chain.links.iter().zip(&kept.verdicts).filter_map(id).collect();
    let types = kept.chain.links.iter().map(|link| link.event_type.clone()).collect();
    let told = Told { by: vec![(room.to_owned(), number)], types };
    verdict::line(border, kept.acceptance, &events, told, kept.place)
}

/// The line that tells the rooms what the backbone said of this node's own entries: all those that it covers.
pub fn judged(border: &Border, acceptance: &Acceptance, entries: &[OwnEntry], place: Place) -> Line {
    let event_type = |entry: &OwnEntry| Some(EntryHeader::decode(entry.header.clone()).ok()?.event_type);
    let events: Vec<(u64, Uuid)> = entries.iter().filter_map(|entry| Some((entry.sequence, entry.event_id?))).collect();
    let mut by = BTreeMap::<String, u64>::new();
    for (room, number) in entries.iter().filter_map(|entry| entry.told.clone()) {
        by.entry(room).and_modify(|highest| *highest = number.max(*highest)).or_insert(number);
    }
    let told = Told { by: by.into_iter().collect(), types: entries.iter().filter_map(event_type).collect() };
    verdict::line(border, acceptance, &events, told, place)
}
