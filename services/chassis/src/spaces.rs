//! Who may read what is in a space. What is between one partner and the backbone, or within a circle, is for these nodes
//! only, however many organizations this node is host to.

use proto::common::Role;
use sqlx::PgConnection;
use time::OffsetDateTime;
use tonic::Status;

use crate::authn::Caller;
use crate::desk::{Look, Work};
use crate::names::{NodeId, Reference, Space, Within};
use crate::room::Room;
use crate::{circles, errors, roles};

/// Judges the method's rule, and whether the caller may read what is in the space.
///
/// # Errors
/// `PERMISSION_DENIED`, naming what would be enough; `NOT_FOUND` for a circle that the caller is not to know of.
pub async fn may_read(look: &mut Look, space: &Space) -> Result<(), Status> {
    look.authorise(space.initiative(), None).await?;
    let (caller, now) = (look.caller().cloned(), look.now());
    in_sight(look.connection(), caller.as_ref(), now, space).await
}

/// Judges whether the caller of a call that writes may know of what is in the space. The method's rule is judged by
/// `authorise`, as ever.
///
/// # Errors
/// As [`may_read`].
pub async fn may_know<R: Room>(work: &mut Work<R>, space: &Space) -> Result<(), Status> {
    let (caller, now) = (work.caller().clone(), work.now());
    in_sight(work.connection(), Some(&caller), now, space).await
}

async fn in_sight(
    connection: &mut PgConnection,
    caller: Option<&Caller>,
    now: OffsetDateTime,
    space: &Space,
) -> Result<(), Status> {
    let Space::Of(initiative, within) = space else { return Ok(()) };
    let Some(readers) = readers(connection, space).await.map_err(errors::database)? else { return Ok(()) };
    let organizations = caller.map(|caller| caller.organizations.as_slice()).unwrap_or_default();
    if organizations.iter().any(|organization| readers.contains(&organization.node))
        || sees_all(connection, caller, now, initiative).await?
    {
        return Ok(());
    }
    if let Within::Circle(circle) = within {
        return Err(errors::not_found("circle", circle));
    }
    let would_do = "to speak for an organization of that node, or the role backbone staff in the initiative";
    Err(errors::permission_denied(would_do, &[Role::BackboneStaff.as_str_name()]))
}

/// Whether the caller may read every space of an initiative that this node holds: its operator, and the backbone's staff.
///
/// # Errors
/// What the database says.
pub async fn reads_all(look: &mut Look, initiative: &Reference) -> Result<bool, Status> {
    let (caller, now) = (look.caller().cloned(), look.now());
    sees_all(look.connection(), caller.as_ref(), now, initiative).await
}

async fn sees_all(
    connection: &mut PgConnection,
    caller: Option<&Caller>,
    now: OffsetDateTime,
    initiative: &Reference,
) -> Result<bool, Status> {
    let Some(caller) = caller else { return Ok(false) };
    if caller.operator {
        return Ok(true);
    }
    let held = roles::held(connection, initiative, &caller.organizations, now).await;
    Ok(held.map_err(errors::database)?.contains(&Role::BackboneStaff))
}

/// The nodes whose organizations may read; `None` where all may who hold it.
async fn readers(connection: &mut PgConnection, space: &Space) -> Result<Option<Vec<NodeId>>, sqlx::Error> {
    match space {
        Space::Local | Space::Of(_, Within::Members | Within::Public) => Ok(None),
        Space::Of(_, Within::Backbone(node)) => Ok(Some(vec![node.clone()])),
        Space::Of(_, Within::Circle(_)) => Ok(Some(circles::readers(connection, space).await?)),
    }
}
