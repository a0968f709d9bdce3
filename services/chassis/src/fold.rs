//! The fold: one event into a service's tables. The same for an event made here a millisecond ago, one that arrives
//! from another node after a week, and one replayed from the log.

use sqlx::{Connection, PgConnection};

use crate::event::Event;
use crate::log::{self, Line, Standing};
use crate::names::Reference;
use crate::roles;
use crate::room::{FoldError, Folded, Room};

/// Folds one event, told or heard.
pub(crate) async fn fold<R: Room>(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    let own = event.package() == R::PACKAGE;
    let folded = if own { R::apply(connection, event).await? } else { R::hear(connection, event).await? };
    match (roles::hear(connection, event).await?, folded) {
        (Folded::Applied, Folded::Ignored) => Ok(Folded::Applied),
        (_, folded) => Ok(folded),
    }
}

/// Folds an event that was heard, and keeps it in the log if it is any of this service's business. One that cannot be
/// read, or whose resource waits already, is held.
pub(crate) async fn take<R: Room>(
    connection: &mut PgConnection,
    source: &str,
    event: &Event,
    bytes: Vec<u8>,
) -> Result<(), FoldError> {
    let mut line = Line::folded(event, bytes);
    let outcome = match waits(connection, &line.resource).await? {
        true => Outcome::Held("an earlier event of the same resource is held".to_owned()),
        false => try_fold::<R>(connection, event).await?,
    };
    match outcome {
        Outcome::Ignored => return Ok(()),
        Outcome::Applied => {}
        Outcome::Held(reason) => {
            tracing::warn!(event.id = %event.id, event.r#type = event.type_name, reason, "event held");
            line.standing = Standing::Held;
            line.reason = Some(reason);
        }
    }
    Ok(log::append_heard(connection, source, &line).await?)
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

/// Whether trying again may help. What the database refuses because of the values themselves (SQLSTATE classes 22 and
/// 23) it would refuse for ever.
fn passing(error: &FoldError) -> bool {
    match error {
        FoldError::Database(sqlx::Error::Database(error)) => {
            !error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        FoldError::Database(_) => true,
        _ => false,
    }
}

async fn waits(connection: &mut PgConnection, resource: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from log where standing = 'held' and resource = $1)")
        .bind(resource)
        .fetch_one(connection)
        .await
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
    let mut held = std::collections::BTreeSet::<Reference>::new();
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
                }
            }
        }
    }
}
