//! What this room tells, and how its tables follow from it. It hears no other room; roles come with the chassis.
//!
//! What the border lets in may still break a rule of this room. A resource of an organization that does not live on the
//! resource's home is kept and marked void with its reason; a step that does not fit the state is counted and changes
//! nothing. Both alike on every node.

mod activity;
mod award;
mod commitment;
mod need;
mod pledge;

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, Folded, sound};
use prost::Name;
use proto::activities as message;
use sqlx::PgConnection;

use crate::contract::read_reason;
use crate::domain::{Content, elsewhere};

pub use activity::{planned, told as activity_told};
pub use award::{made as award_made, told as award_told};
pub use commitment::{made as commitment_made, told as commitment_told};
pub use need::{stated as need_stated, told as need_told};
pub use pledge::{made as pledge_made, told as pledge_told};

/// Changes the tables as an event of this room says.
///
/// # Errors
/// Where its message cannot be read, or the database fails.
pub async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    macro_rules! follow {
        ($($name:ident: $module:ident::$follow:ident;)+) => {
            match event.type_name.as_str() {
                $(name if name == message::$name::full_name() => {
                    let told: message::$name = event.message()?;
                    $module::$follow(connection, event, told).await?;
                })+
                _ => return Ok(Folded::Unknown),
            }
        };
    }
    follow! {
        ActivityPlanned: activity::follow_planned;
        ActivityRevised: activity::follow_revised;
        ActivityBegun: activity::follow_begun;
        ActivityCompleted: activity::follow_completed;
        ActivityCancelled: activity::follow_cancelled;
        CommitmentMade: commitment::follow_made;
        CommitmentMet: commitment::follow_met;
        CommitmentMissed: commitment::follow_missed;
        CommitmentWithdrawn: commitment::follow_withdrawn;
        NeedStated: need::follow_stated;
        NeedClosed: need::follow_closed;
        PledgeMade: pledge::follow_made;
        PledgeKept: pledge::follow_kept;
        PledgeWithdrawn: pledge::follow_withdrawn;
        AwardMade: award::follow_made;
        DisbursementRecorded: award::follow_disbursed;
        AwardCancelled: award::follow_cancelled;
    }
    Ok(Folded::Applied)
}

/// Why a resource with this content is void, if it is.
fn void_because(event: &Event, content: &impl Content) -> Option<String> {
    if let Some(organization) = elsewhere(&event.resource.node, content) {
        return Some(format!("organization {organization} does not live on the node that wrote for it"));
    }
    let other = event.actor.organization.as_ref().filter(|other| *other != content.organization())?;
    Some(format!("it was signed for organization {other}, not for the one whose it is"))
}

/// Why something ended, as an event has it.
fn reason(text: &str) -> Result<String, FoldError> {
    let mut violations = Violations::default();
    let reason = read_reason(&mut violations, text);
    sound(&violations, reason, "reason")
}
