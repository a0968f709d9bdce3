//! Nodes as rows: this room's projection of what the border tells.

use chassis::database::unreadable;
use chassis::names::{NodeId, Reference};
use sqlx::PgConnection;

use super::{By, Rows};
use crate::domain::{Node, NodeState};

struct Row {
    id: NodeId,
    initiative: Reference,
    display_name: String,
    state: i32,
    reason: String,
    organizations: Vec<Reference>,
}

impl TryFrom<Row> for Node {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let Row { id, initiative, display_name, state, reason, organizations } = row;
        Ok(Self { id, initiative, display_name, state: state.try_into().map_err(unreadable)?, reason, organizations })
    }
}

/// One node of an initiative.
pub async fn load(
    connection: &mut PgConnection,
    initiative: &Reference,
    node: &NodeId,
) -> Result<Option<Node>, sqlx::Error> {
    let filter = Filter { node: Some(node), state: None };
    Ok(list(connection, initiative, filter, Rows::ALL).await?.pop())
}

/// Which nodes of an initiative to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only this one.
    pub node: Option<&'a NodeId>,
    /// Only those in this state.
    pub state: Option<NodeState>,
}

/// Nodes of an initiative, sorted by id.
pub async fn list(
    connection: &mut PgConnection,
    initiative: &Reference,
    filter: Filter<'_>,
    rows: Rows<'_>,
) -> Result<Vec<Node>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"select node as "id: NodeId", initiative as "initiative: Reference", display_name, state, reason,
                  array(select o.reference from membership.organizations o
                         where o.initiative = n.initiative and o.node = n.node order by 1) as "organizations!: Vec<Reference>"
             from membership.nodes n
            where initiative = $1
              and ($2::text is null or node = $2)
              and ($3::integer is null or state = $3)
              and ($4::text is null or node > $4)
            order by node limit $5"#,
        initiative as &Reference,
        filter.node as Option<&NodeId>,
        filter.state.map(NodeState::number),
        rows.after,
        rows.limit
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .map(Node::try_from)
    .collect()
}

/// The first of these nodes that does not belong to an initiative. The backbone's does, whatever the border told.
pub async fn outside(
    connection: &mut PgConnection,
    initiative: &Reference,
    nodes: &[NodeId],
) -> Result<Option<NodeId>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select asked.node as "node!: NodeId" from unnest($2::text[]) asked(node)
            where asked.node <> $4 and not exists (
                  select from membership.nodes n where n.initiative = $1 and n.node = asked.node and n.state = $3)
            order by 1 limit 1"#,
        initiative as &Reference,
        nodes as &[NodeId],
        NodeState::Admitted.number(),
        &initiative.node as &NodeId
    )
    .fetch_optional(connection)
    .await
}

/// Notes that a node was admitted, or how it is called now.
pub async fn admit(
    connection: &mut PgConnection,
    by: By<'_>,
    node: &NodeId,
    display_name: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into membership.nodes (initiative, node, resource, display_name, state, reason)
         values ($1, $2, $3, $4, $5, '')
         on conflict (initiative, node) do update set
             display_name = excluded.display_name, state = excluded.state, reason = ''",
        by.initiative as &Reference,
        node as &NodeId,
        by.resource as &Reference,
        display_name,
        NodeState::Admitted.number()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a node's link was ended.
pub async fn end(connection: &mut PgConnection, by: By<'_>, node: &NodeId, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.nodes set state = $3, reason = $4 where initiative = $1 and node = $2",
        by.initiative as &Reference,
        node as &NodeId,
        NodeState::Ended.number(),
        reason
    )
    .execute(connection)
    .await?;
    Ok(())
}
