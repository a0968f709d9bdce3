//! What is told of initiatives.

use chassis::event::{Event, Fact};
use chassis::room::FoldError;
use proto::membership::{Initiative, InitiativeCreated, InitiativeRevised};
use sqlx::PgConnection;

use super::{About, message, word};
use crate::contract;
use crate::domain::{InitiativeChange, InitiativeProfile};
use crate::store::{self, By};

pub(super) fn tell(about: About<'_>, change: &InitiativeChange) -> Fact {
    let whole = |profile| Some(contract::initiative_profile(about.resource, profile));
    match change {
        InitiativeChange::Created(profile) => about.say(&InitiativeCreated { initiative: whole(profile) }),
        InitiativeChange::Revised(profile) => about.say(&InitiativeRevised { initiative: whole(profile) }),
    }
}

pub(super) fn read(event: &Event) -> Result<Option<InitiativeChange>, FoldError> {
    if let Some(created) = message::<InitiativeCreated>(event)? {
        return Ok(Some(InitiativeChange::Created(profile(created.initiative)?)));
    }
    if let Some(revised) = message::<InitiativeRevised>(event)? {
        return Ok(Some(InitiativeChange::Revised(profile(revised.initiative)?)));
    }
    Ok(None)
}

fn profile(initiative: Option<Initiative>) -> Result<InitiativeProfile, FoldError> {
    let Initiative { display_name, purpose, region, state, .. } = initiative.ok_or(FoldError::Missing("initiative"))?;
    Ok(InitiativeProfile { display_name, purpose, region, state: word(state, "state")? })
}

pub(super) async fn apply(
    connection: &mut PgConnection,
    by: By<'_>,
    change: &InitiativeChange,
) -> Result<(), sqlx::Error> {
    match change {
        InitiativeChange::Created(profile) | InitiativeChange::Revised(profile) => {
            store::initiative::save(connection, by, profile).await
        }
    }
}
