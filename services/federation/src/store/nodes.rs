//! Initiatives this node takes part in, and the nodes that belong to them.

use chassis::names::{NodeId, Reference};
use proto::federation::SignedAppointment;
use sqlx::PgConnection;

use super::signed;
use crate::wire::{Head, head};

/// An initiative this node takes part in.
#[derive(Clone, Debug)]
pub struct Initiative {
    /// Its reference.
    pub initiative: Reference,
    /// How people call it.
    pub name: String,
    /// The backbone's node.
    pub backbone: NodeId,
    /// The backbone's public keys, first to current.
    pub backbone_keys: Vec<Head>,
    /// The root's public key.
    pub root_key: Head,
    /// The root's word on who the backbone is.
    pub appointment: SignedAppointment,
    /// Whether this node only follows it: then it holds the public space alone, and writes nothing. It stands with the
    /// link to the backbone.
    pub follows: bool,
}

/// A node of an initiative.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its id.
    pub node: NodeId,
    /// Its public keys, first to current.
    pub keys: Vec<Head>,
    /// How people call it.
    pub display_name: String,
    /// Where its link was ended.
    pub ended_position: Option<i64>,
}

struct InitiativeRow {
    initiative: String,
    name: String,
    backbone: String,
    backbone_keys: Vec<Vec<u8>>,
    root_key: Vec<u8>,
    appointment: Vec<u8>,
    appointment_signature: Vec<u8>,
    follows: bool,
}

impl InitiativeRow {
    fn read(self) -> Option<Initiative> {
        Some(Initiative {
            initiative: self.initiative.parse().ok()?,
            name: self.name,
            backbone: self.backbone.parse().ok()?,
            backbone_keys: heads(&self.backbone_keys),
            root_key: head(&self.root_key)?,
            appointment: SignedAppointment {
                appointment: self.appointment.into(),
                signature: self.appointment_signature.into(),
            },
            follows: self.follows,
        })
    }
}

/// Notes an initiative, or what changed about it.
///
/// # Errors
/// Where the database fails.
pub async fn save_initiative(connection: &mut PgConnection, initiative: &Initiative) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into federation.initiatives
                (initiative, name, backbone, backbone_keys, root_key, appointment, appointment_signature)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (initiative) do update
            set name = excluded.name, backbone = excluded.backbone, backbone_keys = excluded.backbone_keys,
                appointment = excluded.appointment, appointment_signature = excluded.appointment_signature",
        initiative.initiative.to_string(),
        initiative.name,
        initiative.backbone.as_str(),
        &bytes(&initiative.backbone_keys),
        initiative.root_key.as_slice(),
        initiative.appointment.appointment.as_ref(),
        initiative.appointment.signature.as_ref(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One initiative; `None` where this node does not take part in it.
///
/// # Errors
/// Where the database fails.
pub async fn initiative(
    connection: &mut PgConnection,
    initiative: &Reference,
) -> Result<Option<Initiative>, sqlx::Error> {
    let row = sqlx::query_as!(
        InitiativeRow,
        r#"select initiative, name, backbone, backbone_keys, root_key, appointment, appointment_signature,
                  exists (select from federation.links l
                           where l.initiative = i.initiative and l.node = i.backbone and l.follower) as "follows!"
             from federation.initiatives i where initiative = $1"#,
        initiative.to_string(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(InitiativeRow::read))
}

/// All initiatives this node takes part in.
///
/// # Errors
/// Where the database fails.
pub async fn initiatives(connection: &mut PgConnection) -> Result<Vec<Initiative>, sqlx::Error> {
    let rows = sqlx::query_as!(
        InitiativeRow,
        r#"select initiative, name, backbone, backbone_keys, root_key, appointment, appointment_signature,
                  exists (select from federation.links l
                           where l.initiative = i.initiative and l.node = i.backbone and l.follower) as "follows!"
             from federation.initiatives i order by initiative"#,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().filter_map(InitiativeRow::read).collect())
}

/// A node belongs from this position on; its row before, if there was one, ends here.
///
/// # Errors
/// Where the database fails.
pub async fn admit(
    connection: &mut PgConnection,
    initiative: &Reference,
    node: &Node,
    position: u64,
) -> Result<(), sqlx::Error> {
    end(connection, initiative, &node.node, position, "its keys changed").await?;
    sqlx::query!(
        "insert into federation.nodes (initiative, node, keys, display_name, admitted_position)
         values ($1, $2, $3, $4, $5) on conflict do nothing",
        initiative.to_string(),
        node.node.as_str(),
        &bytes(&node.keys),
        node.display_name,
        signed(position),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A node that belongs has other keys from this position on.
///
/// # Errors
/// Where the database fails.
pub async fn change_keys(
    connection: &mut PgConnection,
    initiative: &Reference,
    node: &Node,
    position: u64,
) -> Result<(), sqlx::Error> {
    // One step may tell of two changes: the last of them counts from there on.
    let changed = sqlx::query!(
        "update federation.nodes set keys = $4
          where initiative = $1 and node = $2 and admitted_position = $3 and ended_position is null",
        initiative.to_string(),
        node.node.as_str(),
        signed(position),
        &bytes(&node.keys),
    )
    .execute(&mut *connection)
    .await?;
    if changed.rows_affected() == 0 {
        admit(connection, initiative, node, position).await?;
    }
    Ok(())
}

/// A node belongs until this position.
///
/// # Errors
/// Where the database fails.
pub async fn end(
    connection: &mut PgConnection,
    initiative: &Reference,
    node: &NodeId,
    position: u64,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.nodes set ended_position = $3, reason = $4
          where initiative = $1 and node = $2 and ended_position is null",
        initiative.to_string(),
        node.as_str(),
        signed(position),
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

struct NodeRow {
    node: String,
    keys: Vec<Vec<u8>>,
    display_name: String,
    ended_position: Option<i64>,
}

/// The keys a node had at a position of the members space; `None` where it did not belong.
///
/// # Errors
/// Where the database fails.
pub async fn node_at(
    connection: &mut PgConnection,
    initiative: &Reference,
    node: &NodeId,
    position: u64,
) -> Result<Option<Node>, sqlx::Error> {
    let row = sqlx::query_as!(
        NodeRow,
        "select node, keys, display_name, ended_position from federation.nodes
          where initiative = $1 and node = $2 and admitted_position <= $3
            and (ended_position is null or ended_position > $3)",
        initiative.to_string(),
        node.as_str(),
        signed(position),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(read))
}

/// Every node that belongs or belonged to an initiative, the latest word on each.
///
/// # Errors
/// Where the database fails.
pub async fn nodes(connection: &mut PgConnection, initiative: &Reference) -> Result<Vec<Node>, sqlx::Error> {
    let rows = sqlx::query_as!(
        NodeRow,
        "select distinct on (node) node, keys, display_name, ended_position from federation.nodes
          where initiative = $1 order by node, admitted_position desc",
        initiative.to_string(),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().filter_map(read).collect())
}

/// How people call a node of which this one has heard, or else its initiative; empty where that is not known.
///
/// # Errors
/// Where the database fails.
pub async fn called(connection: &mut PgConnection, node: &str) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select coalesce(
                      (select display_name from federation.nodes where node = $1 order by admitted_position desc limit 1),
                      (select display_name from federation.links where node = $1 and display_name <> '' limit 1),
                      (select name from federation.initiatives where backbone = $1 limit 1), '') as "called!""#,
        node,
    )
    .fetch_one(connection)
    .await
}

fn read(row: NodeRow) -> Option<Node> {
    let (display_name, ended_position) = (row.display_name, row.ended_position);
    Some(Node { node: row.node.parse().ok()?, keys: heads(&row.keys), display_name, ended_position })
}

fn heads(keys: &[Vec<u8>]) -> Vec<Head> {
    keys.iter().filter_map(|key| head(key)).collect()
}

fn bytes(keys: &[Head]) -> Vec<Vec<u8>> {
    keys.iter().map(|key| key.to_vec()).collect()
}
