//! Commitments on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::parse;
use chassis::revision::etag;
use proto::activities as message;

use super::{date, write_date, write_initiative};
use crate::domain::Commitment;
use crate::domain::commitment::{Definition, Evidence};

/// Reads what is promised.
pub fn read_definition(
    violations: &mut Violations,
    message: Option<&message::CommitmentDefinition>,
) -> Option<Definition> {
    let message = parse::message(violations, "definition", message)?;
    let organization = parse::reference(violations, "definition.organization", &message.organization);
    let activity = parse::reference(violations, "definition.activity", &message.activity);
    let promise = parse::text(violations, "definition.promise", &message.promise, 1000);
    let due = date(violations, "definition.due_date", &message.due_date);
    Some(Definition { organization: organization?, activity: activity?, promise: promise?, due: due? })
}

/// Reads what shows that it was met.
pub fn read_evidence(violations: &mut Violations, message: Option<&message::Evidence>) -> Option<Evidence> {
    let message = parse::message(violations, "evidence", message)?;
    let description = parse::required(violations, "evidence.description", &message.description)
        .and_then(|text| parse::prose(violations, "evidence.description", text, 4000));
    let link = parse::optional_text(violations, "evidence.link", &message.link, 1000);
    // A page that shows the link makes it clickable: nothing that a browser would run.
    let link = link.filter(|link| {
        let safe = link.is_empty() || link.starts_with("https://") || link.starts_with("http://");
        if !safe {
            violations.add("evidence.link", "must begin with https:// or http://");
        }
        safe
    });
    Some(Evidence { description: description?, link: link? })
}

/// A commitment as the contract writes it, apart from whether it is overdue, which depends on the day.
pub fn write(commitment: &Commitment) -> message::Commitment {
    message::Commitment {
        reference: commitment.reference.to_string(),
        initiative: write_initiative(&commitment.space),
        definition: Some(write_definition(&commitment.content.definition)),
        state: commitment.state.number(),
        state_reason: commitment.reason.clone(),
        evidence: commitment.content.evidence.as_ref().map(write_evidence),
        overdue: false,
        create_time: Some(timestamp(commitment.stamp.created_at)),
        update_time: Some(timestamp(commitment.stamp.updated_at)),
        etag: etag(commitment.stamp.version),
    }
}

/// What is promised, as the contract writes it.
pub fn write_definition(definition: &Definition) -> message::CommitmentDefinition {
    message::CommitmentDefinition {
        organization: definition.organization.to_string(),
        activity: definition.activity.to_string(),
        promise: definition.promise.clone(),
        due_date: write_date(definition.due),
    }
}

/// Evidence as the contract writes it.
pub fn write_evidence(evidence: &Evidence) -> message::Evidence {
    let Evidence { description, link } = evidence.clone();
    message::Evidence { description, link }
}
