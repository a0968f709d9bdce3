//! The folds: a room's log is what the border let in, and folding it again gives the tables and the states that are
//! there.

use std::collections::BTreeMap;

use chassis::names::Space;
use chassis::room::Room;
use chassis::{database, digest, fold};
use federation::wire;
use sqlx::PgConnection;
use uuid::Uuid;

use super::tables;
use super::{Check, Stop, ToldEvents, Verifier, Wrong, unsigned};
use crate::words;

/// How many events are read at once.
const PAGE: i64 = 1000;

#[derive(sqlx::FromRow)]
struct Logged {
    position: i64,
    event_id: Uuid,
    bytes: Option<Vec<u8>>,
    standing: String,
    accepted_position: Option<i64>,
}

impl Verifier<'_> {
    pub(crate) async fn fold<R: Room>(&self, told: &ToldEvents) -> Result<Check, Stop> {
        let pool = database::look(self.database, R::NAME).await?;
        let tables = tables::of_service(&mut *pool.acquire().await?, R::NAME).await?;
        let log = format!("{}.log", R::NAME);
        let mut transaction = tables::locked(&pool, &[tables.as_slice(), std::slice::from_ref(&log)].concat()).await?;
        let events: i64 = sqlx::query_scalar("select count(*) from log").fetch_one(&mut *transaction).await?;
        self.watch.begin(R::NAME, unsigned(events));
        self.logged::<R>(&mut transaction, told).await?;

        let spaces = spaces(&mut transaction).await?;
        let before = states::<R>(&mut transaction, &spaces).await?;
        let waiting_before = waiting(&mut transaction).await?;
        let kept = tables::keep(&mut transaction, &tables).await?;
        fold::replay::<R>(&mut transaction).await?;
        if let Some(wrong) = tables::differing(&mut transaction, R::NAME, &kept).await? {
            return Err(wrong.into());
        }
        if waiting(&mut transaction).await? != waiting_before {
            let what = "other events are held after folding it again".to_owned();
            return Err(Wrong { check: R::NAME, table: Some(log), what, ..Wrong::default() }.into());
        }
        let rows = tables::rows(&mut transaction, &kept).await?;
        for ((space, now), (_, then)) in states::<R>(&mut transaction, &spaces).await?.iter().zip(&before) {
            if now != then {
                let what = "the digest of the states is another one after folding the log again".to_owned();
                return Err(Wrong { check: R::NAME, space: Some(space.to_string()), what, ..Wrong::default() }.into());
            }
        }
        transaction.rollback().await?;
        Ok(held::<R>(events, &tables, rows, spaces.len()))
    }

    /// What the log has of events that crossed the border is what the border let in.
    async fn logged<R: Room>(&self, connection: &mut PgConnection, told: &ToldEvents) -> Result<(), Stop> {
        let mut after = 0;
        loop {
            let page: Vec<Logged> = sqlx::query_as(
                "select position, event_id, bytes, standing, accepted_position from log
                  where position > $1 order by position limit $2",
            )
            .bind(after)
            .bind(PAGE)
            .fetch_all(&mut *connection)
            .await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.position;
            for logged in &page {
                if let Some(what) = differs(logged, told) {
                    let (table, row) =
                        (Some(format!("{}.log", R::NAME)), Some(format!("position={}", logged.position)));
                    return Err(Wrong { check: R::NAME, table, row, what, ..Wrong::default() }.into());
                }
            }
            self.watch.done(page.len() as u64);
        }
    }
}

/// What a line of the log says that the border does not. An event that the backbone has not judged yet, or that never
/// leaves the node, is this node's alone.
fn differs(logged: &Logged, told: &ToldEvents) -> Option<String> {
    let event = told.get(&logged.event_id)?;
    match (&logged.bytes, logged.accepted_position) {
        (Some(bytes), _) if event.digest.is_some_and(|digest| wire::digest(bytes) != digest) => {
            Some(format!("event {} is not the one that was accepted", logged.event_id))
        }
        (_, Some(position)) if position != event.position => {
            Some(format!("it says position {position}, and the event was accepted at {}", event.position))
        }
        _ if logged.standing == "refused" => Some("it counts as refused, and was accepted".to_owned()),
        _ => None,
    }
}

async fn spaces(connection: &mut PgConnection) -> Result<Vec<Space>, sqlx::Error> {
    let names: Vec<String> =
        sqlx::query_scalar("select distinct space from log order by space").fetch_all(connection).await?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

async fn states<R: Room>(
    connection: &mut PgConnection,
    spaces: &[Space],
) -> Result<Vec<(Space, [u8; 32])>, sqlx::Error> {
    let mut states = Vec::with_capacity(spaces.len());
    for space in spaces {
        states.push((space.clone(), digest::digest(&R::states(connection, space).await?)));
    }
    Ok(states)
}

/// Which events wait, and why: folding again finds that out anew.
async fn waiting(connection: &mut PgConnection) -> Result<Vec<(i64, Option<String>)>, sqlx::Error> {
    sqlx::query_as("select position, reason from log where standing = 'held' order by position")
        .fetch_all(connection)
        .await
}

fn held<R: Room>(events: i64, tables: &[String], rows: i64, spaces: usize) -> Check {
    let (events, rows) = (unsigned(events), unsigned(rows));
    let (tables, spaces) = (tables.len() as u64, spaces as u64);
    Check {
        check: R::NAME,
        counts: BTreeMap::from([("events", events), ("tables", tables), ("rows", rows), ("spaces", spaces)]),
        words: format!(
            "{} folded again: the same {} in {}, and the same digest of {}",
            words::count(events, "event", "events"),
            words::count(rows, "row", "rows"),
            words::count(tables, "table", "tables"),
            words::count(spaces, "space", "spaces"),
        ),
    }
}
