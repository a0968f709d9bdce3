//! Join requests as rows.

use chassis::database::unreadable;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{By, Rows};
use crate::domain::{Asked, JoinRequest, JoinRequestState};

struct Row {
    reference: Reference,
    initiative: Reference,
    organization: Reference,
    statement: String,
    state: i32,
    answered_by: Option<Reference>,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl TryFrom<Row> for JoinRequest {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            reference: row.reference,
            initiative: row.initiative,
            asked: Asked { organization: row.organization, statement: row.statement },
            state: row.state.try_into().map_err(unreadable)?,
            answered_by: row.answered_by,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// One request.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<JoinRequest>, sqlx::Error> {
    Ok(among(connection, std::slice::from_ref(reference)).await?.pop())
}

/// One request, locked until the transaction ends.
pub async fn load_locked(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<JoinRequest>, sqlx::Error> {
    sqlx::query!("select from membership.join_requests where reference = $1 for update", reference as &Reference)
        .fetch_optional(&mut *connection)
        .await?;
    load(connection, reference).await
}

/// Those of the requests named that are known here, sorted by reference. The backbone answers with a membership, which
/// has another home: the answer is looked up, never stored with the request.
async fn among(connection: &mut PgConnection, references: &[Reference]) -> Result<Vec<JoinRequest>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"select reference as "reference: Reference", initiative as "initiative: Reference",
                  organization as "organization: Reference", statement, state,
                  (select min(m.reference) from membership.memberships m where m.join_request = j.reference)
                      as "answered_by: Reference",
                  version, created_at, updated_at
             from membership.join_requests j where reference = any($1) order by reference"#,
        references as &[Reference]
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .map(JoinRequest::try_from)
    .collect()
}

/// Which requests of an initiative to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only those in this state.
    pub state: Option<JoinRequestState>,
    /// Only those without an answer.
    pub unanswered: bool,
    /// Only those of this organization.
    pub organization: Option<&'a Reference>,
    /// Only those in this space.
    pub space: Option<&'a Space>,
}

/// Requests, sorted by reference.
pub async fn list(
    connection: &mut PgConnection,
    initiative: &Reference,
    filter: Filter<'_>,
    rows: Rows<'_>,
) -> Result<Vec<JoinRequest>, sqlx::Error> {
    let matching = sqlx::query_scalar!(
        r#"select reference as "reference: Reference" from membership.join_requests j
            where initiative = $1
              and ($2::integer is null or state = $2)
              and not ($3 and exists (select from membership.memberships m where m.join_request = j.reference))
              and ($4::text is null or organization = $4)
              and ($5::text is null or space = $5)
              and ($6::text is null or reference > $6)
            order by reference limit $7"#,
        initiative as &Reference,
        filter.state.map(JoinRequestState::number),
        filter.unanswered,
        filter.organization as Option<&Reference>,
        filter.space as Option<&Space>,
        rows.after,
        rows.limit
    )
    .fetch_all(&mut *connection)
    .await?;
    among(connection, &matching).await
}

/// Writes a request that was made.
pub async fn save(connection: &mut PgConnection, by: By<'_>, asked: &Asked) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into membership.join_requests
             (reference, initiative, space, organization, statement, state, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, 1, $7, $7)
         on conflict (reference) do update set
             organization = excluded.organization, statement = excluded.statement, state = excluded.state,
             version = join_requests.version + 1, updated_at = excluded.updated_at",
        by.resource as &Reference,
        by.initiative as &Reference,
        by.space as &Space,
        &asked.organization as &Reference,
        asked.statement,
        JoinRequestState::Open.number(),
        by.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a request was taken back.
pub async fn withdraw(connection: &mut PgConnection, by: By<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.join_requests set state = $2, version = version + 1, updated_at = $3 where reference = $1",
        by.resource as &Reference,
        JoinRequestState::Withdrawn.number(),
        by.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}
