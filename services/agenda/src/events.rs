//! What this room tells, and how its tables follow from it. It hears no other room; roles come with the chassis.

mod agenda;
mod decision;
mod endorsement;
mod position;
mod proposal;

use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded};
use prost::Name;
use proto::agenda as message;
use sqlx::PgConnection;

use crate::contract::{position as opinions, proposal as proposals, tally, tree};
use crate::domain;

/// What was decided about a resource, as events of the contract. What is said of a draft never leaves the node.
pub fn told(resource: &Reference, space: &Space, facts: Vec<domain::Fact>) -> Vec<Fact> {
    facts.into_iter().map(|fact| fact_of(resource, space, fact)).collect()
}

fn fact_of(resource: &Reference, space: &Space, fact: domain::Fact) -> Fact {
    let texts = |references: &[Reference]| references.iter().map(ToString::to_string).collect();
    match fact {
        domain::Fact::AgendaDrafted { initiative, tree } => {
            let (initiative, tree) = (initiative.to_string(), Some(tree::write(&tree)));
            Fact::of(resource, &Space::Local, &message::AgendaDrafted { initiative, tree })
        }
        domain::Fact::AgendaRevised(tree) => {
            Fact::of(resource, &Space::Local, &message::AgendaRevised { tree: Some(tree::write(&tree)) })
        }
        domain::Fact::AgendaPublished { tree, proposals } => {
            let (tree, proposals) = (Some(tree::write(&tree)), texts(&proposals));
            Fact::of(resource, space, &message::AgendaPublished { tree, proposals })
        }
        domain::Fact::EndorsementGiven { version, organization, statement } => {
            let (version, organization) = (version.to_string(), organization.to_string());
            Fact::of(resource, space, &message::EndorsementGiven { version, organization, statement })
        }
        domain::Fact::EndorsementWithdrawn { reason } => {
            Fact::of(resource, space, &message::EndorsementWithdrawn { reason })
        }
        domain::Fact::ProposalMade { version, organization, content } => {
            let (version, organization) = (version.to_string(), organization.to_string());
            let revision = Some(proposals::write_content(&content));
            Fact::of(resource, space, &message::ProposalMade { version, organization, revision })
        }
        domain::Fact::ProposalAmended(content) => {
            let revision = Some(proposals::write_content(&content));
            Fact::of(resource, space, &message::ProposalAmended { revision })
        }
        domain::Fact::ProposalWithdrawn { reason } => Fact::of(resource, space, &message::ProposalWithdrawn { reason }),
        domain::Fact::PositionTaken(opinion) => {
            let definition = Some(opinions::write_opinion(&opinion));
            Fact::of(resource, space, &message::PositionTaken { definition })
        }
        domain::Fact::PositionWithdrawn { reason } => Fact::of(resource, space, &message::PositionWithdrawn { reason }),
        domain::Fact::ProposalDecided { proposal, tally } => {
            let definition = Some(tally::write_definition(&proposal, &tally));
            Fact::of(resource, space, &message::ProposalDecided { definition })
        }
    }
}

macro_rules! applied {
    ($connection:ident, $event:ident: $($message:ident => $fold:path;)+) => {{
        let name = $event.type_name.as_str();
        $(if name == message::$message::full_name() {
            let told: message::$message = $event.message()?;
            $fold($connection, $event, &told).await?;
            return Ok(Folded::Applied);
        })+
        Ok(Folded::Unknown)
    }};
}

/// Changes the tables as an event of this room says.
///
/// # Errors
/// Where its message cannot be read, or the database fails.
pub async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    applied! { connection, event:
        AgendaDrafted => agenda::drafted;
        AgendaRevised => agenda::revised;
        AgendaPublished => agenda::published;
        EndorsementGiven => endorsement::given;
        EndorsementWithdrawn => endorsement::withdrawn;
        ProposalMade => proposal::made;
        ProposalAmended => proposal::amended;
        ProposalWithdrawn => proposal::withdrawn;
        PositionTaken => position::taken;
        PositionWithdrawn => position::withdrawn;
        ProposalDecided => decision::decided;
    }
}
