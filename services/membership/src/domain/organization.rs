//! Organizations: registered and changed on the node where they live.

use chassis::names::{NodeId, Reference};
use chassis::revision::Stamp;
use chassis::words;

use super::{Fact, Initiative, Refusal};

words! {
    /// The sectors that come together in an initiative.
    pub enum Sector {
        /// A nonprofit organization.
        Nonprofit = 1,
        /// A government or one of its agencies.
        Government = 2,
        /// A business.
        Business = 3,
        /// A school district, a university, a hospital, a library.
        Institution = 4,
        /// A house of worship.
        HouseOfWorship = 5,
        /// One that gives money.
        Grantmaker = 6,
        /// A resident, or residents without a legal form.
        Community = 7,
    }
}

/// An organization as one initiative knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its name; the node in it is where it lives.
    pub reference: Reference,
    /// The initiative.
    pub initiative: Reference,
    /// What is known of it.
    pub profile: OrganizationProfile,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// What is known of an organization; no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationProfile {
    /// How people call it.
    pub display_name: String,
    /// The sector it belongs to.
    pub sector: Sector,
    /// What registers know it by.
    pub identifiers: Vec<Identifier>,
    /// Its website; empty for none.
    pub website: String,
}

/// An identifier that a register gave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identifier {
    /// The register.
    pub scheme: String,
    /// The identifier there.
    pub value: String,
}

/// What is to be changed; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// See [`OrganizationProfile`].
    pub display_name: Option<String>,
    /// See [`OrganizationProfile`].
    pub sector: Option<Sector>,
    /// See [`OrganizationProfile`]: all of them anew.
    pub identifiers: Option<Vec<Identifier>>,
    /// See [`OrganizationProfile`].
    pub website: Option<String>,
}

/// Registers an organization on this node. `taken` is an identifier of it under which this node has another one already.
///
/// # Errors
/// In an initiative that is over; where an identifier is taken.
pub fn register(
    initiative: &Initiative,
    profile: OrganizationProfile,
    taken: Option<Identifier>,
) -> Result<Vec<Fact>, Refusal> {
    initiative.open()?;
    free(taken)?;
    Ok(vec![Fact::OrganizationRegistered(profile)])
}

/// Changes what is known of an organization; nothing happens where it is known already. `taken` as for [`register`].
///
/// # Errors
/// Away from its home; where an identifier is taken.
pub fn revise(
    organization: &Organization,
    here: &NodeId,
    revision: Revision,
    taken: Option<Identifier>,
) -> Result<Vec<Fact>, Refusal> {
    organization.at_home(here)?;
    free(taken)?;
    let before = organization.profile.clone();
    let after = OrganizationProfile {
        display_name: revision.display_name.unwrap_or(before.display_name),
        sector: revision.sector.unwrap_or(before.sector),
        identifiers: revision.identifiers.unwrap_or(before.identifiers),
        website: revision.website.unwrap_or(before.website),
    };
    if after == organization.profile {
        return Ok(Vec::new());
    }
    Ok(vec![Fact::OrganizationRevised(after)])
}

impl Organization {
    /// Only the node on which it lives speaks of it.
    pub(super) fn at_home(&self, here: &NodeId) -> Result<(), Refusal> {
        if self.reference.node == *here { Ok(()) } else { Err(Refusal::NotItsHome("organization")) }
    }

    /// It must be known in the initiative where something is to be done with it.
    pub(super) fn in_initiative(&self, initiative: &Initiative) -> Result<(), Refusal> {
        if self.initiative == initiative.reference { Ok(()) } else { Err(Refusal::OtherInitiative("organization")) }
    }
}

fn free(taken: Option<Identifier>) -> Result<(), Refusal> {
    match taken {
        Some(Identifier { scheme, value }) => Err(Refusal::AlreadyRegistered { scheme, value }),
        None => Ok(()),
    }
}
