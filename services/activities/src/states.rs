//! Canonical states: what every node that holds the same events says of the same resources, byte for byte. Whether a
//! commitment is overdue depends on the day, and is no part of them.

use bytes::Bytes;
use chassis::names::{Reference, Space};
use chassis::room::canonical;
use sqlx::PgConnection;

use crate::contract;
use crate::store::{self, Filter};

/// The states of every resource in a space, sorted by reference.
///
/// # Errors
/// Where the database fails.
pub async fn of(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
    let mut states = Vec::new();
    macro_rules! all {
        ($($kind:ident)+) => {
            $(for found in store::$kind::list(connection, space, &Filter::default(), None, i64::MAX).await? {
                states.push((found.reference.clone(), canonical(&contract::$kind::write(&found))));
            })+
        };
    }
    all!(activity commitment need pledge award);
    states.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(states)
}
