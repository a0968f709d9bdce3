//! What is told of organizations.

use chassis::event::{Event, Fact};
use chassis::room::FoldError;
use proto::membership::{Organization, OrganizationRegistered, OrganizationRevised};
use sqlx::PgConnection;

use super::{About, message, word};
use crate::contract;
use crate::domain::{Identifier, OrganizationChange, OrganizationProfile};
use crate::store::{self, By};

pub(super) fn tell(about: About<'_>, change: &OrganizationChange) -> Fact {
    let whole = |profile| Some(contract::organization_profile(about.resource, about.initiative, profile));
    match change {
        OrganizationChange::Registered(profile) => about.say(&OrganizationRegistered { organization: whole(profile) }),
        OrganizationChange::Revised(profile) => about.say(&OrganizationRevised { organization: whole(profile) }),
    }
}

pub(super) fn read(event: &Event) -> Result<Option<OrganizationChange>, FoldError> {
    if let Some(registered) = message::<OrganizationRegistered>(event)? {
        return Ok(Some(OrganizationChange::Registered(profile(registered.organization)?)));
    }
    if let Some(revised) = message::<OrganizationRevised>(event)? {
        return Ok(Some(OrganizationChange::Revised(profile(revised.organization)?)));
    }
    Ok(None)
}

fn profile(organization: Option<Organization>) -> Result<OrganizationProfile, FoldError> {
    let Organization { display_name, sector, identifiers, website, .. } =
        organization.ok_or(FoldError::Missing("organization"))?;
    let identifiers = identifiers.into_iter();
    let identifiers = identifiers.map(|one| Identifier { scheme: one.scheme, value: one.value }).collect();
    Ok(OrganizationProfile { display_name, sector: word(sector, "sector")?, identifiers, website })
}

pub(super) async fn apply(
    connection: &mut PgConnection,
    by: By<'_>,
    change: &OrganizationChange,
) -> Result<(), sqlx::Error> {
    match change {
        OrganizationChange::Registered(profile) | OrganizationChange::Revised(profile) => {
            store::organization::save(connection, by, profile).await
        }
    }
}
