//! Refusals as a caller sees them: a stable reason for programs, words for people.

use chassis::errors;
use tonic::Status;

use crate::domain::Refusal;

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let reason = match &refusal {
            Refusal::LivesElsewhere { .. } => "LIVES_ELSEWHERE",
            Refusal::OrganizationElsewhere { .. } => "ORGANIZATION_ELSEWHERE",
            Refusal::NotNow { .. } => "NOT_NOW",
            Refusal::Ended { .. } => "ENDED",
            Refusal::OtherInitiative { .. } => "OTHER_INITIATIVE",
            Refusal::Fixed(_) => "FIXED",
            Refusal::NoSuchDisbursement(_) => "NO_SUCH_DISBURSEMENT",
            Refusal::PaidAlready(_) => "PAID_ALREADY",
            Refusal::Overpaid { .. } => "OVERPAID",
            Refusal::TooManyDisbursements(_) => "TOO_MANY_DISBURSEMENTS",
            Refusal::TooLarge => "TOO_LARGE",
            Refusal::TooManyCells { .. } => "TOO_MANY_CELLS",
        };
        errors::refused(reason, refusal.to_string())
    }
}
