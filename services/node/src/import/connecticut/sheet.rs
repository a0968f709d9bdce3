//! A file as lines of cells: its titles, its header, its rows.

use crate::import::File;
use crate::import::lines::lines;
use crate::import::report::Fault;

/// A file taken apart.
pub(super) struct Sheet {
    /// What people call the file.
    pub(super) file: String,
    /// Title lines, top down.
    pub(super) titles: Vec<String>,
    /// What the line above the header says of the columns under it; empty without such a line.
    pub(super) above: String,
    /// The header.
    pub(super) header: Vec<String>,
    /// Line number and cells, as many as the header has.
    pub(super) rows: Vec<(u64, Vec<String>)>,
}

impl Sheet {
    /// Takes a file apart.
    pub(super) fn of(file: &File) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let lines = lines(file)?;
        let titled = lines.iter().take_while(|(_, cells)| cells.len() == 1).count();
        let (titles, table) = lines.split_at(titled);
        let titles: Vec<String> = titles.iter().filter_map(|(_, cells)| cells.first().cloned()).collect();
        let (above, table) = match table.split_first() {
            Some(((_, cells), rest)) if cells.first().is_some_and(String::is_empty) => (named(cells), rest),
            _ => (String::new(), table),
        };
        let Some(((_, header), rows)) = table.split_first() else {
            faults.push(file.fault(0, "", "", "has no header and no rows", "title lines, a header, and rows"));
            return Err(faults);
        };
        for (line, cells) in rows.iter().filter(|(_, cells)| cells.len() != header.len()) {
            let reason = format!("has {} cells", cells.len());
            let expected = format!("{} cells, as the header", header.len());
            faults.push(file.fault(*line, "", &cells.join(","), &reason, &expected));
        }
        if rows.is_empty() {
            faults.push(file.fault(0, "", "", "has a header and no rows", "rows under the header"));
        }
        if faults.is_empty() {
            Ok(Self { file: file.name.clone(), titles, above, header: header.clone(), rows: rows.to_vec() })
        } else {
            Err(faults)
        }
    }

    /// Which column has this header.
    pub(super) fn column(&self, header: &str) -> Option<usize> {
        self.header.iter().position(|known| known == header)
    }
}

fn named(cells: &[String]) -> String {
    cells.iter().find(|cell| !cell.is_empty()).cloned().unwrap_or_default()
}
