//! The demo's folder: where it is, whose it is at the moment, and what may be removed from it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use super::memory;
use crate::error::NodeError;
use crate::fleet::until;

const LOCK: &str = "demo.lock";
/// What is kept there, and what `--fresh` removes; nothing else is touched.
const KEPT: &[&str] = &["postgres", "backbone", "alpha", "beta", "impostor", memory::FILE];
/// Files that a server holds locked for as long as it works there.
const SERVERS: &[&str] = &["postgres", "backbone/broker", "backbone/hub/store", "alpha/broker", "beta/broker"];

/// The folder, held by this process alone; what is in it may be used from now on.
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Where the demo keeps its data unless told otherwise: `commonweal/demo` where this user's programs keep data.
pub fn usual() -> PathBuf {
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|data| data.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    match data.or_else(home) {
        Some(data) => data.join("commonweal/demo"),
        None => PathBuf::from("commonweal-demo"),
    }
}

impl Folder {
    /// Takes a folder, made where it is missing. Waits for the servers of a demo that was killed there just now.
    ///
    /// # Errors
    /// Where another demo has it, or it cannot be made.
    pub async fn take(path: &Path) -> Result<Self, NodeError> {
        let failed = |source| NodeError::DataDir { path: path.to_owned(), source };
        let path = std::path::absolute(path).map_err(failed)?;
        std::fs::create_dir_all(&path).map_err(failed)?;
        let lock = open(&path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) => {
                return Err(NodeError::Usage(format!(
                    "another demo runs in {}: stop it first, or choose another folder with --data-dir",
                    path.display()
                )));
            }
        }
        until("the servers of an earlier demo to end", async || {
            let mut locks = SERVERS.iter().map(|server| path.join(server).join("running"));
            Ok(locks.all(|lock| !lock.exists() || is_free(&lock)).then_some(()))
        })
        .await?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a story was begun here and not told to its end: what is there is of no use.
    pub fn interrupted(&self) -> bool {
        self.path.join("postgres").exists() && !self.path.join(memory::FILE).exists()
    }

    /// Removes what the demo keeps here.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub fn clear(&self) -> Result<(), NodeError> {
        for name in KEPT {
            let path = self.path.join(name);
            let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            match removed {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(NodeError::DataDir { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the folder with everything in it.
    pub fn remove(self) {
        // Of no use to anybody now; what cannot be removed the system clears away in time.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn is_free(lock: &Path) -> bool {
    // The lock goes with the file, at once.
    open(lock).is_ok_and(|file| !matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}
