//! What events make of a membership. Each of these touches rows of that membership only, and is well with any state:
//! an event that comes to a membership in another state than it expects still leaves one state, the same everywhere.

use chassis::names::{Reference, Space};
use sqlx::PgConnection;

use crate::domain::{Invitee, MembershipState, Role, RoleTerm};
use crate::store::By;

/// An invitation.
pub async fn invite(connection: &mut PgConnection, by: By<'_>, invitee: &Invitee) -> Result<(), sqlx::Error> {
    let (organization, invitee) = match invitee {
        Invitee::Registered(organization) => (Some(organization), ""),
        Invitee::ToCome(name) => (None, name.as_str()),
    };
    sqlx::query!(
        "insert into membership.memberships
             (reference, initiative, space, organization, invitee, state, reason, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, '', 1, $7, $7)
         on conflict (reference) do update set
             organization = excluded.organization, invitee = excluded.invitee, state = excluded.state,
             version = memberships.version + 1, updated_at = excluded.updated_at",
        by.resource as &Reference,
        by.initiative as &Reference,
        by.space as &Space,
        organization as Option<&Reference>,
        invitee,
        MembershipState::Invited.number(),
        by.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An admission, after an invitation or without one.
pub async fn admit(
    connection: &mut PgConnection,
    by: By<'_>,
    organization: &Reference,
    join_request: Option<&Reference>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into membership.memberships
             (reference, initiative, space, organization, invitee, state, reason, join_request, version, created_at, updated_at)
         values ($1, $2, $3, $4, '', $5, '', $6, 1, $7, $7)
         on conflict (reference) do update set
             organization = excluded.organization, state = excluded.state, join_request = excluded.join_request,
             version = memberships.version + 1, updated_at = excluded.updated_at",
        by.resource as &Reference,
        by.initiative as &Reference,
        by.space as &Space,
        organization as &Reference,
        MembershipState::Active.number(),
        join_request as Option<&Reference>,
        by.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A role for a term; it takes the place of one that rested or was over.
pub async fn grant(connection: &mut PgConnection, by: By<'_>, term: RoleTerm) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into membership.role_terms (membership, role, starts, ends, resting) values ($1, $2, $3, $4, false)
         on conflict (membership, role) do update set starts = excluded.starts, ends = excluded.ends, resting = false",
        by.resource as &Reference,
        term.role.number(),
        term.from,
        term.until
    )
    .execute(&mut *connection)
    .await?;
    touch(connection, by).await
}

/// The end of a role. One that rests with its suspended membership stays: it comes back with it.
pub async fn end_role(connection: &mut PgConnection, by: By<'_>, role: Role) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "delete from membership.role_terms where membership = $1 and role = $2 and not resting",
        by.resource as &Reference,
        role.number()
    )
    .execute(&mut *connection)
    .await?;
    touch(connection, by).await
}

/// A suspension: from here on the roles rest.
pub async fn suspend(connection: &mut PgConnection, by: By<'_>, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("update membership.role_terms set resting = true where membership = $1", by.resource as &Reference)
        .execute(&mut *connection)
        .await?;
    stand(connection, by, MembershipState::Suspended, reason).await
}

/// The end of a suspension: the roles that come back are granted next, the others are gone.
pub async fn reinstate(connection: &mut PgConnection, by: By<'_>) -> Result<(), sqlx::Error> {
    forget_roles(connection, by).await?;
    stand(connection, by, MembershipState::Active, "").await
}

/// The end.
pub async fn end(connection: &mut PgConnection, by: By<'_>, reason: &str) -> Result<(), sqlx::Error> {
    forget_roles(connection, by).await?;
    stand(connection, by, MembershipState::Ended, reason).await
}

async fn forget_roles(connection: &mut PgConnection, by: By<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from membership.role_terms where membership = $1", by.resource as &Reference)
        .execute(connection)
        .await?;
    Ok(())
}

async fn stand(
    connection: &mut PgConnection,
    by: By<'_>,
    state: MembershipState,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.memberships set state = $2, reason = $3 where reference = $1",
        by.resource as &Reference,
        state.number(),
        reason
    )
    .execute(&mut *connection)
    .await?;
    touch(connection, by).await
}

async fn touch(connection: &mut PgConnection, by: By<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.memberships set version = version + 1, updated_at = $2 where reference = $1",
        by.resource as &Reference,
        by.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}
