//! What this room tells, and how its tables follow from it. It hears no other room; roles come with the chassis.

mod measure;
mod submission;

use chassis::errors::Violations;
use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded, sound};
use proto::measurement as message;
use sqlx::PgConnection;

use crate::contract::measure::write_definition;
use crate::contract::observation::recorded;
use crate::contract::read_reason;
use crate::contract::submission::write_heading;
use crate::domain;

/// What was decided about a resource, as events of the contract.
pub fn told(resource: &Reference, space: &Space, facts: Vec<domain::Fact>) -> Vec<Fact> {
    facts.into_iter().map(|fact| fact_of(resource, space, fact)).collect()
}

fn fact_of(resource: &Reference, space: &Space, fact: domain::Fact) -> Fact {
    match fact {
        domain::Fact::MeasureDefined(definition) => {
            let definition = Some(write_definition(&definition));
            Fact::of(resource, space, &message::MeasureDefined { definition })
        }
        domain::Fact::MeasureRevised(definition) => {
            let definition = Some(write_definition(&definition));
            Fact::of(resource, space, &message::MeasureRevised { definition })
        }
        domain::Fact::MeasureRetired { reason } => Fact::of(resource, space, &message::MeasureRetired { reason }),
        domain::Fact::SubmissionOpened(heading) => {
            Fact::of(resource, space, &message::SubmissionOpened { definition: Some(write_heading(&heading)) })
        }
        domain::Fact::ObservationsRecorded(observations) => Fact::of(resource, space, &recorded(&observations)),
        domain::Fact::SubmissionSealed { count, digest, revision_reason } => {
            let digest = digest.to_vec();
            Fact::of(resource, space, &message::SubmissionSealed { count, digest, revision_reason })
        }
        domain::Fact::SubmissionWithdrawn { reason } => {
            Fact::of(resource, space, &message::SubmissionWithdrawn { reason })
        }
    }
}

/// Changes the tables as an event of this room says.
///
/// # Errors
/// Where its message cannot be read, or the database fails.
pub async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    chassis::fold_by_type!(connection, event, else Folded::Unknown, {
        message::MeasureDefined => measure::defined,
        message::MeasureRevised => measure::revised,
        message::MeasureRetired => measure::retired,
        message::SubmissionOpened => submission::opened,
        message::ObservationsRecorded => submission::recorded,
        message::SubmissionSealed => submission::sealed,
        message::SubmissionWithdrawn => submission::withdrawn,
    })
}

/// Why something was decided, as the API would take it.
fn reason(text: &str) -> Result<String, FoldError> {
    let mut violations = Violations::default();
    let reason = read_reason(&mut violations, text);
    sound(&violations, reason, "reason")
}
