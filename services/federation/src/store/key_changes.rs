//! Changes of keys: of a backbone's by position, and of this node's own until they are judged.

use chassis::names::{NodeId, Reference, Space};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{signed, unsigned};
use crate::wire::{Head, head};

/// What is known of a backbone's keys: one row for each change of them, or one alone.
pub struct OfBackbone {
    backbone_keys: Vec<Vec<u8>>,
    /// The key that sealed the first step of the members space.
    pub first_seal: Option<Vec<u8>>,
    /// Where its key changed.
    pub changed_position: Option<i64>,
    keys: Option<Vec<Vec<u8>>>,
}

impl OfBackbone {
    /// All its keys that are known here.
    pub fn known(&self) -> Vec<Head> {
        heads(&self.backbone_keys)
    }

    /// Those it had after the change.
    pub fn changed(&self) -> Option<Vec<Head>> {
        self.keys.as_deref().map(heads)
    }
}

fn heads(keys: &[Vec<u8>]) -> Vec<Head> {
    keys.iter().filter_map(|key| head(key)).collect()
}

/// What is known of the keys of an initiative's backbone, its changes in order.
///
/// # Errors
/// Where the database fails.
pub async fn of_initiative(
    connection: &mut PgConnection,
    initiative: &Reference,
) -> Result<Vec<OfBackbone>, sqlx::Error> {
    sqlx::query_as!(
        OfBackbone,
        r#"select i.backbone_keys, k.changed_position as "changed_position?", k.keys as "keys?",
                  (select a.seal_key from federation.acceptances a where a.space = $2 and a.position = 1) as first_seal
             from federation.initiatives i left join federation.backbone_keys k on k.initiative = i.initiative
            where i.initiative = $1 order by k.changed_position"#,
        initiative.to_string(),
        Space::members(initiative).to_string(),
    )
    .fetch_all(connection)
    .await
}

/// From this position on a backbone has these keys.
///
/// # Errors
/// Where the database fails.
pub async fn of_backbone(
    connection: &mut PgConnection,
    initiative: &Reference,
    position: u64,
    keys: &[Head],
) -> Result<(), sqlx::Error> {
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.to_vec()).collect();
    sqlx::query!(
        "with changed as (
             insert into federation.backbone_keys (initiative, changed_position, keys) values ($1, $2, $3)
             on conflict (initiative, changed_position) do update set keys = excluded.keys
         )
         update federation.initiatives set backbone_keys = $3
          where initiative = $1 and cardinality(backbone_keys) < cardinality($3)",
        initiative.to_string(),
        signed(position),
        &keys,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A change of this node's key that it told.
pub struct Told {
    /// The new key.
    pub public_key: Head,
    /// In which run of its feed the entry stands.
    pub epoch: u32,
    /// Its place there.
    pub sequence: u64,
    /// The backbone has said yes or no.
    pub judged: bool,
    /// Why it said no.
    pub refused: Option<String>,
}

/// Waits until nobody else tells of a key, and lets nobody until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn take_turns(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('federation.key_changes', 0))")
        .fetch_one(connection)
        .await?;
    Ok(())
}

/// Notes that this node told an initiative of a new key.
///
/// # Errors
/// Where the database fails.
pub async fn tell(
    connection: &mut PgConnection,
    initiative: &Reference,
    public_key: &Head,
    event: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into federation.key_changes (initiative, public_key, event_id) values ($1, $2, $3)
         on conflict (initiative, public_key) do update set event_id = excluded.event_id, told_at = excluded.told_at",
        initiative.to_string(),
        public_key.as_slice(),
        event,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What this node told an initiative of its keys, in order, and still stands in the newest run of its feed: what a restored database
/// knows nothing of any more was not told.
///
/// # Errors
/// Where the database fails.
pub async fn told(
    connection: &mut PgConnection,
    initiative: &Reference,
    node: &NodeId,
) -> Result<Vec<Told>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select c.public_key, e.epoch, e.sequence, e.refused, e.sequence <= f.judged as "judged!"
             from federation.key_changes c
             join federation.entries e on e.event_id = c.event_id and e.space = $2 and e.origin = $3
             join federation.feeds f on f.space = e.space and f.origin = e.origin and f.epoch = e.epoch
            where c.initiative = $1
              and not exists (select from federation.feeds later
                               where later.space = f.space and later.origin = f.origin and later.epoch > f.epoch)
            order by e.sequence"#,
        initiative.to_string(),
        Space::members(initiative).to_string(),
        node.as_str(),
    )
    .fetch_all(connection)
    .await?;
    let told = rows.into_iter().filter_map(|row| {
        let (public_key, sequence) = (head(&row.public_key)?, unsigned(row.sequence));
        let epoch = u32::try_from(row.epoch).unwrap_or(0);
        Some(Told { public_key, epoch, sequence, judged: row.judged, refused: row.refused })
    });
    Ok(told.collect())
}

/// The key that sealed a step of a space's order; `None` where it is not held.
///
/// # Errors
/// Where the database fails.
pub async fn of_step(connection: &mut PgConnection, space: &Space, position: u64) -> Result<Option<Head>, sqlx::Error> {
    let key = sqlx::query_scalar!(
        "select seal_key from federation.acceptances where space = $1 and position = $2",
        space.to_string(),
        signed(position),
    )
    .fetch_optional(connection)
    .await?;
    Ok(key.and_then(|key| head(&key)))
}

/// The key that sealed the newest frame of a node that is held in a space.
///
/// # Errors
/// Where the database fails.
pub async fn of_newest_frame(
    connection: &mut PgConnection,
    space: &Space,
    origin: &NodeId,
) -> Result<Option<Head>, sqlx::Error> {
    let key = sqlx::query_scalar!(
        "select frame_key from federation.acceptances where space = $1 and origin = $2
          order by epoch desc, last desc limit 1",
        space.to_string(),
        origin.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(key.and_then(|key| head(&key)))
}
