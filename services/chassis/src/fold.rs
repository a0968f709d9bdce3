//! The fold: one event into a service's tables. The same for an event made here a millisecond ago, one that arrives
//! from another node after a week, and one replayed from the log.

use std::collections::BTreeSet;

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::event::{Event, package};
use crate::inbox::Together;
use crate::log::{self, Line, Standing};
use crate::names::Reference;
use crate::room::{FoldError, Folded, Room};
use crate::telemetry::{SERVICE, meters, of};
use crate::{circles, roles};

/// Whether events of this type are any of this service's business.
pub(crate) fn minds<R: Room>(type_name: &str) -> bool {
    package(type_name) == R::PACKAGE || R::hears(type_name) || roles::hears(type_name) || circles::hears(type_name)
}

/// Folds one event, told or heard.
pub(crate) async fn fold<R: Room>(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    let folded = match event.type_name.as_str() {
        name if package(name) == R::PACKAGE => R::apply(connection, event).await?,
        name if R::hears(name) => R::hear(connection, event).await?,
        _ => Folded::Ignored,
    };
    let common = [roles::hear(connection, event).await?, circles::hear(connection, event).await?];
    Ok(if folded == Folded::Ignored && common.contains(&Folded::Applied) { Folded::Applied } else { folded })
}

/// Folds events that were heard, in order, and keeps those in the log that are any of this service's business. One that
/// cannot be read, or whose resource waits already, is held.
pub(crate) async fn take<R: Room>(
    connection: &mut PgConnection,
    source: &str,
    events: &[(Event, Vec<u8>)],
    together: Together,
) -> Result<(), FoldError> {
    if events.is_empty() {
        return Ok(());
    }
    let resources: Vec<String> = events.iter().map(|(event, _)| event.resource.to_string()).collect();
    let waiting = log::waiting(connection, &resources).await?;
    // Nearly always everything can be folded: then no savepoint is needed, and one statement for the log.
    let lines = match together {
        Together::All if waiting.is_empty() => all::<R>(connection, events).await?,
        Together::All => return Err(FoldError::Apart),
        Together::OneByOne => one_by_one::<R>(connection, events, waiting).await?,
    };
    if lines.is_empty() {
        return Ok(());
    }
    log::append_heard(connection, source, &lines).await?;
    let erasing = lines
        .iter()
        .filter(|line| line.standing == Standing::Folded && line.accepted.is_some() && erases::<R>(&line.type_name));
    erase::<R>(connection, &erasing.map(|line| line.event_id).collect::<Vec<_>>()).await
}

fn erases<R: Room>(type_name: &str) -> bool {
    R::erasing().contains(&type_name)
}

/// Erases what was told before each of these events, which say so and were accepted. A home does so no earlier than
/// the others: until then its border may still have to send what was told before, and the backbone may say no.
pub(crate) async fn erase<R: Room>(connection: &mut PgConnection, events: &[Uuid]) -> Result<(), FoldError> {
    if !events.is_empty() {
        log::erase_before(connection, events).await?;
        tracing::info!(service = R::NAME, events = events.len(), "erased what was told before");
    }
    Ok(())
}

/// Folds all of them. Where one cannot be folded the transaction is to be rolled back, and each folded by itself.
async fn all<R: Room>(connection: &mut PgConnection, events: &[(Event, Vec<u8>)]) -> Result<Vec<Line>, FoldError> {
    let mut lines = Vec::with_capacity(events.len());
    for (event, bytes) in events {
        match fold::<R>(connection, event).await {
            Ok(Folded::Applied) => lines.push(Line::folded(event, bytes.clone())),
            Ok(Folded::Ignored) => {}
            Err(error) if passing(&error) => return Err(error),
            Ok(Folded::Unknown) | Err(_) => return Err(FoldError::Apart),
        }
    }
    Ok(lines)
}

/// Folds each by itself; what cannot be folded is held, and what follows of the same resource with it.
async fn one_by_one<R: Room>(
    connection: &mut PgConnection,
    events: &[(Event, Vec<u8>)],
    mut waiting: BTreeSet<String>,
) -> Result<Vec<Line>, FoldError> {
    let mut lines = Vec::with_capacity(events.len());
    for (event, bytes) in events {
        let mut line = Line::folded(event, bytes.clone());
        let outcome = match waiting.contains(&line.resource) {
            true => Outcome::Held("an earlier event of the same resource is held".to_owned()),
            false => try_fold::<R>(connection, event).await?,
        };
        match outcome {
            Outcome::Ignored => continue,
            Outcome::Applied => {}
            Outcome::Held(reason) => {
                tracing::warn!(event.id = %event.id, event.r#type = event.type_name, reason, "event held");
                meters().held.add(1, &[of(SERVICE, R::NAME)]);
                waiting.insert(line.resource.clone());
                line.standing = Standing::Held;
                line.reason = Some(reason);
            }
        }
        lines.push(line);
    }
    Ok(lines)
}

enum Outcome {
    Applied,
    Ignored,
    Held(String),
}

/// Folds inside a savepoint, so that what cannot be folded leaves no trace.
async fn try_fold<R: Room>(connection: &mut PgConnection, event: &Event) -> Result<Outcome, FoldError> {
    let mut savepoint = connection.begin().await?;
    match fold::<R>(&mut savepoint, event).await {
        Ok(Folded::Ignored) => {
            savepoint.rollback().await?;
            Ok(Outcome::Ignored)
        }
        Ok(Folded::Applied) => {
            savepoint.commit().await?;
            Ok(Outcome::Applied)
        }
        Ok(Folded::Unknown) => {
            savepoint.rollback().await?;
            Ok(Outcome::Held(format!("this version does not know events of type {}", event.type_name)))
        }
        Err(error) if passing(&error) => Err(error),
        Err(error) => {
            savepoint.rollback().await?;
            Ok(Outcome::Held(error.to_string()))
        }
    }
}

/// SQLSTATE classes of what passes: connection, rollback, resources, a lock not to be had, an operator's word, the system.
const PASSING: [&str; 6] = ["08", "40", "53", "55", "57", "58"];

/// Whether trying again may help. What the database refuses because of the event itself it would refuse for ever: one
/// node could stop another's room with it.
fn passing(error: &FoldError) -> bool {
    match error {
        FoldError::Database(sqlx::Error::Database(error)) => {
            error.code().is_none_or(|code| PASSING.iter().any(|class| code.starts_with(class)))
        }
        FoldError::Database(_) | FoldError::Waits(_) => true,
        _ => false,
    }
}

/// Folds the whole log again into emptied tables.
///
/// # Errors
/// Where the database fails.
pub async fn replay<R: Room>(connection: &mut PgConnection) -> Result<(), FoldError> {
    for table in R::TABLES {
        let delete = format!("delete from {}", table.name);
        sqlx::query(sqlx::AssertSqlSafe(delete)).execute(&mut *connection).await?;
    }
    sqlx::query("delete from roles").execute(&mut *connection).await?;
    sqlx::query("delete from circles").execute(&mut *connection).await?;
    fold_logged::<R>(connection, None).await
}

/// Folds one resource again, after an upgrade or a verdict changed what counts.
///
/// # Errors
/// Where the database fails.
pub async fn refold<R: Room>(connection: &mut PgConnection, resource: &str) -> Result<(), FoldError> {
    for table in R::TABLES {
        let delete = format!("delete from {} where {} = $1", table.name, table.resource);
        sqlx::query(sqlx::AssertSqlSafe(delete)).bind(resource).execute(&mut *connection).await?;
    }
    roles::forget(connection, resource).await?;
    circles::forget(connection, resource).await?;
    fold_logged::<R>(connection, Some(resource)).await
}

/// Folds again every resource of which an event is held: what a newer version knows, it applies.
///
/// # Errors
/// Where the database fails.
pub async fn retry_held<R: Room>(connection: &mut PgConnection) -> Result<(), FoldError> {
    let resources: Vec<String> = sqlx::query_scalar("select distinct resource from log where standing = 'held'")
        .fetch_all(&mut *connection)
        .await?;
    for resource in resources {
        refold::<R>(connection, &resource).await?;
    }
    Ok(())
}

async fn fold_logged<R: Room>(connection: &mut PgConnection, resource: Option<&str>) -> Result<(), FoldError> {
    let mut after = 0;
    let mut held = BTreeSet::<Reference>::new();
    loop {
        let page = log::page(connection, resource, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.position;
        for logged in page {
            let Ok(mut event) = Event::decode(&logged.bytes) else { continue };
            event.accepted = logged.place();
            if held.contains(&event.resource) {
                continue;
            }
            match try_fold::<R>(connection, &event).await? {
                Outcome::Held(reason) => {
                    log::stand(connection, logged.position, Standing::Held, Some(&reason)).await?;
                    held.insert(event.resource);
                }
                Outcome::Applied | Outcome::Ignored => {
                    log::stand(connection, logged.position, Standing::Folded, None).await?;
                    if event.accepted.is_some() && erases::<R>(&event.type_name) {
                        log::erase_before(connection, &[event.id]).await?;
                    }
                }
            }
        }
    }
}
