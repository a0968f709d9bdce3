//! What the demo says while it goes on: one plain line a step, with the seconds since it began.

use tokio::time::Instant;

/// Where the lines go.
pub struct Voice {
    began: Instant,
    aside: bool,
}

impl Voice {
    /// Speaks on standard output; `aside` on standard error, where standard output is for a program.
    pub fn new(aside: bool) -> Self {
        Self { began: Instant::now(), aside }
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
        if self.aside { eprintln!("{words}") } else { println!("{words}") }
    }

    /// Seconds since it began.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}

/// A whole number with its thousands apart: `12,345`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([7, 999, 1000, 1_234_567].map(thousands), ["7", "999", "1,000", "1,234,567"]);
    }
}
