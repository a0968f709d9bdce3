//! With which key a node seals, and how others come to know a new one.
//!
//! A new key stands in the node's file, signed by the one before it (`chassis::identity`). The node tells each of its
//! initiatives of it in an entry of the members space that the key before still seals. From the position at which that is
//! accepted on, the node seals with the new key, and a seal of the former one counts no more; what was judged before
//! stays as it is. While the change is on the road nothing behind it is sent, so nothing is sealed with a key that has
//! ended when it arrives. What a crash broke off goes on by itself: what is left to do follows from the file and from the
//! order.

mod backbone;
mod sealing;
mod standing;
mod tending;

pub use backbone::{BackboneKeys, KeptKeys};
pub use sealing::{Sealing, seal, sealing};
pub use standing::{Standing, standing};
pub use tending::{carry_on, tend};

use chassis::event::{Event, Place};
use prost::Message;
use proto::federation::EntryHeader;
use sqlx::PgConnection;

use crate::border::BorderError;
use crate::domain::Governance;
use crate::domain::succession::{self, Shown};
use crate::store::entries::{self, OwnEntry};
use crate::store::key_chains;
use crate::store::key_changes;
use crate::store::nodes::{self, Initiative};
use crate::wire::{self, Chain, Step};
use crate::{erasure, governance};

/// Adds the backbone's keys to what its entries are judged by, where one of them tells of a new one.
///
/// # Errors
/// Where the database fails.
pub async fn judged_by(
    connection: &mut PgConnection,
    initiative: &Initiative,
    chain: &Chain,
    position: u64,
    governance: Governance,
) -> Result<Governance, sqlx::Error> {
    if !governance.backbone || !chain.links.iter().any(|link| succession::is_change(&link.event_type)) {
        return Ok(governance);
    }
    let keys = BackboneKeys::read(connection, initiative).await?.current(position).to_vec();
    Ok(Governance { keys, ..governance })
}

/// Folds that a node has a new key. What does not go on from the keys it had changes nothing: alike on every node.
///
/// # Errors
/// Where the database fails.
pub async fn fold(
    connection: &mut PgConnection,
    initiative: &Initiative,
    event: &Event,
    position: u64,
) -> Result<(), sqlx::Error> {
    let Ok(Some(Shown { heads: keys, keys: chain })) = succession::shown(event) else { return Ok(()) };
    let reference = &initiative.initiative;
    if event.home == initiative.backbone {
        let before = BackboneKeys::read(connection, initiative).await?;
        if !succession::goes_on(before.current(position), &keys) {
            return Ok(());
        }
        key_changes::of_backbone(connection, reference, position, &keys).await?;
    } else {
        let before = nodes::node_at(connection, reference, &event.home, position).await?;
        let Some(before) = before.filter(|before| succession::goes_on(&before.keys, &keys)) else { return Ok(()) };
        nodes::change_keys(connection, reference, &nodes::Node { keys, ..before }, position).await?;
    }
    key_chains::keep(connection, &event.home, &chain).await
}

/// Folds a change of this node's own key that the backbone has accepted: others' entries are folded as they come in.
///
/// # Errors
/// Where the database fails.
pub async fn fold_own(
    connection: &mut PgConnection,
    initiative: &Initiative,
    (step, own): (&Step, &[OwnEntry]),
    place: Place,
) -> Result<(), BorderError> {
    let accepted = own.iter().filter(|entry| !erasure::is_refused(&step.acceptance, entry.sequence));
    for entry in accepted.filter(|entry| tells_of_a_change(&entry.header)) {
        let kept = entries::range(connection, &step.feed, entry.sequence, entry.sequence).await?;
        if let Some(event) = kept.first().and_then(|kept| wire::event(kept.link.body.as_ref()?).ok()) {
            governance::fold(connection, initiative, &Event { accepted: Some(place), ..event }).await?;
        }
    }
    Ok(())
}

fn tells_of_a_change(header: &[u8]) -> bool {
    EntryHeader::decode(header).is_ok_and(|header| succession::is_change(&header.event_type))
}
