//! Refusals as a caller sees them: a stable reason for programs, words for people.

use chassis::errors::{self, Violations};
use tonic::Status;

use crate::domain::Refusal;

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let reason = match &refusal {
            Refusal::Flawed(_) => {
                let Refusal::Flawed(flaws) = refusal else { return errors::internal(&refusal) };
                let mut violations = Violations::default();
                violations.note(flaws);
                return violations.status();
            }
            Refusal::CodeTaken(code) => return errors::already_exists("active measure with the code", code),
            Refusal::LivesElsewhere { .. } => "LIVES_ELSEWHERE",
            Refusal::ReporterElsewhere { .. } => "REPORTER_ELSEWHERE",
            Refusal::MeasureRetired { .. } => "MEASURE_RETIRED",
            Refusal::CodesGone(_) => "CODES_GONE",
            Refusal::NotOpen(_) => "NOT_OPEN",
            Refusal::NothingToWithdraw(_) => "NOTHING_TO_WITHDRAW",
            Refusal::Empty => "EMPTY",
            Refusal::CountDiffers { .. } => "COUNT_DIFFERS",
            Refusal::DigestDiffers { .. } => "DIGEST_DIFFERS",
            Refusal::RecordedAlready { .. } => "RECORDED_ALREADY",
            Refusal::RevisionWithoutReason { .. } => "REVISION_WITHOUT_REASON",
            Refusal::NotAddedUp(_) => "NOT_ADDED_UP",
            Refusal::TooManyGroups(_) => "TOO_MANY_GROUPS",
            Refusal::TooLarge => "TOO_LARGE",
        };
        errors::refused(reason, refusal.to_string())
    }
}
