//! The entries of feeds.

use std::collections::BTreeMap;

use bytes::Bytes;
use chassis::names::{NodeId, Space};
use proto::federation::EntryBody;
use sqlx::PgConnection;
use uuid::Uuid;

use super::feeds::{Feed, epoch};
use super::{signed, unsigned};
use crate::wire::{FRAME_ENTRIES, FeedName, GENESIS, Head, Link, head};

/// An entry on its way into the table.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// The entry.
    pub link: Link,
    /// The event in it, where there is one.
    pub event_id: Option<Uuid>,
    /// The resource by which its body is found when it is to be erased; empty where it never is, or is not read anew.
    pub resource: String,
    /// Why it was refused.
    pub refused: Option<String>,
    /// The room of this node that told it, and a number in its sequence that it is not beyond.
    pub told: Option<(String, u64)>,
}

/// Appends entries, and notes how far their feed is held and judged now; one statement, whatever the number.
///
/// # Errors
/// Where the database fails.
pub async fn append(
    connection: &mut PgConnection,
    name: &FeedName,
    feed: &Feed,
    entries: &[NewEntry],
) -> Result<(), sqlx::Error> {
    let body = |entry: &NewEntry| entry.link.body.clone();
    let sequences: Vec<i64> = entries.iter().map(|entry| signed(entry.link.sequence)).collect();
    let event_ids: Vec<Option<Uuid>> = entries.iter().map(|entry| entry.event_id).collect();
    let resources: Vec<String> = entries.iter().map(|entry| entry.resource.clone()).collect();
    let headers: Vec<Vec<u8>> = entries.iter().map(|entry| entry.link.header.to_vec()).collect();
    let digests: Vec<Vec<u8>> = entries.iter().map(|entry| entry.link.digest.to_vec()).collect();
    let events: Vec<Option<Vec<u8>>> =
        entries.iter().map(|entry| body(entry).map(|body| body.event.to_vec())).collect();
    let salts: Vec<Option<Vec<u8>>> = entries.iter().map(|entry| body(entry).map(|body| body.salt.to_vec())).collect();
    let refused: Vec<Option<String>> = entries.iter().map(|entry| entry.refused.clone()).collect();
    let told_by: Vec<Option<String>> =
        entries.iter().map(|entry| entry.told.as_ref().map(|(room, _)| room.clone())).collect();
    let told_numbers: Vec<Option<i64>> =
        entries.iter().map(|entry| entry.told.as_ref().map(|(_, number)| signed(*number))).collect();
    sqlx::query!(
        "with entry as (
             insert into federation.entries
                    (space, origin, epoch, sequence, event_id, header, digest, event, salt, refused, told_by, told_number,
                     resource)
             select $1, $2, $3, * from unnest($4::bigint[], $5::uuid[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bytea[],
                                              $10::text[], $11::text[], $12::bigint[], $13::text[])
         )
         insert into federation.feeds (space, origin, epoch, sequence, digest, judged) values ($1, $2, $3, $14, $15, $16)
         on conflict (space, origin, epoch) do update
            set sequence = excluded.sequence, digest = excluded.digest, judged = excluded.judged",
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        &sequences,
        &event_ids as &[Option<Uuid>],
        &headers,
        &digests,
        &events as &[Option<Vec<u8>>],
        &salts as &[Option<Vec<u8>>],
        &refused as &[Option<String>],
        &told_by as &[Option<String>],
        &told_numbers as &[Option<i64>],
        &resources,
        signed(feed.sequence),
        feed.digest.as_slice(),
        signed(feed.judged),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes why entries of a feed of this node were refused.
///
/// # Errors
/// Where the database fails.
pub async fn refuse(
    connection: &mut PgConnection,
    name: &FeedName,
    sequence: u64,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.entries set refused = $5 where space = $1 and origin = $2 and epoch = $3 and sequence = $4",
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        signed(sequence),
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct Row {
    sequence: i64,
    event_id: Option<Uuid>,
    header: Vec<u8>,
    digest: Vec<u8>,
    event: Option<Vec<u8>>,
    salt: Option<Vec<u8>>,
    refused: Option<String>,
}

impl From<Row> for NewEntry {
    fn from(row: Row) -> Self {
        let body = match (row.event, row.salt) {
            (Some(event), Some(salt)) => Some(EntryBody { event: event.into(), salt: salt.into() }),
            _ => None,
        };
        let link = Link {
            sequence: unsigned(row.sequence),
            // Only the header's reader needs the type; what is stored was read before.
            event_type: String::new(),
            header: Bytes::from(row.header),
            digest: head(&row.digest).unwrap_or(GENESIS),
            body,
        };
        Self { link, event_id: row.event_id, resource: String::new(), refused: row.refused, told: None }
    }
}

/// Entries `from..=to` of a feed, in order; at most as many as fit one frame.
///
/// # Errors
/// Where the database fails.
pub async fn range(
    connection: &mut PgConnection,
    name: &FeedName,
    from: u64,
    to: u64,
) -> Result<Vec<NewEntry>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select sequence, event_id, header, digest, event, salt, refused from federation.entries
          where space = $1 and origin = $2 and epoch = $3 and sequence between $4 and $5
          order by sequence limit $6",
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        signed(from),
        signed(to),
        i64::from(FRAME_ENTRIES),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(NewEntry::from).collect())
}

/// The entries of the steps of a space's order after `after`, up to `last`, by the step's position; those of a reader's own
/// feeds without.
///
/// # Errors
/// Where the database fails.
pub async fn of_steps(
    connection: &mut PgConnection,
    space: &Space,
    (after, last): (u64, u64),
    reader: Option<&NodeId>,
) -> Result<BTreeMap<u64, Vec<NewEntry>>, sqlx::Error> {
    let rows = sqlx::query!(
        "select a.position, e.sequence, e.event_id, e.header, e.digest, e.event, e.salt, e.refused
           from federation.acceptances a
           join federation.entries e
                on e.space = a.space and e.origin = a.origin and e.epoch = a.epoch and e.sequence between a.first and a.last
          where a.space = $1 and a.position > $2 and a.position <= $3 and a.origin is distinct from $4
          order by a.position, e.sequence",
        space.to_string(),
        signed(after),
        signed(last),
        reader.map(NodeId::as_str),
    )
    .fetch_all(connection)
    .await?;
    let mut steps = BTreeMap::<u64, Vec<NewEntry>>::new();
    for row in rows {
        let (sequence, event_id, refused) = (row.sequence, row.event_id, row.refused);
        let entry = Row {
            sequence,
            event_id,
            header: row.header,
            digest: row.digest,
            event: row.event,
            salt: row.salt,
            refused,
        };
        steps.entry(unsigned(row.position)).or_default().push(entry.into());
    }
    Ok(steps)
}

/// An entry of this node's own, without its body.
#[derive(Clone, Debug)]
pub struct OwnEntry {
    /// Its place in the feed.
    pub sequence: u64,
    /// The event in it.
    pub event_id: Option<Uuid>,
    /// The header's bytes.
    pub header: Bytes,
    /// Its digest.
    pub digest: Head,
    /// The room of this node that told it, and a number in its sequence that it is not beyond.
    pub told: Option<(String, u64)>,
}

/// Entries `from..=to` of a feed of this node's own, in order; at most as many as fit one frame.
///
/// # Errors
/// Where the database fails.
pub async fn own(
    connection: &mut PgConnection,
    name: &FeedName,
    from: u64,
    to: u64,
) -> Result<Vec<OwnEntry>, sqlx::Error> {
    let rows = sqlx::query!(
        "select sequence, event_id, header, digest, told_by, told_number from federation.entries
          where space = $1 and origin = $2 and epoch = $3 and sequence between $4 and $5
          order by sequence limit $6",
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        signed(from),
        signed(to),
        i64::from(FRAME_ENTRIES),
    )
    .fetch_all(connection)
    .await?;
    let own = rows.into_iter().map(|row| OwnEntry {
        sequence: unsigned(row.sequence),
        event_id: row.event_id,
        header: row.header.into(),
        digest: head(&row.digest).unwrap_or(GENESIS),
        told: row.told_by.zip(row.told_number.map(unsigned)),
    });
    Ok(own.collect())
}

/// The entries after a sequence that one frame holds: as many as may be, of at most `bytes`, and at least one. Bodies
/// larger than `largest` are left behind in the database: they cross no border.
///
/// # Errors
/// Where the database fails.
pub async fn next(
    connection: &mut PgConnection,
    name: &FeedName,
    after: u64,
    bytes: usize,
    largest: usize,
) -> Result<Vec<Link>, sqlx::Error> {
    // Sizes are known without reading the bytes; what would not fit is not read.
    let rows = sqlx::query_as!(
        Row,
        r#"select sequence, event_id, header, digest, case when small then event end as event,
                  case when small then salt end as salt, refused
             from (select *, coalesce(octet_length(event), 0) <= $6 as small,
                          sum(octet_length(header) + 64 +
                              case when octet_length(event) <= $6 then octet_length(event) else 0 end)
                              over (order by sequence) as total
                     from (select * from federation.entries
                            where space = $1 and origin = $2 and epoch = $3 and sequence > $4
                            order by sequence limit $7) as following) as weighed
            where total <= $5 or sequence = $4 + 1 order by sequence"#,
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        signed(after),
        i64::try_from(bytes).unwrap_or(i64::MAX),
        i32::try_from(largest).unwrap_or(i32::MAX),
        i64::from(FRAME_ENTRIES),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| NewEntry::from(row).link).collect())
}

/// Digest of one header of a feed; `None` where it is not held.
///
/// # Errors
/// Where the database fails.
pub async fn digest_at(
    connection: &mut PgConnection,
    name: &FeedName,
    sequence: u64,
) -> Result<Option<Head>, sqlx::Error> {
    if sequence == 0 {
        return Ok(Some(GENESIS));
    }
    let digest = sqlx::query_scalar!(
        "select digest from federation.entries where space = $1 and origin = $2 and epoch = $3 and sequence = $4",
        name.space.to_string(),
        name.origin.as_str(),
        epoch(name),
        signed(sequence),
    )
    .fetch_optional(connection)
    .await?;
    Ok(digest.and_then(|digest| head(&digest)))
}

/// Which of these events stand in an accepted entry already.
///
/// # Errors
/// Where the database fails.
pub async fn told_before(connection: &mut PgConnection, events: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select event_id as "event_id!" from federation.entries where event_id = any($1) and refused is null"#,
        events,
    )
    .fetch_all(connection)
    .await
}

/// How many entries of a node in a space the backbone refused.
///
/// # Errors
/// Where the database fails.
pub async fn refused(connection: &mut PgConnection, space: &Space, origin: &NodeId) -> Result<u64, sqlx::Error> {
    let refused = sqlx::query_scalar!(
        r#"select count(*) as "refused!" from federation.entries
            where space = $1 and origin = $2 and refused is not null"#,
        space.to_string(),
        origin.as_str(),
    )
    .fetch_one(connection)
    .await?;
    Ok(unsigned(refused))
}
