//! Submissions on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::{Space, Within};
use chassis::parse;
use chassis::revision::etag;
use proto::measurement as message;

use crate::domain::{Heading, Submission};

/// Reads a submission's definition.
pub fn read_heading(violations: &mut Violations, message: Option<&message::SubmissionDefinition>) -> Option<Heading> {
    let message = parse::message(violations, "definition", message)?;
    let measure = parse::reference(violations, "definition.measure", &message.measure);
    let organization = parse::reference(violations, "definition.organization", &message.organization);
    let basis = parse::choice(violations, "definition.basis", message.basis);
    let source = parse::prose(violations, "definition.source", &message.source, 1000);
    Some(Heading { measure: measure?, organization: organization?, basis: basis?, source: source? })
}

/// A submission's definition as the contract writes it.
pub fn write_heading(heading: &Heading) -> message::SubmissionDefinition {
    message::SubmissionDefinition {
        measure: heading.measure.to_string(),
        organization: heading.organization.to_string(),
        basis: heading.basis.number(),
        source: heading.source.clone(),
    }
}

/// Reads why values change that were reported before; may be empty.
pub fn read_revision_reason(violations: &mut Violations, reason: &str) -> Option<String> {
    parse::prose(violations, "revision_reason", reason, super::REASON_LENGTH)
}

/// Reads which space within an initiative is meant: the members', unless another is named.
pub fn read_space(violations: &mut Violations, text: &str) -> Option<Within> {
    match text.split_once('/') {
        None if text.is_empty() || text == "members" => Some(Within::Members),
        Some(("backbone", node)) => parse::node(violations, "space", node).map(Within::Backbone),
        _ => {
            violations.add("space", "must be \"members\" or \"backbone/<node>\"");
            None
        }
    }
}

/// A submission as the contract writes it.
pub fn write(submission: &Submission) -> message::Submission {
    let (initiative, within) = match &submission.space {
        Space::Local => (String::new(), String::new()),
        Space::Of(initiative, within) => (initiative.to_string(), within.to_string()),
    };
    message::Submission {
        reference: submission.reference.to_string(),
        initiative,
        space: within,
        definition: Some(write_heading(&submission.heading)),
        state: submission.state.number(),
        state_reason: submission.state_reason.clone(),
        observation_count: submission.count,
        digest: submission.digest.to_vec(),
        revision_reason: submission.revision_reason.clone(),
        seal_time: submission.sealed_at.map(timestamp),
        create_time: Some(timestamp(submission.stamp.created_at)),
        update_time: Some(timestamp(submission.stamp.updated_at)),
        etag: etag(submission.stamp.version),
    }
}
