//! A proposal with everything said about it, and what it comes to.
//!
//! All of it follows from the order in which the backbone accepted the events, never from the order in which they
//! arrived and never from this node's clock: the same on every node that holds the same.

use std::collections::{BTreeMap, BTreeSet};

use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::tally::{Outcome, Tally};
use super::{Opinion, Revision, Stance};

/// Where an event came to stand in the members' order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// From 1; events of one home that were accepted together share it.
    pub position: i64,
    /// When it was accepted.
    pub at: OffsetDateTime,
    /// Its id, which tells those apart that share a place: they are of one home, and it made them in this order.
    pub event: Uuid,
}

impl Spot {
    fn order(&self) -> (i64, Uuid) {
        (self.position, self.event)
    }
}

/// A position as its organization told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Its name on every node.
    pub reference: Reference,
    /// Who may hold it.
    pub space: Space,
    /// What it says.
    pub opinion: Opinion,
    /// Why it can never count; empty where it can.
    pub void_reason: String,
    /// Where it came to stand; `None` while pending.
    pub spot: Option<Spot>,
    /// Where it was taken back; `Some(None)` while that is pending.
    pub withdrawn: Option<Option<Spot>>,
    /// Why it was taken back; else empty.
    pub withdrawn_reason: String,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// A decision as the backbone told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its name on every node.
    pub reference: Reference,
    /// The proposal.
    pub proposal: Reference,
    /// The tally that the backbone decided by.
    pub tally: Tally,
    /// Where it came to stand; `None` while pending.
    pub spot: Option<Spot>,
    /// When it was made.
    pub made_at: OffsetDateTime,
}

/// For how long an organization holds a role that lets it take positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The organization.
    pub organization: Reference,
    /// Where the grant came to stand; `None` while pending.
    pub granted: Option<Spot>,
    /// Where its end came to stand, if it ended before its term did.
    pub ended: Option<Spot>,
    /// First instant of the term.
    pub starts: OffsetDateTime,
    /// First instant after it; `None` for an open one.
    pub ends: Option<OffsetDateTime>,
}

/// A proposal with everything said about it.
#[derive(Clone, Debug, Default)]
pub struct Ballot {
    /// Nobody can decide on it.
    pub void: bool,
    /// What was proposed, by number.
    pub revisions: Vec<Revision>,
    /// Where it was taken back; `Some(None)` while that is pending.
    pub withdrawn: Option<Option<Spot>>,
    /// What organizations think of it, in any order.
    pub positions: Vec<Position>,
    /// What the backbone decided, in any order.
    pub decisions: Vec<Decision>,
    /// Who may take positions, in any order.
    pub terms: Vec<Term>,
}

/// How far a proposal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Waits for positions, or for its decision.
    Open,
    /// A decision stands.
    Decided(Outcome),
    /// Taken back before it was decided.
    Withdrawn,
    /// Nobody can decide on it.
    Void,
}

/// What became of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The backbone has not accepted it yet.
    Pending,
    /// It decides the proposal; the tally is as this node makes it.
    Stands(Tally),
    /// It decides nothing, and why; the tally where there is one.
    Void(&'static str, Option<Tally>),
}

/// Whether a position counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The backbone has not accepted it yet.
    Pending,
    /// It does.
    Counts,
    /// A later one of the same organization takes its place.
    Replaced,
    /// It is on another revision than the one in force.
    Outdated,
    /// It was taken back in time.
    Withdrawn,
    /// It breaks a rule.
    Void(String),
}

/// What a proposal comes to.
#[derive(Clone, Debug)]
pub struct Course<'a> {
    /// The revision in force; `None` while none is accepted.
    pub in_force: Option<&'a Revision>,
    /// How far it has come.
    pub standing: Standing,
    /// The tally and who is in it; `None` while no revision is accepted.
    pub count: Option<Count<'a>>,
    /// The decisions in the order of their acceptance, those pending last, and what became of each.
    pub decisions: Vec<(&'a Decision, Verdict)>,
}

/// A tally, and who is in it.
#[derive(Clone, Debug)]
pub struct Count<'a> {
    /// How many.
    pub tally: Tally,
    /// Who may take a position.
    pub eligible: BTreeSet<&'a Reference>,
    /// Who has one, and which.
    pub standing: BTreeMap<&'a Reference, &'a Position>,
    revision: &'a Revision,
    cut: Cut,
}

impl<'a> Count<'a> {
    /// Who may take a position and has none, sorted.
    pub fn outstanding(&self) -> impl Iterator<Item = &'a Reference> {
        self.eligible.iter().filter(|one| !self.standing.contains_key(**one)).copied()
    }
}

/// Up to where events are looked at: before the event that ended the proposal, or all.
#[derive(Clone, Copy, Debug)]
struct Cut(Option<Spot>);

impl Cut {
    /// The place of an event that was accepted before the cut.
    fn before(self, spot: Option<Spot>) -> Option<Spot> {
        spot.filter(|spot| self.0.is_none_or(|cut| spot.order() < cut.order()))
    }
}

impl Ballot {
    /// The newest revision, whether it is accepted or not; none that came after the close of the one before.
    pub fn newest(&self) -> Option<&Revision> {
        self.revision_in_force(|spot| Some(spot.map_or(OffsetDateTime::UNIX_EPOCH, |spot| spot.at)))
    }

    /// Whether a decision waits for its acceptance.
    pub fn decided_pending(&self) -> bool {
        self.decisions.iter().any(|decision| decision.spot.is_none())
    }

    /// What it comes to.
    pub fn course(&self) -> Course<'_> {
        let withdrawn = self.withdrawn.flatten();
        let mut decisions: Vec<&Decision> = self.decisions.iter().collect();
        decisions.sort_by_key(|decision| (decision.spot.is_none(), decision.spot.map(|spot| spot.order())));
        let mut stands: Option<(Spot, Outcome)> = None;
        let judged = decisions.into_iter().map(|decision| {
            let verdict = match decision.spot {
                None => Verdict::Pending,
                Some(_) if stands.is_some() => Verdict::Void("the proposal was decided before", None),
                Some(spot) => self.judge(decision, spot, withdrawn),
            };
            if let (Verdict::Stands(tally), Some(spot)) = (&verdict, decision.spot) {
                stands = Some((spot, tally.outcome));
            }
            (decision, verdict)
        });
        let decisions = judged.collect();
        let (standing, end) = match (stands, withdrawn) {
            _ if self.void => (Standing::Void, None),
            (Some((spot, outcome)), _) => (Standing::Decided(outcome), Some(spot)),
            (None, Some(spot)) => (Standing::Withdrawn, Some(spot)),
            (None, None) => (Standing::Open, None),
        };
        let count = self.count(Cut(end));
        Course { in_force: count.as_ref().map(|count| count.revision), standing, count, decisions }
    }

    /// Whether a decision decides: in time, and by what the accepted positions before it come to.
    fn judge(&self, decision: &Decision, spot: Spot, withdrawn: Option<Spot>) -> Verdict {
        let cut = Cut(Some(spot));
        let Some(count) = self.count(cut).filter(|_| !self.void) else {
            return Verdict::Void("there was nothing to decide on", None);
        };
        let tally = count.tally;
        if cut.before(withdrawn).is_some() {
            return Verdict::Void("the proposal was withdrawn before", Some(tally));
        }
        if spot.at <= count.revision.content.closes_at && count.outstanding().next().is_some() {
            return Verdict::Void(
                "it was accepted before the close, and not everybody had taken a position",
                Some(tally),
            );
        }
        if (decision.tally.revision, decision.tally.outcome) != (tally.revision, tally.outcome) {
            return Verdict::Void("the accepted positions come to something else", Some(tally));
        }
        Verdict::Stands(tally)
    }

    /// Whether a position counts, as a count has it.
    pub fn weigh(&self, position: &Position, count: Option<&Count<'_>>) -> Weight {
        if !position.void_reason.is_empty() {
            return Weight::Void(position.void_reason.clone());
        }
        let Some(spot) = position.spot else { return Weight::Pending };
        let Some(count) = count.filter(|count| count.revision.number == position.opinion.revision) else {
            return Weight::Outdated;
        };
        if count.revision.spot.is_none_or(|revision| spot.order() < revision.order()) {
            return Weight::Void("it was accepted before the revision that it is on".to_owned());
        }
        if spot.at > count.revision.content.closes_at {
            return Weight::Void("it was accepted after the close".to_owned());
        }
        if count.cut.before(position.spot).is_none() {
            return Weight::Void("it was accepted after the proposal was decided or withdrawn".to_owned());
        }
        let organization = &position.opinion.organization;
        if !count.eligible.contains(organization) {
            return Weight::Void("the organization holds no role that lets it take positions".to_owned());
        }
        match count.standing.get(organization) {
            Some(standing) if standing.reference == position.reference => Weight::Counts,
            _ if count.in_time(position.withdrawn.flatten()).is_some() => Weight::Withdrawn,
            _ => Weight::Replaced,
        }
    }

    /// The tally of what was accepted before the cut.
    fn count(&self, cut: Cut) -> Option<Count<'_>> {
        let revision = self.revision_in_force(|spot| cut.before(spot).map(|spot| spot.at))?;
        let tally = Tally {
            revision: revision.number,
            eligible: 0,
            agree: 0,
            abstain: 0,
            object: 0,
            quorum_met: false,
            outcome: Outcome::NoQuorum,
            as_of: 0,
        };
        let mut count = Count { tally, eligible: BTreeSet::new(), standing: BTreeMap::new(), revision, cut };
        count.eligible = self.terms.iter().filter(|term| count.holds(term)).map(|term| &term.organization).collect();
        count.standing = self.standing(&count);
        count.tally = count.counted(self.as_of(cut));
        Some(count)
    }

    /// Of every organization that may take a position the one that was accepted last, unless it was taken back.
    fn standing<'a>(&'a self, count: &Count<'a>) -> BTreeMap<&'a Reference, &'a Position> {
        let mut last: BTreeMap<&Reference, (Spot, &Position)> = BTreeMap::new();
        for position in &self.positions {
            let organization = &position.opinion.organization;
            let Some(spot) = count.in_time(position.spot) else { continue };
            let after = count.revision.spot.is_some_and(|revision| spot.order() > revision.order());
            if !after
                || !position.void_reason.is_empty()
                || position.opinion.revision != count.revision.number
                || !count.eligible.contains(organization)
                || last.get(organization).is_some_and(|(other, _)| other.order() > spot.order())
            {
                continue;
            }
            last.insert(organization, (spot, position));
        }
        let kept = last.into_iter().filter(|(_, (_, one))| count.in_time(one.withdrawn.flatten()).is_none());
        kept.map(|(organization, (_, position))| (organization, position)).collect()
    }

    /// The last revision that was accepted before the close of the one before it; `at` says when one was accepted, if it
    /// is to be looked at.
    fn revision_in_force(&self, at: impl Fn(Option<Spot>) -> Option<OffsetDateTime>) -> Option<&Revision> {
        let mut accepted = self.revisions.iter().filter_map(|revision| Some((at(revision.spot)?, revision)));
        let (_, first) = accepted.next()?;
        Some(accepted.fold(first, |current, (at, next)| if at <= current.content.closes_at { next } else { current }))
    }

    /// The highest place before the cut of anything that a tally is made from.
    fn as_of(&self, cut: Cut) -> i64 {
        let revisions = self.revisions.iter().map(|revision| revision.spot);
        let positions = self.positions.iter().flat_map(|position| [position.spot, position.withdrawn.flatten()]);
        let terms = self.terms.iter().flat_map(|term| [term.granted, term.ended]);
        let spots = revisions.chain(positions).chain(terms).filter_map(|spot| cut.before(spot));
        spots.map(|spot| spot.position).max().unwrap_or(0)
    }
}

impl Count<'_> {
    /// The place of an event that was accepted before the cut and before the close.
    fn in_time(&self, spot: Option<Spot>) -> Option<Spot> {
        self.cut.before(spot).filter(|spot| spot.at <= self.revision.content.closes_at)
    }

    /// Whether a role is held when the count is made: at the close, or when the proposal was ended before.
    fn holds(&self, term: &Term) -> bool {
        let closes_at = self.revision.content.closes_at;
        let at = self.cut.0.map_or(closes_at, |cut| cut.at.min(closes_at));
        self.in_time(term.granted).is_some()
            && self.in_time(term.ended).is_none()
            && term.starts <= at
            && term.ends.is_none_or(|ends| ends > at)
    }

    fn counted(&self, as_of: i64) -> Tally {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let of = |stance| number(self.standing.values().filter(|position| position.opinion.stance == stance).count());
        let (agree, abstain, object) = (of(Stance::Agree), of(Stance::Abstain), of(Stance::Object));
        let eligible = number(self.eligible.len());
        let rule = &self.revision.content.rule;
        let quorum_met = rule.quorum_met(number(self.standing.len()), eligible);
        let outcome = rule.outcome(quorum_met, agree, object);
        Tally { revision: self.revision.number, eligible, agree, abstain, object, quorum_met, outcome, as_of }
    }
}

#[cfg(test)]
mod tests;
