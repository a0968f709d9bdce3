//! The log of a service: rows as they are read and written, nothing decided here.

use std::collections::BTreeSet;

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::event::{Event, Place};
use crate::requests::Claim;
use crate::telemetry::traceparent;

/// How a logged event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The tables follow it.
    Folded,
    /// Waits, and later events of its resource with it.
    Held,
    /// The backbone said no.
    Refused,
}

impl Standing {
    /// As the table has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Folded => "folded",
            Self::Held => "held",
            Self::Refused => "refused",
        }
    }
}

/// A row to be logged.
#[derive(Clone, Debug)]
pub struct Line {
    /// The event's own id.
    pub event_id: Uuid,
    /// Full name of its message.
    pub type_name: String,
    /// Written form of its space.
    pub space: String,
    /// Written form of its resource.
    pub resource: String,
    /// The CloudEvent's bytes.
    pub bytes: Vec<u8>,
    /// How it stands.
    pub standing: Standing,
    /// Why, unless folded.
    pub reason: Option<String>,
    /// The backbone's word on it.
    pub accepted: Option<Place>,
    /// Trace context of the work that told it or brought it here.
    pub traceparent: Option<String>,
}

impl Line {
    /// The row of an event that was folded, in the trace of the current span.
    pub fn folded(event: &Event, bytes: Vec<u8>) -> Self {
        Self {
            event_id: event.id,
            type_name: event.type_name.clone(),
            space: event.space.to_string(),
            resource: event.resource.to_string(),
            bytes,
            standing: Standing::Folded,
            reason: None,
            accepted: event.accepted,
            traceparent: traceparent(),
        }
    }
}

/// A statement that appends lines: `$1` is who tells them, `$2` to `$11` are their columns.
macro_rules! appending {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "insert into log (event_id, source, type, space, resource, bytes, standing, reason, accepted_position, accepted_at,
                              traceparent)
             select l.event_id, $1, l.type, l.space, l.resource, l.bytes, l.standing, l.reason, l.position, l.at, l.trace
               from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::text[],
                           $9::bigint[], $10::timestamptz[], $11::text[])
                    with ordinality as l(event_id, type, space, resource, bytes, standing, reason, position, at, trace, nth)
              order by l.nth",
            $after,
        )
    };
}

/// Appends what this service tells, to be numbered by its relay after the commit. One statement, whatever the number.
///
/// # Errors
/// Where the database fails, or an event is in the log already.
pub async fn append_told(connection: &mut PgConnection, source: &str, lines: &[Line]) -> Result<(), sqlx::Error> {
    let statement =
        appending!("with line as (", " returning position) insert into unsequenced select position from line");
    Columns::of(lines).bind(sqlx::query(statement), source).execute(connection).await?;
    Ok(())
}

/// Appends what this service tells because of a request, and keeps the answer to it. One statement for both: each
/// round trip that a command saves is a tenth of its time.
pub(crate) async fn append_answered(
    connection: &mut PgConnection,
    source: &str,
    lines: &[Line],
    claim: &Claim<'_>,
    reply: &[u8],
) -> Result<(), sqlx::Error> {
    let statement = appending!(
        "with line as (",
        " returning position), kept as (
             update requests set reply = $15 where caller = $12 and method = $13 and request_id = $14
         )
         insert into unsequenced select position from line"
    );
    let query = Columns::of(lines).bind(sqlx::query(statement), source);
    query.bind(claim.caller).bind(claim.method).bind(claim.request_id).bind(reply).execute(connection).await?;
    Ok(())
}

/// Appends what was heard from another service of this node. One statement, whatever the number.
///
/// # Errors
/// Where the database fails, or an event is in the log already.
pub async fn append_heard(connection: &mut PgConnection, source: &str, lines: &[Line]) -> Result<(), sqlx::Error> {
    Columns::of(lines).bind(sqlx::query(appending!("", "")), source).execute(connection).await?;
    Ok(())
}

/// Those of these resources of which an event is held.
///
/// # Errors
/// Where the database fails.
pub async fn waiting(connection: &mut PgConnection, resources: &[String]) -> Result<BTreeSet<String>, sqlx::Error> {
    let held: Vec<String> =
        sqlx::query_scalar("select distinct resource from log where standing = 'held' and resource = any($1)")
            .bind(resources)
            .fetch_all(connection)
            .await?;
    Ok(held.into_iter().collect())
}

/// Notes the backbone's yes on events of this node; tells which of them are of one of these types.
///
/// # Errors
/// Where the database fails.
pub async fn mark_accepted(
    connection: &mut PgConnection,
    ids: &[Uuid],
    place: Place,
    types: &[&str],
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "with marked as (
             update log set accepted_position = $2, accepted_at = $3 where event_id = any($1) returning event_id, type
         )
         select event_id from marked where type = any($4)",
    )
    .bind(ids)
    .bind(place.position)
    .bind(place.at)
    .bind(types)
    .fetch_all(connection)
    .await
}

/// Erases what the log holds of each of these events' resources from before it. The rows stay: who told it, of which
/// type, and its place.
///
/// # Errors
/// Where the database fails.
pub async fn erase_before(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update log set bytes = null
           from log erasing
          where erasing.event_id = any($1) and log.resource = erasing.resource and log.position < erasing.position
            and log.bytes is not null",
    )
    .bind(ids)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes the backbone's no on an event of this node; tells the resource it was about, if it is in this log.
///
/// # Errors
/// Where the database fails.
pub async fn mark_refused(
    connection: &mut PgConnection,
    id: Uuid,
    place: Place,
    reason: &str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "update log set standing = 'refused', reason = $2, accepted_position = $3, accepted_at = $4
          where event_id = $1 returning resource",
    )
    .bind(id)
    .bind(printable(reason))
    .bind(place.position)
    .bind(place.at)
    .fetch_optional(connection)
    .await
}

/// Keeps the place of an event that was refused before it was heard: when it comes it is known already.
///
/// # Errors
/// Where the database fails.
pub async fn refuse_unheard(
    connection: &mut PgConnection,
    id: Uuid,
    space: &str,
    place: Place,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into log (event_id, source, type, space, resource, standing, reason, accepted_position, accepted_at)
         values ($1, '', '', $2, '', 'refused', $3, $4, $5)",
    )
    .bind(id)
    .bind(space)
    .bind(printable(reason))
    .bind(place.position)
    .bind(place.at)
    .execute(connection)
    .await?;
    Ok(())
}

/// A logged event as replay reads it: local position and event.
#[derive(sqlx::FromRow)]
pub(crate) struct Logged {
    pub(crate) position: i64,
    pub(crate) bytes: Vec<u8>,
    accepted_position: Option<i64>,
    accepted_at: Option<OffsetDateTime>,
}

impl Logged {
    pub(crate) fn place(&self) -> Option<Place> {
        Some(Place { position: self.accepted_position?, at: self.accepted_at? })
    }
}

/// The next events after a local position that are not refused or erased, all or those of one resource.
pub(crate) async fn page(
    connection: &mut PgConnection,
    resource: Option<&str>,
    after: i64,
) -> Result<Vec<Logged>, sqlx::Error> {
    sqlx::query_as(
        "select position, bytes, accepted_position, accepted_at from log
          where position > $2 and standing <> 'refused' and bytes is not null and ($1::text is null or resource = $1)
          order by position limit 500",
    )
    .bind(resource)
    .bind(after)
    .fetch_all(connection)
    .await
}

/// Changes how an event stands.
pub(crate) async fn stand(
    connection: &mut PgConnection,
    position: i64,
    standing: Standing,
    reason: Option<&str>,
) -> Result<(), sqlx::Error> {
    sqlx::query("update log set standing = $2, reason = $3 where position = $1 and (standing, reason) is distinct from ($2, $3)")
        .bind(position)
        .bind(standing.as_str())
        .bind(reason.map(printable))
        .execute(connection)
        .await?;
    Ok(())
}

/// A reason as it can be kept and shown: it may quote what another node sent, and Postgres takes no NUL.
fn printable(reason: &str) -> String {
    reason.chars().filter(|character| !character.is_control()).take(500).collect()
}

#[derive(Default)]
struct Columns {
    event_ids: Vec<Uuid>,
    types: Vec<String>,
    spaces: Vec<String>,
    resources: Vec<String>,
    bytes: Vec<Vec<u8>>,
    standings: Vec<&'static str>,
    reasons: Vec<Option<String>>,
    positions: Vec<Option<i64>>,
    ats: Vec<Option<OffsetDateTime>>,
    traces: Vec<Option<String>>,
}

impl Columns {
    fn of(lines: &[Line]) -> Self {
        let mut columns = Self::default();
        for line in lines.iter().cloned() {
            columns.event_ids.push(line.event_id);
            columns.types.push(line.type_name);
            columns.spaces.push(line.space);
            columns.resources.push(line.resource);
            columns.bytes.push(line.bytes);
            columns.standings.push(line.standing.as_str());
            columns.reasons.push(line.reason.as_deref().map(printable));
            columns.positions.push(line.accepted.map(|place| place.position));
            columns.ats.push(line.accepted.map(|place| place.at));
            columns.traces.push(line.traceparent);
        }
        columns
    }

    fn bind<'q>(self, query: Query<'q, Postgres, PgArguments>, source: &'q str) -> Query<'q, Postgres, PgArguments> {
        query
            .bind(source)
            .bind(self.event_ids)
            .bind(self.types)
            .bind(self.spaces)
            .bind(self.resources)
            .bind(self.bytes)
            .bind(self.standings)
            .bind(self.reasons)
            .bind(self.positions)
            .bind(self.ats)
            .bind(self.traces)
    }
}
