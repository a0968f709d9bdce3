//! Circles: which nodes are in which. Every service folds `CircleFormed`, `CircleChanged` and `CircleEnded` into the
//! same table.
//!
//! A circle is told of in its own space only, so its list of nodes has its places in that space's own order.

use std::collections::BTreeSet;

use prost::Name;
use proto::membership::{CircleChanged, CircleEnded, CircleFormed};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::event::{Event, Place};
use crate::names::{NodeId, Space, Within};
use crate::room::{FoldError, Folded};

/// Nodes in one circle at the most.
pub const MOST_NODES: usize = 100;

/// Whether the table follows events of this type.
pub fn hears(type_name: &str) -> bool {
    [CircleFormed::full_name(), CircleChanged::full_name(), CircleEnded::full_name()]
        .iter()
        .any(|name| name == type_name)
}

/// Takes in the three events that the table follows.
///
/// # Errors
/// Where the event cannot be read or the database fails.
pub async fn hear(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    let name = event.type_name.as_str();
    let circle = if name == CircleFormed::full_name() {
        event.message::<CircleFormed>()?.circle
    } else if name == CircleChanged::full_name() {
        event.message::<CircleChanged>()?.circle
    } else if name == CircleEnded::full_name() {
        own_space(event)?;
        end(connection, event).await?;
        return Ok(Folded::Applied);
    } else {
        return Ok(Folded::Ignored);
    };
    own_space(event)?;
    let nodes = read(&circle.ok_or(FoldError::Missing("circle"))?.nodes)?;
    gather(connection, event, &nodes).await?;
    Ok(Folded::Applied)
}

/// What is told of a circle is told by the backbone, in that circle's space.
fn own_space(event: &Event) -> Result<(), FoldError> {
    match &event.space {
        Space::Of(initiative, Within::Circle(circle))
            if *circle == event.resource && initiative.node == event.resource.node =>
        {
            Ok(())
        }
        _ => Err(FoldError::Missing("circle, as its space has it,")),
    }
}

fn read(nodes: &[String]) -> Result<Vec<NodeId>, FoldError> {
    let distinct = nodes.iter().map(|node| node.parse()).collect::<Result<BTreeSet<NodeId>, _>>()?;
    if !(1..=MOST_NODES).contains(&nodes.len()) || distinct.len() != nodes.len() {
        return Err(FoldError::Missing("list of nodes"));
    }
    Ok(distinct.into_iter().collect())
}

/// Makes these the nodes of the circle; one that has ended stays as it was.
async fn gather(connection: &mut PgConnection, event: &Event, nodes: &[NodeId]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with over as (select from circles where space = $1 and ended),
              gone as (update circles set until_by = $4, until_position = $5
                        where space = $1 and until_by is null and node <> all($3) and not exists (select from over))
         insert into circles (space, node, circle, since_by, since_position)
         select $1, came.node, $2, $4, $5 from unnest($3::text[]) came(node)
          where not exists (select from over)
            and not exists (select from circles c where c.space = $1 and c.node = came.node and c.until_by is null)",
    )
    .bind(&event.space)
    .bind(&event.resource)
    .bind(nodes)
    .bind(event.id)
    .bind(event.accepted.map(|place| place.position))
    .execute(connection)
    .await?;
    Ok(())
}

async fn end(connection: &mut PgConnection, event: &Event) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update circles set until_by = $2, until_position = $3, ended = true where space = $1 and until_by is null",
    )
    .bind(&event.space)
    .bind(event.id)
    .bind(event.accepted.map(|place| place.position))
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets who is in a circle, before it is folded again.
pub(crate) async fn forget(connection: &mut PgConnection, circle: &str) -> Result<(), sqlx::Error> {
    sqlx::query("delete from circles where circle = $1").bind(circle).execute(connection).await?;
    Ok(())
}

/// Notes where this node's own events about circles came to stand in their spaces' order.
pub(crate) async fn place(connection: &mut PgConnection, events: &[Uuid], place: Place) -> Result<(), sqlx::Error> {
    for statement in [
        "update circles set since_position = $2 where since_by = any($1)",
        "update circles set until_position = $2 where until_by = any($1)",
    ] {
        sqlx::query(statement).bind(events).bind(place.position).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The nodes in a circle now, or when it ended; sorted. Their organizations may read what is in its space.
///
/// # Errors
/// Where the database fails.
pub async fn readers(connection: &mut PgConnection, space: &Space) -> Result<Vec<NodeId>, sqlx::Error> {
    sqlx::query_scalar("select distinct node from circles where space = $1 and (until_by is null or ended) order by 1")
        .bind(space)
        .fetch_all(connection)
        .await
}

/// Whether a node is in a circle now, so that it may tell something in its space.
///
/// # Errors
/// Where the database fails.
pub async fn includes(connection: &mut PgConnection, space: &Space, node: &NodeId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from circles where space = $1 and node = $2 and until_by is null)")
        .bind(space)
        .bind(node)
        .fetch_one(connection)
        .await
}

/// Whether a node was in a circle as the circle's own order had it at a position. What the border judges by whether an
/// entry after that position may be told: the same answer on every node.
///
/// # Errors
/// Where the database fails.
pub async fn included_at(
    connection: &mut PgConnection,
    space: &Space,
    node: &NodeId,
    position: i64,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (select from circles where space = $1 and node = $2 and since_position <= $3
                           and (until_by is null or until_position is null or until_position > $3))",
    )
    .bind(space)
    .bind(node)
    .bind(position)
    .fetch_one(connection)
    .await
}

/// How far in a circle's own order a node may hold what is told there: from the beginning up to the event that took it
/// out, which it still gets; without a limit while it is in it (`i64::MAX`); `None` where it never was.
///
/// # Errors
/// Where the database fails.
pub async fn held_up_to(
    connection: &mut PgConnection,
    space: &Space,
    node: &NodeId,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("select max(coalesce(until_position, $3)) from circles where space = $1 and node = $2")
        .bind(space)
        .bind(node)
        .bind(i64::MAX)
        .fetch_one(connection)
        .await
}
