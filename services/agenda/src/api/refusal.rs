//! Refusals as a caller sees them: a stable reason for programs, words for people.

use chassis::errors::{self, Violations};
use tonic::Status;

use crate::domain::Refusal;

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let reason = match &refusal {
            Refusal::Flawed(flaws) => {
                let mut violations = Violations::default();
                violations.note(flaws.clone());
                return violations.status();
            }
            Refusal::Incomplete(_) => "INCOMPLETE",
            Refusal::NothingNew => "NOTHING_NEW",
            Refusal::LivesElsewhere { .. } => "LIVES_ELSEWHERE",
            Refusal::SpeaksElsewhere { .. } => "SPEAKS_ELSEWHERE",
            Refusal::Superseded { .. } => "SUPERSEDED",
            Refusal::AlreadyEndorsed => "ALREADY_ENDORSED",
            Refusal::NothingToWithdraw(_) => "NOTHING_TO_WITHDRAW",
            Refusal::ClosesAtOnce => "CLOSES_AT_ONCE",
            Refusal::NotOpen(_) => "NOT_OPEN",
            Refusal::Closed { .. } => "CLOSED",
            Refusal::NotAccepted => "NOT_ACCEPTED",
            Refusal::AmendedTooOften => "AMENDED_TOO_OFTEN",
            Refusal::OtherRevision { .. } => "OTHER_REVISION",
            Refusal::TooEarly { .. } => "TOO_EARLY",
        };
        errors::refused(reason, refusal.to_string())
    }
}
