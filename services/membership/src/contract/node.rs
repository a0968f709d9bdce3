//! Nodes on the wire.

use chassis::errors::Violations;
use chassis::names::NodeId;
use chassis::parse;
use proto::{federation, membership as message};

use crate::domain::Node;

const NAME_LENGTH: usize = 200;

/// Reads which node was admitted, and how people call it.
pub fn read_admitted(violations: &mut Violations, message: &federation::NodeAdmitted) -> Option<(NodeId, String)> {
    let node = parse::node(violations, "node", &message.node);
    let display_name = parse::optional_text(violations, "display_name", &message.display_name, NAME_LENGTH);
    Some((node?, display_name?))
}

/// Reads which node's link was ended, and why.
pub fn read_ended(violations: &mut Violations, message: &federation::NodeEnded) -> Option<(NodeId, String)> {
    let node = parse::node(violations, "node", &message.node);
    let reason = parse::prose(violations, "reason", &message.reason, super::REASON_LENGTH);
    Some((node?, reason?))
}

/// A node as the contract writes it.
pub fn write(node: &Node) -> message::Node {
    message::Node {
        id: node.id.to_string(),
        initiative: node.initiative.to_string(),
        display_name: node.display_name.clone(),
        state: node.state.number(),
        reason: node.reason.clone(),
        backbone: node.id == node.initiative.node,
        organizations: node.organizations.iter().map(ToString::to_string).collect(),
    }
}
