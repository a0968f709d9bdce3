//! Join requests on the wire.

use chassis::errors::Violations;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::etag;
use proto::membership as message;

use super::written;
use crate::domain::{Asked, JoinRequest, JoinRequestState};

const STATEMENT_LENGTH: usize = 4000;

/// Reads what an organization says when it asks.
pub fn read_asked(violations: &mut Violations, message: Option<&message::JoinRequest>) -> Option<Asked> {
    let message = parse::message(violations, "join_request", message)?;
    let organization = parse::reference(violations, "join_request.organization", &message.organization);
    let statement = parse::prose(violations, "join_request.statement", &message.statement, STATEMENT_LENGTH);
    Some(Asked { organization: organization?, statement: statement? })
}

/// A request as the contract writes it.
pub fn write(request: &JoinRequest) -> message::JoinRequest {
    message::JoinRequest {
        state: request.state.number(),
        answered_by: written(request.answered_by.as_ref()),
        create_time: Some(timestamp(request.stamp.created_at)),
        update_time: Some(timestamp(request.stamp.updated_at)),
        etag: etag(request.stamp.version),
        ..write_asked(&request.reference, &request.initiative, &request.asked)
    }
}

/// A request as it is made, without answer, times and etag.
pub fn write_asked(reference: &Reference, initiative: &Reference, asked: &Asked) -> message::JoinRequest {
    message::JoinRequest {
        reference: reference.to_string(),
        initiative: initiative.to_string(),
        organization: asked.organization.to_string(),
        statement: asked.statement.clone(),
        state: JoinRequestState::Open.number(),
        ..message::JoinRequest::default()
    }
}
