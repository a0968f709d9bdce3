//! What this room tells, and how its tables follow from it. It hears no other room; roles come with the chassis.

mod measure;
mod submission;

use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded};
use prost::Name;
use proto::measurement as message;
use sqlx::PgConnection;

use crate::contract::measure::write_definition;
use crate::contract::observation::recorded;
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
    let name = event.type_name.as_str();
    if name == message::MeasureDefined::full_name() {
        measure::defined(connection, event, &event.message()?).await?;
    } else if name == message::MeasureRevised::full_name() {
        measure::revised(connection, event, &event.message()?).await?;
    } else if name == message::MeasureRetired::full_name() {
        measure::retired(connection, event, &event.message()?).await?;
    } else if name == message::SubmissionOpened::full_name() {
        submission::opened(connection, event, &event.message()?).await?;
    } else if name == message::ObservationsRecorded::full_name() {
        submission::recorded(connection, event, &event.message()?).await?;
    } else if name == message::SubmissionSealed::full_name() {
        submission::sealed(connection, event, &event.message()?).await?;
    } else if name == message::SubmissionWithdrawn::full_name() {
        submission::withdrawn(connection, event, &event.message()?).await?;
    } else {
        return Ok(Folded::Unknown);
    }
    Ok(Folded::Applied)
}
