//! Canonical states: what every node that holds the same events says of the same resources, byte for byte. A submission
//! stands for its observations by their digest.

use bytes::Bytes;
use chassis::names::{Reference, Space};
use chassis::room::canonical;
use sqlx::PgConnection;

use crate::contract;
use crate::store::{measure, submission};

/// The states of the measures and submissions in a space, sorted by reference.
///
/// # Errors
/// Where the database fails.
pub async fn of(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
    let mut states = Vec::new();
    for found in measure::list(connection, space, "", None, None, i64::MAX).await? {
        states.push((found.reference.clone(), canonical(&contract::measure::write(&found))));
    }
    let all = submission::Filter::default();
    for found in submission::list(connection, space, &all, None, i64::MAX).await? {
        states.push((found.reference.clone(), canonical(&contract::submission::write(&found))));
    }
    states.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(states)
}
