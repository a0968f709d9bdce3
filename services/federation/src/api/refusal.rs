//! Failures of the border as a caller sees them.

use chassis::errors;
use tonic::Status;

use crate::border::BorderError;

pub(super) fn failed(error: BorderError) -> Status {
    match error {
        BorderError::Database(error) => errors::database(error),
        BorderError::Restored => errors::read_only(error.to_string()),
        BorderError::Hub(words) => errors::refused("HUB", format!("the hub: {words}")),
        error => errors::internal(&error),
    }
}
