//! Canonical states: what every node that holds the same events says of the same resources, byte for byte.
//!
//! Nodes are no part of it, they are a projection; neither is which membership answered a request, which belongs to
//! another resource.

use bytes::Bytes;
use chassis::names::{Reference, Space};
use chassis::room::canonical;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::contract;
use crate::domain::JoinRequest;
use crate::store::{self, Rows};

/// The states of the resources in a space, sorted by reference.
///
/// # Errors
/// Where the database fails.
pub async fn of(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
    let Some(initiative) = space.initiative() else { return Ok(Vec::new()) };
    let (space, anytime) = (Some(space), OffsetDateTime::UNIX_EPOCH);
    let mut states = Vec::new();

    let filter = store::initiative::Filter { space, ..Default::default() };
    for found in store::initiative::list(connection, filter, anytime, Rows::ALL).await? {
        states.push((found.reference.clone(), canonical(&contract::initiative::write(&found))));
    }
    let filter = store::organization::Filter { space, ..Default::default() };
    for found in store::organization::list(connection, initiative, filter, Rows::ALL).await? {
        states.push((found.reference.clone(), canonical(&contract::organization::write(&found))));
    }
    let filter = store::join_request::Filter { space, ..Default::default() };
    for found in store::join_request::list(connection, initiative, filter, Rows::ALL).await? {
        let found = JoinRequest { answered_by: None, ..found };
        states.push((found.reference.clone(), canonical(&contract::join_request::write(&found))));
    }
    let filter = store::membership::Filter { space, ..Default::default() };
    for found in store::membership::list(connection, initiative, filter, anytime, Rows::ALL).await? {
        states.push((found.reference.clone(), canonical(&contract::membership::write(&found))));
    }
    let filter = store::working_group::Filter { space, ..Default::default() };
    for found in store::working_group::list(connection, initiative, filter, Rows::ALL).await? {
        states.push((found.reference.clone(), canonical(&contract::working_group::write(&found))));
    }
    let filter = store::circle::Filter { space, ..Default::default() };
    for found in store::circle::list(connection, initiative, filter, Rows::ALL).await? {
        states.push((found.reference.clone(), canonical(&contract::circle::write(&found))));
    }
    let filter = store::posting::Filter { space, ..Default::default() };
    for found in store::posting::list(connection, initiative, filter, Rows::ALL).await? {
        states.push((found.reference.clone(), canonical(&contract::posting::write(&found))));
    }
    states.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(states)
}
