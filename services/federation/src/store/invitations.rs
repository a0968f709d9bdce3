//! Invitations that this backbone gave out.

use chassis::names::NodeId;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// An invitation as the backbone keeps it.
#[derive(Clone, Debug)]
pub struct InvitationRow {
    /// Its id.
    pub invitation: String,
    /// To which initiative.
    pub initiative: String,
    /// For whom, in words.
    pub display_name: String,
    /// SHA-256 of the secret in it.
    pub secret_digest: Vec<u8>,
    /// Refused from then on.
    pub expires_at: OffsetDateTime,
    /// The one node that used it.
    pub node: Option<String>,
    /// It lets a node follow, and not belong.
    pub follower: bool,
}

/// Keeps an invitation.
///
/// # Errors
/// Where the database fails.
pub async fn give(connection: &mut PgConnection, invitation: &InvitationRow) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into federation.invitations (invitation, initiative, display_name, secret_digest, expires_at, follower)
         values ($1, $2, $3, $4, $5, $6)",
        invitation.invitation,
        invitation.initiative,
        invitation.display_name,
        invitation.secret_digest,
        invitation.expires_at,
        invitation.follower,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads an invitation.
///
/// # Errors
/// Where the database fails.
pub async fn read(connection: &mut PgConnection, id: &str) -> Result<Option<InvitationRow>, sqlx::Error> {
    sqlx::query_as!(
        InvitationRow,
        "select invitation, initiative, display_name, secret_digest, expires_at, node, follower
           from federation.invitations where invitation = $1",
        id,
    )
    .fetch_optional(connection)
    .await
}

/// Reads an invitation and locks it for this transaction.
///
/// # Errors
/// Where the database fails.
pub async fn lock(connection: &mut PgConnection, id: &str) -> Result<Option<InvitationRow>, sqlx::Error> {
    sqlx::query_as!(
        InvitationRow,
        "select invitation, initiative, display_name, secret_digest, expires_at, node, follower
           from federation.invitations where invitation = $1 for update",
        id,
    )
    .fetch_optional(connection)
    .await
}

/// Binds an invitation to the node that used it.
///
/// # Errors
/// Where the database fails.
pub async fn used(
    connection: &mut PgConnection,
    id: &str,
    node: &NodeId,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.invitations set node = $2, used_at = $3 where invitation = $1",
        id,
        node.as_str(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}
