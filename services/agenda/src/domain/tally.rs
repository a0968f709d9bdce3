//! What positions come to, by a proposal's rule.

use super::{Method, Quorum, Rule};

chassis::words! {
    /// What a tally comes to.
    pub enum Outcome {
        /// The proposal is adopted.
        Adopted = 1,
        /// It is not.
        NotAdopted = 2,
        /// Too few took a position.
        NoQuorum = 3,
    }
}

/// How many positions there are of each kind, one for an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Number of the revision they are on.
    pub revision: u32,
    /// Organizations that may take a position.
    pub eligible: u32,
    /// How many agree.
    pub agree: u32,
    /// How many abstain.
    pub abstain: u32,
    /// How many object.
    pub object: u32,
    /// Whether enough of them have a position.
    pub quorum_met: bool,
    /// What it comes to.
    pub outcome: Outcome,
    /// The highest place of anything that it was made from.
    pub as_of: i64,
}

impl Rule {
    /// Whether so many positions of so many organizations are enough.
    pub fn quorum_met(&self, positions: u32, eligible: u32) -> bool {
        match self.quorum {
            Quorum::Percent(share) => {
                u64::from(positions) * 100 >= u64::from(share) * u64::from(eligible) && positions > 0
            }
            Quorum::Count(count) => positions >= count,
        }
    }

    /// What so many positions come to.
    pub fn outcome(&self, quorum_met: bool, agree: u32, object: u32) -> Outcome {
        let adopted = match self.method {
            Method::Consent => agree > 0 && object == 0,
            Method::Majority => {
                u64::from(agree) * 100 > u64::from(self.threshold_percent) * (u64::from(agree) + u64::from(object))
            }
        };
        match (quorum_met, adopted) {
            (false, _) => Outcome::NoQuorum,
            (true, true) => Outcome::Adopted,
            (true, false) => Outcome::NotAdopted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(method: Method, threshold_percent: u32, quorum: Quorum) -> Rule {
        Rule { method, threshold_percent, quorum }
    }

    #[test]
    fn one_objection_stands_in_the_way_of_consent() {
        let consent = rule(Method::Consent, 0, Quorum::Count(1));
        for (agree, object, outcome) in [
            (1, 0, Outcome::Adopted),
            (9, 0, Outcome::Adopted),
            (9, 1, Outcome::NotAdopted),
            (0, 0, Outcome::NotAdopted),
        ] {
            assert_eq!(consent.outcome(true, agree, object), outcome, "{agree} agree, {object} object");
        }
        assert_eq!(consent.outcome(false, 9, 0), Outcome::NoQuorum);
    }

    #[test]
    fn a_majority_is_more_than_its_threshold() {
        for (threshold, agree, object, adopted) in [
            (50, 1, 1, false),
            (50, 2, 1, true),
            (66, 2, 1, true),
            (66, 33, 17, false),
            (75, 3, 1, false),
            (50, 0, 0, false),
        ] {
            let outcome = rule(Method::Majority, threshold, Quorum::Count(1)).outcome(true, agree, object);
            assert_eq!(outcome == Outcome::Adopted, adopted, "{agree} of {} at {threshold} %", agree + object);
        }
    }

    #[test]
    fn a_quorum_is_a_share_or_a_count_and_never_nobody() {
        for (quorum, positions, eligible, met) in [
            (Quorum::Percent(50), 1, 2, true),
            (Quorum::Percent(50), 1, 3, false),
            (Quorum::Percent(100), 3, 3, true),
            (Quorum::Percent(1), 0, 0, false),
            (Quorum::Count(2), 1, 9, false),
            (Quorum::Count(2), 2, 2, true),
            (Quorum::Percent(100), u32::MAX, u32::MAX, true),
        ] {
            assert_eq!(rule(Method::Consent, 0, quorum).quorum_met(positions, eligible), met, "{quorum:?} {positions}");
        }
    }
}
