//! Archives of mail: each message becomes a message of a channel, its thread what it answers.
//!
//! An archive is an mbox file, a file with one message, or one of the R project's lists in JSON Lines. Of a message we
//! take who wrote it by name, when, its subject and its text. Addresses stay out; attachments are counted. Archives are
//! read message by message, and of each no more is held than its text.

mod letter;
mod mbox;
mod privacy;
mod threads;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Read};

use serde::Serialize;
use time::OffsetDateTime;

use super::report::Fault;
use letter::{Letter, Wrong};
use mbox::{MOST, Messages};
pub use threads::plan;

/// How the messages of a file follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// An mbox file.
    Archive,
    /// One message.
    Single,
    /// A message in JSON on every line.
    JsonLines,
}

impl Layout {
    /// That of a file, by the end of its name.
    pub fn of(name: &str) -> Self {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        match ending.as_str() {
            "eml" => Self::Single,
            "jsonl" => Self::JsonLines,
            _ => Self::Archive,
        }
    }
}

/// What is in some archives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Messages, each counted once.
    pub messages: u64,
    /// How many sign them.
    pub authors: u64,
    /// First messages.
    pub threads: u64,
    /// Messages that say what they answer.
    pub answers: u64,
    /// Answers to what is not in the archives, which begin a thread.
    pub unanswered: u64,
    /// Messages that stood there more than once.
    pub twice: u64,
    /// Messages under the id of another one, as some programs write them.
    pub shared_ids: u64,
    /// Messages without a word, which were left out.
    pub empty: u64,
    /// Attachments, which were left out.
    pub attachments: u64,
    /// Texts that were taken from a web page.
    pub pages: u64,
    /// Messages that were too long and lost their end.
    pub cut: u64,
    /// Messages with letters that could not be read.
    pub unreadable: u64,
    /// Addresses that were left out of texts.
    pub addresses: u64,
    /// Messages whose author got a pseudonym.
    pub pseudonyms: u64,
}

/// A message to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// What it is called in the archive.
    pub place: String,
    /// Place of the first message of its thread in the plan; `None` where it is one.
    pub first: Option<usize>,
    /// When it was written.
    pub written: OffsetDateTime,
    /// Who wrote it.
    pub byline: String,
    /// What it says.
    pub body: String,
    /// What tells it from one that says the same.
    pub id: String,
}

/// Archives as they are read, one after the other.
#[derive(Debug, Default)]
pub struct Archives {
    letters: Vec<(String, Letter)>,
    /// The first message of each id.
    by_id: BTreeMap<String, usize>,
    seen: BTreeSet<String>,
    found: Found,
    faults: Vec<Fault>,
}

impl Archives {
    /// Reads one file. `channel` is the reference of the channel for which it is read.
    pub fn read(&mut self, channel: &str, name: &str, layout: Layout, input: impl BufRead) {
        match layout {
            Layout::JsonLines => self.read_lines(channel, name, input),
            Layout::Single => self.read_messages(channel, name, Messages::single(input)),
            Layout::Archive => self.read_messages(channel, name, Messages::of_archive(input)),
        }
    }

    /// Everything that is wrong with what was read.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    fn read_messages<R: BufRead>(&mut self, channel: &str, name: &str, mut messages: Messages<R>) {
        let mut number = 0;
        loop {
            match messages.next() {
                Ok(Some(raw)) => {
                    number += 1;
                    self.take(name, raw.line, number, letter::read(channel, &raw));
                }
                Ok(None) => break,
                Err(Some(error)) => return self.broken(name, &format!("cannot be read: {error}")),
                Err(None) => return self.broken(name, "is no archive of mail"),
            }
        }
        if number == 0 {
            self.broken(name, "has no message in it");
        }
    }

    fn read_lines(&mut self, channel: &str, name: &str, mut input: impl BufRead) {
        let (mut number, mut read, mut line) = (0, 0, Vec::new());
        loop {
            line.clear();
            if let Err(error) = input.by_ref().take(MOST as u64).read_until(b'\n', &mut line) {
                return self.broken(name, &format!("cannot be read: {error}"));
            }
            if line.is_empty() {
                break;
            }
            number += 1;
            let text = line.trim_ascii();
            if text.is_empty() {
                continue;
            }
            read += 1;
            self.take(name, number, number, letter::read_json(channel, text));
            if line.len() >= MOST {
                return;
            }
        }
        if read == 0 {
            self.broken(name, "has no message in it");
        }
    }

    fn take(&mut self, name: &str, line: u64, number: u64, read: Result<Letter, Wrong>) {
        let place = format!("{name}, message {number}");
        let letter = match read {
            Ok(letter) => letter,
            Err((field, value, reason, expected)) => {
                let column = [field, &format!("of message {number}")].join(" ").trim_start().to_owned();
                return self.wrong(name, line, column, value, reason, expected);
            }
        };
        if !self.seen.insert(letter.digest()) {
            self.found.twice += 1;
            return;
        }
        if self.by_id.contains_key(&letter.id) {
            self.found.shared_ids += 1;
        } else if !letter.id.is_empty() {
            self.by_id.insert(letter.id.clone(), self.letters.len());
        }
        self.letters.push((place, letter));
    }

    fn broken(&mut self, name: &str, reason: &str) {
        let expected = "an mbox file, whose messages each follow a line such as \"From ann Mon Oct  5 04:41:25 2020\"; \
                        or a file *.eml with one message, or *.jsonl";
        self.wrong(name, 0, String::new(), String::new(), reason, expected);
    }

    fn wrong(&mut self, name: &str, line: u64, column: String, value: String, reason: &str, expected: &str) {
        let (file, reason, expected) = (name.to_owned(), reason.to_owned(), expected.to_owned());
        self.faults.push(Fault { file, line, column, value, reason, expected });
    }
}

#[cfg(test)]
mod tests;
