//! The border of this node: what its parts share, and the errors they have in common.

use std::sync::{Arc, Mutex, PoisonError};

use chassis::identity::NodeKeys;
use chassis::names::NodeId;
use chassis::telemetry::traceparent;
use proto::federation::SignedAppointment;
use sqlx::PgPool;
use tokio::sync::{Notify, watch};

use crate::belonging::Belongings;
use crate::keys::KeptKeys;
use crate::restored::Restored;
use crate::wire::Head;

/// What every part of the border needs.
#[derive(Clone)]
pub struct Border {
    /// Connections that speak as the border's own role.
    pub pool: PgPool,
    /// This node's keys.
    pub keys: Arc<NodeKeys>,
    /// The root key that stands behind initiatives born on this node, and its word that this node is their backbone.
    pub root: Arc<(Head, SignedAppointment)>,
    /// Wakes the relay to this node's own services.
    pub relay: Arc<Notify>,
    /// Counts commits that other nodes may want to know of.
    pub moved: Arc<watch::Sender<u64>>,
    /// Whether this node was restored.
    pub restored: Restored,
    /// Trace context of the newest of them: travels beside what is sent, under no seal.
    pub trace: Arc<Mutex<String>>,
    /// What the members space says of nodes.
    pub belongings: Belongings,
    /// Which keys its backbones have, as far as that is kept in memory.
    pub backbone_keys: KeptKeys,
}

impl Border {
    /// This node's id.
    pub fn node(&self) -> &NodeId {
        self.keys.id()
    }

    /// What is sent from now on follows from the work of the current span.
    pub fn follow_trace(&self) {
        *self.trace.lock().unwrap_or_else(PoisonError::into_inner) = traceparent().unwrap_or_default();
    }

    /// Trace context of the newest work that there is something to send of; empty outside any trace.
    pub fn trace(&self) -> String {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something was committed: wakes the relay and every link.
    pub fn committed(&self) {
        self.relay.notify_one();
        self.moved.send_modify(|count| *count += 1);
    }
}

/// What can fail at the border for reasons of this node: tried again, never a verdict.
#[derive(Debug, thiserror::Error)]
pub enum BorderError {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A fold failed.
    #[error(transparent)]
    Fold(#[from] chassis::room::FoldError),
    /// No randomness for a salt.
    #[error("the operating system gives no random bytes")]
    Randomness,
    /// This node was restored and has not found its place among the others yet.
    #[error("this node was restored, and takes nothing new until it has compared what it has with the others")]
    Restored,
    /// The marker beside the key.
    #[error(transparent)]
    Marker(#[from] chassis::strongbox::BoxError),
    /// Something stands in the way of this node's own key.
    #[error("{0}")]
    Key(String),
    /// The hub cannot be reached or refuses.
    #[error("hub: {0}")]
    Hub(String),
}

impl BorderError {
    /// Whether the database refused because of the values themselves: it would refuse them for ever (SQLSTATE classes
    /// 21 to 23 and 54).
    pub fn is_of_values(&self) -> bool {
        let error = match self {
            Self::Database(error) | Self::Fold(chassis::room::FoldError::Database(error)) => error,
            Self::Fold(_) => return true,
            Self::Randomness | Self::Restored | Self::Marker(_) | Self::Key(_) | Self::Hub(_) => return false,
        };
        match error {
            sqlx::Error::Database(error) => {
                let class = error.code().and_then(|code| code.get(..2).map(str::to_owned));
                class.is_some_and(|class| ["21", "22", "23", "54"].contains(&class.as_str()))
            }
            sqlx::Error::Encode(_) => true,
            _ => false,
        }
    }
}
