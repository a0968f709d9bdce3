//! The files that are named, and those in the folders that are named.

use std::path::{Path, PathBuf};

use crate::error::NodeError;
use crate::import::File;

/// No file of figures is as large: somebody named another one.
const LARGEST: u64 = 256 << 20;

/// Reads them all, in the order of their names within a folder, of which those that end so are read.
pub(super) fn read(named: &[PathBuf], ending: &str) -> Result<Vec<File>, NodeError> {
    let mut paths = Vec::new();
    for path in named {
        if path.is_dir() {
            paths.extend(within(path, ending)?);
        } else {
            paths.push(path.clone());
        }
    }
    paths.iter().map(|path| one(path)).collect()
}

fn within(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, NodeError> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending)) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(NodeError::Usage(format!("there is no file *.{ending} in {}", folder.display())));
    }
    paths.sort();
    Ok(paths)
}

fn one(path: &Path) -> Result<File, NodeError> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > LARGEST {
        return Err(NodeError::Usage(format!("{} is too large: {} MiB", path.display(), size >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok(File { name: path.display().to_string(), bytes })
}

fn unreadable(path: &Path, error: &std::io::Error) -> NodeError {
    NodeError::Usage(format!("cannot read {}: {error}", path.display()))
}
