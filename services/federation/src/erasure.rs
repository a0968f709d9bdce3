//! Erasure of bodies. A header names the entries that its event erases: its home's own signed word, which every holder
//! carries out once the backbone has accepted it, and by which whoever comes later knows why a body is missing.

use chassis::event::Event;
use chassis::log;
use chassis::names::Space;
use proto::federation::{Acceptance, Have};
use sqlx::PgConnection;

use crate::governance;
use crate::meters::{link_meters, peer};
use crate::store::entries::{self, NewEntry, OwnEntry};
use crate::store::erasure;
use crate::store::nodes::Initiative;
use crate::store::order;
use crate::store::quarantine::{self, Finding, Standing};
use crate::wire::{self, ERASED_AT_MOST, FeedName, Runs};

/// The alarm that accepted bodies are missing which nobody erased.
pub const WITHHELD: &str = "WITHHELD";

/// Whether an accepted entry of this type may be without its body: another may have erased it. What others are judged by
/// is never erased.
pub fn may_be_missing(event_type: &str) -> bool {
    proto::erasable(event_type) && !governance::changes(event_type)
}

/// The resource by which a body is found again when it is to be erased; empty where it never is.
pub fn found_by(event: &Event) -> String {
    if may_be_missing(&event.type_name) { event.resource.to_string() } else { String::new() }
}

/// The entries of this node's feed that an event erases: all before it about the same resource, those of earlier runs
/// and those that are appended together with it among them.
///
/// # Errors
/// Where the database fails.
pub async fn named(
    connection: &mut PgConnection,
    feed: &FeedName,
    event: &Event,
    together: &[NewEntry],
) -> Result<Runs, sqlx::Error> {
    if !proto::erasing().contains(&event.type_name.as_str()) {
        return Ok(Runs::new());
    }
    let resource = event.resource.to_string();
    let mut named = erasure::about(connection, feed, &event.resource).await?;
    let together = together.iter().filter(|entry| entry.resource == resource);
    named.extend(together.map(|entry| (feed.epoch, entry.link.sequence)));
    let beyond = named.len().saturating_sub(usize::from(ERASED_AT_MOST));
    let mut runs = Runs::new();
    for (epoch, sequence) in named.split_off(beyond) {
        runs.entry(epoch).or_default().push(sequence);
    }
    Ok(runs)
}

/// Carries out what an accepted entry says is to be erased: in its feed, in what is handed to the rooms, and in
/// quarantine. Without its event, since it was erased itself, only notes what it says.
///
/// # Errors
/// Where the database fails.
pub async fn carry_out(
    connection: &mut PgConnection,
    feed: &FeedName,
    (sequence, header): (u64, &[u8]),
    event: Option<&Event>,
) -> Result<(), sqlx::Error> {
    let named = wire::erases(header);
    if named.is_empty() {
        return Ok(());
    }
    // A version that does not know the type yet follows the header: it knows no better.
    let erases = |event: &&Event| {
        let name = event.type_name.as_str();
        proto::erasing().contains(&name) || proto::telling(name).is_none()
    };
    let event = event.filter(erases);
    let mut erased = 0;
    for (epoch, entries) in named {
        let run = FeedName { epoch, ..feed.clone() };
        erased += erasure::erase(connection, &run, &entries, event.map(|event| &event.resource), sequence).await?;
    }
    if let Some(event) = event {
        log::erase_before(connection, &[event.id]).await?;
        erasure::empty_quarantine(connection, feed).await?;
        tracing::info!(space = %feed.space, origin = %feed.origin, sequence, erased, "erased what was told before");
    }
    Ok(())
}

/// The same for this node's own entries, on which the backbone gave its word.
///
/// # Errors
/// Where the database fails.
pub async fn carry_out_own(
    connection: &mut PgConnection,
    feed: &FeedName,
    acceptance: &Acceptance,
    entries: &[OwnEntry],
) -> Result<(), sqlx::Error> {
    for OwnEntry { sequence, header, .. } in entries.iter().filter(|entry| !is_refused(acceptance, entry.sequence)) {
        if wire::erases(header).is_empty() {
            continue;
        }
        let erasing = entries::range(connection, feed, *sequence, *sequence).await?;
        let event = erasing.first().and_then(|entry| wire::event(entry.link.body.as_ref()?).ok());
        carry_out(connection, feed, (*sequence, header), event.as_ref()).await?;
    }
    Ok(())
}

/// Whether the backbone said no to an entry.
pub fn is_refused(acceptance: &Acceptance, sequence: u64) -> bool {
    acceptance.refused.iter().any(|refused| refused.sequence == sequence)
}

/// Looks for bodies that are missing, in every space that is held as far as the backbone says it goes: there no entry can
/// follow that erased them. That is said loudly until it is mended; the order goes on.
///
/// # Errors
/// Where the database fails.
pub async fn look(connection: &mut PgConnection, initiative: &Initiative, have: &Have) -> Result<(), sqlx::Error> {
    for head in &have.spaces {
        let Ok(space) = Space::within(&head.initiative, &head.space) else { continue };
        let ours = space.initiative() == Some(&initiative.initiative);
        if ours && order::read(connection, &space).await?.position >= head.position {
            show(connection, initiative, &space).await?;
        }
    }
    Ok(())
}

async fn show(connection: &mut PgConnection, initiative: &Initiative, space: &Space) -> Result<(), sqlx::Error> {
    let node = &initiative.backbone;
    erasure::settle(connection, space, WITHHELD).await?;
    for missing in erasure::missing(connection, space).await? {
        if erasure::is_shown(connection, node, space, &missing, WITHHELD).await? {
            continue;
        }
        let reason = format!(
            "the bodies of {} accepted entries of {}, the first of them {}, did not come along, and no entry after them \
             erases them",
            missing.count, missing.origin, missing.first
        );
        tracing::error!(%space, origin = missing.origin, sequence = missing.first, reason, "bodies are withheld");
        link_meters().alarms.add(1, &peer(node));
        let (space, sequence) = (space.to_string(), missing.first);
        let finding = Finding {
            node,
            space,
            origin: missing.origin,
            sequence,
            code: WITHHELD,
            reason,
            standing: Standing::Alarm,
            bytes: &[],
        };
        quarantine::add(connection, &finding).await?;
    }
    Ok(())
}
