//! A service in words, as one offer: what it is, for whom, where, and where it stands in the directory.

/// What the contract says the description of a posting may have.
const MOST: usize = 4000;

/// What an organization offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The organization, by its id in the directory.
    pub organization: String,
    /// What it is, line by line; the last line is `source`.
    pub description: String,
    /// What names it in the directory. No other offer of the organization ends in it.
    pub source: String,
    /// Whether something was too long to be taken whole.
    pub shortened: bool,
}

/// Puts an offer together, line by line.
#[derive(Default)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// Adds what is said, under a label where there is one.
    pub(super) fn say(&mut self, label: &str, text: &str) {
        let plain =
            |character: char| if character.is_control() && !"\n\t".contains(character) { ' ' } else { character };
        let text: String = text.replace("\r\n", "\n").chars().map(plain).collect();
        match (label, text.trim()) {
            (_, "") => {}
            ("", text) => self.0.push(text.to_owned()),
            (label, text) => self.0.push(format!("{label}: {text}")),
        }
    }

    /// The offer. Where it is too long, its longest lines are cut.
    pub(super) fn offer(mut self, organization: &str, source: String) -> Offer {
        let length = |text: &String| text.chars().count() + 1;
        let room = MOST.saturating_sub(source.chars().count());
        let mut shortened = false;
        loop {
            let over = self.0.iter().map(length).sum::<usize>().saturating_sub(room);
            let Some(longest) = self.0.iter_mut().max_by_key(|line| length(line)).filter(|_| over > 0) else { break };
            let kept = length(longest).saturating_sub(over + 2);
            *longest = longest.chars().take(kept).chain(['…']).collect();
            shortened = true;
        }
        self.0.push(source.clone());
        Offer { organization: organization.to_owned(), description: self.0.join("\n"), source, shortened }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_that_is_too_long_keeps_its_short_lines_and_its_source() {
        let mut words = Words::default();
        words.say("", "Lunch");
        words.say("", &"é".repeat(9000));
        words.say("Where", "Here\r\nand there\u{0}");
        let offer = words.offer("1", "Directory: d, service 1".to_owned());
        assert_eq!(offer.description.chars().count(), MOST);
        assert!(offer.shortened && offer.description.starts_with("Lunch\néé"));
        assert!(offer.description.ends_with("é…\nWhere: Here\nand there\nDirectory: d, service 1"));
    }

    #[test]
    fn what_fits_is_kept_whole() {
        let mut words = Words::default();
        words.say("", &"é".repeat(MOST - 2));
        words.say("Nothing", " ");
        assert!(!words.offer("1", "d".to_owned()).shortened);
    }
}
