//! Links and cursors.

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
    /// Whether the node that is not the backbone only follows the initiative.
    pub follower: bool,
    /// How the other node called itself when it was let in.
    pub display_name: String,
    /// When the other end last said something.
    pub last_contact: Option<OffsetDateTime>,
    /// Why it is to end, once that is decided.
    pub ending: Option<String>,
    /// When it was ended.
    pub ended_at: Option<OffsetDateTime>,
    /// When its mailbox was taken down after that.
    pub closed_at: Option<OffsetDateTime>,
}

impl LinkRow {
    /// A new link.
    pub fn new(node: NodeId, initiative: Reference, mailbox: serde_json::Value) -> Self {
        Self {
            node,
            initiative,
            mailbox,
            follower: false,
            display_name: String::new(),
            last_contact: None,
            ending: None,
            ended_at: None,
            closed_at: None,
        }
    }
}

struct Row {
    node: String,
    initiative: String,
    mailbox: serde_json::Value,
    follower: bool,
    display_name: String,
    last_contact: Option<OffsetDateTime>,
    ending: Option<String>,
    ended_at: Option<OffsetDateTime>,
    closed_at: Option<OffsetDateTime>,
}

impl Row {
    fn read(self) -> Option<LinkRow> {
        Some(LinkRow {
            node: self.node.parse().ok()?,
            initiative: self.initiative.parse().ok()?,
            mailbox: self.mailbox,
            follower: self.follower,
            display_name: self.display_name,
            last_contact: self.last_contact,
            ending: self.ending,
            ended_at: self.ended_at,
            closed_at: self.closed_at,
        })
    }
}

/// Adds a link, or renews it.
///
/// # Errors
/// Where the database fails.
pub async fn save(connection: &mut PgConnection, link: &LinkRow) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into federation.links (node, initiative, mailbox, follower, display_name) values ($1, $2, $3, $4, $5)
         on conflict (node, initiative) do update
            set mailbox = excluded.mailbox, follower = excluded.follower, display_name = excluded.display_name,
                ending = null, ended_at = null, closed_at = null",
        link.node.as_str(),
        link.initiative.to_string(),
        link.mailbox,
        link.follower,
        link.display_name,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Every link, ended ones too.
///
/// # Errors
/// Where the database fails.
pub async fn all(connection: &mut PgConnection) -> Result<Vec<LinkRow>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "select node, initiative, mailbox, follower, display_name, last_contact, ending, ended_at, closed_at
           from federation.links
          order by initiative, node",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().filter_map(Row::read).collect())
}

/// One link, ended or not.
///
/// # Errors
/// Where the database fails.
pub async fn read(
    connection: &mut PgConnection,
    node: &NodeId,
    initiative: &Reference,
) -> Result<Option<LinkRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select node, initiative, mailbox, follower, display_name, last_contact, ending, ended_at, closed_at
           from federation.links
          where node = $1 and initiative = $2",
        node.as_str(),
        initiative.to_string(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(Row::read))
}

/// One link, ended or not, locked for this transaction.
///
/// # Errors
/// Where the database fails.
pub async fn lock(
    connection: &mut PgConnection,
    node: &NodeId,
    initiative: &Reference,
) -> Result<Option<LinkRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "select node, initiative, mailbox, follower, display_name, last_contact, ending, ended_at, closed_at
           from federation.links
          where node = $1 and initiative = $2 for update",
        node.as_str(),
        initiative.to_string(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(Row::read))
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
    sqlx::query!(
        "update federation.links set last_contact = $3 where node = $1 and initiative = $2",
        node.as_str(),
        initiative.to_string(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a link is to end, and why; the first reason stays.
///
/// # Errors
/// Where the database fails.
pub async fn intend_end(
    connection: &mut PgConnection,
    node: &NodeId,
    initiative: &Reference,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.links set ending = $3
          where node = $1 and initiative = $2 and ending is null and ended_at is null",
        node.as_str(),
        initiative.to_string(),
        reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that the mailbox of an ended link is gone.
///
/// # Errors
/// Where the database fails.
pub async fn closed(
    connection: &mut PgConnection,
    node: &NodeId,
    initiative: &Reference,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update federation.links set closed_at = $3 where node = $1 and initiative = $2 and ended_at is not null",
        node.as_str(),
        initiative.to_string(),
        at,
    )
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
    sqlx::query!(
        "update federation.links set ended_at = $3 where node = $1 and initiative = $2 and ended_at is null",
        node.as_str(),
        initiative.to_string(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How far a partner has confirmed each space.
///
/// # Errors
/// Where the database fails.
pub async fn cursors(connection: &mut PgConnection, node: &NodeId) -> Result<Vec<(Space, u64)>, sqlx::Error> {
    let rows =
        sqlx::query!("select space, position from federation.cursors where node = $1 order by space", node.as_str(),)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.space.parse().ok()?, unsigned(row.position)))).collect())
}

/// Notes how far a partner has confirmed spaces, each named once.
///
/// # Errors
/// Where the database fails.
pub async fn confirm(
    connection: &mut PgConnection,
    node: &NodeId,
    positions: &[(Space, u64)],
) -> Result<(), sqlx::Error> {
    let spaces: Vec<String> = positions.iter().map(|(space, _)| space.to_string()).collect();
    let positions: Vec<i64> = positions.iter().map(|(_, position)| signed(*position)).collect();
    sqlx::query!(
        "insert into federation.cursors (node, space, position) select $1, * from unnest($2::text[], $3::bigint[])
         on conflict (node, space) do update set position = excluded.position",
        node.as_str(),
        &spaces,
        &positions,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Entries of other nodes, or of `origin` alone, that are held here in an initiative.
///
/// # Errors
/// Where the database fails.
pub async fn received(
    connection: &mut PgConnection,
    initiative: &Reference,
    here: &NodeId,
    origin: Option<&NodeId>,
) -> Result<u64, sqlx::Error> {
    let received = sqlx::query_scalar!(
        r#"select coalesce(sum(sequence), 0)::bigint as "received!" from federation.feeds
            where starts_with(space, $1 || '/') and origin <> $2 and ($3::text is null or origin = $3)"#,
        initiative.to_string(),
        here.as_str(),
        origin.map(NodeId::as_str),
    )
    .fetch_one(connection)
    .await?;
    Ok(unsigned(received))
}

/// Steps of an initiative's orders that a partner has confirmed.
///
/// # Errors
/// Where the database fails.
pub async fn confirmed_by(
    connection: &mut PgConnection,
    initiative: &Reference,
    node: &NodeId,
) -> Result<u64, sqlx::Error> {
    let confirmed = sqlx::query_scalar!(
        r#"select coalesce(sum(position), 0)::bigint as "confirmed!" from federation.cursors
            where node = $1 and starts_with(space, $2 || '/')"#,
        node.as_str(),
        initiative.to_string(),
    )
    .fetch_one(connection)
    .await?;
    Ok(unsigned(confirmed))
}
