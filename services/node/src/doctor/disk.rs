//! Free space on the disk of the data directory.

use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::Finding;
use crate::words;

const CHECK: &str = "disk";
/// Postgres stops when nothing is left; with this little, something should be done today.
const TOO_LITTLE: u64 = 1 << 30;
const LITTLE: u64 = 5 << 30;

pub(super) fn examine(folder: &Path) -> Option<Finding> {
    let about = statvfs(folder).ok()?;
    let free = wide(about.blocks_available()).saturating_mul(wide(about.fragment_size()));
    let (words, remedy) =
        (format!("{} free under {}", words::bytes(free), folder.display()), "make room, or move the data directory");
    Some(match free {
        free if free < TOO_LITTLE => Finding::wrong(CHECK, words, remedy),
        free if free < LITTLE => Finding::advice(CHECK, words, remedy),
        _ => Finding::well(CHECK, words),
    })
}

/// Systems count in numbers of different width.
fn wide(number: impl Into<u64>) -> u64 {
    number.into()
}
