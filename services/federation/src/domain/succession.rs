//! How one key of a node follows another: the rules of a change that a node tells of itself. Pure.

use chassis::event::{Event, Fact};
use chassis::identity;
use chassis::names::{NodeId, Reference, Space};
use prost::Name;
use proto::federation::{NodeKey, NodeKeyChanged};
use sha2::{Digest, Sha256};

use crate::wire::Head;

/// Whether events of this type tell that a node has a new key.
pub fn is_change(event_type: &str) -> bool {
    event_type == NodeKeyChanged::full_name()
}

/// The fact that this node has a new key.
pub fn changed(initiative: &Reference, node: &NodeId, keys: Vec<NodeKey>) -> Fact {
    let message = NodeKeyChanged { node: node.to_string(), keys };
    Fact::of(&resource(initiative, node), &Space::members(initiative), &message)
}

/// Keys that a change shows.
pub struct Shown {
    /// First to current.
    pub heads: Vec<Head>,
    /// The same with what proves them.
    pub keys: Vec<NodeKey>,
}

/// The keys that a change shows, as far as they prove themselves: all are the teller's, and each signs the next. `None`
/// where the event is another.
///
/// # Errors
/// What is wrong with them.
pub fn shown(event: &Event) -> Result<Option<Shown>, String> {
    if !is_change(&event.type_name) {
        return Ok(None);
    }
    let change = event.message::<NodeKeyChanged>().map_err(|error| error.to_string())?;
    if change.node != event.home.as_str() {
        return Err("they are those of another node".to_owned());
    }
    let heads = identity::verify_chain(&event.home, &change.keys).map_err(|error| error.to_string())?;
    Ok(Some(Shown { heads, keys: change.keys }))
}

/// Whether keys are those before, and at least one more: there is one way on from each key, and none back.
pub fn goes_on(before: &[Head], after: &[Head]) -> bool {
    after.len() > before.len() && after.starts_with(before)
}

/// The node's own resource that stands for its key in an initiative: one for each, so its id follows from both.
fn resource(initiative: &Reference, node: &NodeId) -> Reference {
    let digest = Sha256::digest(format!("key {initiative} {node}"));
    let mut id = [0; 16];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    Reference { node: node.clone(), id: uuid::Builder::from_custom_bytes(id).into_uuid() }
}

#[cfg(test)]
mod tests {
    use super::goes_on;

    #[test]
    fn keys_only_ever_go_on() {
        let [one, two, three] = [[1; 32], [2; 32], [3; 32]];
        assert!(goes_on(&[one], &[one, two]) && goes_on(&[one], &[one, two, three]));
        for not in [vec![], vec![one], vec![two], vec![two, one], vec![three, two]] {
            assert!(!goes_on(&[one], &not), "{not:?}");
        }
        assert!(!goes_on(&[one, two], &[one, two]) && !goes_on(&[one, two], &[one, three, two]));
    }
}
