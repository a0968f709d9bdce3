//! How a room hears: every delivery is decoded, folded and logged, and the backbone's verdicts on this node's own
//! events are carried out.

use std::marker::PhantomData;
use std::sync::Arc;

use prost::Name;
use proto::common::{Delivery, Judged};
use sqlx::PgConnection;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::ahead::{self, Met};
use crate::event::{Event, Place, instant};
use crate::inbox::{Listener, Together};
use crate::ledger::Ledger;
use crate::pulse::Pulse;
use crate::room::{FoldError, Room};
use crate::telemetry::{SERVICE, meters, of};
use crate::{circles, fold, log, roles};

/// The listener of a room.
pub struct Hearing<R> {
    folded: Arc<Notify>,
    pulse: Pulse,
    room: PhantomData<R>,
}

impl<R> Default for Hearing<R> {
    fn default() -> Self {
        Self { folded: Arc::default(), pulse: Pulse::default(), room: PhantomData }
    }
}

impl<R: Room> Hearing<R> {
    /// The listener before a ledger, whose pulse beats with what it takes in.
    pub fn of(ledger: &Ledger<R>) -> Self {
        Self { folded: Arc::default(), pulse: ledger.pulse().clone(), room: PhantomData }
    }
}

impl<R> Hearing<R> {
    /// Notified when something new was taken in.
    pub fn folded(&self) -> Arc<Notify> {
        self.folded.clone()
    }
}

impl<R: Room> Listener for Hearing<R> {
    const NAME: &'static str = R::NAME;
    const REPEATABLE: bool = true;

    /// An erased delivery has nothing to fold; a verdict is its business if one of the events judged is.
    fn minds(&self, delivery: &Delivery) -> bool {
        if delivery.event.is_empty() {
            return false;
        }
        let Ok(event) = Event::decode(&delivery.event) else { return true };
        if event.type_name != Judged::full_name() {
            return fold::minds::<R>(&event.type_name);
        }
        let judged = event.message::<Judged>().unwrap_or_default();
        judged.types.is_empty() || judged.types.iter().any(|name| fold::minds::<R>(name))
    }

    async fn take(
        &self,
        connection: &mut PgConnection,
        source: &str,
        deliveries: &[Delivery],
        together: Together,
    ) -> Result<(), FoldError> {
        let events: Vec<(Event, Vec<u8>)> = deliveries.iter().filter_map(read).collect();
        let ids: Vec<Uuid> = events.iter().map(|(event, _)| event.id).collect();
        let heard = deliveries.last().map_or(0, |delivery| delivery.sequence);
        let Met { places, known: mut seen } = ahead::met(connection, &ids, source, heard).await?;
        let mut run = Vec::with_capacity(events.len());
        for (mut event, bytes) in events {
            event.accepted = event.accepted.or_else(|| places.get(&event.id).copied());
            if !seen.insert(event.id) {
                continue;
            }
            if event.type_name == Judged::full_name() {
                // A verdict counts after what came before it.
                fold::take::<R>(connection, source, &std::mem::take(&mut run), together).await?;
                judge::<R>(connection, &event.message()?).await?;
            } else {
                run.push((event, bytes));
            }
        }
        fold::take::<R>(connection, source, &run, together).await
    }

    fn taken(&self) {
        self.folded.notify_one();
        self.pulse.beat();
    }
}

/// Reads a delivery; an erased one has nothing to fold, and one that is no event was held at the border.
fn read(delivery: &Delivery) -> Option<(Event, Vec<u8>)> {
    if delivery.event.is_empty() {
        return None;
    }
    let mut event = Event::decode(&delivery.event)
        .inspect_err(|error| tracing::error!(delivery.sequence, %error, "a relay handed on what is no event"))
        .ok()?;
    event.accepted = place(delivery.position, delivery.accepted_at.as_ref());
    Some((event, delivery.event.to_vec()))
}

fn place(position: u64, at: Option<&prost_types::Timestamp>) -> Option<Place> {
    let position = i64::try_from(position).ok().filter(|position| *position > 0)?;
    Some(Place { position, at: instant(at?)? })
}

/// Carries out the backbone's word on events of this node: a refused one is taken out of the tables again.
async fn judge<R: Room>(connection: &mut PgConnection, judged: &Judged) -> Result<(), FoldError> {
    let Some(place) = place(judged.position, judged.accepted_at.as_ref()) else {
        return Err(FoldError::Missing("accepted_at"));
    };
    let accepted: Vec<Uuid> = judged.accepted.iter().filter_map(|id| Uuid::from_slice(id).ok()).collect();
    let erasing = log::mark_accepted(connection, &accepted, place, R::erasing()).await?;
    fold::erase::<R>(connection, &erasing).await?;
    R::placed(connection, &accepted, place).await?;
    ahead::expect(connection, R::NAME, judged, &accepted, place).await?;
    roles::place(connection, &accepted, place).await?;
    circles::place(connection, &accepted, place).await?;
    for refused in &judged.refused {
        let Ok(id) = Uuid::from_slice(&refused.event_id) else { continue };
        let Some(resource) = log::mark_refused(connection, id, place, &refused.reason).await? else {
            // The border was faster than the service that told it.
            log::refuse_unheard(connection, id, &judged.space, place, &refused.reason).await?;
            continue;
        };
        tracing::warn!(event.id = %id, resource, reason = refused.reason, "the backbone refused an event of this node");
        meters().refused.add(1, &[of(SERVICE, R::NAME)]);
        fold::refold::<R>(connection, &resource).await?;
    }
    Ok(())
}
