//! Who may read what is in a space. What is between one partner and the backbone, or within a circle, is for these nodes
//! only, however many organizations this node is host to.

use proto::common::Role;
use sqlx::PgConnection;
use tonic::Status;

use crate::desk::Look;
use crate::names::{NodeId, Reference, Space, Within};
use crate::{circles, errors, roles};

/// Judges the method's rule, and whether the caller may read what is in the space.
///
/// # Errors
/// `PERMISSION_DENIED`, naming what would be enough; `NOT_FOUND` for a circle that the caller is not to know of.
pub async fn may_read(look: &mut Look, space: &Space) -> Result<(), Status> {
    look.authorise(space.initiative(), None).await?;
    let Space::Of(initiative, within) = space else { return Ok(()) };
    let Some(readers) = readers(look.connection(), space).await.map_err(errors::database)? else { return Ok(()) };
    let organizations = look.caller().map(|caller| caller.organizations.clone()).unwrap_or_default();
    if organizations.iter().any(|organization| readers.contains(&organization.node))
        || reads_all(look, initiative).await?
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
    let Some(caller) = look.caller().cloned() else { return Ok(false) };
    if caller.operator {
        return Ok(true);
    }
    let now = look.now();
    let held = roles::held(look.connection(), initiative, &caller.organizations, now).await;
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
