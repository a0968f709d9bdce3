//! What the demo says while it goes on: one plain line a step, with the seconds since it began; on a terminal a bar
//! while many of something are done.

use std::io::Write;

use tokio::time::Instant;

use crate::cli::progress::Progress;
use crate::verify::Watch;

/// Where the lines go.
pub struct Voice {
    began: Instant,
    aside: bool,
    progress: Progress,
}

impl Voice {
    /// Speaks on standard output; `aside` on standard error, where standard output is for a program.
    pub fn new(aside: bool) -> Self {
        Self { began: Instant::now(), aside, progress: Progress::default() }
    }

    /// Says what has just happened.
    pub fn say(&self, words: impl AsRef<str>) {
        self.line(&format!("{:6.1} s  {}", self.seconds(), words.as_ref()));
    }

    /// Says something that belongs to the line before.
    pub fn add(&self, words: impl AsRef<str>) {
        self.line(&format!("          {}", words.as_ref()));
    }

    /// Says something as it is.
    pub fn line(&self, words: &str) {
        self.progress.end();
        // Whoever has read enough need not hear the rest: the demo goes on.
        let _ = if self.aside {
            writeln!(std::io::stderr().lock(), "{words}")
        } else {
            writeln!(std::io::stdout().lock(), "{words}")
        };
    }

    /// Many of something begin.
    pub(super) fn begin(&self, what: &'static str, items: usize) {
        self.progress.begin(what, items as u64);
    }

    /// One of them is done.
    pub(super) fn done(&self) {
        self.progress.done(1);
    }

    /// Seconds since it began.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}
