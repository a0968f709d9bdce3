//! Comma-separated values as lines of cells. Whoever saved a file may have cut it short, in another encoding or with a
//! quotation mark too few: that is told with the line, before any row is looked at.

use csv::{ByteRecord, ReaderBuilder, StringRecord};

use super::File;
use super::report::Fault;

/// No cell of an honest file is as long: a quotation mark is missing.
const LONGEST: usize = 1 << 18;
const SAVED: &str = "the file saved as CSV UTF-8";

/// Every line that is not blank, with its number and its cells without the blanks around them.
pub(super) fn lines(file: &File) -> Result<Vec<(u64, Vec<String>)>, Vec<Fault>> {
    let text = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    if let Some(fault) = no_text(file, text).or_else(|| quotes(file, text)) {
        return Err(vec![fault]);
    }
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    let mut record = ByteRecord::new();
    let mut ruler = Ruler { text, at: 0, line: 1 };
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return if faults.is_empty() { Ok(lines) } else { Err(faults) },
            Ok(true) => {}
            Err(error) => {
                faults.push(file.fault(0, "", "", &format!("cannot be read: {error}"), "comma-separated values"));
                return Err(faults);
            }
        }
        let line = ruler.line_of(record.position().map_or(0, csv::Position::byte));
        match StringRecord::from_byte_record(record.clone()) {
            Ok(cells) => lines.push((line, cells.iter().map(|cell| cell.trim().to_owned()).collect())),
            Err(error) => {
                let value = String::from_utf8_lossy(error.into_byte_record().as_slice()).into_owned();
                faults.push(file.fault(line, "", &value, "is not UTF-8", SAVED));
            }
        }
        if record.iter().any(|cell| cell.len() > LONGEST) {
            let expected = "cells of at most 256 KiB; is a quotation mark missing?";
            faults.push(file.fault(line, "", "", "has a cell that is far too long", expected));
        }
    }
}

/// What is wrong with a file that is no text of single bytes.
fn no_text(file: &File, text: &[u8]) -> Option<Fault> {
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Some(file.fault(0, "", "", "is saved as UTF-16 (\"Unicode text\")", SAVED));
    }
    let zero = text.iter().position(|byte| *byte == 0)?;
    let line = text.iter().take(zero).filter(|byte| **byte == b'\n').count() as u64 + 1;
    Some(file.fault(line, "", "", "has bytes that are no text", SAVED))
}

/// Where a reader is within a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first character of a cell.
    Start,
    /// In a cell without quotation marks.
    Plain,
    /// In quotation marks, opened in this line.
    Quoted(u64),
    /// Behind a mark within marks: the closing one, or the first of two.
    Behind(u64),
}

/// A quotation mark that is opened and never closed, or closed in the middle of a cell. A lenient reader would take the
/// rest of the file for one cell.
fn quotes(file: &File, text: &[u8]) -> Option<Fault> {
    let (mut place, mut line) = (Place::Start, 1);
    for byte in text {
        place = match (place, byte) {
            (Place::Start, b'"') => Place::Quoted(line),
            (Place::Quoted(opened), b'"') => Place::Behind(opened),
            (Place::Behind(opened), b'"') => Place::Quoted(opened),
            (Place::Quoted(opened), _) => Place::Quoted(opened),
            (Place::Start | Place::Plain | Place::Behind(_), b',' | b'\r' | b'\n') => Place::Start,
            (Place::Behind(_), _) => {
                let expected = "a comma or the end of the line there, or \"\" for a mark within the text";
                return Some(file.fault(line, "", "", "goes on behind a closing quotation mark", expected));
            }
            (Place::Start | Place::Plain, _) => Place::Plain,
        };
        line += u64::from(*byte == b'\n');
    }
    match place {
        Place::Quoted(opened) => {
            let expected = "the whole file: it may have been cut short";
            Some(file.fault(opened, "", "", "opens a quotation mark that is never closed", expected))
        }
        _ => None,
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
