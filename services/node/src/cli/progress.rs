//! How far long work has come: a bar on a terminal, and nothing elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::verify::Watch;

/// One bar after the other, on standard error.
#[derive(Default)]
pub(crate) struct Progress(Mutex<Option<ProgressBar>>);

impl Progress {
    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.show(None);
    }

    fn show(&self, next: Option<ProgressBar>) {
        let before = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), next);
        if let Some(bar) = before {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Progress {
    fn begin(&self, what: &'static str, items: u64) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        let bar = ProgressBar::new(items).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg:<24} {wide_bar} {human_pos}/{human_len}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        self.show(Some(bar));
    }

    fn done(&self, items: u64) {
        if let Some(bar) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.inc(items);
        }
    }
}
