//! Roles: who is what to which initiative. Every service folds `RoleGranted` and `RoleEnded` into the same table.

use prost::Name;
use proto::common::Role;
use proto::membership::{RoleEnded, RoleGranted};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::event::{Event, Place, instant};
use crate::names::{NodeId, Reference};
use crate::room::{FoldError, Folded};

/// Whether the table follows events of this type.
pub fn hears(type_name: &str) -> bool {
    [RoleGranted::full_name(), RoleEnded::full_name()].iter().any(|name| name == type_name)
}

/// Takes in the two events that the table follows.
///
/// # Errors
/// Where the event cannot be read or the database fails.
pub async fn hear(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
    if event.type_name == RoleGranted::full_name() {
        grant(connection, event, &event.message()?).await?;
    } else if event.type_name == RoleEnded::full_name() {
        end(connection, event, &event.message()?).await?;
    } else {
        return Ok(Folded::Ignored);
    }
    Ok(Folded::Applied)
}

async fn grant(connection: &mut PgConnection, event: &Event, granted: &RoleGranted) -> Result<(), FoldError> {
    // Whoever is the backbone of one initiative grants nothing in another.
    let own = event.space.initiative().is_some_and(|initiative| initiative.to_string() == granted.initiative);
    if !own {
        return Err(FoldError::Missing("initiative, as its space has it,"));
    }
    let starts = granted.from.as_ref().and_then(instant).ok_or(FoldError::Missing("from"))?;
    sqlx::query(
        "insert into roles (initiative, membership, role, organization, node, starts, ends, granted_by, granted_position)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&granted.initiative)
    .bind(event.resource.to_string())
    .bind(granted.role)
    .bind(&granted.organization)
    .bind(&granted.node)
    .bind(starts)
    .bind(granted.until.as_ref().and_then(instant))
    .bind(event.id)
    .bind(event.accepted.map(|place| place.position))
    .execute(connection)
    .await?;
    Ok(())
}

async fn end(connection: &mut PgConnection, event: &Event, ended: &RoleEnded) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update roles set ended = true, ended_position = $3, ended_by = $4
          where membership = $1 and role = $2 and not ended",
    )
    .bind(event.resource.to_string())
    .bind(ended.role)
    .bind(event.accepted.map(|place| place.position))
    .bind(event.id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets what a membership granted, before it is folded again.
pub(crate) async fn forget(connection: &mut PgConnection, membership: &str) -> Result<(), sqlx::Error> {
    sqlx::query("delete from roles where membership = $1").bind(membership).execute(connection).await?;
    Ok(())
}

/// Notes where this node's own grants and ends came to stand in the members space's order.
pub(crate) async fn place(connection: &mut PgConnection, events: &[Uuid], place: Place) -> Result<(), sqlx::Error> {
    for statement in [
        "update roles set granted_position = $2 where granted_by = any($1)",
        "update roles set ended_position = $2 where ended_by = any($1)",
    ] {
        sqlx::query(statement).bind(events).bind(place.position).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Whether anybody ever held a role in an initiative, as far as this node knows: otherwise it knows no such initiative.
///
/// # Errors
/// Where the database fails.
pub async fn initiative_known(connection: &mut PgConnection, initiative: &Reference) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from roles where initiative = $1)")
        .bind(initiative.to_string())
        .fetch_one(connection)
        .await
}

/// The roles that any of these organizations holds in an initiative at an instant.
///
/// # Errors
/// Where the database fails.
pub async fn held(
    connection: &mut PgConnection,
    initiative: &Reference,
    organizations: &[Reference],
    at: OffsetDateTime,
) -> Result<Vec<Role>, sqlx::Error> {
    let organizations: Vec<String> = organizations.iter().map(ToString::to_string).collect();
    let roles: Vec<i32> = sqlx::query_scalar(
        "select distinct role from roles
          where initiative = $1 and organization = any($2) and not ended and starts <= $3 and (ends is null or ends > $3)",
    )
    .bind(initiative.to_string())
    .bind(organizations)
    .bind(at)
    .fetch_all(connection)
    .await?;
    Ok(roles.into_iter().filter_map(|role| Role::try_from(role).ok()).collect())
}

/// A role that an organization living on a node was granted, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The organization.
    pub organization: Reference,
    /// The role.
    pub role: Role,
    /// First instant of the term.
    pub starts: OffsetDateTime,
    /// First instant after it; `None` for an open one.
    pub ends: Option<OffsetDateTime>,
}

impl Granted {
    /// Whether the term has begun and is not over.
    pub fn holds(&self, at: OffsetDateTime) -> bool {
        self.starts <= at && self.ends.is_none_or(|ends| ends > at)
    }
}

/// The roles of the organizations living on a node in an initiative, as the members space had them at a position. What the
/// border judges by: the same answer on every node.
///
/// # Errors
/// Where the database fails.
pub async fn on_node(
    connection: &mut PgConnection,
    initiative: &Reference,
    node: &NodeId,
    position: i64,
) -> Result<Vec<Granted>, sqlx::Error> {
    let rows: Vec<(Reference, i32, OffsetDateTime, Option<OffsetDateTime>)> = sqlx::query_as(
        "select organization, role, starts, ends from roles
          where initiative = $1 and node = $2 and granted_position <= $3
            and (ended_position is null or ended_position > $3)",
    )
    .bind(initiative.to_string())
    .bind(node.as_str())
    .bind(position)
    .fetch_all(connection)
    .await?;
    let granted = |(organization, role, starts, ends)| {
        Some(Granted { organization, role: Role::try_from(role).ok()?, starts, ends })
    };
    Ok(rows.into_iter().filter_map(granted).collect())
}

/// For how long an organization holds a role, and where its grant and its end stand in the members space's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The organization.
    pub organization: Reference,
    /// The event that granted it, and its place; none while pending.
    pub granted: (Uuid, Option<Place>),
    /// The event that ended it before its term did, and its place; `None` where none did.
    pub ended: Option<(Uuid, Option<Place>)>,
    /// First instant of the term.
    pub starts: OffsetDateTime,
    /// First instant after it; `None` for an open one.
    pub ends: Option<OffsetDateTime>,
}

#[derive(sqlx::FromRow)]
struct TermRow {
    organization: Reference,
    starts: OffsetDateTime,
    ends: Option<OffsetDateTime>,
    granted_by: Uuid,
    granted_position: Option<i64>,
    granted_at: Option<OffsetDateTime>,
    ended_by: Option<Uuid>,
    ended_position: Option<i64>,
    ended_at: Option<OffsetDateTime>,
}

/// Every term of any of these roles in an initiative, those that are over among them: what a room judges by who held a
/// role at another event's place. The same answer on every node that holds the same events.
///
/// # Errors
/// Where the database fails.
pub async fn terms(
    connection: &mut PgConnection,
    initiative: &Reference,
    roles: &[Role],
) -> Result<Vec<Term>, sqlx::Error> {
    let rows: Vec<TermRow> = sqlx::query_as(
        "select r.organization, r.starts, r.ends, r.granted_by, g.accepted_position as granted_position,
                g.accepted_at as granted_at, r.ended_by, e.accepted_position as ended_position,
                e.accepted_at as ended_at
           from roles r
           left join log g on g.event_id = r.granted_by
           left join log e on e.event_id = r.ended_by
          where r.initiative = $1 and r.role = any($2)",
    )
    .bind(initiative.to_string())
    .bind(roles.iter().map(|role| i32::from(*role)).collect::<Vec<i32>>())
    .fetch_all(connection)
    .await?;
    let place = |position: Option<i64>, at: Option<OffsetDateTime>| Some(Place { position: position?, at: at? });
    let terms = rows.into_iter().map(|row| Term {
        organization: row.organization,
        granted: (row.granted_by, place(row.granted_position, row.granted_at)),
        ended: row.ended_by.map(|event| (event, place(row.ended_position, row.ended_at))),
        starts: row.starts,
        ends: row.ends,
    });
    Ok(terms.collect())
}
