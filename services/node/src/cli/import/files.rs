//! The files that are named, and those in the folders that are named.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::error::NodeError;
use crate::import::File;

/// No file of figures is as large: somebody named another one.
const LARGEST: u64 = 256 << 20;

/// Reads them all, in the order of their names within a folder, of which those that end so are read.
pub(super) fn read(named: &[PathBuf], ending: &str) -> Result<Vec<File>, NodeError> {
    paths(named, &[ending])?.iter().map(|path| one(path)).collect()
}

/// Where they are, in the same order.
pub(super) fn paths(named: &[PathBuf], endings: &[&str]) -> Result<Vec<PathBuf>, NodeError> {
    let mut paths = Vec::new();
    for path in named {
        if path.is_dir() {
            paths.extend(within(path, endings)?);
        } else {
            paths.push(path.clone());
        }
    }
    Ok(paths)
}

/// Opens one to be read bit by bit.
pub(super) fn open(path: &Path) -> Result<BufReader<fs::File>, NodeError> {
    size(path)?;
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok(BufReader::with_capacity(64 << 10, file))
}

fn within(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, NodeError> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let extension = path.extension().unwrap_or_default();
        if endings.iter().any(|ending| extension.eq_ignore_ascii_case(ending)) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let endings: Vec<String> = endings.iter().map(|ending| format!("*.{ending}")).collect();
        let (endings, folder) = (endings.join(" or "), folder.display());
        return Err(NodeError::Usage(format!("there is no file {endings} in {folder}")));
    }
    paths.sort();
    Ok(paths)
}

fn one(path: &Path) -> Result<File, NodeError> {
    let size = size(path)?;
    if size > LARGEST {
        return Err(NodeError::Usage(format!("{} is too large: {} MiB", path.display(), size >> 20)));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok(File { name: path.display().to_string(), bytes })
}

/// How large a file is. A device or a pipe is none: it might never end.
fn size(path: &Path) -> Result<u64, NodeError> {
    let known = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    match known.is_file() {
        true => Ok(known.len()),
        false => Err(NodeError::Usage(format!("{} is no file that can be read to its end", path.display()))),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> NodeError {
    NodeError::Usage(format!("cannot read {}: {error}", path.display()))
}
