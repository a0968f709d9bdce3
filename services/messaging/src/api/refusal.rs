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
            Refusal::MeetingCancelled { .. } => "MEETING_CANCELLED",
            Refusal::LivesElsewhere { .. } => "LIVES_ELSEWHERE",
            Refusal::AuthorElsewhere { .. } => "AUTHOR_ELSEWHERE",
            Refusal::BackboneAnnounces => "BACKBONE_ANNOUNCES",
            Refusal::ChannelClosed { .. } => "CHANNEL_CLOSED",
            Refusal::NoThread(_) => "NO_THREAD",
            Refusal::DoesNotStand => "DOES_NOT_STAND",
        };
        errors::refused(reason, refusal.to_string())
    }
}
