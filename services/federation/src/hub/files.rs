//! Files of the hub: readable by their owner only, and never half written.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::error::HubError;

/// Writes the whole file under another name first, so that a crash leaves the old one or the new.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    let failed = |error: std::io::Error| unusable(path, &error);
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    fs::rename(&draft, path).map_err(failed)
}

/// Makes the folder and its parents, closed to others.
pub(super) fn make_dir(path: &Path) -> Result<(), HubError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| unusable(path, &error))
}

/// The file's text, or `None` when there is no such file.
pub(super) fn read_if_there(path: &Path) -> Result<Option<String>, HubError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(path, &error)),
    }
}

/// An error that names the file.
pub(super) fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> HubError {
    HubError::File { path: path.to_owned(), reason: reason.to_string() }
}
