//! Archives of mail as bytes: where one message ends and the next begins, within bounds.

use std::io::{self, BufRead, Read};

use mail_parser::DateTime;

/// Bytes that one message may have, with its attachments.
pub(super) const MOST: usize = 32 << 20;
/// Bytes of a line that are looked at at once.
const LINE: u64 = 64 << 10;
/// What some editors put before a text in UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// One message as it was found.
#[derive(Debug, Default)]
pub(super) struct Raw {
    /// The line in which it begins.
    pub(super) line: u64,
    /// The line that separates it from the one before; empty where there is none.
    pub(super) separator: String,
    /// The message; not whole where it is too large.
    pub(super) bytes: Vec<u8>,
    /// It is larger than any message may be.
    pub(super) too_large: bool,
}

/// The messages of an archive (mbox: each after a line that begins with `From `), or the only one of a file.
pub(super) struct Messages<R> {
    input: R,
    line: u64,
    /// A message that was begun.
    begun: Option<Raw>,
}

impl<R: BufRead> Messages<R> {
    pub(super) fn of_archive(input: R) -> Self {
        Self { input, line: 0, begun: None }
    }

    /// A file that is one message.
    pub(super) fn single(input: R) -> Self {
        Self { begun: Some(Raw { line: 1, ..Raw::default() }), ..Self::of_archive(input) }
    }

    /// The next message; `Err(None)` where the file is no archive at all, `Err(Some(error))` where it cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<Raw>, Option<io::Error>> {
        let single = self.line == 0 && self.begun.is_some();
        // Whether the line before was empty: only then a message can begin.
        let mut blank = true;
        let mut piece = Vec::new();
        loop {
            let starts = piece.is_empty() || piece.ends_with(b"\n");
            piece.clear();
            self.input.by_ref().take(LINE).read_until(b'\n', &mut piece)?;
            if piece.is_empty() {
                return Ok(self.begun.take());
            }
            if self.line == 0 && piece.starts_with(MARK) {
                piece.drain(..MARK.len());
            }
            self.line += u64::from(starts);
            let text = piece.trim_ascii_end();
            if starts && blank && !single && separates(text) {
                let separator = String::from_utf8_lossy(text).into_owned();
                let next = Raw { line: self.line, separator, ..Raw::default() };
                if let Some(raw) = self.begun.replace(next) {
                    return Ok(Some(raw));
                }
                blank = false;
                continue;
            }
            match &mut self.begun {
                Some(raw) => raw.add(if starts && !single { unquoted(&piece) } else { &piece }),
                None if text.is_empty() => {}
                None => return Err(None),
            }
            blank = starts && text.is_empty();
        }
    }
}

impl Raw {
    fn add(&mut self, piece: &[u8]) {
        if self.bytes.len() + piece.len() > MOST {
            self.too_large = true;
            self.bytes.truncate(64 << 10);
        }
        if !self.too_large {
            self.bytes.extend_from_slice(piece);
        }
    }

    /// When it came in, as the line before it says.
    pub(super) fn arrived(&self) -> Option<DateTime> {
        let words: Vec<&str> = self.separator.split_whitespace().collect();
        let time = words.iter().position(|word| is_time(word))?;
        let (month, day) = (words.get(time.checked_sub(2)?)?, words.get(time.checked_sub(1)?)?);
        let year = words.iter().skip(time).find(|word| is_year(word))?;
        let time = words.get(time)?;
        DateTime::parse_rfc822(&format!("{day} {month} {year} {time} +0000")).filter(DateTime::is_valid)
    }

    /// Who sent it, as the line before it says.
    pub(super) fn sender(&self) -> Option<&str> {
        self.separator.split_whitespace().nth(1)
    }
}

/// Whether a line begins a message: `From`, who sent it, and when. Sentences that begin with the word have no time and
/// no year.
fn separates(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let rest = String::from_utf8_lossy(rest);
    let mut words = rest.split_whitespace();
    words.any(is_time) && words.any(is_year)
}

fn is_time(word: &str) -> bool {
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    (5..=8).contains(&word.len()) && word.split(':').count() > 1 && word.split(':').all(digits)
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// A line without the `>` that keeps it from being read as the begin of a message.
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    let quoted = quotes > 0 && line.get(quotes..).is_some_and(|rest| rest.starts_with(b"From "));
    if quoted { line.get(1..).unwrap_or(line) } else { line }
}
