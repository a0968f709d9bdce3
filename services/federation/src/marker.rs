//! The marker beside the node's key: which database this node last worked with, and how far that was. A database that is
//! another one, or was further before, was restored.

use std::path::{Path, PathBuf};

use chassis::strongbox::{self, BoxError};
use serde::{Deserialize, Serialize};

use crate::store::restored::Place;

const FILE: &str = "marker";

/// What a database is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// The cluster, by the number it got when it was made.
    pub system: i64,
    /// The database in it.
    pub database: i64,
    /// The table of feeds in that: another one once it was restored from a dump.
    pub feeds: i64,
    /// Run of the cluster's log, and how far it had got there.
    pub place: Place,
}

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The database.
    pub fingerprint: Fingerprint,
    /// Which run of its feeds the node wrote last.
    pub epoch: u32,
}

/// The file.
#[derive(Clone, Debug)]
pub struct Marker {
    path: PathBuf,
}

impl Fingerprint {
    /// Why a database is not the one that was known so, gone on; `None` where it is.
    pub fn parted(&self, found: &Self) -> Option<&'static str> {
        if (self.system, self.database, self.feeds) != (found.system, found.database, found.feeds) {
            return Some("its database is another one than the one it last worked with");
        }
        self.place.parted(&found.place)
    }
}

impl Place {
    /// Why a cluster's log did not simply go on from here; `None` where it did.
    pub fn parted(&self, found: &Self) -> Option<&'static str> {
        if self.timeline != found.timeline {
            return Some("its Postgres went on from an earlier point, or another server took over");
        }
        (found.written < self.written).then_some("its Postgres is less far than it was before")
    }
}

impl Marker {
    /// The marker in a folder.
    pub fn within(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// What it says; `None` where there is none.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not what it should be.
    pub fn read(&self) -> Result<Option<Mark>, BoxError> {
        let Some(content) = strongbox::read(&self.path)? else { return Ok(None) };
        let malformed = |_| BoxError::Malformed { path: self.path.clone(), what: "the marker of a node" };
        serde_json::from_slice(&content).map(Some).map_err(malformed)
    }

    /// Writes it.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, mark: &Mark) -> Result<(), BoxError> {
        // A struct of numbers always has a JSON form.
        strongbox::replace(&self.path, &serde_json::to_vec(mark).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_known_again_only_where_it_went_on() {
        let known = Fingerprint { system: 7, database: 5, feeds: 9, place: Place { timeline: 1, written: 100 } };
        let at = |timeline, written| Fingerprint { place: Place { timeline, written }, ..known.clone() };
        for on in [at(1, 100), at(1, 101)] {
            assert_eq!(known.parted(&on), None, "{on:?}");
        }
        let others = [
            Fingerprint { system: 8, ..known.clone() },
            Fingerprint { database: 6, ..known.clone() },
            Fingerprint { feeds: 10, ..known.clone() },
            at(2, 200),
            at(1, 99),
        ];
        for other in others {
            assert!(known.parted(&other).is_some(), "{other:?}");
        }
    }

    #[test]
    fn what_is_marked_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let marker = Marker::within(folder.path());
        assert_eq!(marker.read().unwrap(), None);
        let fingerprint = Fingerprint { system: 7, database: 5, feeds: 9, place: Place { timeline: 1, written: 100 } };
        let mark = Mark { fingerprint, epoch: 2 };
        marker.write(&mark).unwrap();
        assert_eq!(marker.read().unwrap(), Some(mark));
        std::fs::write(folder.path().join(FILE), "{}").unwrap();
        assert!(marker.read().is_err());
    }
}
