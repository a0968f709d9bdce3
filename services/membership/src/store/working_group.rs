//! Working groups as rows.

use chassis::database::unreadable;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{By, Rows};
use crate::domain::{WorkingGroup, WorkingGroupProfile, WorkingGroupState};

struct Row {
    reference: Reference,
    initiative: Reference,
    display_name: String,
    charge: String,
    chair: Reference,
    organizations: Vec<Reference>,
    state: i32,
    reason: String,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_groups {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", initiative as "initiative: Reference", display_name, charge, chair as "chair: Reference",
                      organizations as "organizations: Vec<Reference>",
                      state, reason, version, created_at, updated_at
                 from membership.working_groups "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for WorkingGroup {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            reference: row.reference,
            initiative: row.initiative,
            profile: WorkingGroupProfile {
                display_name: row.display_name,
                charge: row.charge,
                chair: row.chair,
                organizations: row.organizations,
            },
            state: row.state.try_into().map_err(unreadable)?,
            reason: row.reason,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// One working group.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<WorkingGroup>, sqlx::Error> {
    let row = select_groups!("where reference = $1", reference as &Reference).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One working group, locked until the transaction ends.
pub async fn load_locked(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<WorkingGroup>, sqlx::Error> {
    let row = select_groups!("where reference = $1 for update", reference as &Reference);
    row.fetch_optional(connection).await?.map(TryInto::try_into).transpose()
}

/// Which working groups of an initiative to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only those in this state.
    pub state: Option<WorkingGroupState>,
    /// Only those with this organization in them.
    pub organization: Option<&'a Reference>,
    /// Only those in this space.
    pub space: Option<&'a Space>,
}

/// Working groups of an initiative, sorted by reference.
pub async fn list(
    connection: &mut PgConnection,
    initiative: &Reference,
    filter: Filter<'_>,
    rows: Rows<'_>,
) -> Result<Vec<WorkingGroup>, sqlx::Error> {
    let rows = select_groups!(
        "where initiative = $1 and ($2::text is null or space = $2) and ($3::text is null or reference > $3)
           and ($5::integer is null or state = $5) and ($6::text is null or $6 = any(organizations))
         order by reference limit $4",
        initiative as &Reference,
        filter.space as Option<&Space>,
        rows.after,
        rows.limit,
        filter.state.map(WorkingGroupState::number),
        filter.organization as Option<&Reference>,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Writes what a working group is from now on. One that is over stays as it was, and counts the event.
pub async fn save(connection: &mut PgConnection, by: By<'_>, profile: &WorkingGroupProfile) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.working_groups set display_name = $3, charge = $4, chair = $5, organizations = $6
          where reference = $1 and state = $2",
        by.resource as &Reference,
        WorkingGroupState::Formed.number(),
        profile.display_name,
        profile.charge,
        &profile.chair as &Reference,
        &profile.organizations as &[Reference],
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into membership.working_groups
             (reference, initiative, space, display_name, charge, chair, organizations, state, version, created_at, updated_at)
         values ($1, $2, $3, $6, $7, $8, $9, $5, 1, $4, $4)
         on conflict (reference) do update set
             version = working_groups.version + 1, updated_at = excluded.updated_at",
        by.resource as &Reference,
        by.initiative as &Reference,
        by.space as &Space,
        by.made_at,
        WorkingGroupState::Formed.number(),
        profile.display_name,
        profile.charge,
        &profile.chair as &Reference,
        &profile.organizations as &[Reference],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a working group. One that is over already stays as it was, and counts the event.
pub async fn dissolve(connection: &mut PgConnection, by: By<'_>, reason: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.working_groups
            set state = case when state = $2 then $3 else state end, reason = case when state = $2 then $4 else reason end,
                version = version + 1, updated_at = $5
          where reference = $1",
        by.resource as &Reference,
        WorkingGroupState::Formed.number(),
        WorkingGroupState::Dissolved.number(),
        reason,
        by.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}
