//! What is told of join requests.

use chassis::event::{Event, Fact};
use chassis::room::FoldError;
use proto::membership::{JoinRequestWithdrawn, JoinRequested};
use sqlx::PgConnection;

use super::{About, message};
use crate::contract;
use crate::domain::JoinRequestChange;
use crate::store::{self, By};

pub(super) fn tell(about: About<'_>, change: &JoinRequestChange) -> Fact {
    match change {
        JoinRequestChange::Made { organization, statement } => about.say(&JoinRequested {
            join_request: Some(contract::asked(about.resource, about.initiative, organization, statement)),
        }),
        JoinRequestChange::Withdrawn => about.say(&JoinRequestWithdrawn {
            initiative: about.initiative.to_string(),
            join_request: about.resource.to_string(),
        }),
    }
}

pub(super) fn read(event: &Event) -> Result<Option<JoinRequestChange>, FoldError> {
    if let Some(requested) = message::<JoinRequested>(event)? {
        let request = requested.join_request.ok_or(FoldError::Missing("join_request"))?;
        let organization = request.organization.parse()?;
        return Ok(Some(JoinRequestChange::Made { organization, statement: request.statement }));
    }
    Ok(message::<JoinRequestWithdrawn>(event)?.map(|_| JoinRequestChange::Withdrawn))
}

pub(super) async fn apply(
    connection: &mut PgConnection,
    by: By<'_>,
    change: &JoinRequestChange,
) -> Result<(), sqlx::Error> {
    match change {
        JoinRequestChange::Made { organization, statement } => {
            store::join_request::save(connection, by, organization, statement).await
        }
        JoinRequestChange::Withdrawn => store::join_request::withdraw(connection, by).await,
    }
}
