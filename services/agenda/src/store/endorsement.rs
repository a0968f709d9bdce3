//! Endorsements as rows.

use chassis::database::unreadable;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::domain::Endorsement;
use crate::domain::endorsement::State;

struct Row {
    reference: Reference,
    space: Space,
    agenda_version: Reference,
    organization: Reference,
    statement: String,
    state: i32,
    state_reason: String,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_endorsements {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", space as "space: Space",
                      agenda_version as "agenda_version: Reference", organization as "organization: Reference",
                      statement, state, state_reason, version, created_at, updated_at
                 from agenda.endorsements "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Endorsement {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            reference: row.reference,
            space: row.space,
            version: row.agenda_version,
            organization: row.organization,
            statement: row.statement,
            state: row.state.try_into().map_err(unreadable)?,
            state_reason: row.state_reason,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// Adds an endorsement; one that is there already stays as it is.
pub async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    (version, organization, statement): (&Reference, &Reference, &str),
    (state, reason): (State, &str),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into agenda.endorsements
             (reference, space, agenda_version, organization, statement, state, state_reason, version, created_at,
              updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8) on conflict (reference) do nothing",
        event.resource.to_string(),
        event.space.to_string(),
        version.to_string(),
        organization.to_string(),
        statement,
        state.number(),
        reason,
        event.made_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes an endorsement back; on one that does not hold it is counted and changes nothing else.
pub async fn withdraw(
    connection: &mut PgConnection,
    reference: &Reference,
    reason: &str,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update agenda.endorsements
            set state = case state when $2 then $3 else state end,
                state_reason = case state when $2 then $4 else state_reason end,
                version = version + 1, updated_at = $5
          where reference = $1",
        reference.to_string(),
        State::Given.number(),
        State::Withdrawn.number(),
        reason,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One endorsement.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Endorsement>, sqlx::Error> {
    let row = select_endorsements!("where reference = $1", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One endorsement, which nobody else changes until the end of the transaction.
pub async fn load_locked(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<Endorsement>, sqlx::Error> {
    let row = select_endorsements!("where reference = $1 for update", reference.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(TryInto::try_into).transpose()
}

/// Whether an organization's endorsement of a version holds. Whoever asks this first of the same two, gives one first.
pub async fn given(
    connection: &mut PgConnection,
    version: &Reference,
    organization: &Reference,
) -> Result<bool, sqlx::Error> {
    let (version, organization) = (version.to_string(), organization.to_string());
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))", version, organization)
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar!(
        r#"select exists (select from agenda.endorsements
                           where agenda_version = $1 and organization = $2 and state = $3) as "given!""#,
        version,
        organization,
        State::Given.number(),
    )
    .fetch_one(connection)
    .await
}

/// Which endorsements a list is to hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those of this version.
    pub version: Option<Reference>,
    /// Only those of this organization.
    pub organization: Option<Reference>,
    /// Only those in this state.
    pub state: Option<State>,
}

/// Endorsements of a space sorted by reference, which is by home and then by time.
pub async fn list(
    connection: &mut PgConnection,
    space: &Space,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Endorsement>, sqlx::Error> {
    let rows = select_endorsements!(
        "where space = $1 and ($2::text is null or agenda_version = $2) and ($3::text is null or organization = $3)
           and ($4::integer is null or state = $4) and ($5::text is null or reference > $5)
         order by reference limit $6",
        space.to_string(),
        filter.version.as_ref().map(ToString::to_string),
        filter.organization.as_ref().map(ToString::to_string),
        filter.state.map(State::number),
        after,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}
