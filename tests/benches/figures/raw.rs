//! The bare database: the tables of a room with its indexes and constraints, and nobody between them and the one who writes.

use chassis::clock;
use chassis::names::Reference;
use chassis::room::Room;
use measurement::Measurement;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::figure::Outcome;
use crate::nodes::Coalition;
use crate::observations::Columns;
use crate::told::Rows;

/// The four rows of one command in one statement, which is one commit.
const COMMAND: &str = "
    with opened as (
        insert into submissions (reference, key, series, space, measure, organization, basis, source, state, digest,
                                 version, created_at, updated_at)
        values ($1, $2, $16, $3, $4, $5, 1, $6, 1, $7, 1, clock_timestamp(), clock_timestamp())
    ), answered as (
        insert into requests (caller, method, request_id, digest, reply) values ($8, $9, $10, $11, $12)
    ), logged as (
        insert into log (event_id, source, type, space, resource, bytes) values ($2, $13, $14, $3, $1, $15)
        returning position
    )
    insert into unsequenced select position from logged";

/// The rows of one batch in one statement, which is one commit.
const BATCH: &str = "
    insert into observations (series, submission, breakdown, starts, ends, dimensions, level, code, name, value,
                              value_state, numerator, numerator_state, denominator, denominator_state, rate_withheld)
    select $11, $1, breakdown, starts, ends, dimensions, level, code, name, null, null, numerator, 1, denominator, 1, false
      from unnest($2::text[], $3::date[], $4::date[], $5::text[], $6::text[], $7::text[], $8::text[], $9::numeric[],
                  $10::numeric[])
           as o(breakdown, starts, ends, dimensions, level, code, name, numerator, denominator)";

/// Connections to the tables of a room that has no service.
pub async fn tables(coalition: &Coalition, connections: u32) -> Outcome<PgPool> {
    let url = coalition.bare_database().await?;
    Ok(chassis::database::open(&url, Measurement::NAME, Measurement::migrations(), connections).await?)
}

/// Writes what one command writes.
pub async fn command(connection: &mut PgConnection, rows: &Rows) -> Outcome<()> {
    let id = clock::new_id();
    let node = rows.organization.parse::<Reference>()?.node;
    sqlx::query(COMMAND)
        .bind(format!("{node}/{id}"))
        .bind(id)
        .bind(&rows.space)
        .bind(&rows.measure)
        .bind(&rows.organization)
        .bind(&rows.source)
        .bind(&rows.observations_digest)
        .bind(&rows.caller)
        .bind(&rows.method)
        .bind(id.to_string())
        .bind(&rows.request_digest)
        .bind(&rows.reply)
        .bind(&rows.teller)
        .bind(&rows.event_type)
        .bind(&rows.event)
        .bind(rows.series)
        .execute(connection)
        .await?;
    Ok(())
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
