//! What a ballot comes to, against a naive model that goes through the events one by one in the order of acceptance.

use std::collections::BTreeMap;

use chassis::names::NodeId;
use proptest::prelude::*;
use time::Duration;

use super::*;
use crate::domain::{Content, Method, Quorum, Rule};

/// One thing said about a proposal. Numbers of organizations and of positions are small; instants are seconds.
#[derive(Clone, Debug)]
enum Said {
    Amended {
        closes: i64,
    },
    Taken {
        organization: usize,
        revision: u32,
        stance: Stance,
    },
    /// Takes back the position said so many positions before.
    TakenBack {
        before: usize,
    },
    Withdrawn,
    Decided {
        outcome: Outcome,
    },
}

const ORGANIZATIONS: usize = 3;
const FIRST_CLOSE: i64 = 20;

fn said() -> impl Strategy<Value = Said> {
    let stance = prop::sample::select(Stance::ALL);
    let outcome = prop::sample::select(Outcome::ALL);
    prop_oneof![
        2 => (1..60_i64).prop_map(|closes| Said::Amended { closes }),
        9 => (0..ORGANIZATIONS, 1..4_u32, stance)
            .prop_map(|(organization, revision, stance)| Said::Taken { organization, revision, stance }),
        3 => (0..4_usize).prop_map(|before| Said::TakenBack { before }),
        1 => Just(Said::Withdrawn),
        4 => outcome.prop_map(|outcome| Said::Decided { outcome }),
    ]
}

/// What was said in the order of its acceptance, each with the seconds since the one before; and how it is decided.
fn history() -> impl Strategy<Value = (Vec<(Said, i64)>, Rule)> {
    let rule = (prop::sample::select(Method::ALL), 1..4_u32, any::<bool>()).prop_map(|(method, count, share)| Rule {
        method,
        threshold_percent: if method == Method::Majority { 50 } else { 0 },
        quorum: if share { Quorum::Percent(count * 25) } else { Quorum::Count(count) },
    });
    (prop::collection::vec((said(), 0..4_i64), 1..24), rule)
}

fn instant(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
}

fn spot(position: usize, seconds: i64) -> Spot {
    let position = i64::try_from(position).unwrap();
    Spot { position, at: instant(seconds), event: Uuid::from_u128(u128::MAX - u128::try_from(position).unwrap()) }
}

fn named(number: usize) -> Reference {
    let node = NodeId::of_key(&[7; 32]);
    Reference { node, id: Uuid::from_u128(u128::try_from(number).unwrap()) }
}

fn revision(number: u32, closes: i64, rule: Rule, spot: Spot) -> Revision {
    let content = Content {
        title: String::new(),
        rationale: String::new(),
        amendment: String::new(),
        tree: None,
        rule,
        closes_at: instant(closes),
    };
    Revision { number, content, spot: Some(spot) }
}

fn position(number: usize, organization: usize, revision: u32, stance: Stance, spot: Spot) -> Position {
    let stamp = Stamp { version: 1, created_at: spot.at, updated_at: spot.at };
    Position {
        reference: named(1000 + number),
        space: Space::Local,
        opinion: Opinion {
            proposal: named(0),
            revision,
            organization: named(organization),
            stance,
            reason: String::new(),
        },
        void_reason: String::new(),
        spot: Some(spot),
        withdrawn: None,
        withdrawn_reason: String::new(),
        stamp,
    }
}

fn tally_of(outcome: Outcome, revision: u32) -> Tally {
    Tally { revision, eligible: 0, agree: 0, abstain: 0, object: 0, quorum_met: false, outcome, as_of: 0 }
}

/// The ballot of a history; the proposal itself stands at place 1, the terms before it.
fn ballot(history: &[(Said, i64)], rule: Rule) -> Ballot {
    let term = |organization| Term {
        organization: named(organization),
        granted: Some(spot(0, 0)),
        ended: None,
        starts: instant(0),
        ends: None,
    };
    let mut ballot = Ballot {
        revisions: vec![revision(1, FIRST_CLOSE, rule, spot(1, 0))],
        terms: (0..ORGANIZATIONS).map(term).collect(),
        ..Ballot::default()
    };
    let mut now = 0;
    for (nth, (said, seconds)) in history.iter().enumerate() {
        now += seconds;
        let spot = spot(nth + 2, now);
        match said {
            Said::Amended { closes } => {
                let number = u32::try_from(ballot.revisions.len() + 1).unwrap();
                ballot.revisions.push(revision(number, *closes, rule, spot));
            }
            Said::Taken { organization, revision, stance } => {
                ballot.positions.push(position(ballot.positions.len(), *organization, *revision, *stance, spot));
            }
            Said::TakenBack { before } => {
                let back = ballot.positions.len().checked_sub(before + 1).and_then(|nth| ballot.positions.get_mut(nth));
                if let Some(position) = back {
                    position.withdrawn.get_or_insert(Some(spot));
                }
            }
            Said::Withdrawn => drop(ballot.withdrawn.get_or_insert(Some(spot))),
            Said::Decided { outcome } => {
                let told = u32::try_from(ballot.revisions.len()).unwrap();
                let tally = tally_of(*outcome, told);
                let reference = named(2000 + nth);
                let decision = Decision { reference, proposal: named(0), tally, spot: Some(spot), made_at: spot.at };
                ballot.decisions.push(decision);
            }
        }
    }
    ballot
}

/// The slow way: one event after the other.
#[derive(Debug)]
struct Naive {
    rule: Rule,
    revision: u32,
    closes: i64,
    ended: Option<Standing>,
    /// Position and stance by organization.
    standing: BTreeMap<usize, (usize, Stance)>,
}

impl Naive {
    fn after(history: &[(Said, i64)], rule: Rule) -> Self {
        let mut naive = Self { rule, revision: 1, closes: FIRST_CLOSE, ended: None, standing: BTreeMap::new() };
        let (mut now, mut told, mut taken, mut back) = (0, 1, Vec::new(), Vec::new());
        let mut withdrawn = false;
        for (said, seconds) in history {
            now += seconds;
            told += u32::from(matches!(said, Said::Amended { .. }));
            let in_time = now <= naive.closes && naive.ended.is_none();
            match said {
                Said::Amended { closes } if in_time => {
                    (naive.revision, naive.closes) = (told, *closes);
                    naive.standing.clear();
                }
                Said::Taken { organization, revision, stance } => {
                    taken.push(*organization);
                    if in_time && *revision == naive.revision {
                        naive.standing.insert(*organization, (taken.len() - 1, *stance));
                    }
                }
                Said::TakenBack { before } => {
                    let Some(nth) = taken.len().checked_sub(before + 1) else { continue };
                    if back.contains(&nth) {
                        continue;
                    }
                    back.push(nth);
                    if in_time {
                        naive.standing.retain(|_, (position, _)| *position != nth);
                    }
                }
                Said::Withdrawn if !withdrawn => {
                    withdrawn = true;
                    naive.ended.get_or_insert(Standing::Withdrawn);
                }
                Said::Decided { outcome } if naive.ended.is_none() => {
                    let all = naive.standing.len() == ORGANIZATIONS;
                    if (now > naive.closes || all) && told == naive.revision && *outcome == naive.outcome() {
                        naive.ended = Some(Standing::Decided(*outcome));
                    }
                }
                Said::Amended { .. } | Said::Withdrawn | Said::Decided { .. } => {}
            }
        }
        naive
    }

    fn of(&self, stance: Stance) -> u32 {
        u32::try_from(self.standing.values().filter(|(_, one)| *one == stance).count()).unwrap()
    }

    fn outcome(&self) -> Outcome {
        let positions = u32::try_from(self.standing.len()).unwrap();
        let met = self.rule.quorum_met(positions, u32::try_from(ORGANIZATIONS).unwrap());
        self.rule.outcome(met, self.of(Stance::Agree), self.of(Stance::Object))
    }
}

/// What can be compared of a course: standing, revision, counts, outcome, references of what counts and what stands.
type Told = (Standing, u32, [u32; 3], Outcome, Vec<Reference>, Vec<Reference>, i64);

fn told(ballot: &Ballot) -> Told {
    let course = ballot.course();
    let count = course.count.as_ref().unwrap();
    let Tally { revision, agree, abstain, object, outcome, as_of, .. } = count.tally;
    let mut counts: Vec<Reference> = (ballot.positions.iter())
        .filter(|position| ballot.weigh(position, course.count.as_ref()) == Weight::Counts)
        .map(|position| position.reference.clone())
        .collect();
    counts.sort();
    let stands = course.decisions.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Stands(_)));
    let stands = stands.map(|(decision, _)| decision.reference.clone()).collect();
    (course.standing, revision, [agree, abstain, object], outcome, counts, stands, as_of)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_tally_is_what_a_naive_model_says_it_is((history, rule) in history()) {
        let naive = Naive::after(&history, rule);
        let (standing, revision, counts, outcome, counting, stands, _) = told(&ballot(&history, rule));
        prop_assert_eq!(standing, naive.ended.unwrap_or(Standing::Open));
        prop_assert_eq!(revision, naive.revision);
        prop_assert_eq!(counts, [Stance::Agree, Stance::Abstain, Stance::Object].map(|stance| naive.of(stance)));
        prop_assert_eq!(outcome, naive.outcome());
        let mut expected: Vec<Reference> = naive.standing.values().map(|(nth, _)| named(1000 + nth)).collect();
        expected.sort();
        prop_assert_eq!(counting, expected);
        prop_assert_eq!(stands.len(), usize::from(matches!(standing, Standing::Decided(_))));
    }

    #[test]
    fn a_tally_does_not_depend_on_the_order_of_arrival(
        ((history, rule), shuffled) in history().prop_flat_map(|(history, rule)| {
            let whole = ballot(&history, rule);
            let parts = (Just(whole.positions).prop_shuffle(), Just(whole.decisions).prop_shuffle(), Just(whole.terms).prop_shuffle());
            (Just((history, rule)), parts)
        })
    ) {
        let whole = ballot(&history, rule);
        let (positions, decisions, terms) = shuffled;
        prop_assert_eq!(told(&Ballot { positions, decisions, terms, ..whole.clone() }), told(&whole));
    }
}

#[test]
fn what_is_pending_neither_counts_nor_decides() {
    let rule = Rule { method: Method::Consent, threshold_percent: 0, quorum: Quorum::Count(1) };
    let taken = Said::Taken { organization: 0, revision: 1, stance: Stance::Agree };
    let mut pending = ballot(&[(taken, 1), (Said::Decided { outcome: Outcome::Adopted }, 30)], rule);
    assert_eq!(pending.course().standing, Standing::Decided(Outcome::Adopted));
    pending.decisions.iter_mut().for_each(|decision| decision.spot = None);
    let course = pending.course();
    assert_eq!((course.standing, course.count.unwrap().tally.agree), (Standing::Open, 1));
    assert_eq!(course.decisions.first().map(|(_, verdict)| verdict.clone()), Some(Verdict::Pending));
    pending.positions.iter_mut().for_each(|position| position.spot = None);
    assert_eq!(pending.course().count.unwrap().tally.agree, 0);
    pending.revisions.iter_mut().for_each(|revision| revision.spot = None);
    assert!(pending.course().count.is_none(), "there is nothing to count on");
}

#[test]
fn a_role_counts_if_it_is_held_at_the_close() {
    let rule = Rule { method: Method::Consent, threshold_percent: 0, quorum: Quorum::Count(1) };
    let whole = ballot(&[], rule);
    let eligible = |change: &dyn Fn(&mut Term)| {
        let mut ballot = whole.clone();
        ballot.terms.iter_mut().take(1).for_each(change);
        ballot.course().count.unwrap().tally.eligible
    };
    assert_eq!(eligible(&|_| {}), 3);
    assert_eq!(eligible(&|term| term.granted = None), 2, "not accepted");
    assert_eq!(eligible(&|term| term.granted = Some(spot(9, 21))), 2, "granted after the close");
    assert_eq!(eligible(&|term| term.ended = Some(spot(9, 20))), 2, "ended before the close");
    assert_eq!(eligible(&|term| term.ended = Some(spot(9, 21))), 3, "ended after the close");
    assert_eq!(eligible(&|term| term.starts = instant(21)), 2, "begins after the close");
    assert_eq!(eligible(&|term| term.ends = Some(instant(20))), 2, "over at the close");
}
