//! Errors as callers see them: google.rpc.Status with details that a program can act on and words that a person can.

use std::collections::HashMap;
use std::fmt::Display;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::clock;
use crate::room::FoldError;

/// The domain of every `ErrorInfo` of ours.
pub const DOMAIN: &str = "commonweal";

/// How many flaws an answer names; more than these would not fit into the trailers of a call.
const NAMED: usize = 20;

/// Something wrong with one field of what was asked: its path, and words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Path of the field, such as `observations[3].numerator.amount`.
    pub field: String,
    /// What is wrong.
    pub words: String,
}

impl Flaw {
    /// What is wrong with a field.
    pub fn of(field: impl Into<String>, words: impl Into<String>) -> Self {
        Self { field: field.into(), words: words.into() }
    }
}

/// What is wrong with the fields of a request, all of it at once.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldViolation>);

impl Violations {
    /// Notes what is wrong with a field. `field` is its path, such as `observations[3].period`.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.0.push(FieldViolation::new(field, description));
    }

    /// Notes flaws: the first ones by name, the others by number.
    pub fn note(&mut self, flaws: Vec<Flaw>) {
        let more = flaws.len().saturating_sub(NAMED);
        let last = flaws.get(NAMED).map(|flaw| flaw.field.clone());
        for flaw in flaws.into_iter().take(NAMED) {
            self.add(flaw.field, flaw.words);
        }
        if let Some(field) = last {
            self.add(field, format!("and {more} more from here on"));
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the parsed fields together, if nothing is wrong with any of them.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with every violation. `None` without a violation is a defect of the parser and says so.
    pub fn finish<T>(self, command: impl FnOnce() -> Option<T>) -> Result<T, Status> {
        if !self.is_empty() {
            return Err(self.status());
        }
        command().ok_or_else(|| internal(&"a request was refused without a violation"))
    }

    /// `INVALID_ARGUMENT` with every violation.
    pub fn status(self) -> Status {
        let words = self.0.iter().map(|one| format!("{}: {}", one.field, one.description));
        let words = words.collect::<Vec<_>>().join("; ");
        Status::with_error_details(Code::InvalidArgument, words, ErrorDetails::with_bad_request(self.0))
    }
}

/// `INVALID_ARGUMENT` for one field.
pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Status {
    let mut violations = Violations::default();
    violations.add(field, description);
    violations.status()
}

/// `FAILED_PRECONDITION`: a rule of the domain says no. `reason` is a stable code in capitals, `words` are for a person.
pub fn refused(reason: &str, words: impl Into<String>) -> Status {
    let words = words.into();
    let mut details = about(reason);
    details.add_precondition_failure_violation(reason, "", &words);
    Status::with_error_details(Code::FailedPrecondition, words, details)
}

/// `NOT_FOUND`: there is no resource of this kind and name, or none that the caller may see.
pub fn not_found(kind: &str, name: impl Display) -> Status {
    let name = name.to_string();
    let words = format!("there is no {kind} {name}");
    let mut details = about("NOT_FOUND");
    details.set_resource_info(kind, name, "", &words);
    Status::with_error_details(Code::NotFound, words, details)
}

/// What was looked for in the database, or `NOT_FOUND`.
///
/// # Errors
/// `NOT_FOUND` where it is not there; where the database fails, what that means for the caller.
pub fn found<T>(found: Result<Option<T>, sqlx::Error>, kind: &str, name: impl Display) -> Result<T, Status> {
    found.map_err(database)?.ok_or_else(|| not_found(kind, name))
}

/// `ALREADY_EXISTS`: another resource holds what must be unique.
pub fn already_exists(kind: &str, name: impl Display) -> Status {
    let name = name.to_string();
    let words = format!("there is a {kind} {name} already");
    let mut details = about("ALREADY_EXISTS");
    details.set_resource_info(kind, name, "", &words);
    Status::with_error_details(Code::AlreadyExists, words, details)
}

/// `ABORTED`: the resource went on since the caller read it.
pub fn stale(etag: &str, read: i64, now: i64) -> Status {
    let words = format!("etag \"{etag}\" was read at version {read}, now {now}: read again");
    Status::with_error_details(Code::Aborted, words, about("STALE_ETAG"))
}

/// `ABORTED`: two calls met; the same call again will do.
pub fn collided() -> Status {
    Status::with_error_details(Code::Aborted, "another call changed the same thing: try again", about("COLLISION"))
}

/// `PERMISSION_DENIED`: `would_do` names what would be enough, for a person; `roles` the roles, for a program.
pub fn permission_denied(would_do: impl Display, roles: &[&str]) -> Status {
    let metadata = HashMap::from([("roles".to_owned(), roles.join(","))]);
    let details = ErrorDetails::with_error_info("NOT_ALLOWED", DOMAIN, metadata);
    Status::with_error_details(Code::PermissionDenied, format!("this call needs {would_do}"), details)
}

/// `UNAUTHENTICATED`: no token, or one that does not hold. `words` never contain the token.
pub fn unauthenticated(reason: &str, words: impl Into<String>) -> Status {
    Status::with_error_details(Code::Unauthenticated, words, about(reason))
}

/// `UNAVAILABLE`: something this node stands on is away; the same call later will do.
pub fn unavailable(words: impl Into<String>) -> Status {
    Status::with_error_details(Code::Unavailable, words, about("AWAY"))
}

/// `UNAVAILABLE`: this node reads and does not write for the time being; the same call later will do.
pub fn read_only(words: impl Into<String>) -> Status {
    Status::with_error_details(Code::Unavailable, words, about("READ_ONLY"))
}

/// `INTERNAL`: logs the error under a new id and tells the caller the id only.
pub fn internal(error: &dyn Display) -> Status {
    let id = clock::new_id();
    tracing::error!(error.id = %id, %error, "a call failed");
    let details = ErrorDetails::with_error_info("INTERNAL", DOMAIN, HashMap::from([("id".to_owned(), id.to_string())]));
    Status::with_error_details(
        Code::Internal,
        format!("something is wrong on this node; its log has it under {id}"),
        details,
    )
}

/// What a failure of the database means for the caller.
pub fn database(error: sqlx::Error) -> Status {
    match &error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => away(&error),
        sqlx::Error::Database(told) => match told.code().as_deref() {
            // Shutting down, starting up, out of connections.
            Some("57P01" | "57P02" | "57P03" | "53300") => away(&error),
            // Serialization failure, deadlock.
            Some("40001" | "40P01") => collided(),
            _ => internal(&error),
        },
        _ => internal(&error),
    }
}

fn away(error: &sqlx::Error) -> Status {
    tracing::warn!(%error, "database away");
    unavailable("the database of this node is away: try again")
}

impl From<FoldError> for Status {
    fn from(error: FoldError) -> Self {
        match error {
            FoldError::Database(error) => database(error),
            FoldError::Waits(words) => read_only(words),
            FoldError::TooLarge(_) => refused("TOO_LARGE", error.to_string()),
            error => internal(&error),
        }
    }
}

fn about(reason: &str) -> ErrorDetails {
    ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_told_at_once() {
        let mut violations = Violations::default();
        violations.add("name", "is required");
        violations.add("terms[1].from", "is required");
        let status = violations.finish(|| Some(())).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "name: is required; terms[1].from: is required");
        let fields: Vec<String> =
            status.get_details_bad_request().unwrap().field_violations.into_iter().map(|one| one.field).collect();
        assert_eq!(fields, ["name", "terms[1].from"]);
    }

    #[test]
    fn a_refusal_has_a_reason_for_programs_and_words_for_people() {
        let status = refused("ALREADY_MEMBER", "Hartford is a member already");
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(status.message(), "Hartford is a member already");
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("ALREADY_MEMBER", "commonweal"));
        assert_eq!(status.get_details_precondition_failure().unwrap().violations[0].r#type, "ALREADY_MEMBER");
    }

    #[test]
    fn internals_stay_inside() {
        let status = database(sqlx::Error::Protocol("secret detail".to_owned()));
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("secret"));
        assert!(status.message().contains(&status.get_details_error_info().unwrap().metadata["id"]));
    }

    #[test]
    fn a_database_that_is_away_is_worth_another_try() {
        assert_eq!(database(sqlx::Error::PoolTimedOut).code(), Code::Unavailable);
    }
}
