//! Tables before and after they were computed again: kept aside, compared row by row, and the first difference named.

use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};

use super::Wrong;

/// How long a table that others write is waited for.
const LOCK_WITHIN: Duration = Duration::from_secs(30);

/// A table whose rows were put aside.
pub(super) struct Kept {
    table: String,
    aside: String,
}

/// A transaction in which only this process writes these tables, as of one instant; it is never committed.
///
/// Whoever writes them meanwhile waits. The lock is asked for briefly and again: a writer that holds one of the tables
/// and waits for another must not be chosen as the victim of a deadlock.
pub(super) async fn locked(pool: &PgPool, tables: &[String]) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let lock = format!("lock table {} in share row exclusive mode", tables.join(", "));
    let started = Instant::now();
    loop {
        // The snapshot is taken by the first statement that reads, so after the lock.
        let mut transaction = pool.begin_with("begin isolation level repeatable read").await?;
        sqlx::query("set local lock_timeout = '200ms'").execute(&mut *transaction).await?;
        match sqlx::query(AssertSqlSafe(lock.clone())).execute(&mut *transaction).await {
            Ok(_) => return Ok(transaction),
            Err(error) if is_busy(&error) && started.elapsed() < LOCK_WITHIN => transaction.rollback().await?,
            Err(error) => return Err(error),
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some("55P03")
}

/// The tables of a service that follow from its log, with their children: all but those of the chassis.
pub(super) async fn of_service(connection: &mut PgConnection, service: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where n.nspname = $1 and c.relkind in ('r', 'p') and c.relname <> all ($2) and c.relname not like '\\_%'
          order by c.relname",
    )
    .bind(service)
    .bind(["log", "unsequenced", "relayed", "published", "heard", "requests", "ahead"].as_slice())
    .fetch_all(connection)
    .await
}

/// Puts the rows of tables aside, until the transaction ends.
pub(super) async fn keep(connection: &mut PgConnection, tables: &[String]) -> Result<Vec<Kept>, sqlx::Error> {
    let mut kept = Vec::with_capacity(tables.len());
    for (number, table) in tables.iter().enumerate() {
        let aside = format!("pg_temp.kept_{number}");
        let statement = format!("create temporary table kept_{number} on commit drop as select * from {table}");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        kept.push(Kept { table: table.clone(), aside });
    }
    Ok(kept)
}

/// How many rows were put aside.
pub(super) async fn rows(connection: &mut PgConnection, kept: &[Kept]) -> Result<i64, sqlx::Error> {
    let mut rows = 0;
    for Kept { aside, .. } in kept {
        let count = format!("select count(*) from {aside}");
        rows += sqlx::query_scalar::<_, i64>(AssertSqlSafe(count)).fetch_one(&mut *connection).await?;
    }
    Ok(rows)
}

/// The first row that is not as it was when it was put aside.
pub(super) async fn differing(
    connection: &mut PgConnection,
    check: &'static str,
    kept: &[Kept],
) -> Result<Option<Wrong>, sqlx::Error> {
    for Kept { table, aside } in kept {
        let key = key(connection, table).await?;
        let stored = first_only_in(connection, aside, table, &key).await?;
        let computed = first_only_in(connection, table, aside, &key).await?;
        if let Some((row, what)) = difference(&key, stored, computed) {
            return Ok(Some(Wrong { check, table: Some(table.clone()), row: Some(row), what, ..Wrong::default() }));
        }
    }
    Ok(None)
}

/// The columns that tell a table's rows apart: its primary key, or the first unique index.
async fn key(connection: &mut PgConnection, table: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select a.attname::text
           from (select indrelid, indkey from pg_index where indrelid = $1::text::regclass and indisunique
                  order by indisprimary desc, indexrelid limit 1) i
           join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
          order by array_position(i.indkey::smallint[], a.attnum)",
    )
    .bind(table)
    .fetch_all(connection)
    .await
}

async fn first_only_in(
    connection: &mut PgConnection,
    one: &str,
    other: &str,
    key: &[String],
) -> Result<Option<Value>, sqlx::Error> {
    let order = if key.is_empty() {
        "1".to_owned()
    } else {
        key.iter().map(|column| format!("row.\"{column}\"")).collect::<Vec<_>>().join(", ")
    };
    let statement = format!(
        "select to_jsonb(row) from (select * from {one} except all select * from {other}) row order by {order} limit 1"
    );
    sqlx::query_scalar(AssertSqlSafe(statement)).fetch_optional(connection).await
}

/// The row that comes first by its key, and what is wrong with it.
fn difference(key: &[String], stored: Option<Value>, computed: Option<Value>) -> Option<(String, String)> {
    let name = |row: &Value| {
        key.iter().map(|column| format!("{column}={}", plain(&row[column.as_str()]))).collect::<Vec<_>>().join(" ")
    };
    match (stored, computed) {
        (None, None) => None,
        (Some(stored), None) => Some((name(&stored), "it does not follow from the log".to_owned())),
        (None, Some(computed)) => Some((name(&computed), "it is missing: by the log it should be there".to_owned())),
        (Some(stored), Some(computed)) if name(&stored) == name(&computed) => {
            Some((name(&stored), changed(&stored, &computed)))
        }
        (Some(stored), Some(_)) => Some((name(&stored), "it does not follow from the log".to_owned())),
    }
}

fn changed(stored: &Value, computed: &Value) -> String {
    let columns = stored.as_object().into_iter().flatten();
    let differing = columns.filter(|(column, value)| computed[column.as_str()] != **value);
    let words = differing.map(|(column, value)| {
        format!("{column} is {}, and by the log {}", plain(value), plain(&computed[column.as_str()]))
    });
    words.collect::<Vec<_>>().join("; ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::difference;
    use serde_json::json;

    #[test]
    fn a_difference_names_the_row_and_the_column() {
        let key = ["reference".to_owned()];
        let row = |state: i32| Some(json!({"reference": "a/1", "state": state, "name": null}));
        let (name, what) = difference(&key, row(4), row(2)).unwrap();
        assert_eq!((name.as_str(), what.as_str()), ("reference=a/1", "state is 4, and by the log 2"));
        assert!(difference(&key, None, row(2)).unwrap().1.contains("missing"));
        assert!(difference(&key, row(2), None).unwrap().1.contains("does not follow"));
        assert_eq!(difference(&key, None, None), None);
    }
}
