//! A node that was restored, from a backup or by a failover that lost commits: how that is found, and how it finds its
//! place among the others again. Until then nothing is written on it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chassis::clock;
use chassis::gate::Gate;
use sqlx::{Connection, PgConnection};

use crate::border::{Border, BorderError};
use crate::link::Link;
use crate::links::Links;
use crate::marker::{Fingerprint, Mark, Marker};
use crate::pace::Say;
use crate::store::nodes::{self, Node};
use crate::store::restored::{self, Standing};
use crate::store::{links, quarantine};

/// How often the database is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often, while this node waits for the others.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// For how long it waits, at the most: for the rest, once one has answered, and for the first answer.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));

/// Whether this node was restored, as this process knows it.
#[derive(Clone, Debug)]
pub struct Restored {
    marker: Marker,
    gate: Gate,
    known: Arc<Mutex<Known>>,
    patience: (Duration, Duration),
}

#[derive(Debug, Default)]
struct Known {
    restored: bool,
    /// The marker, as it lies beside the key or will after the next look.
    mark: Option<Mark>,
    /// Own entries were taken back since this process runs.
    regained: bool,
    /// Whom it waits for, and for what.
    waits_for: Vec<String>,
}

impl Restored {
    /// Not known yet. The marker lies in `folder`; `gate` is what stands before everything that writes.
    pub fn new(folder: &Path, gate: Gate) -> Self {
        Self { marker: Marker::within(folder), gate, known: Arc::default(), patience: PATIENCE }
    }

    /// The same, that waits so long at the most for those who have not answered once one has, and for the first.
    pub fn patient_for(self, rest: Duration, first: Duration) -> Self {
        Self { patience: (rest, first), ..self }
    }

    /// Compares the database with the marker, before anything else is done with it.
    ///
    /// # Errors
    /// Where the database fails, or the marker can be neither read nor written.
    pub async fn begin(&self, connection: &mut PgConnection) -> Result<(), BorderError> {
        let found = restored::fingerprint(connection).await?;
        let standing = restored::read(connection).await?;
        let mark = self.marker.read()?;
        let reason = match &mark {
            Some(mark) => mark.fingerprint.parted(&found),
            None if standing.marked => Some("it knows its database, and the marker beside its key is gone"),
            // A new database, or one of a version that laid no markers.
            None => None,
        };
        if let Some(reason) = reason {
            restored::begin(connection, clock::now(), reason, false).await?;
        }
        let epoch = mark.as_ref().map_or(standing.epoch, |mark| mark.epoch.max(standing.epoch));
        self.with(|known| known.mark = Some(Mark { fingerprint: found, epoch }));
        match restored::read(connection).await? {
            Standing { since: Some(_), reason, .. } => self.close(&reason),
            _ => {
                restored::marked(connection).await?;
                self.write()?;
                self.gate.open();
            }
        }
        Ok(())
    }

    /// Whether this node was restored and has not found its place yet.
    pub fn is(&self) -> bool {
        self.with(|known| known.restored)
    }

    /// Whom it waits for, and for what, in words.
    pub fn waits_for(&self) -> Vec<String> {
        self.with(|known| known.waits_for.clone())
    }

    /// How this node stands, if it may write into its feeds and orders. Until the transaction ends it stands so.
    ///
    /// # Errors
    /// Where it was restored, or the database is no longer the one that this process knows.
    pub async fn may_write(&self, connection: &mut PgConnection) -> Result<Standing, BorderError> {
        let standing = restored::read(connection).await?;
        let went_on = |mark: &Mark| mark.fingerprint.place.parted(&standing.place);
        if let Some(reason) = self.with(|known| known.mark.as_ref().and_then(went_on)) {
            self.close(reason);
        }
        if standing.since.is_some() || self.is() { Err(BorderError::Restored) } else { Ok(standing) }
    }

    /// The others hold what this node told itself and does not know: it was restored, though its database did not show it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn found_out(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        const REASON: &str = "others hold what it told itself and does not know";
        restored::begin(connection, clock::now(), REASON, true).await?;
        self.with(|known| known.regained = true);
        if !self.is() {
            self.close(REASON);
        }
        Ok(())
    }

    fn close(&self, reason: &str) {
        if !self.with(|known| std::mem::replace(&mut known.restored, true)) {
            tracing::error!(reason, "this node was restored: it reads only, until the others have said what they hold");
        }
        self.gate.close(format!(
            "this node was restored ({reason}): it shows what it has, and takes nothing new until it has compared that \
             with the other nodes. It goes on by itself; `commonweal status` says what it waits for"
        ));
    }

    fn write(&self) -> Result<(), BorderError> {
        let mark = self.with(|known| known.mark.clone());
        if let Some(mark) = mark {
            self.marker.write(&mark)?;
        }
        Ok(())
    }

    /// Looks at the database again; tells whether this node is restored.
    async fn look(&self, connection: &mut PgConnection) -> Result<bool, BorderError> {
        let found = restored::fingerprint(connection).await?;
        let parted = self.with(|known| known.mark.as_ref().and_then(|mark| mark.fingerprint.parted(&found)));
        if let Some(reason) = parted {
            restored::begin(connection, clock::now(), reason, true).await?;
        }
        let standing = restored::read(connection).await?;
        let before =
            self.with(|known| known.mark.as_mut().map(|mark| std::mem::replace(&mut mark.fingerprint, found.clone())));
        if standing.since.is_some() {
            self.close(&standing.reason);
            return Ok(true);
        }
        self.go_on(before, &found)?;
        Ok(false)
    }

    /// Keeps the marker, and lets this node write.
    fn go_on(&self, before: Option<Fingerprint>, found: &Fingerprint) -> Result<(), BorderError> {
        let was = self.with(|known| std::mem::take(&mut known.restored));
        if was || before.as_ref() != Some(found) {
            self.write()?;
        }
        self.with(|known| known.waits_for.clear());
        self.gate.open();
        Ok(())
    }

    /// It has found its place: from here on it writes the next run of its feeds.
    async fn end(&self, border: &Border, connection: &mut PgConnection) -> Result<(), BorderError> {
        let mut transaction = connection.begin().await?;
        restored::lock(&mut transaction).await?;
        let standing = restored::read(&mut transaction).await?;
        let newest = restored::newest_epoch(&mut transaction, border.node().as_str()).await?;
        let marked = self.with(|known| known.mark.as_ref().map_or(0, |mark| mark.epoch));
        let epoch = standing.epoch.max(newest).max(marked) + 1;
        // Found at its start, nothing was told in between; and where nothing was lost, what was told stands well.
        let review = standing.review_before.filter(|_| self.with(|known| known.regained)).map(|_| clock::now());
        restored::end(&mut transaction, epoch, review).await?;
        quarantine::joined_again(&mut transaction, border.node()).await?;
        transaction.commit().await?;
        let found = restored::fingerprint(connection).await?;
        self.with(|known| {
            known.mark = Some(Mark { fingerprint: found.clone(), epoch });
            known.regained = false;
        });
        tracing::info!(epoch, "this node has found its place among the others again, and writes");
        self.go_on(None, &found)
    }

    /// Whether those who have not answered are away for so long that they are not waited for.
    async fn waited_enough(&self, connection: &mut PgConnection, answered: bool) -> Result<bool, sqlx::Error> {
        let (rest, first) = self.patience;
        let since = restored::read(connection).await?.since;
        Ok(since.is_some_and(|since| clock::now() - since > if answered { rest } else { first }))
    }

    fn with<T>(&self, action: impl FnOnce(&mut Known) -> T) -> T {
        action(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Looks after it for as long as this node runs.
pub async fn follow_for_ever(works: &Links) {
    let restored = &works.border().restored;
    let mut failing = false;
    loop {
        tokio::time::sleep(if restored.is() { LOOK_AGAIN } else { LOOK_EVERY }).await;
        match follow(works).await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "not known whether this node was restored meanwhile; looked at again");
            }
            Err(_) => {}
        }
    }
}

async fn follow(works: &Links) -> Result<(), BorderError> {
    let border = works.border();
    let mut connection = border.pool.acquire().await?;
    let was = border.restored.is();
    let restored = border.restored.look(&mut connection).await?;
    let mut waits_for = Vec::new();
    let mut answered = false;
    let rows = links::all(&mut connection).await?;
    // A follower wrote nothing that it could have lost.
    let rows = rows.iter().filter(|row| row.ending.is_none() && row.ended_at.is_none() && !row.follower);
    for row in rows.clone() {
        let Some(link) = works.get(&row.node, &row.initiative) else {
            waits_for.push(format!("{}: the link is not started", row.node));
            continue;
        };
        if restored && !was {
            link.hello.end();
        }
        let waits = greet(&link, &mut connection, restored).await?;
        answered |= waits.is_none();
        waits_for.extend(waits);
    }
    border.restored.with(|known| known.waits_for.clone_from(&waits_for));
    if !restored || !(waits_for.is_empty() || border.restored.waited_enough(&mut connection, answered).await?) {
        return Ok(());
    }
    for who in waits_for {
        tracing::error!(who, "not waited for any longer: what it alone holds of the lost time is lost, or parts it");
    }
    border.restored.end(border, &mut connection).await?;
    for row in rows {
        let Some(link) = works.get(&row.node, &row.initiative) else { continue };
        end_with(&link, &mut connection).await?;
    }
    border.committed();
    Ok(())
}

/// Says that nothing is asked any more. A link whose node was shut out in the lost time is to end, as it had.
async fn end_with(link: &Link, connection: &mut PgConnection) -> Result<(), BorderError> {
    link.hello.end();
    link.pace.say(Say { answer: true, resume: true });
    let initiative = &link.initiative.initiative;
    let known = nodes::nodes(connection, initiative).await?;
    let ended = |node: &Node| node.node == link.peer && node.ended_position.is_some();
    if link.is_backbone() && known.iter().any(ended) {
        links::intend_end(connection, &link.peer, initiative, "ended before this node was restored").await?;
    }
    Ok(())
}

/// Asks the other side what it holds, and tells what is still to come of it; nothing more where all is here.
async fn greet(link: &Link, connection: &mut PgConnection, restored: bool) -> Result<Option<String>, BorderError> {
    if restored && link.hello.ask()? {
        link.pace.say(Say { answer: true, resume: true });
    }
    if !link.hello.asks() {
        return Ok(None);
    }
    Ok(match link.hello.missing(connection).await? {
        None => Some(format!("{}: it has not said yet what it holds", link.peer)),
        Some(0) => {
            if !restored {
                link.hello.end();
                link.pace.say(Say { answer: false, resume: false });
            }
            None
        }
        Some(steps) => Some(format!("{}: {steps} steps are still to be taken back", link.peer)),
    })
}
