//! Proposals and their revisions on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::parse;
use chassis::revision::etag;
use proto::agenda as message;

use super::{tally, tree, write_initiative, write_position};
use crate::domain::ballot::{Ballot, Standing};
use crate::domain::{Content, Method, Outcome, Proposal, Quorum, Revision, Rule};

const MOST_COUNT: u32 = 10_000;

/// Reads what is proposed.
pub fn read_content(violations: &mut Violations, message: Option<&message::ProposalRevision>) -> Option<Content> {
    let message = parse::message(violations, "revision", message)?;
    let title = parse::text(violations, "revision.title", &message.title, 200);
    let rationale = parse::required(violations, "revision.rationale", &message.rationale)
        .and_then(|text| parse::prose(violations, "revision.rationale", text, 4000));
    let amendment = parse::prose(violations, "revision.amendment", &message.amendment, 4000);
    let proposed = message.tree.as_ref().map(|proposed| tree::read(violations, Some(proposed)));
    if proposed.is_none() && amendment.as_ref().is_some_and(String::is_empty) {
        violations.add("revision.amendment", "is required where there is no tree");
    }
    let rule = read_rule(violations, message.rule.as_ref());
    let closes_at = parse::instant(violations, "revision.close_time", message.close_time.as_ref());
    Some(Content {
        title: title?,
        rationale: rationale?,
        amendment: amendment?,
        tree: match proposed {
            Some(proposed) => Some(proposed?),
            None => None,
        },
        rule: rule?,
        closes_at: closes_at?,
    })
}

fn read_rule(violations: &mut Violations, message: Option<&message::DecisionRule>) -> Option<Rule> {
    let message = parse::message(violations, "revision.rule", message)?;
    let method = parse::choice(violations, "revision.rule.method", message.method);
    let threshold_percent = message.threshold_percent;
    match method {
        Some(Method::Consent) if threshold_percent != 0 => {
            violations.add("revision.rule.threshold_percent", "belongs to a majority only");
        }
        Some(Method::Majority) if !(50..=99).contains(&threshold_percent) => {
            violations.add("revision.rule.threshold_percent", "must be 50 to 99");
        }
        _ => {}
    }
    let quorum = read_quorum(violations, message.quorum.as_ref());
    Some(Rule { method: method?, threshold_percent, quorum: quorum? })
}

fn read_quorum(violations: &mut Violations, message: Option<&message::decision_rule::Quorum>) -> Option<Quorum> {
    use message::decision_rule::Quorum as Given;
    match message {
        Some(Given::QuorumPercent(share @ 1..=100)) => Some(Quorum::Percent(*share)),
        Some(Given::QuorumCount(count @ 1..=MOST_COUNT)) => Some(Quorum::Count(*count)),
        Some(Given::QuorumPercent(_)) => {
            violations.add("revision.rule.quorum_percent", "must be 1 to 100");
            None
        }
        Some(Given::QuorumCount(_)) => {
            violations.add("revision.rule.quorum_count", format!("must be 1 to {MOST_COUNT}"));
            None
        }
        None => {
            violations.add("revision.rule.quorum_percent", "is required, or quorum_count");
            None
        }
    }
}

/// What is proposed as the contract writes it, in an event and in an answer; an event has neither number nor place.
pub fn write_content(content: &Content) -> message::ProposalRevision {
    message::ProposalRevision {
        number: 0,
        title: content.title.clone(),
        rationale: content.rationale.clone(),
        amendment: content.amendment.clone(),
        tree: content.tree.as_ref().map(tree::write),
        rule: Some(write_rule(&content.rule)),
        close_time: Some(timestamp(content.closes_at)),
        accepted_position: 0,
    }
}

fn write_rule(rule: &Rule) -> message::DecisionRule {
    use message::decision_rule::Quorum as Given;
    let quorum = match rule.quorum {
        Quorum::Percent(share) => Given::QuorumPercent(share),
        Quorum::Count(count) => Given::QuorumCount(count),
    };
    message::DecisionRule {
        method: rule.method.number(),
        threshold_percent: rule.threshold_percent,
        quorum: Some(quorum),
    }
}

fn write_revision(revision: &Revision) -> message::ProposalRevision {
    message::ProposalRevision {
        number: revision.number,
        accepted_position: write_position(revision.spot.map(|spot| spot.position)),
        ..write_content(&revision.content)
    }
}

/// A proposal as its proposer told it, and nothing that follows from what others said: what is the same on every node.
pub fn write_told(proposal: &Proposal) -> message::Proposal {
    message::Proposal {
        reference: proposal.reference.to_string(),
        initiative: write_initiative(&proposal.space),
        version: proposal.version.to_string(),
        organization: proposal.organization.to_string(),
        state_reason: match &proposal.withdrawn {
            Some(reason) if proposal.void_reason.is_empty() => reason.clone(),
            _ => proposal.void_reason.clone(),
        },
        create_time: Some(timestamp(proposal.stamp.created_at)),
        update_time: Some(timestamp(proposal.stamp.updated_at)),
        etag: etag(proposal.stamp.version),
        ..message::Proposal::default()
    }
}

/// A proposal as it stands.
pub fn write(proposal: &Proposal, ballot: &Ballot) -> message::Proposal {
    let course = ballot.course();
    let newest = ballot.newest();
    let in_force = course.in_force.or(newest);
    let pending = newest.filter(|newest| newest.spot.is_none() && Some(*newest) != in_force);
    let state = match course.standing {
        Standing::Open => message::ProposalState::Open,
        Standing::Decided(Outcome::Adopted) => message::ProposalState::Adopted,
        Standing::Decided(Outcome::NotAdopted) => message::ProposalState::NotAdopted,
        Standing::Decided(Outcome::NoQuorum) => message::ProposalState::NoQuorum,
        Standing::Withdrawn => message::ProposalState::Withdrawn,
        Standing::Void => message::ProposalState::Void,
    };
    message::Proposal {
        revision: in_force.map(write_revision),
        pending_revision: pending.map(write_revision),
        state: state.into(),
        decisions: course
            .decisions
            .iter()
            .map(|(decision, verdict)| tally::write_decision(decision, verdict))
            .collect(),
        ..write_told(proposal)
    }
}
