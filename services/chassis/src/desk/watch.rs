//! A call that goes on looking: it sees each commit of the room as it comes, and ends when its caller has waited long
//! enough, when the node drains, or after a while in any case.

use std::time::Duration;

use tokio::time::Instant;
use tonic::{Request, Status};

use super::{Desk, Look, taken_apart};
use crate::authn::Call;
use crate::clock;
use crate::errors;
use crate::ledger::Ledger;
use crate::pulse::Felt;
use crate::room::Room;
use crate::server::Deadline;

/// A call watches no longer than this, whatever it asks: its token may have ended meanwhile. The caller goes on where it
/// was with another call.
const AT_MOST: Duration = Duration::from_secs(15 * 60);

/// One call that goes on looking.
pub struct Watch<R> {
    ledger: Ledger<R>,
    call: Call,
    felt: Felt,
    until: Instant,
}

impl<R: Room> Desk<R> {
    /// Begins a call that goes on looking.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where it did not come through the gate.
    pub fn watch<M>(&self, request: Request<M>) -> Result<(Watch<R>, M), Status> {
        let latest = Instant::now() + AT_MOST;
        let until = request.extensions().get::<Deadline>().map_or(latest, |deadline| deadline.0.min(latest));
        let (call, message) = taken_apart(request)?;
        // Felt from here on: what is committed after the first look is not missed.
        let felt = self.ledger.pulse().felt();
        Ok((Watch { ledger: self.ledger.clone(), call, felt, until }, message))
    }
}

impl<R: Room> Watch<R> {
    /// Looks once more, on a new snapshot. Whoever looks is judged anew each time: a role may have ended meanwhile.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the database is away.
    pub async fn look(&self) -> Result<Look, Status> {
        let transaction = self.ledger.pool.begin_with(super::SNAPSHOT).await.map_err(errors::database)?;
        Ok(Look { node: self.ledger.node.clone(), transaction, call: self.call.clone(), now: clock::now() })
    }

    /// Waits until there may be something new. False when the call is to end.
    pub async fn next(&mut self) -> bool {
        tokio::time::timeout_at(self.until, self.felt.next()).await.unwrap_or(false)
    }
}
