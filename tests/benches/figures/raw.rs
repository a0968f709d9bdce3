//! The bare database: the tables of a room with its indexes and constraints, and nobody between them and the one who writes.

use chassis::clock;
use chassis::names::Reference;
use chassis::room::Room;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{FromRow, PgConnection, PgPool, Postgres};
use uuid::Uuid;

use crate::figure::Outcome;
use crate::nodes::Coalition;
use crate::observations::Columns;

/// All rows of one command in one statement, which is one commit: its own, with arguments from $12 on, and those that
/// every command leaves behind. $1 is the name of a new resource, $2 its key, $3 its space.
macro_rules! statement {
    ($own:literal) => {
        concat!(
            "with own as (",
            $own,
            "), answered as (
                insert into requests (caller, method, request_id, digest, reply) values ($4, $5, $6, $7, $8)
            ), logged as (
                insert into log (event_id, source, type, space, resource, bytes) values ($2, $9, $10, $3, $1, $11)
                returning position
            )
            insert into unsequenced select position from logged"
        )
    };
}

/// The rows that the last call of a method left behind: the type of its event, its name, its own columns and their table.
macro_rules! last {
    ($event:literal, $method:literal, $columns:literal, $table:literal) => {
        concat!(
            "select l.source as teller, l.type as event_type, l.bytes as event, l.space, l.resource,
                    r.caller, r.method, r.digest as request_digest, r.reply, ",
            $columns,
            " from (select * from log where type like '%.",
            $event,
            "' order by position desc limit 1) l join ",
            $table,
            " cross join (select * from requests where method like '%/",
            $method,
            "' order by at desc limit 1) r"
        )
    };
}

pub(crate) use {last, statement};

/// The rows of one batch in one statement, which is one commit.
const BATCH: &str = "
    insert into observations (series, submission, breakdown, starts, ends, dimensions, level, code, name, value,
                              value_state, numerator, numerator_state, denominator, denominator_state, rate_withheld)
    select $11, $1, breakdown, starts, ends, dimensions, level, code, name, null, null, numerator, 1, denominator, 1, false
      from unnest($2::text[], $3::date[], $4::date[], $5::text[], $6::text[], $7::text[], $8::text[], $9::numeric[],
                  $10::numeric[])
           as o(breakdown, starts, ends, dimensions, level, code, name, numerator, denominator)";

/// Connections to the tables of a room that has no service.
pub async fn tables<R: Room>(coalition: &Coalition, connections: u32) -> Outcome<PgPool> {
    let url = coalition.bare_database().await?;
    Ok(chassis::database::open(&url, R::NAME, R::migrations(), connections).await?)
}

/// The rows that every command leaves behind, but for their keys.
#[derive(Clone, FromRow)]
pub struct Told {
    /// Of the log: the event.
    pub event: Vec<u8>,
    teller: String,
    event_type: String,
    space: String,
    resource: String,
    caller: String,
    method: String,
    request_digest: Vec<u8>,
    reply: Vec<u8>,
}

/// A [`statement!`] about a new resource, with its first eleven arguments.
pub fn command<'q>(statement: &'static str, told: &'q Told) -> Outcome<Query<'q, Postgres, PgArguments>> {
    let id = clock::new_id();
    let node = told.resource.parse::<Reference>()?.node;
    let query = sqlx::query(statement)
        .bind(format!("{node}/{id}"))
        .bind(id)
        .bind(&told.space)
        .bind(&told.caller)
        .bind(&told.method)
        .bind(id.to_string())
        .bind(&told.request_digest)
        .bind(&told.reply)
        .bind(&told.teller)
        .bind(&told.event_type)
        .bind(&told.event);
    Ok(query)
}

/// Writes the observations of one batch of a series; tells how many.
pub async fn batch(connection: &mut PgConnection, series: Uuid, columns: &Columns) -> Outcome<u64> {
    let inserted = sqlx::query(BATCH)
        .bind(clock::new_id())
        .bind(&columns.breakdowns)
        .bind(&columns.starts)
        .bind(&columns.ends)
        .bind(&columns.dimensions)
        .bind(&columns.levels)
        .bind(&columns.codes)
        .bind(&columns.names)
        .bind(&columns.numerators)
        .bind(&columns.denominators)
        .bind(series)
        .execute(connection)
        .await?;
    Ok(inserted.rows_affected())
}
