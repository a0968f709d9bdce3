//! A file with a header and rows under it: what columns it needs, what stands in a row, and what was not read of it.

use std::collections::{BTreeMap, BTreeSet};

use super::File;
use super::lines::lines;
use super::report::Fault;

/// A file taken apart.
pub(super) struct Table<'a> {
    file: &'a File,
    header: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
}

/// One row of it.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    file: &'a File,
    header: &'a [String],
    cells: &'a [String],
    /// The line it stands in, from 1.
    pub(super) line: u64,
}

impl<'a> Table<'a> {
    /// Takes a file apart that must have these columns. Other columns may be there.
    pub(super) fn of(file: &'a File, needed: &[&str]) -> Result<Self, Vec<Fault>> {
        let mut lines = lines(file)?.into_iter();
        let needs = || format!("a header with the columns {}", needed.join(", "));
        let Some((_, header)) = lines.next() else {
            return Err(vec![file.fault(0, "", "", "is empty", &needs())]);
        };
        let mut faults = Vec::new();
        for column in needed.iter().filter(|column| !header.iter().any(|known| known == *column)) {
            let reason = format!("is not in the header, which has {}", header.join(", "));
            faults.push(file.fault(1, column, "", &reason, "a column of this name"));
        }
        let mut seen = BTreeSet::new();
        for column in header.iter().filter(|column| !seen.insert(column.as_str())) {
            faults.push(file.fault(1, column, column, "is in the header twice", "each column once"));
        }
        let mut rows: Vec<(u64, Vec<String>)> = lines.collect();
        for (line, cells) in &mut rows {
            for (nth, cell) in cells.iter_mut().enumerate() {
                *cell = cell.replace("\r\n", "\n");
                if let Some(control) = cell.chars().find(|one| one.is_control() && !"\n\t".contains(*one)) {
                    let column = header.get(nth).map_or("", String::as_str);
                    let reason = format!("has the control character U+{:04X}", u32::from(control));
                    faults.push(file.fault(*line, column, cell, &reason, "text"));
                }
            }
        }
        for (line, cells) in rows.iter().filter(|(_, cells)| cells.len() != header.len()) {
            let reason = format!("has {} cells", cells.len());
            let expected = format!("{} cells, as the header", header.len());
            faults.push(file.fault(*line, "", &cells.join(","), &reason, &expected));
        }
        if faults.is_empty() { Ok(Self { file, header, rows }) } else { Err(faults) }
    }

    /// Its rows.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let Self { file, header, rows } = self;
        rows.iter().map(move |(line, cells)| Record { file, header, cells, line: *line })
    }

    /// What is wrong with the whole of it.
    pub(super) fn fault(&self, reason: &str, expected: &str) -> Fault {
        self.file.fault(0, "", "", reason, expected)
    }

    /// The column whose name begins so.
    pub(super) fn column(&self, begins: &str) -> Option<&str> {
        self.header.iter().map(String::as_str).find(|column| column.starts_with(begins))
    }

    /// How many cells of each column that is not among these say something.
    pub(super) fn unread(&self, read: &[&str]) -> BTreeMap<String, usize> {
        let said = |place: usize| {
            self.rows.iter().filter(|(_, cells)| cells.get(place).is_some_and(|cell| !cell.is_empty())).count()
        };
        let unread = self.header.iter().enumerate().filter(|(_, column)| !read.contains(&column.as_str()));
        unread.map(|(place, column)| (column.clone(), said(place))).filter(|(_, said)| *said > 0).collect()
    }
}

impl<'a> Record<'a> {
    /// What stands under a header; empty where there is no such column.
    pub(super) fn get(&self, column: &str) -> &'a str {
        let place = self.header.iter().position(|known| known == column);
        place.and_then(|place| self.cells.get(place)).map_or("", String::as_str)
    }

    /// What is wrong with the cell under a header.
    pub(super) fn fault(&self, column: &str, reason: &str, expected: &str) -> Fault {
        self.file.fault(self.line, column, self.get(column), reason, expected)
    }
}
