//! What the border itself folds out of the order of the members space: which nodes belong, with which keys, and which
//! roles are held on them; and out of each circle's own order, which nodes are in it. Every node folds it from the same
//! positions, so every node judges alike.

use chassis::event::{Event, Fact};
use chassis::names::{NodeId, Reference, Space};
use chassis::{circles, roles};
use prost::Name;
use proto::federation::{NodeAdmitted, NodeEnded, NodeKey};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;

use crate::belonging::Belonging;
use crate::border::BorderError;
use crate::domain::{self, Governance, succession};
use crate::keys;
use crate::store::key_chains;
use crate::store::nodes::{self, Initiative, Node};
use crate::store::{order, signed, unsigned};
use crate::wire::Head;

/// Whether events of this type change what later entries are judged by.
pub fn changes(event_type: &str) -> bool {
    let nodes = [NodeAdmitted::full_name(), NodeEnded::full_name()].iter().any(|name| name == event_type);
    nodes || succession::is_change(event_type) || roles::hears(event_type) || circles::hears(event_type)
}

/// What a node is judged by where it tells something `after` a position of a space's own order, at an instant.
///
/// # Errors
/// Where the database fails.
pub async fn of(
    connection: &mut PgConnection,
    initiative: &Initiative,
    node: &NodeId,
    belonging: &Belonging,
    at: OffsetDateTime,
    (space, after): (&Space, u64),
) -> Result<Governance, sqlx::Error> {
    let backbone = initiative.backbone == *node;
    if backbone {
        // It grants the roles: none can be missing to it.
        return Ok(Governance { admitted: true, backbone, ..Governance::default() });
    }
    let in_circle = domain::is_circle(space) && circles::included_at(connection, space, node, signed(after)).await?;
    let keys = belonging.keys().map(<[Head]>::to_vec);
    let (admitted, keys) = (keys.is_some(), keys.unwrap_or_default());
    Ok(Governance { admitted, backbone, in_circle, roles: belonging.roles(at), keys })
}

/// Folds an accepted event, if it is one that later entries are judged by, and notes that the step which was appended last
/// tells it.
///
/// # Errors
/// Where the database fails.
pub async fn fold(connection: &mut PgConnection, initiative: &Initiative, event: &Event) -> Result<(), BorderError> {
    if !refold(connection, initiative, event).await? || domain::is_circle(&event.space) {
        return Ok(());
    }
    Ok(order::changed(connection, &event.space).await?)
}

/// Folds an accepted event, if it is one that later entries are judged by; whether it is. Whoever folds once more leaves
/// the order as it is: a node that works meanwhile writes there.
///
/// # Errors
/// Where the database fails.
pub async fn refold(
    connection: &mut PgConnection,
    initiative: &Initiative,
    event: &Event,
) -> Result<bool, BorderError> {
    let here = match domain::is_circle(&event.space) {
        true => circles::hears(&event.type_name),
        false => changes(&event.type_name) && event.space == Space::members(&initiative.initiative),
    };
    if !here {
        return Ok(false);
    }
    // In a savepoint: a value that the database refuses must not refuse everything around it.
    let mut savepoint = connection.begin().await?;
    match fold_event(&mut savepoint, initiative, event).await {
        Ok(()) => savepoint.commit().await.map(|()| true).map_err(BorderError::from),
        Err(error) if error.is_of_values() => {
            savepoint.rollback().await?;
            // Alike on every node: what cannot be read or kept changes nothing anywhere.
            tracing::error!(event.id = %event.id, %error, "a governance event cannot be folded");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

async fn fold_event(connection: &mut PgConnection, initiative: &Initiative, event: &Event) -> Result<(), BorderError> {
    let position = event.accepted.map_or(0, |place| unsigned(place.position));
    if domain::is_circle(&event.space) {
        circles::hear(connection, event).await?;
        return Ok(());
    }
    if !fold_node(connection, initiative, event, position).await? {
        roles::hear(connection, event).await?;
    }
    Ok(())
}

async fn fold_node(
    connection: &mut PgConnection,
    initiative: &Initiative,
    event: &Event,
    position: u64,
) -> Result<bool, sqlx::Error> {
    let reference = &initiative.initiative;
    if event.type_name == NodeAdmitted::full_name() {
        if let Ok(admitted) = event.message::<NodeAdmitted>()
            && let Some(node) = read(&admitted)
            && goes_on(connection, reference, &node).await?
        {
            nodes::admit(connection, reference, &node, position).await?;
            key_chains::keep(connection, &node.node, &admitted.keys).await?;
        }
        return Ok(true);
    }
    if event.type_name == NodeEnded::full_name() {
        if let Ok(ended) = event.message::<NodeEnded>()
            && let Ok(node) = ended.node.parse()
        {
            nodes::end(connection, reference, &node, position, &ended.reason).await?;
        }
        return Ok(true);
    }
    if succession::is_change(&event.type_name) {
        keys::fold(connection, initiative, event, position).await?;
        return Ok(true);
    }
    Ok(false)
}

/// Whoever comes back does so with the keys it had, or more of them.
async fn goes_on(connection: &mut PgConnection, initiative: &Reference, node: &Node) -> Result<bool, sqlx::Error> {
    let known = nodes::nodes(connection, initiative).await?;
    let known = known.into_iter().find(|known| known.node == node.node);
    Ok(known.is_none_or(|known| node.keys.starts_with(&known.keys)))
}

fn read(admitted: &NodeAdmitted) -> Option<Node> {
    let node: NodeId = admitted.node.parse().ok()?;
    let keys = chassis::identity::verify_chain(&node, &admitted.keys).ok()?;
    Some(Node { node, keys, display_name: admitted.display_name.clone(), ended_position: None })
}

/// The fact that a node was admitted.
pub fn admitted(initiative: &Reference, node: &NodeId, keys: Vec<NodeKey>, display_name: &str) -> Fact {
    let message = NodeAdmitted { node: node.to_string(), keys, display_name: display_name.to_owned() };
    Fact::of(&resource(initiative, node), &Space::members(initiative), &message)
}

/// The fact that a node's link was ended.
pub fn ended(initiative: &Reference, node: &NodeId, reason: &str) -> Fact {
    let message = NodeEnded { node: node.to_string(), reason: reason.to_owned() };
    Fact::of(&resource(initiative, node), &Space::members(initiative), &message)
}

/// The backbone's resource that stands for a node's place in the initiative: one for each, so its id follows from both.
fn resource(initiative: &Reference, node: &NodeId) -> Reference {
    let digest = Sha256::digest(format!("{initiative} {node}"));
    let mut id = [0; 16];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    Reference { node: initiative.node.clone(), id: uuid::Builder::from_custom_bytes(id).into_uuid() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_one_resource_in_an_initiative() {
        let node = NodeId::of_key(&[1; 32]);
        let initiative = Reference::born_on(&node);
        assert_eq!(resource(&initiative, &node), resource(&initiative, &node));
        assert_ne!(resource(&initiative, &node), resource(&initiative, &NodeId::of_key(&[2; 32])));
    }
}
