//! Initiatives as rows.

use chassis::database::unreadable;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{By, Rows};
use crate::domain::{Initiative, InitiativeProfile};

struct Row {
    reference: Reference,
    display_name: String,
    purpose: String,
    region: String,
    state: i32,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl TryFrom<Row> for Initiative {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let Row { display_name, purpose, region, .. } = row;
        Ok(Self {
            reference: row.reference,
            profile: InitiativeProfile {
                display_name,
                purpose,
                region,
                state: row.state.try_into().map_err(unreadable)?,
            },
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// One initiative.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Initiative>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"select reference as "reference: Reference", display_name, purpose, region, state, version, created_at, updated_at
             from membership.initiatives where reference = $1"#,
        reference as &Reference
    )
    .fetch_optional(connection)
    .await?
    .map(Initiative::try_from)
    .transpose()
}

/// One initiative, locked until the transaction ends.
pub async fn load_locked(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<Initiative>, sqlx::Error> {
    sqlx::query!("select from membership.initiatives where reference = $1 for update", reference as &Reference)
        .fetch_optional(&mut *connection)
        .await?;
    load(connection, reference).await
}

/// One initiative, which nobody changes until the transaction ends: whoever is registered, invited or admitted is so
/// while it is open. Many may rely on it at once.
pub async fn unchanging(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<Initiative>, sqlx::Error> {
    sqlx::query!("select from membership.initiatives where reference = $1 for share", reference as &Reference)
        .fetch_optional(&mut *connection)
        .await?;
    load(connection, reference).await
}

/// Which initiatives to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only those in which one of these organizations holds a role now.
    pub with_roles_of: Option<&'a [Reference]>,
    /// Only those in this space.
    pub space: Option<&'a Space>,
}

/// Initiatives, sorted by reference.
pub async fn list(
    connection: &mut PgConnection,
    filter: Filter<'_>,
    now: OffsetDateTime,
    rows: Rows<'_>,
) -> Result<Vec<Initiative>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"select reference as "reference: Reference", display_name, purpose, region, state, version, created_at, updated_at
             from membership.initiatives i
            where ($1::text[] is null or exists (
                      select from membership.roles r
                       where r.initiative = i.reference and r.organization = any($1) and not r.ended
                         and r.starts <= $2 and (r.ends is null or r.ends > $2)))
              and ($3::text is null or space = $3)
              and ($4::text is null or reference > $4)
            order by reference limit $5"#,
        filter.with_roles_of as Option<&[Reference]>,
        now,
        filter.space as Option<&Space>,
        rows.after,
        rows.limit
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .map(Initiative::try_from)
    .collect()
}

/// Writes what an initiative says of itself from now on.
pub async fn save(connection: &mut PgConnection, by: By<'_>, profile: &InitiativeProfile) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into membership.initiatives
             (reference, space, display_name, purpose, region, state, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, 1, $7, $7)
         on conflict (reference) do update set
             display_name = excluded.display_name, purpose = excluded.purpose, region = excluded.region,
             state = excluded.state, version = initiatives.version + 1, updated_at = excluded.updated_at",
        by.resource as &Reference,
        by.space as &Space,
        profile.display_name,
        profile.purpose,
        profile.region,
        profile.state.number(),
        by.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}
