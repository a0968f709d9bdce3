//! The ledger: a service's own facts, applied to its tables and appended to its log in one transaction.

use std::marker::PhantomData;
use std::sync::Arc;

use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;

use crate::event::{Actor, Event, Fact};
use crate::fold;
use crate::gate::Gate;
use crate::log::{self, Line};
use crate::names::NodeId;
use crate::pulse::Pulse;
use crate::room::{FoldError, Folded, Room};

/// The largest event there is: no border would let a larger one through.
pub const MAX_EVENT_BYTES: usize = 128 * 1024;

/// The ledger of one room.
pub struct Ledger<R> {
    /// The room's database connections: every one speaks as the room's own role, in its own schema.
    pub pool: PgPool,
    /// This node.
    pub node: NodeId,
    wake: Arc<Notify>,
    gate: Gate,
    pulse: Pulse,
    room: PhantomData<R>,
}

impl<R> Clone for Ledger<R> {
    fn clone(&self) -> Self {
        let (pool, node) = (self.pool.clone(), self.node.clone());
        let (wake, gate, pulse) = (self.wake.clone(), self.gate.clone(), self.pulse.clone());
        Self { pool, node, wake, gate, pulse, room: PhantomData }
    }
}

impl<R: Room> Ledger<R> {
    /// The ledger that wakes its relay through `wake`.
    pub fn new(pool: PgPool, node: NodeId, wake: Arc<Notify>) -> Self {
        Self { pool, node, wake, gate: Gate::default(), pulse: Pulse::default(), room: PhantomData }
    }

    /// The same behind a gate: while that is closed, nothing is written.
    pub fn behind(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    /// The gate before it.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Applies facts to the tables and appends them to the log, the append last. The caller commits, then calls
    /// [`Ledger::committed`].
    ///
    /// # Errors
    /// Where `apply` cannot fold what the room itself decided, an event is larger than [`MAX_EVENT_BYTES`], or the
    /// database fails.
    pub async fn record(
        &self,
        connection: &mut PgConnection,
        actor: &Actor,
        facts: &[Fact],
    ) -> Result<Vec<Event>, FoldError> {
        let (events, lines) = self.apply(connection, actor, facts).await?;
        if !lines.is_empty() {
            log::append_told(connection, R::NAME, &lines).await?;
        }
        Ok(events)
    }

    /// Applies facts to the tables; the lines are what the caller is to append to the log.
    pub(crate) async fn apply(
        &self,
        connection: &mut PgConnection,
        actor: &Actor,
        facts: &[Fact],
    ) -> Result<(Vec<Event>, Vec<Line>), FoldError> {
        let events: Vec<Event> = facts.iter().map(|fact| Event::told(fact, &self.node, actor)).collect();
        for event in &events {
            if fold::fold::<R>(connection, event).await? != Folded::Applied {
                return Err(FoldError::Missing("handler"));
            }
        }
        let lines: Vec<Line> = events.iter().map(|event| Line::folded(event, event.encode())).collect();
        match lines.iter().find(|line| line.bytes.len() > MAX_EVENT_BYTES) {
            Some(line) => Err(FoldError::TooLarge(line.bytes.len())),
            None => Ok((events, lines)),
        }
    }

    /// What wakes this room's relay.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// What those who watch this room wait on.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Wakes the relay and those who watch: what was recorded is committed.
    pub fn committed(&self) {
        self.wake.notify_one();
        self.pulse.beat();
    }
}
