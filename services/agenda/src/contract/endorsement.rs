//! Endorsements on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::etag;
use proto::agenda as message;

use super::write_initiative;
use crate::domain::Endorsement;

/// What an endorsement says: version, organization, statement.
pub fn read(
    violations: &mut Violations,
    version: &str,
    organization: &str,
    statement: &str,
) -> Option<(Reference, Reference, String)> {
    let version = parse::reference(violations, "version", version);
    let organization = parse::reference(violations, "organization", organization);
    let statement = parse::prose(violations, "statement", statement, 1000);
    Some((version?, organization?, statement?))
}

/// Reads why something was taken back.
pub fn read_reason(violations: &mut Violations, reason: &str) -> Option<String> {
    parse::text(violations, "reason", reason, 1000)
}

/// An endorsement as the contract writes it.
pub fn write(endorsement: &Endorsement) -> message::Endorsement {
    message::Endorsement {
        reference: endorsement.reference.to_string(),
        initiative: write_initiative(&endorsement.space),
        version: endorsement.version.to_string(),
        organization: endorsement.organization.to_string(),
        statement: endorsement.statement.clone(),
        state: endorsement.state.number(),
        state_reason: endorsement.state_reason.clone(),
        create_time: Some(timestamp(endorsement.stamp.created_at)),
        update_time: Some(timestamp(endorsement.stamp.updated_at)),
        etag: etag(endorsement.stamp.version),
    }
}
