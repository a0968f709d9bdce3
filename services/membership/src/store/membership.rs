//! Memberships as rows, and the roles that hang on them.

mod save;

use chassis::database::unreadable;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::Rows;
use crate::domain::{Membership, MembershipState, Role, RoleTerm, Sector};

pub use save::{admit, end, end_role, grant, invite, reinstate, suspend};

struct Row {
    reference: Reference,
    initiative: Reference,
    organization: Option<Reference>,
    invitee: String,
    state: i32,
    reason: String,
    join_request: Option<Reference>,
    roles: Vec<i32>,
    starts: Vec<OffsetDateTime>,
    ends: Vec<Option<OffsetDateTime>>,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl TryFrom<Row> for Membership {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let terms = row.roles.into_iter().zip(row.starts).zip(row.ends);
        let terms =
            terms.map(|((role, from), until)| Ok(RoleTerm { role: role.try_into().map_err(unreadable)?, from, until }));
        Ok(Self {
            reference: row.reference,
            initiative: row.initiative,
            organization: row.organization,
            invitee: row.invitee,
            state: row.state.try_into().map_err(unreadable)?,
            reason: row.reason,
            roles: terms.collect::<Result<_, sqlx::Error>>()?,
            join_request: row.join_request,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// One membership.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Membership>, sqlx::Error> {
    Ok(among(connection, std::slice::from_ref(reference)).await?.pop())
}

/// One membership, locked until the transaction ends.
pub async fn load_locked(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<Membership>, sqlx::Error> {
    sqlx::query!("select from membership.memberships where reference = $1 for update", reference as &Reference)
        .fetch_optional(&mut *connection)
        .await?;
    load(connection, reference).await
}

/// The membership of an organization that has not ended; there is one at the most.
pub async fn standing(
    connection: &mut PgConnection,
    initiative: &Reference,
    organization: &Reference,
) -> Result<Option<Membership>, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"select reference as "reference: Reference" from membership.memberships
            where initiative = $1 and organization = $2 and state <> $3"#,
        initiative as &Reference,
        organization as &Reference,
        MembershipState::Ended.number()
    )
    .fetch_all(&mut *connection)
    .await?;
    Ok(among(connection, &found).await?.pop())
}

/// The first of these organizations that is no active member of an initiative.
pub async fn outside(
    connection: &mut PgConnection,
    initiative: &Reference,
    organizations: &[Reference],
) -> Result<Option<Reference>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select asked.organization as "organization!: Reference" from unnest($2::text[]) asked(organization)
            where not exists (
                  select from membership.memberships m
                   where m.initiative = $1 and m.organization = asked.organization and m.state = $3)
            order by 1 limit 1"#,
        initiative as &Reference,
        organizations as &[Reference],
        MembershipState::Active.number()
    )
    .fetch_optional(connection)
    .await
}

async fn among(connection: &mut PgConnection, references: &[Reference]) -> Result<Vec<Membership>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"select m.reference as "reference: Reference", initiative as "initiative: Reference",
                  organization as "organization: Reference", invitee, state, reason, join_request as "join_request: Reference",
                  array(select role from membership.role_terms where membership = m.reference order by role) as "roles!",
                  array(select starts from membership.role_terms where membership = m.reference order by role) as "starts!",
                  array(select ends from membership.role_terms where membership = m.reference order by role)
                      as "ends!: Vec<Option<OffsetDateTime>>",
                  version, created_at, updated_at
             from membership.memberships m where m.reference = any($1) order by m.reference"#,
        references as &[Reference]
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .map(Membership::try_from)
    .collect()
}

/// Which memberships of an initiative to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only those in this state.
    pub state: Option<MembershipState>,
    /// Only those of organizations of this sector.
    pub sector: Option<Sector>,
    /// Only those that hold this role now.
    pub role: Option<Role>,
    /// Only those in this space.
    pub space: Option<&'a Space>,
}

/// Memberships, sorted by reference.
pub async fn list(
    connection: &mut PgConnection,
    initiative: &Reference,
    filter: Filter<'_>,
    now: OffsetDateTime,
    rows: Rows<'_>,
) -> Result<Vec<Membership>, sqlx::Error> {
    let matching = sqlx::query_scalar!(
        r#"select reference as "reference: Reference" from membership.memberships m
            where initiative = $1
              and ($2::integer is null or state = $2)
              and ($3::integer is null or exists (
                      select from membership.organizations o where o.reference = m.organization and o.sector = $3))
              and ($4::integer is null or exists (
                      select from membership.role_terms r
                       where r.membership = m.reference and r.role = $4 and not r.resting
                         and r.starts <= $5 and (r.ends is null or r.ends > $5)))
              and ($6::text is null or space = $6)
              and ($7::text is null or reference > $7)
            order by reference limit $8"#,
        initiative as &Reference,
        filter.state.map(MembershipState::number),
        filter.sector.map(Sector::number),
        filter.role.map(Role::number),
        now,
        filter.space as Option<&Space>,
        rows.after,
        rows.limit
    )
    .fetch_all(&mut *connection)
    .await?;
    among(connection, &matching).await
}
