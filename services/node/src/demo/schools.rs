//! The school files: found, read, and put together into what each district and the state report.

use std::path::{Path, PathBuf};

use crate::error::NodeError;
use crate::import::connecticut::{DISTRICT_LEVEL, GRADUATION};
use crate::import::{Batch, File, plan};

/// Where the files lie within the project.
pub const FOLDER: &str = "tests/data/ct-education-districts";
const SETS: [&str; 2] = ["enrollment-district", "four-year-graduation-rates-district"];

/// Finds the folder with the files above the current folder or above this program.
///
/// # Errors
/// Where it is in neither place.
pub fn find() -> Result<PathBuf, NodeError> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    let found = starts.iter().flatten().flat_map(|start| start.ancestors()).map(|above| above.join(FOLDER));
    let mut found = found.filter(|folder| folder.is_dir());
    found.next().ok_or_else(|| {
        NodeError::Usage(format!(
            "the school files are not here: start the demo in the project, or say where its {FOLDER} is with --files"
        ))
    })
}

/// Reads every file under a folder.
///
/// # Errors
/// Where there are none, or one of them has a fault.
pub fn read(folder: &Path) -> Result<Vec<Batch>, NodeError> {
    let mut files = Vec::new();
    for set in SETS {
        files.extend(files_of(&folder.join(set))?);
    }
    plan(&files).map_err(|report| NodeError::Usage(report.to_string()))
}

fn files_of(folder: &Path) -> Result<Vec<File>, NodeError> {
    let unreadable = |error: std::io::Error| NodeError::Usage(format!("cannot read {}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|end| end == "csv") {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            files.push(File { name, bytes: std::fs::read(&path).map_err(unreadable)? });
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// A school district as the files name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct District {
    /// The state's code.
    pub(super) code: String,
    /// Its name.
    pub(super) name: String,
}

/// Every district that reports anything, by code.
pub(super) fn districts(batches: &[Batch]) -> Vec<District> {
    let places = batches.iter().map(|batch| &batch.place).filter(|place| place.level == DISTRICT_LEVEL);
    let mut districts: Vec<District> =
        places.map(|place| District { code: place.code.clone(), name: place.name.clone() }).collect();
    districts.sort();
    districts.dedup_by(|one, other| one.code == other.code);
    districts
}

/// The two halves of the story: first how many students there are, then how many graduate.
pub(super) fn halves(batches: Vec<Batch>) -> (Vec<Batch>, Vec<Batch>) {
    batches.into_iter().partition(|batch| batch.measure != GRADUATION)
}
