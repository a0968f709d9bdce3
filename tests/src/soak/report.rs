//! What came of a soak: one line.

use serde_json::json;

use super::checks::Found;
use super::witness::Seen;

/// The outcome.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Accepted entries in all spaces.
    pub events: usize,
    /// Faults that happened.
    pub faults: u64,
    /// What the books show.
    pub found: Found,
    /// What was where it may not be.
    pub leaked: Vec<String>,
    /// Whether all holders agreed in the end.
    pub digests_equal: bool,
    /// The most that was seen.
    pub seen: Seen,
    /// All that was found wrong besides, the first first.
    pub findings: Vec<String>,
}

impl Report {
    /// Whether everything holds.
    pub fn ok(&self) -> bool {
        self.digests_equal && self.first_wrong().is_none()
    }

    /// The first thing that is wrong.
    pub fn first_wrong(&self) -> Option<&str> {
        let Found { lost, doubled, out_of_order, forged, kept } = &self.found;
        let kinds = [forged, &self.leaked, kept, lost, doubled, out_of_order, &self.findings];
        kinds.into_iter().find_map(|kind| kind.first()).map(String::as_str)
    }

    /// Everything that is wrong, with its kind.
    pub fn wrong(&self) -> Vec<String> {
        let Found { lost, doubled, out_of_order, forged, kept } = &self.found;
        let kinds = [
            ("forged", forged),
            ("leaked", &self.leaked),
            ("taken back and kept", kept),
            ("lost", lost),
            ("doubled", doubled),
            ("out of order", out_of_order),
            ("found", &self.findings),
        ];
        kinds.into_iter().flat_map(|(kind, all)| all.iter().map(move |words| format!("{kind}: {words}"))).collect()
    }

    /// The last line of a soak.
    pub fn line(&self) -> String {
        let fields = json!({
            "ok": self.ok(),
            "seed": self.seed,
            "events": self.events,
            "faults": self.faults,
            "lost": self.found.lost.len(),
            "doubled": self.found.doubled.len(),
            "out_of_order": self.found.out_of_order.len(),
            "leaked": self.leaked.len() + self.found.kept.len(),
            "forged_accepted": self.found.forged.len(),
            "digests_equal": self.digests_equal,
            "max_rss_mib": self.seen.rss_mib,
            "max_lag_s": self.seen.lag_s,
        });
        fields.to_string().replace("\":", "\": ").replace(",\"", ", \"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_as_it_is_promised() {
        let report = Report { seed: 7, digests_equal: true, ..Report::default() };
        assert_eq!(
            report.line(),
            "{\"ok\": true, \"seed\": 7, \"events\": 0, \"faults\": 0, \"lost\": 0, \"doubled\": 0, \"out_of_order\": 0, \
             \"leaked\": 0, \"forged_accepted\": 0, \"digests_equal\": true, \"max_rss_mib\": 0, \"max_lag_s\": 0}"
        );
    }

    #[test]
    fn whatever_is_wrong_makes_it_fail() {
        let fine = Report { digests_equal: true, ..Report::default() };
        assert!(fine.ok());
        let words = || vec!["something".to_owned()];
        assert!(!Report { leaked: words(), ..fine.clone() }.ok());
        assert!(!Report { findings: words(), ..fine.clone() }.ok());
        for found in [
            Found { lost: words(), ..Found::default() },
            Found { doubled: words(), ..Found::default() },
            Found { out_of_order: words(), ..Found::default() },
            Found { forged: words(), ..Found::default() },
            Found { kept: words(), ..Found::default() },
        ] {
            assert!(!Report { found, ..fine.clone() }.ok());
        }
        assert!(!Report { digests_equal: false, ..fine }.ok());
    }
}
