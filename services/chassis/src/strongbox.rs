//! Files that only this node's own user may read: keys and secrets in the data directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::clock;

/// Why such a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BoxError {
    /// The operating system says no.
    #[error("cannot {verb} {path}: {source}")]
    Io {
        /// What was tried.
        verb: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Anybody may read it.
    #[error("{0} can be read by every user of this machine: chmod 600 it, and make a new key if somebody may have")]
    Exposed(PathBuf),
    /// Its content is not what it should be.
    #[error("{path} is not {what}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
    },
    /// It should not be there yet.
    #[error("{0} is there already, and is not overwritten")]
    There(PathBuf),
}

/// Reads a file; `None` where there is none.
///
/// # Errors
/// Where it cannot be read, or everybody can.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, BoxError> {
    let permissions = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error("read", path, source)),
    };
    if permissions.mode() & 0o007 != 0 {
        return Err(BoxError::Exposed(path.to_owned()));
    }
    fs::read(path).map(Some).map_err(|source| io_error("read", path, source))
}

/// Makes a file that must not be there yet. Whole or not at all, even where two try or the machine stops.
///
/// # Errors
/// Where it is there, or cannot be written.
pub fn make(path: &Path, content: &[u8]) -> Result<(), BoxError> {
    let draft = draft(path, content)?;
    let linked = fs::hard_link(&draft, path);
    // The draft has served whether or not it could be given its name.
    let _ = fs::remove_file(&draft);
    match linked {
        Ok(()) => settle(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(BoxError::There(path.to_owned())),
        Err(source) => Err(io_error("write", path, source)),
    }
}

/// Puts new content in the place of a file's old one, whole or not at all.
///
/// # Errors
/// Where it cannot be written.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), BoxError> {
    let draft = draft(path, content)?;
    fs::rename(&draft, path).map_err(|source| io_error("write", path, source))?;
    settle(path)
}

/// Reads a file of 32 secret bytes written as hexadecimal, and makes it once from randomness where there is none.
///
/// # Errors
/// Where it can be neither read nor made.
pub fn secret(path: &Path) -> Result<[u8; 32], BoxError> {
    if let Some(found) = read_secret(path)? {
        return Ok(found);
    }
    let random = clock::random::<32>().map_err(|error| io_error("make", path, io::Error::other(error.to_string())))?;
    let text = format!("{}\n", data_encoding::HEXLOWER.encode(&random));
    match make(path, text.as_bytes()) {
        Ok(()) => Ok(random),
        // Another process of this node was faster: its secret counts.
        Err(BoxError::There(_)) => read_secret(path)?.ok_or_else(|| malformed(path)),
        Err(error) => Err(error),
    }
}

fn read_secret(path: &Path) -> Result<Option<[u8; 32]>, BoxError> {
    let Some(content) = read(path)? else { return Ok(None) };
    let bytes = data_encoding::HEXLOWER.decode(content.trim_ascii()).map_err(|_| malformed(path))?;
    bytes.try_into().map(Some).map_err(|_| malformed(path))
}

fn malformed(path: &Path) -> BoxError {
    BoxError::Malformed { path: path.to_owned(), what: "64 hexadecimal digits" }
}

/// Makes a folder, and those around it that are missing, closed to others.
///
/// # Errors
/// Where it cannot be made.
pub fn folder(path: &Path) -> Result<(), BoxError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| io_error("make the folder", path, source))
}

fn draft(path: &Path, content: &[u8]) -> Result<PathBuf, BoxError> {
    if let Some(parent) = path.parent() {
        folder(parent)?;
    }
    let draft = path.with_extension(format!("{}.draft", clock::new_id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|source| io_error("write", &draft, source))?;
    Ok(draft)
}

/// A name is only kept over a crash once its folder is.
fn settle(path: &Path) -> Result<(), BoxError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let synced = File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .and_then(|folder| folder.sync_all());
    synced.map_err(|source| io_error("write", path, source))
}

fn io_error(verb: &'static str, path: &Path, source: io::Error) -> BoxError {
    BoxError::Io { verb, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/secret");
        let first = secret(&path).unwrap();
        assert_eq!(secret(&path).unwrap(), first);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn two_that_make_it_at_once_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let made: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8).map(|_| scope.spawn(|| secret(&path).unwrap())).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert!(made.iter().all(|one| one == &made[0]));
    }

    #[test]
    fn what_everybody_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        secret(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(secret(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn nothing_is_overwritten_unless_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        make(&path, b"one").unwrap();
        assert!(matches!(make(&path, b"two"), Err(BoxError::There(_))));
        assert_eq!(read(&path).unwrap().unwrap(), b"one");
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), b"two");
    }
}
