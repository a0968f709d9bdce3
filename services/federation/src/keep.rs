//! What the backbone and every receiver do alike with a frame that has its place: keep the entries, fold what the
//! border itself must know, and hand the events on to the rooms of this node.

use std::collections::BTreeSet;

use chassis::event::{Event, Place};
use chassis::log::{self, Line};
use prost::Message;
use proto::federation::{Acceptance, EntryHeader};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::border::{Border, BorderError};
use crate::domain::{self, Governance, Refusal};
use crate::store::entries::{self, NewEntry};
use crate::store::feeds;
use crate::store::nodes::Initiative;
use crate::verdict::{self, Told};
use crate::wire::{self, Chain, FeedName, Link};
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

/// Judges every entry. Of this node's own entries none was told before: they were just made.
///
/// # Errors
/// Where the database fails.
pub async fn judge(
    connection: &mut PgConnection,
    chain: &Chain,
    governance: &Governance,
    ours: bool,
) -> Result<Verdicts, BorderError> {
    let mut told = match ours {
        true => BTreeSet::new(),
        false => told_before(connection, chain, governance.backbone).await?,
    };
    let judge = |link: &Link| {
        let verdict = domain::judge(&chain.feed, link, governance, false).and_then(|event| {
            let again = !ours && !told.insert(event.id);
            if again { Err(Refusal::DuplicateEvent) } else { Ok(event) }
        });
        (link.sequence, verdict)
    };
    Ok(chain.links.iter().map(judge).collect())
}

/// Which of the events in a chain stand in an accepted entry already.
///
/// # Errors
/// Where the database fails.
pub async fn told_before(
    connection: &mut PgConnection,
    chain: &Chain,
    backbone: bool,
) -> Result<BTreeSet<Uuid>, sqlx::Error> {
    let read = |link: &Link| Some(domain::read(&chain.feed, link, backbone).ok()?.id);
    let ids: Vec<Uuid> = chain.links.iter().filter_map(read).collect();
    Ok(entries::told_before(connection, &ids).await?.into_iter().collect())
}

/// Keeps the entries, and how far their feed is held and judged.
///
/// # Errors
/// Where the database fails.
pub async fn entries(border: &Border, connection: &mut PgConnection, kept: &Kept<'_>) -> Result<(), BorderError> {
    let chain = kept.chain;
    let reason = |sequence| kept.acceptance.refused.iter().find(|refused| refused.sequence == sequence);
    let mut feed = feeds::lock(connection, &chain.feed).await?;
    if chain.feed.origin == *border.node() {
        for refused in &kept.acceptance.refused {
            entries::refuse(connection, &chain.feed, refused.sequence, &refused.reason).await?;
        }
    } else {
        let new = chain.links.iter().zip(&kept.verdicts).map(|(link, (_, verdict))| NewEntry {
            link: link.clone(),
            event_id: verdict.as_ref().ok().map(|event| event.id),
            resource: resource(link, verdict),
            refused: reason(link.sequence).map(|refused| refused.reason.clone()),
            told: None,
        });
        entries::append(connection, &chain.feed, &new.collect::<Vec<_>>()).await?;
        feed.sequence = chain.last();
        feed.digest = chain.head();
    }
    feed.judged = kept.acceptance.to;
    Ok(feeds::advance(connection, &chain.feed, &feed).await?)
}

/// What was refused has a body, too, and is erased with the rest of its resource.
fn resource(link: &Link, verdict: &Result<Event, Refusal>) -> String {
    let event = || wire::event(link.body.as_ref()?).ok();
    match verdict {
        Ok(event) => erasure::found_by(event),
        Err(_) => event().as_ref().map(erasure::found_by).unwrap_or_default(),
    }
}

/// Folds what the border itself must know, tells the rooms, and erases what is to be erased. `told_here`: the border itself told these events, so
/// the rooms do not know them yet, although they are this node's own.
///
/// # Errors
/// Where the database fails.
pub async fn hand_on(
    border: &Border,
    connection: &mut PgConnection,
    kept: &Kept<'_>,
    told_here: bool,
) -> Result<(), BorderError> {
    let known_to_rooms = kept.chain.feed.origin == *border.node() && !told_here;
    let mut lines = Vec::new();
    for (link, (_, verdict)) in kept.chain.links.iter().zip(&kept.verdicts) {
        let (Ok(event), Some(body)) = (verdict, &link.body) else { continue };
        let event = Event { accepted: Some(kept.place), ..event.clone() };
        governance::fold(connection, kept.initiative, &event).await?;
        if !known_to_rooms {
            lines.push(Line::folded(&event, body.event.to_vec()));
        }
    }
    if known_to_rooms {
        let (from, to) = (kept.acceptance.from, kept.acceptance.to);
        let entries = entries::range(connection, &kept.chain.feed, from, to).await?;
        lines.push(judged(border, connection, &kept.chain.feed, kept.acceptance, &entries, kept.place).await?);
    }
    log::append_told(connection, crate::NAME, &lines).await?;
    for (link, (_, verdict)) in kept.chain.links.iter().zip(&kept.verdicts) {
        if !erasure::is_refused(kept.acceptance, link.sequence) {
            let entry = (link.sequence, link.header.as_ref());
            erasure::carry_out(connection, &kept.chain.feed, entry, verdict.as_ref().ok()).await?;
        }
    }
    Ok(())
}

/// The line that tells the rooms what the backbone said of this node's own entries: all those that it covers.
///
/// # Errors
/// Where the database fails.
pub async fn judged(
    border: &Border,
    connection: &mut PgConnection,
    feed: &FeedName,
    acceptance: &Acceptance,
    entries: &[NewEntry],
    place: Place,
) -> Result<Line, BorderError> {
    let event_type = |entry: &NewEntry| Some(EntryHeader::decode(entry.link.header.clone()).ok()?.event_type);
    let types = entries.iter().filter_map(event_type).collect();
    let events: Vec<(u64, Uuid)> =
        entries.iter().filter_map(|entry| Some((entry.link.sequence, entry.event_id?))).collect();
    let by = entries::told_by(connection, feed, acceptance.from, acceptance.to).await?;
    Ok(verdict::line(border, acceptance, &events, Told { by, types }, place))
}
