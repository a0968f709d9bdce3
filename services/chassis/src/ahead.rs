//! Verdicts that are heard before the events they are about: the border may be faster than the service that told them.

use std::collections::{BTreeMap, BTreeSet};

use proto::common::Judged;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::event::Place;

/// Keeps the place of those accepted events that this service has not heard yet and still may.
pub(crate) async fn expect(
    connection: &mut PgConnection,
    service: &str,
    judged: &Judged,
    accepted: &[Uuid],
    place: Place,
) -> Result<(), sqlx::Error> {
    for source in judged.sources.iter().filter(|source| source.service != service) {
        let sequence = i64::try_from(source.sequence).unwrap_or(i64::MAX);
        sqlx::query(
            "insert into ahead (event_id, source, sequence, position, accepted_at)
             select id, $2, $3, $4, $5 from unnest($1::uuid[]) as id
              where not exists (select from heard where source = $2 and sequence >= $3)
                and not exists (select from log where event_id = id)
             on conflict do nothing",
        )
        .bind(accepted)
        .bind(&source.service)
        .bind(sequence)
        .bind(place.position)
        .bind(place.at)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// What is there already of events that are heard.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// The places of those that a verdict went ahead of.
    pub(crate) places: BTreeMap<Uuid, Place>,
    /// Those that are in the log.
    pub(crate) known: BTreeSet<Uuid>,
}

/// What is there already of these events; and forgets the places of those that can come no more, now that a source is
/// heard so far.
pub(crate) async fn met(
    connection: &mut PgConnection,
    events: &[Uuid],
    source: &str,
    heard: u64,
) -> Result<Met, sqlx::Error> {
    let rows: Vec<(Uuid, Option<i64>, Option<OffsetDateTime>)> = sqlx::query_as(
        "with met as (
             delete from ahead where event_id = any($1) or (source = $2 and sequence <= $3)
             returning event_id, position, accepted_at
         )
         select event_id, position, accepted_at from met
         union all select event_id, null, null from log where event_id = any($1)",
    )
    .bind(events)
    .bind(source)
    .bind(i64::try_from(heard).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    let mut met = Met::default();
    for (event, position, at) in rows {
        match (position, at) {
            (Some(position), Some(at)) => drop(met.places.insert(event, Place { position, at })),
            _ => drop(met.known.insert(event)),
        }
    }
    Ok(met)
}
