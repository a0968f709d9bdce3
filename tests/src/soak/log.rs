//! What happened and when, in a file and on the terminal; and what was found wrong, the first of it above all.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use node::error::NodeError;
use tokio::time::Instant;

use super::wrong;

/// The log of a soak.
pub struct Log {
    began: Instant,
    file: Mutex<File>,
    findings: Mutex<Vec<String>>,
}

impl Log {
    /// Begins a log.
    pub fn begin(file: &Path) -> Result<Self, NodeError> {
        let file = Mutex::new(File::create(file).map_err(wrong)?);
        Ok(Self { began: Instant::now(), file, findings: Mutex::default() })
    }

    /// Notes what happens.
    pub fn note(&self, words: &str) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written must not end what it is about.
        let _ = writeln!(file, "{:9.3} {words}", self.began.elapsed().as_secs_f64());
    }

    /// Says it to whoever waits, too.
    pub fn say(&self, words: &str) {
        self.note(words);
        eprintln!("soak: {words}");
    }

    /// Something is wrong.
    pub fn finding(&self, words: &str) {
        self.say(&format!("WRONG: {words}"));
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).push(words.to_owned());
    }

    /// All that was found wrong, the first first.
    pub fn findings(&self) -> Vec<String> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
