//! What the rooms of this node tell goes out from here: every event that belongs to a space of an initiative becomes
//! the next entry of this node's feed of that space.

use std::collections::BTreeMap;

use bytes::Bytes;
use chassis::event::Event;
use chassis::inbox::{Listener, Together};
use chassis::names::{Reference, Space};
use chassis::room::FoldError;
use proto::common::Delivery;
use sqlx::PgConnection;

use crate::border::{Border, BorderError};
use crate::own::{self, By};
use crate::store::nodes::{self, Initiative};
use crate::wire::head;

/// Listens to the rooms.
pub struct Teller {
    /// The border it tells for.
    pub border: Border,
}

impl Listener for Teller {
    const NAME: &'static str = crate::NAME;
    /// What becomes an entry leaves the node: taken back, it would be made once more with another salt.
    const REPEATABLE: bool = false;

    async fn take(
        &self,
        connection: &mut PgConnection,
        source: &str,
        deliveries: &[Delivery],
        _together: Together,
    ) -> Result<(), FoldError> {
        let mut spaces = BTreeMap::<Space, Vec<(Event, Bytes)>>::new();
        for delivery in deliveries.iter().filter(|delivery| !delivery.event.is_empty()) {
            match Event::decode(&delivery.event) {
                Ok(event) => spaces.entry(event.space.clone()).or_default().push((event, delivery.event.clone())),
                Err(error) => tracing::error!(source, delivery.sequence, %error, "a room told what is no event"),
            }
        }
        spaces.remove(&Space::Local);
        self.border.follow_trace();
        let by = By::Room(source, deliveries.last().map_or(0, |delivery| delivery.sequence));
        for (space, events) in spaces {
            self.tell(connection, &space, &events, by).await.map_err(fold_error)?;
        }
        Ok(())
    }

    fn taken(&self) {
        self.border.committed();
    }
}

impl Teller {
    async fn tell(
        &self,
        connection: &mut PgConnection,
        space: &Space,
        events: &[(Event, Bytes)],
        by: By<'_>,
    ) -> Result<(), BorderError> {
        let Some(reference) = space.initiative() else { return Ok(()) };
        match initiative(&self.border, connection, reference).await? {
            Some(initiative) if initiative.follows => {
                tracing::error!(%space, events = events.len(), "told in an initiative that this node only follows");
                Ok(())
            }
            Some(initiative) => own::tell(&self.border, connection, &initiative, space, events, by).await,
            None => {
                tracing::error!(%space, events = events.len(), "told in an initiative that this node takes no part in");
                Ok(())
            }
        }
    }
}

/// An initiative this node takes part in. One that was born here this node is the backbone of, by its own root key.
///
/// # Errors
/// Where the database fails.
pub async fn initiative(
    border: &Border,
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<Initiative>, BorderError> {
    let known = nodes::initiative(connection, reference).await?;
    if known.is_some() || reference.node != *border.node() {
        return Ok(known);
    }
    let (root_key, appointment) = border.root.as_ref().clone();
    let initiative = Initiative {
        initiative: reference.clone(),
        name: String::new(),
        backbone: border.node().clone(),
        backbone_keys: border.keys.chain().iter().filter_map(|key| head(&key.public_key)).collect(),
        root_key,
        appointment,
        follows: false,
    };
    nodes::save_initiative(connection, &initiative).await?;
    Ok(Some(initiative))
}

fn fold_error(error: BorderError) -> FoldError {
    match error {
        BorderError::Fold(error) => error,
        BorderError::Database(error) => FoldError::Database(error),
        BorderError::Restored => {
            FoldError::Waits("this node was restored: what was told waits until it has found its place")
        }
        BorderError::Randomness | BorderError::Marker(_) | BorderError::Key(_) | BorderError::Hub(_) => {
            FoldError::Missing("source of randomness")
        }
    }
}
