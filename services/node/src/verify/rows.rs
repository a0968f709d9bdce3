//! The rows of the border as they are checked: nothing is decided here, and nothing read as if it were true.

use chassis::names::{NodeId, Space};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Wrong;

/// How many rows are read at once.
const PAGE: i64 = 1000;

/// A feed, by the table of feeds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Feed {
    pub(super) space: String,
    pub(super) origin: String,
    pub(super) epoch: i32,
    pub(super) sequence: i64,
    pub(super) digest: Vec<u8>,
    pub(super) judged: i64,
}

impl Feed {
    /// Something wrong with it, or with an entry of it.
    pub(super) fn wrong(&self, check: &'static str, sequence: Option<i64>, what: impl Into<String>) -> Wrong {
        Wrong {
            check,
            space: Some(self.space.clone()),
            origin: Some(self.origin.clone()),
            sequence,
            what: what.into(),
            ..Wrong::default()
        }
    }
}

/// An entry, by the table of entries.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Entry {
    pub(super) sequence: i64,
    pub(super) event_id: Option<Uuid>,
    pub(super) header: Vec<u8>,
    pub(super) digest: Vec<u8>,
    pub(super) event: Option<Vec<u8>>,
    pub(super) salt: Option<Vec<u8>>,
    pub(super) refused: Option<String>,
}

/// A step of an order, by the table of acceptances.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Step {
    pub(super) position: i64,
    pub(super) origin: String,
    pub(super) epoch: i32,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) acceptance: Vec<u8>,
    pub(super) digest: Vec<u8>,
    pub(super) seal_key: Vec<u8>,
    pub(super) seal_signature: Vec<u8>,
    pub(super) frame_key: Vec<u8>,
    pub(super) frame_signature: Vec<u8>,
    pub(super) accepted_at: OffsetDateTime,
}

/// How far a space's order is said to be held.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Head {
    pub(super) space: String,
    pub(super) initiative: String,
    pub(super) position: i64,
    pub(super) digest: Vec<u8>,
}

impl Head {
    /// Something wrong with the order, or with a step of it.
    pub(super) fn wrong(&self, check: &'static str, position: Option<i64>, what: impl Into<String>) -> Wrong {
        Wrong { check, space: Some(self.space.clone()), position, what: what.into(), ..Wrong::default() }
    }

    /// The space, if its name is one.
    pub(super) fn parsed(&self) -> Option<Space> {
        self.space.parse().ok()
    }
}

pub(super) async fn feeds(connection: &mut PgConnection) -> Result<Vec<Feed>, sqlx::Error> {
    sqlx::query_as(
        "select space, origin, epoch, sequence, digest, judged from federation.feeds order by space, origin, epoch",
    )
    .fetch_all(connection)
    .await
}

/// The next entries of a feed after a sequence.
pub(super) async fn entries(connection: &mut PgConnection, feed: &Feed, after: i64) -> Result<Vec<Entry>, sqlx::Error> {
    between(connection, (&feed.space, &feed.origin, feed.epoch), after + 1, i64::MAX).await
}

/// The entries that a step covers.
pub(super) async fn covered(
    connection: &mut PgConnection,
    space: &str,
    step: &Step,
) -> Result<Vec<Entry>, sqlx::Error> {
    between(connection, (space, &step.origin, step.epoch), step.first, step.last).await
}

async fn between(
    connection: &mut PgConnection,
    (space, origin, epoch): (&str, &str, i32),
    from: i64,
    to: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(
        "select sequence, event_id, header, digest, event, salt, refused from federation.entries
          where space = $1 and origin = $2 and epoch = $3 and sequence between $4 and $5
          order by sequence limit $6",
    )
    .bind(space)
    .bind(origin)
    .bind(epoch)
    .bind(from)
    .bind(to)
    .bind(PAGE)
    .fetch_all(connection)
    .await
}

/// An entry that no feed accounts for.
pub(super) async fn stray(connection: &mut PgConnection) -> Result<Option<(String, String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select e.space, e.origin, e.sequence from federation.entries e
          where not exists (select from federation.feeds f
                             where f.space = e.space and f.origin = e.origin and f.epoch = e.epoch
                               and e.sequence between 1 and f.sequence)
          order by e.space, e.origin, e.epoch, e.sequence limit 1",
    )
    .fetch_optional(connection)
    .await
}

/// The orders, the members space of each initiative first: the others are judged by it.
pub(super) async fn heads(connection: &mut PgConnection) -> Result<Vec<Head>, sqlx::Error> {
    sqlx::query_as(
        "select space, initiative, position, digest from federation.spaces
          order by initiative, space <> initiative || '/members', space",
    )
    .fetch_all(connection)
    .await
}

/// The next steps of an order after a position.
pub(super) async fn steps(connection: &mut PgConnection, space: &str, after: i64) -> Result<Vec<Step>, sqlx::Error> {
    sqlx::query_as(
        "select position, origin, epoch, first, last, acceptance, digest, seal_key, seal_signature, frame_key,
                frame_signature, accepted_at
           from federation.acceptances where space = $1 and position > $2 order by position limit $3",
    )
    .bind(space)
    .bind(after)
    .bind(PAGE)
    .fetch_all(connection)
    .await
}

/// A step that no order accounts for.
pub(super) async fn stray_step(connection: &mut PgConnection) -> Result<Option<(String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select a.space, a.position from federation.acceptances a
          where not exists (select from federation.spaces s
                             where s.space = a.space and a.position between 1 and s.position)
          order by a.space, a.position limit 1",
    )
    .fetch_optional(connection)
    .await
}

/// How many entries and steps there are.
pub(super) async fn totals(connection: &mut PgConnection) -> Result<(i64, i64), sqlx::Error> {
    sqlx::query_as("select (select count(*) from federation.entries), (select count(*) from federation.acceptances)")
        .fetch_one(connection)
        .await
}

/// A node's id, if the text is one.
pub(super) fn node(text: &str) -> Option<NodeId> {
    text.parse().ok()
}

/// The key that sealed the frame of a node before a step of a space's order.
pub(super) async fn frame_key_before(
    connection: &mut PgConnection,
    space: &str,
    origin: &NodeId,
    position: i64,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar(
        "select frame_key from federation.acceptances where space = $1 and origin = $2 and position < $3
          order by position desc limit 1",
    )
    .bind(space)
    .bind(origin.as_str())
    .bind(position)
    .fetch_optional(connection)
    .await
}
