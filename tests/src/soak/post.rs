//! Putting messages into a mailbox without a node.

use bytes::Bytes;
use federation::hub::{NodeMailbox, Road};
use node::error::NodeError;
use prost::Message;
use proto::federation::{LinkMessage, link_message};

use super::wrong;

/// Sends a message, and waits until the hub has it.
pub async fn send(mailbox: &NodeMailbox, message: link_message::Message) -> Result<(), NodeError> {
    let message = LinkMessage { message: Some(message), traceparent: String::new() };
    raw(mailbox, Bytes::from(message.encode_to_vec())).await
}

/// Sends bytes, and waits until the hub has them.
pub async fn raw(mailbox: &NodeMailbox, bytes: Bytes) -> Result<(), NodeError> {
    mailbox.road().wait_for(Road::is_open).await.map_err(wrong)?;
    mailbox.send_up(bytes).await.map_err(wrong)?.await.map_err(wrong)
}
