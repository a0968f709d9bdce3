//! A file as lines of cells: its titles, its header, its rows.

use csv::{ByteRecord, ReaderBuilder, StringRecord};

use crate::import::File;
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
        let lines = lines(file, &mut faults);
        let titled = lines.iter().take_while(|(_, cells)| cells.len() == 1).count();
        let (titles, table) = lines.split_at(titled);
        let titles: Vec<String> = titles.iter().filter_map(|(_, cells)| cells.first().cloned()).collect();
        let (above, table) = match table.split_first() {
            Some(((_, cells), rest)) if cells.first().is_some_and(String::is_empty) => (named(cells), rest),
            _ => (String::new(), table),
        };
        let Some(((_, header), rows)) = table.split_first() else {
            faults.push(fault(file, 0, "", "has no header and no rows", "title lines, a header, and rows"));
            return Err(faults);
        };
        for (line, cells) in rows.iter().filter(|(_, cells)| cells.len() != header.len()) {
            let reason = format!("has {} cells", cells.len());
            faults.push(fault(
                file,
                *line,
                &cells.join(","),
                &reason,
                &format!("{} cells, as the header", header.len()),
            ));
        }
        if rows.is_empty() {
            faults.push(fault(file, 0, "", "has a header and no rows", "rows under the header"));
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

/// Every line that is not blank, with its number.
fn lines(file: &File, faults: &mut Vec<Fault>) -> Vec<(u64, Vec<String>)> {
    let text = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut lines = Vec::new();
    let mut record = ByteRecord::new();
    let mut ruler = Ruler { text, at: 0, line: 1 };
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return lines,
            Ok(true) => {}
            Err(error) => {
                faults.push(fault(file, 0, "", &format!("cannot be read: {error}"), "comma-separated values"));
                return lines;
            }
        }
        let line = ruler.line_of(record.position().map_or(0, csv::Position::byte));
        match StringRecord::from_byte_record(record.clone()) {
            Ok(cells) => lines.push((line, cells.iter().map(|cell| cell.trim().to_owned()).collect())),
            Err(error) => {
                let value = String::from_utf8_lossy(error.into_byte_record().as_slice()).into_owned();
                faults.push(fault(file, line, &value, "is not UTF-8", "the file saved as UTF-8"));
            }
        }
    }
}

/// Counts lines. The reader of records counts a blank line, and the second half of a line's end, to the record after.
struct Ruler<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Ruler<'_> {
    /// The line in which a record stands that begins at or, past line ends, after this byte. Bytes only grow.
    fn line_of(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(character) = self.text.get(self.at) {
            let ends = match character {
                b'\n' => true,
                b'\r' => self.text.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            if self.at >= byte && !matches!(character, b'\r' | b'\n') {
                break;
            }
            self.at += 1;
            self.line += u64::from(ends);
        }
        self.line
    }
}

fn fault(file: &File, line: u64, value: &str, reason: &str, expected: &str) -> Fault {
    Fault {
        file: file.name.clone(),
        line,
        column: String::new(),
        value: value.to_owned(),
        reason: reason.to_owned(),
        expected: expected.to_owned(),
    }
}
