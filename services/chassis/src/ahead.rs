//! Verdicts that are heard before the events they are about: the border may be faster than the service that told them.

use std::collections::BTreeMap;

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

/// The places of those events that a verdict went ahead of; and forgets those that can come no more, now that a source
/// is heard so far.
pub(crate) async fn met(
    connection: &mut PgConnection,
    events: &[Uuid],
    source: &str,
    heard: u64,
) -> Result<BTreeMap<Uuid, Place>, sqlx::Error> {
    let rows: Vec<(Uuid, i64, OffsetDateTime)> = sqlx::query_as(
        "delete from ahead where event_id = any($1) or (source = $2 and sequence <= $3)
         returning event_id, position, accepted_at",
    )
    .bind(events)
    .bind(source)
    .bind(i64::try_from(heard).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(event, position, at)| (event, Place { position, at })).collect())
}
