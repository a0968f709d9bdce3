//! The services' own books: what is held, and whether what is told is also heard.

use chassis::{clock, database};
use sqlx::PgPool;
use time::OffsetDateTime;

use super::Finding;
use crate::house::{Schema, schemas};
use crate::words;

const HELD: &str = "held events";
const ROAD: &str = "road between services";
/// Anything that waits longer, in seconds, does not go by itself.
const TOO_LONG: f64 = 60.0;

/// A service whose books can be read.
struct Service {
    name: &'static str,
    pool: PgPool,
}

pub(super) async fn examine(url: &str, node_runs: bool) -> Vec<Finding> {
    let mut services = Vec::new();
    for Schema { name, .. } in schemas() {
        services.extend(database::look(url, name).await.ok().map(|pool| Service { name, pool }));
    }
    let looked = async { Ok::<_, sqlx::Error>(vec![held(&services).await?, road(&services, node_runs).await?]) };
    match looked.await {
        Ok(found) => found,
        Err(error) => vec![Finding::wrong(HELD, format!("cannot be read: {error}"), "see postgres above")],
    }
}

async fn held(services: &[Service]) -> Result<Finding, sqlx::Error> {
    let (mut number, mut example) = (0, None);
    for Service { name, pool } in services {
        let (held, reason): (i64, Option<String>) =
            sqlx::query_as("select count(*), min(reason) from log where standing = 'held'").fetch_one(pool).await?;
        number += held;
        example = example.or(reason.map(|reason| format!("in {name}: {reason}")));
    }
    let events = words::count(u64::try_from(number).unwrap_or(0), "event waits", "events wait");
    Ok(match example {
        None => Finding::well(HELD, "none"),
        Some(example) => Finding::wrong(
            HELD,
            format!("{events}, and later ones of the same resources with them; {example}"),
            "upgrade this node: what a newer version knows, it applies by itself at its start",
        ),
    })
}

/// What waits to be numbered, published or heard, and since when.
async fn road(services: &[Service], node_runs: bool) -> Result<Finding, sqlx::Error> {
    let (mut number, mut oldest, mut where_) = (0, None::<OffsetDateTime>, "");
    for Service { name, pool } in services {
        let (waiting, since) = untold(pool).await?;
        let (unheard, unheard_since) = unheard(services, name, pool).await?;
        number += waiting + unheard;
        let since = [since, unheard_since].into_iter().flatten().min();
        if since.is_some_and(|since| oldest.is_none_or(|oldest| since < oldest)) {
            (oldest, where_) = (since, name);
        }
    }
    let Some(oldest) = oldest else { return Ok(Finding::well(ROAD, "nothing waits")) };
    let age = (clock::now() - oldest).as_seconds_f64();
    let events = words::count(u64::try_from(number).unwrap_or(0), "event waits", "events wait");
    let words = format!("{events}, the oldest for {} ({where_})", words::duration(age.max(0.0)));
    Ok(match (age > TOO_LONG, node_runs) {
        (false, _) => Finding::well(ROAD, words),
        (true, false) => Finding::advice(ROAD, words, "start the node: they go out then"),
        (true, true) => Finding::wrong(ROAD, words, "see whether every service runs, and the broker below"),
    })
}

/// What a service recorded and its relay has not handed to the broker.
async fn untold(pool: &PgPool) -> Result<(i64, Option<OffsetDateTime>), sqlx::Error> {
    sqlx::query_as(
        "select count(*), min(recorded_at) from log
          where position in (select position from unsequenced
                             union all
                             select position from relayed where sequence > (select sequence from published))",
    )
    .fetch_one(pool)
    .await
}

/// What others told and this service has not heard. The services' books lie in schemas of their own, so one is asked
/// for how far it has heard and the other for what comes after.
async fn unheard(
    services: &[Service],
    name: &str,
    pool: &PgPool,
) -> Result<(i64, Option<OffsetDateTime>), sqlx::Error> {
    let (mut number, mut oldest) = (0, None);
    for other in services.iter().filter(|other| other.name != name) {
        let heard: Option<i64> = sqlx::query_scalar("select sequence from heard where source = $1")
            .bind(other.name)
            .fetch_optional(pool)
            .await?;
        let (waiting, since): (i64, Option<OffsetDateTime>) = sqlx::query_as(
            "select count(*), min(l.recorded_at) from relayed r join log l using (position) where r.sequence > $1",
        )
        .bind(heard.unwrap_or(0))
        .fetch_one(&other.pool)
        .await?;
        number += waiting;
        oldest = [oldest, since].into_iter().flatten().min();
    }
    Ok((number, oldest))
}
