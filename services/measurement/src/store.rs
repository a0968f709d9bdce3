//! The room's tables: SQL, and nothing decided here.

pub mod measure;
pub mod observation;
pub mod reading;
pub mod submission;

use chassis::names::{Reference, Space};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::Heading;

/// What stands for a submission in the rows of its observations.
pub fn key(submission: &Reference) -> Uuid {
    short(&submission.to_string())
}

/// What stands for everything that one reporter says on one measure, with one basis, in one space.
pub fn series(space: &Space, heading: &Heading) -> Uuid {
    let Heading { measure, organization, basis, .. } = heading;
    short(&format!("{space} {measure} {} {organization}", basis.number()))
}

/// The first 16 bytes of the SHA-256 of a name: as good a name within this schema, and much shorter.
fn short(name: &str) -> Uuid {
    let digest: [u8; 32] = Sha256::digest(name).into();
    let mut key = [0; 16];
    key.iter_mut().zip(digest).for_each(|(short, long)| *short = long);
    Uuid::from_bytes(key)
}
