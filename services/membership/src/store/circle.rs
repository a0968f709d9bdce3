//! Circles as rows.

use chassis::database::unreadable;
use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{By, Rows};
use crate::domain::{Circle, CircleProfile, CircleState};

struct Row {
    reference: Reference,
    initiative: Reference,
    display_name: String,
    purpose: String,
    nodes: Vec<NodeId>,
    state: i32,
    reason: String,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_circles {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", initiative as "initiative: Reference", display_name, purpose,
                      nodes as "nodes: Vec<NodeId>",
                      state, reason, version, created_at, updated_at
                 from membership.circle_profiles "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Circle {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            reference: row.reference,
            initiative: row.initiative,
            profile: CircleProfile { display_name: row.display_name, purpose: row.purpose, nodes: row.nodes },
            state: row.state.try_into().map_err(unreadable)?,
            reason: row.reason,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// One circle.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Circle>, sqlx::Error> {
    let row = select_circles!("where reference = $1", reference as &Reference).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One circle, locked until the transaction ends.
pub async fn load_locked(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Circle>, sqlx::Error> {
    let row = select_circles!("where reference = $1 for update", reference as &Reference);
    row.fetch_optional(connection).await?.map(TryInto::try_into).transpose()
}

/// Which circles of an initiative to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only those in this state.
    pub state: Option<CircleState>,
    /// Only those that one of these nodes is in.
    pub with_any_of: Option<&'a [NodeId]>,
    /// Only those in this space.
    pub space: Option<&'a Space>,
}

/// Circles of an initiative, sorted by reference.
pub async fn list(
    connection: &mut PgConnection,
    initiative: &Reference,
    filter: Filter<'_>,
    rows: Rows<'_>,
) -> Result<Vec<Circle>, sqlx::Error> {
    let rows = select_circles!(
        "where initiative = $1 and ($2::text is null or space = $2) and ($3::text is null or reference > $3)
           and ($5::integer is null or state = $5) and ($6::text[] is null or nodes && $6)
         order by reference limit $4",
        initiative as &Reference,
        filter.space as Option<&Space>,
        rows.after,
        rows.limit,
        filter.state.map(CircleState::number),
        filter.with_any_of as Option<&[NodeId]>,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Writes what a circle is from now on. One that is over stays as it was, and counts the event.
pub async fn save(connection: &mut PgConnection, by: By<'_>, profile: &CircleProfile) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.circle_profiles set display_name = $3, purpose = $4, nodes = $5
          where reference = $1 and state = $2",
        by.resource as &Reference,
        CircleState::Formed.number(),
        profile.display_name,
        profile.purpose,
        &profile.nodes as &[NodeId],
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into membership.circle_profiles
             (reference, initiative, space, display_name, purpose, nodes, state, version, created_at, updated_at)
         values ($1, $2, $3, $6, $7, $8, $5, 1, $4, $4)
         on conflict (reference) do update set
             version = circle_profiles.version + 1, updated_at = excluded.updated_at",
        by.resource as &Reference,
        by.initiative as &Reference,
        by.space as &Space,
        by.made_at,
        CircleState::Formed.number(),
        profile.display_name,
        profile.purpose,
        &profile.nodes as &[NodeId],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a circle. One that is over already stays as it was, and counts the event.
pub async fn end(connection: &mut PgConnection, by: By<'_>, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.circle_profiles
            set state = case when state = $2 then $3 else state end, reason = case when state = $2 then $4 else reason end,
                version = version + 1, updated_at = $5
          where reference = $1",
        by.resource as &Reference,
        CircleState::Formed.number(),
        CircleState::Ended.number(),
        reason,
        by.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}
