//! Words and rules of the common agenda: what may be published, endorsed, proposed and decided. Knows no database and no
//! wire.

pub mod agenda;
pub mod ballot;
pub mod endorsement;
pub mod position;
pub mod proposal;
mod refusal;
pub mod tally;
pub mod tree;

use chassis::names::Reference;

pub use agenda::{Agenda, Draft, Version};
pub use endorsement::Endorsement;
pub use position::{Opinion, Stance};
pub use proposal::{Content, Method, Proposal, Quorum, Revision, Rule};
pub use refusal::Refusal;
pub use tally::{Outcome, Tally};
pub use tree::{Strategy, Tree, TreeResult};

/// What was decided: a past fact about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// An agenda was begun.
    AgendaDrafted {
        /// The initiative.
        initiative: Reference,
        /// The tree so far.
        tree: Tree,
    },
    /// The draft changed to this.
    AgendaRevised(Tree),
    /// A version was published.
    AgendaPublished {
        /// The whole of it.
        tree: Tree,
        /// The proposals that it carries out.
        proposals: Vec<Reference>,
    },
    /// A version was endorsed.
    EndorsementGiven {
        /// The version.
        version: Reference,
        /// Who endorses.
        organization: Reference,
        /// What it says about it.
        statement: String,
    },
    /// An endorsement was taken back.
    EndorsementWithdrawn {
        /// Why.
        reason: String,
    },
    /// A proposal was made.
    ProposalMade {
        /// Against which version.
        version: Reference,
        /// Who proposes.
        organization: Reference,
        /// What.
        content: Content,
    },
    /// What is proposed is now this.
    ProposalAmended(Content),
    /// A proposal was taken back.
    ProposalWithdrawn {
        /// Why.
        reason: String,
    },
    /// A position was taken.
    PositionTaken(Opinion),
    /// A position was taken back.
    PositionWithdrawn {
        /// Why.
        reason: String,
    },
    /// A proposal was decided.
    ProposalDecided {
        /// The proposal.
        proposal: Reference,
        /// By this tally.
        tally: Tally,
    },
}

/// Whether an organization lives on the node that speaks for it, and was the one on whose behalf it spoke: what makes its
/// word void everywhere if not.
pub fn spoken_by_another(home: &Reference, organization: &Reference, actor: Option<&Reference>) -> Option<String> {
    if organization.node != home.node {
        return Some(format!("organization {organization} does not live on the node that spoke for it"));
    }
    let other = actor.filter(|actor| *actor != organization)?;
    Some(format!("it was signed for organization {other}, not for the one that speaks"))
}
