//! Working groups: organizations on one charge, formed and changed by the backbone.

use chassis::names::{NodeId, Reference};
use chassis::revision::Stamp;
use chassis::words;

use super::{Fact, Initiative, Refusal};

words! {
    /// Whether a working group works.
    pub enum WorkingGroupState {
        /// It works.
        Formed = 1,
        /// It is over. Final.
        Dissolved = 2,
    }
}

/// Organizations that work together on one charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingGroup {
    /// Its name; the node in it is the backbone's.
    pub reference: Reference,
    /// The initiative.
    pub initiative: Reference,
    /// What it is.
    pub profile: WorkingGroupProfile,
    /// Whether it works.
    pub state: WorkingGroupState,
    /// Why it was dissolved.
    pub reason: String,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// What a working group is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingGroupProfile {
    /// How people call it.
    pub display_name: String,
    /// What it is charged with.
    pub charge: String,
    /// The organization that chairs it, one of its members.
    pub chair: Reference,
    /// Its members, sorted.
    pub organizations: Vec<Reference>,
}

/// What is to be changed; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// See [`WorkingGroupProfile`].
    pub display_name: Option<String>,
    /// See [`WorkingGroupProfile`].
    pub charge: Option<String>,
    /// See [`WorkingGroupProfile`].
    pub chair: Option<Reference>,
    /// See [`WorkingGroupProfile`]: all of them anew.
    pub organizations: Option<Vec<Reference>>,
}

impl WorkingGroup {
    /// What the group would be after a revision.
    pub fn revised(&self, revision: Revision) -> WorkingGroupProfile {
        let before = self.profile.clone();
        WorkingGroupProfile {
            display_name: revision.display_name.unwrap_or(before.display_name),
            charge: revision.charge.unwrap_or(before.charge),
            chair: revision.chair.unwrap_or(before.chair),
            organizations: revision.organizations.unwrap_or(before.organizations),
        }
    }

    fn works(&self, here: &NodeId) -> Result<(), Refusal> {
        if self.reference.node != *here {
            return Err(Refusal::NotTheBackbone);
        }
        match self.state {
            WorkingGroupState::Formed => Ok(()),
            WorkingGroupState::Dissolved => Err(Refusal::Dissolved(self.reason.clone())),
        }
    }
}

/// Forms a working group. `outside` is one of its organizations that is no active member of the initiative.
///
/// # Errors
/// Away from the backbone; in an initiative that is over; with organizations that do not belong.
pub fn form(
    initiative: &Initiative,
    here: &NodeId,
    profile: WorkingGroupProfile,
    outside: Option<Reference>,
) -> Result<Vec<Fact>, Refusal> {
    initiative.open_at(here)?;
    whole(&profile, outside)?;
    Ok(vec![Fact::WorkingGroupFormed(profile)])
}

/// Changes a working group; nothing happens where it is so already. `outside` is one that would come to it and is no
/// active member of the initiative: who is in it already and has left the initiative is not in the way.
///
/// # Errors
/// Away from the backbone; once it is dissolved; with organizations that do not belong.
pub fn revise(
    group: &WorkingGroup,
    here: &NodeId,
    after: WorkingGroupProfile,
    outside: Option<Reference>,
) -> Result<Vec<Fact>, Refusal> {
    group.works(here)?;
    whole(&after, outside)?;
    Ok(if after == group.profile { Vec::new() } else { vec![Fact::WorkingGroupRevised(after)] })
}

/// Ends a working group.
///
/// # Errors
/// Away from the backbone; twice.
pub fn dissolve(group: &WorkingGroup, here: &NodeId, reason: String) -> Result<Vec<Fact>, Refusal> {
    group.works(here)?;
    Ok(vec![Fact::WorkingGroupDissolved { reason }])
}

fn whole(profile: &WorkingGroupProfile, outside: Option<Reference>) -> Result<(), Refusal> {
    if !profile.organizations.contains(&profile.chair) {
        return Err(Refusal::ChairOutside);
    }
    outside.map_or(Ok(()), |organization| Err(Refusal::NotAMember(organization)))
}
