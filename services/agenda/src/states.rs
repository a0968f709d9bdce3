//! Canonical states: what every node that holds the same events says of the same resources, byte for byte. What follows
//! from the order of acceptance (which positions count, which decision stands) is no part of it, nor is any draft.

use bytes::Bytes;
use chassis::names::{Reference, Space};
use chassis::room::canonical;
use prost::Message;
use proto::agenda::AgendaVersion;
use sqlx::PgConnection;

use crate::contract;
use crate::domain::Version;
use crate::store::{decision, endorsement, position, proposal, version};

/// The states of the versions, endorsements, proposals, positions and decisions in a space, sorted by reference. An
/// agenda stands there by its versions.
///
/// # Errors
/// Where the database fails.
pub async fn of(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
    let mut states = Vec::new();
    for found in version::all(connection, space).await? {
        states.push((found.reference.clone(), published(&found)));
    }
    let all = endorsement::Filter::default();
    for found in endorsement::list(connection, space, &all, None, i64::MAX).await? {
        states.push((found.reference.clone(), canonical(&contract::endorsement::write(&found))));
    }
    let all = proposal::Filter::default();
    for found in proposal::list(connection, space, &all, None, i64::MAX).await? {
        let mut told = contract::proposal::write_told(&found).encode_length_delimited_to_vec();
        for revision in proposal::revisions(connection, &found.reference).await? {
            told.extend(contract::proposal::write_content(&revision.content).encode_length_delimited_to_vec());
        }
        states.push((found.reference, told.into()));
    }
    for found in position::all(connection, space).await? {
        states.push((found.reference.clone(), canonical(&contract::position::write_told(&found))));
    }
    for found in decision::all(connection, space).await? {
        states.push((found.reference.clone(), canonical(&contract::tally::write_told(&found))));
    }
    states.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(states)
}

/// A version without its place, which its home learns later than others.
fn published(version: &Version) -> Bytes {
    canonical(&AgendaVersion { accepted_position: 0, ..contract::agenda::write_version(version) })
}
