//! Tallies and decisions on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use proto::agenda as message;

use super::write_position;
use crate::domain::Tally;
use crate::domain::ballot::{Decision, Verdict};

/// Reads what a decision says.
pub fn read(violations: &mut Violations, message: Option<&message::DecisionDefinition>) -> Option<(Reference, Tally)> {
    let message = parse::message(violations, "definition", message)?;
    let proposal = parse::reference(violations, "definition.proposal", &message.proposal);
    let tally = parse::message(violations, "definition.tally", message.tally.as_ref())?;
    let outcome = parse::choice(violations, "definition.tally.outcome", tally.outcome);
    let as_of = i64::try_from(tally.as_of_position).ok();
    let counts = [tally.revision, tally.eligible, tally.agree, tally.abstain, tally.object];
    if as_of.is_none() || counts.iter().any(|count| i32::try_from(*count).is_err()) {
        violations.add("definition.tally", "has a number that cannot be");
    }
    let tally = Tally {
        revision: tally.revision,
        eligible: tally.eligible,
        agree: tally.agree,
        abstain: tally.abstain,
        object: tally.object,
        quorum_met: tally.quorum_met,
        outcome: outcome?,
        as_of: as_of?,
    };
    Some((proposal?, tally))
}

/// What a decision says as the contract writes it.
pub fn write_definition(proposal: &Reference, tally: &Tally) -> message::DecisionDefinition {
    message::DecisionDefinition { proposal: proposal.to_string(), tally: Some(write(tally)) }
}

/// A tally as the contract writes it.
pub fn write(tally: &Tally) -> message::Tally {
    message::Tally {
        revision: tally.revision,
        eligible: tally.eligible,
        agree: tally.agree,
        abstain: tally.abstain,
        object: tally.object,
        quorum_met: tally.quorum_met,
        outcome: tally.outcome.number(),
        as_of_position: write_position(Some(tally.as_of)),
    }
}

/// A decision as the backbone told it, and nothing that follows from what others said.
pub fn write_told(decision: &Decision) -> message::Decision {
    message::Decision {
        reference: decision.reference.to_string(),
        definition: Some(write_definition(&decision.proposal, &decision.tally)),
        create_time: Some(timestamp(decision.made_at)),
        ..message::Decision::default()
    }
}

/// A decision, and what became of it.
pub fn write_decision(decision: &Decision, verdict: &Verdict) -> message::Decision {
    use message::DecisionState as State;
    let (state, reason, tally) = match verdict {
        Verdict::Pending => (State::Pending, "", None),
        Verdict::Stands(tally) => (State::Stands, "", Some(tally)),
        Verdict::Void(reason, tally) => (State::Void, *reason, tally.as_ref()),
    };
    message::Decision {
        state: state.into(),
        state_reason: reason.to_owned(),
        tally: tally.map(write),
        accepted_position: write_position(decision.spot.map(|spot| spot.position)),
        accept_time: decision.spot.map(|spot| timestamp(spot.at)),
        ..write_told(decision)
    }
}
