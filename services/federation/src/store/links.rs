//! Links, cursors and invitations.

use chassis::names::{NodeId, Reference, Space};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{signed, unsigned};

/// A link to another node.
#[derive(Clone, Debug)]
pub struct LinkRow {
    /// The node at the other end.
    pub node: NodeId,
    /// In which initiative.
    pub initiative: Reference,
    /// What is needed to reach the mailbox.
    pub mailbox: serde_json::Value,
    /// When the other end last said something.
    pub last_contact: Option<OffsetDateTime>,
    /// When it was ended.
    pub ended_at: Option<OffsetDateTime>,
}

/// Adds a link, or renews it.
///
/// # Errors
/// Where the database fails.
pub async fn save(
    connection: &mut PgConnection,
    node: &NodeId,
    initiative: &Reference,
    mailbox: &serde_json::Value,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into federation.links (node, initiative, mailbox) values ($1, $2, $3)
         on conflict (node, initiative) do update set mailbox = excluded.mailbox, ended_at = null",
    )
    .bind(node.as_str())
    .bind(initiative.to_string())
    .bind(mailbox)
    .execute(connection)
    .await?;
    Ok(())
}

/// Every link, ended ones too.
///
/// # Errors
/// Where the database fails.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<LinkRow>, sqlx::Error> {
    type Row = (String, String, serde_json::Value, Option<OffsetDateTime>, Option<OffsetDateTime>);
    let rows: Vec<Row> = sqlx::query_as(
        "select node, initiative, mailbox, last_contact, ended_at from federation.links order by initiative, node",
    )
    .fetch_all(connection)
    .await?;
    let links = rows.into_iter().filter_map(|(node, initiative, mailbox, last_contact, ended_at)| {
        Some(LinkRow {
            node: node.parse().ok()?,
            initiative: initiative.parse().ok()?,
            mailbox,
            last_contact,
            ended_at,
        })
    });
    Ok(links.collect())
}

/// Notes that the other end said something.
///
/// # Errors
/// Where the database fails.
pub async fn contacted(
    connection: &mut PgConnection,
    node: &NodeId,
    initiative: &Reference,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query("update federation.links set last_contact = $3 where node = $1 and initiative = $2")
        .bind(node.as_str())
        .bind(initiative.to_string())
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a link.
///
/// # Errors
/// Where the database fails.
pub async fn end(
    connection: &mut PgConnection,
    node: &NodeId,
    initiative: &Reference,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query("update federation.links set ended_at = $3 where node = $1 and initiative = $2 and ended_at is null")
        .bind(node.as_str())
        .bind(initiative.to_string())
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}

/// How far a partner has confirmed each space.
///
/// # Errors
/// Where the database fails.
pub async fn cursors(connection: &mut PgConnection, node: &NodeId) -> Result<Vec<(Space, u64)>, sqlx::Error> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("select space, position from federation.cursors where node = $1 order by space")
            .bind(node.as_str())
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().filter_map(|(space, position)| Some((space.parse().ok()?, unsigned(position)))).collect())
}

/// Notes how far a partner has confirmed spaces.
///
/// # Errors
/// Where the database fails.
pub async fn confirm(
    connection: &mut PgConnection,
    node: &NodeId,
    positions: &[(Space, u64)],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into federation.cursors (node, space, position) select $1, * from unnest($2::text[], $3::bigint[])
         on conflict (node, space) do update set position = excluded.position",
    )
    .bind(node.as_str())
    .bind(positions.iter().map(|(space, _)| space.to_string()).collect::<Vec<_>>())
    .bind(positions.iter().map(|(_, position)| signed(*position)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// An invitation as the backbone keeps it.
#[derive(Clone, Debug, sqlx::FromRow)]
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
}

/// Keeps an invitation.
///
/// # Errors
/// Where the database fails.
pub async fn invite(connection: &mut PgConnection, invitation: &InvitationRow) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into federation.invitations (invitation, initiative, display_name, secret_digest, expires_at)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(&invitation.invitation)
    .bind(&invitation.initiative)
    .bind(&invitation.display_name)
    .bind(&invitation.secret_digest)
    .bind(invitation.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads an invitation and locks it for this transaction.
///
/// # Errors
/// Where the database fails.
pub async fn invitation(connection: &mut PgConnection, id: &str) -> Result<Option<InvitationRow>, sqlx::Error> {
    sqlx::query_as(
        "select invitation, initiative, display_name, secret_digest, expires_at, node
           from federation.invitations where invitation = $1 for update",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// Binds an invitation to the node that used it.
///
/// # Errors
/// Where the database fails.
pub async fn use_invitation(
    connection: &mut PgConnection,
    id: &str,
    node: &NodeId,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query("update federation.invitations set node = $2, used_at = $3 where invitation = $1")
        .bind(id)
        .bind(node.as_str())
        .bind(at)
        .execute(connection)
        .await?;
    Ok(())
}
