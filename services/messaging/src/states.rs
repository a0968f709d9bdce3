//! Canonical states: what every node that holds the same events says of the same resources, byte for byte.

use bytes::Bytes;
use chassis::names::{Reference, Space};
use chassis::room::canonical;
use sqlx::PgConnection;

use crate::contract;
use crate::store::{channel, meeting, message, practice_card};

/// The states of the resources in a space, sorted by reference.
///
/// # Errors
/// Where the database fails.
pub async fn of(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
    let mut states = Vec::new();
    let all = channel::Filter::within(vec![space.to_string()]);
    for found in channel::list(connection, &all, None, i64::MAX).await? {
        states.push((found.reference.clone(), canonical(&contract::channel::write(&found))));
    }
    for found in message::list(connection, space).await? {
        states.push((found.reference.clone(), canonical(&contract::message::write(&found))));
    }
    for found in meeting::list(connection, &[space.to_string()], None, None, i64::MAX).await? {
        states.push((found.reference.clone(), canonical(&contract::meeting::write(&found))));
    }
    for found in practice_card::list(connection, Some(space), None, None, i64::MAX).await? {
        states.push((found.reference.clone(), canonical(&contract::practice_card::write(&found))));
    }
    states.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(states)
}
