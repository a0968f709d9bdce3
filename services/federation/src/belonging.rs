//! What the members space says of a node. It is asked for with every frame and changes rarely, so the answer is kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chassis::names::{NodeId, Reference};
use chassis::roles::{self, Granted};
use proto::common::Role;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::store::nodes;
use crate::store::order::Order;
use crate::store::signed;
use crate::wire::Head;

/// What the members space says of a node at a position.
#[derive(Clone, Debug, Default)]
pub struct Belonging {
    keys: Option<Vec<Head>>,
    roles: Vec<Granted>,
}

impl Belonging {
    /// As it was at a position of the members space.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn at(
        connection: &mut PgConnection,
        initiative: &Reference,
        node: &NodeId,
        position: u64,
    ) -> Result<Self, sqlx::Error> {
        let keys = nodes::node_at(connection, initiative, node, position).await?.map(|node| node.keys);
        let roles = roles::on_node(connection, initiative, node, signed(position)).await?;
        Ok(Self { keys, roles })
    }

    /// The node's keys, first to current; `None` where it does not belong.
    pub fn keys(&self) -> Option<&[Head]> {
        self.keys.as_deref()
    }

    /// Which organization living on it holds which role at an instant.
    pub fn roles(&self, at: OffsetDateTime) -> Vec<(Reference, Role)> {
        let held = self.roles.iter().filter(|granted| granted.holds(at));
        held.map(|granted| (granted.organization.clone(), granted.role)).collect()
    }
}

type Kept = BTreeMap<(Reference, NodeId), (Head, Arc<Belonging>)>;

/// The answers that are kept, each under the digest of the step of the order that changed such answers last: the same
/// step stands for the same history, whatever was rolled back or restored meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Belongings(Arc<Mutex<Kept>>);

impl Belongings {
    /// What the members space, which stands so now, says of a node at a position.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn at(
        &self,
        connection: &mut PgConnection,
        (initiative, members): (&Reference, &Order),
        node: &NodeId,
        position: u64,
    ) -> Result<Arc<Belonging>, sqlx::Error> {
        let (changed_position, changed) = members.changed;
        if position < changed_position {
            return Ok(Arc::new(Belonging::at(connection, initiative, node, position).await?));
        }
        let name = (initiative.clone(), node.clone());
        if let Some((under, belonging)) = self.with(|kept| kept.get(&name).cloned())
            && under == changed
        {
            return Ok(belonging);
        }
        let belonging = Arc::new(Belonging::at(connection, initiative, node, position).await?);
        self.with(|kept| kept.insert(name, (changed, belonging.clone())));
        Ok(belonging)
    }

    fn with<T>(&self, action: impl FnOnce(&mut Kept) -> T) -> T {
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
