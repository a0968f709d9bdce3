//! Changes to what is there already: how a resource came to be as it is, the fields a caller wants changed, and the version the caller had read.

use prost_types::FieldMask;
use time::OffsetDateTime;
use tonic::Status;

use crate::errors::{self, Violations};

/// How a resource came to be as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// How many events made it so.
    pub version: i64,
    /// When the first was made.
    pub created_at: OffsetDateTime,
    /// When the last was made.
    pub updated_at: OffsetDateTime,
}

/// The fields that an update takes from the resource it brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask(Vec<String>);

impl Mask {
    /// Reads `update_mask`: at least one of the fields that `may` change; `*` is all of them.
    pub fn asked(violations: &mut Violations, mask: Option<&FieldMask>, may: &[&str]) -> Option<Self> {
        let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
        if paths.is_empty() {
            violations.add("update_mask", format!("is required: any of {}", may.join(", ")));
            return None;
        }
        let mut known = true;
        for path in paths.iter().filter(|path| *path != "*" && !may.contains(&path.as_str())) {
            violations.add("update_mask", format!("\"{path}\" cannot be changed: any of {} can", may.join(", ")));
            known = false;
        }
        known.then(|| Self(paths.to_vec()))
    }

    /// Whether a field is to be taken.
    pub fn has(&self, field: &str) -> bool {
        self.0.iter().any(|path| path == field || path == "*")
    }
}

/// The version of a resource that a caller had read; none where the caller does not care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read(Option<i64>);

impl Read {
    /// Reads an etag, given as `field`.
    pub fn asked(violations: &mut Violations, field: &str, etag: &str) -> Option<Self> {
        if etag.is_empty() {
            return Some(Self(None));
        }
        let version = etag.parse().ok().filter(|version: &i64| *version > 0 && version.to_string() == etag);
        if version.is_none() {
            violations.add(field, "is not an etag of this resource");
        }
        Some(Self(Some(version?)))
    }

    /// Whether the resource is still as it was read.
    ///
    /// # Errors
    /// `ABORTED` where it went on.
    pub fn still(self, version: i64) -> Result<(), Status> {
        match self.0 {
            Some(read) if read != version => Err(errors::stale(&etag(read), read, version)),
            _ => Ok(()),
        }
    }
}

/// The etag of a resource: its version, which is the number of events folded into it.
pub fn etag(version: i64) -> String {
    version.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(paths: &[&str]) -> Result<Mask, String> {
        let mut violations = Violations::default();
        let paths = paths.iter().map(ToString::to_string).collect();
        let mask = Mask::asked(&mut violations, Some(&FieldMask { paths }), &["name", "state"]);
        violations.finish(|| mask).map_err(|status| status.message().to_owned())
    }

    #[test]
    fn a_mask_names_what_may_change() {
        let some = mask(&["name"]).unwrap();
        assert!(some.has("name") && !some.has("state"));
        assert!(mask(&["*"]).unwrap().has("state"));
        assert_eq!(mask(&[]).unwrap_err(), "update_mask: is required: any of name, state");
        assert_eq!(mask(&["node"]).unwrap_err(), "update_mask: \"node\" cannot be changed: any of name, state can");
    }

    #[test]
    fn what_went_on_since_it_was_read_is_not_overwritten() {
        let mut violations = Violations::default();
        let read = Read::asked(&mut violations, "etag", &etag(7)).unwrap();
        assert!(read.still(7).is_ok());
        assert_eq!(read.still(8).unwrap_err().code(), tonic::Code::Aborted);
        assert!(Read::asked(&mut violations, "etag", "").unwrap().still(8).is_ok());
        assert!(violations.is_empty());
        for odd in ["+7", "-7", "0", "seven"] {
            assert_eq!(Read::asked(&mut violations, "etag", odd), None);
        }
        assert!(!violations.is_empty());
    }
}
