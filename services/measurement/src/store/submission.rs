//! Submissions as rows.

use chassis::database::unreadable;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{key, series};
use crate::domain::observation::NONE_YET;
use crate::domain::{Heading, State, Submission};

struct Row {
    reference: Reference,
    space: Space,
    measure: Reference,
    organization: Reference,
    basis: i32,
    source: String,
    state: i32,
    state_reason: String,
    observations: i64,
    digest: Vec<u8>,
    revision_reason: String,
    sealed_at: Option<OffsetDateTime>,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_submissions {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", space as "space: Space", measure as "measure: Reference",
                      organization as "organization: Reference", basis, source, state, state_reason, observations,
                      digest, revision_reason, sealed_at, version, created_at, updated_at
                 from measurement.submissions "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Submission {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let heading = Heading {
            measure: row.measure,
            organization: row.organization,
            basis: row.basis.try_into().map_err(unreadable)?,
            source: row.source,
        };
        Ok(Self {
            reference: row.reference,
            space: row.space,
            heading,
            state: row.state.try_into().map_err(unreadable)?,
            state_reason: row.state_reason,
            count: row.observations.try_into().map_err(unreadable)?,
            digest: row.digest.as_slice().try_into().map_err(unreadable)?,
            revision_reason: row.revision_reason,
            sealed_at: row.sealed_at,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// Adds a submission without observations; one that is there already stays as it is.
pub async fn insert(
    connection: &mut PgConnection,
    reference: &Reference,
    space: &Space,
    heading: &Heading,
    (state, reason): (State, &str),
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into measurement.submissions
             (reference, key, series, space, measure, organization, basis, source, state, state_reason, digest, version,
              created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12)
         on conflict (reference) do nothing",
        reference.to_string(),
        key(reference),
        series(space, heading),
        space.to_string(),
        heading.measure.to_string(),
        heading.organization.to_string(),
        heading.basis.number(),
        heading.source,
        state.number(),
        reason,
        NONE_YET.as_slice(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts one more event that changes nothing else.
pub async fn touch(
    connection: &mut PgConnection,
    reference: &Reference,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update measurement.submissions set version = version + 1, updated_at = $2 where reference = $1",
        reference.to_string(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that observations were added: how many there are now, and their digest.
pub async fn grow(
    connection: &mut PgConnection,
    reference: &Reference,
    count: i64,
    digest: &[u8; 32],
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update measurement.submissions
            set observations = $2, digest = $3, version = version + 1, updated_at = $4 where reference = $1",
        reference.to_string(),
        count,
        digest.as_slice(),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Seals a submission by an event.
pub async fn seal(
    connection: &mut PgConnection,
    reference: &Reference,
    sealed_by: Uuid,
    revision_reason: &str,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update measurement.submissions
            set state = $2, sealed_by = $3, sealed_at = $5, revision_reason = $4, version = version + 1, updated_at = $5
          where reference = $1",
        reference.to_string(),
        State::Sealed.number(),
        sealed_by,
        revision_reason,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes a submission void or withdrawn, and says why.
pub async fn end(
    connection: &mut PgConnection,
    reference: &Reference,
    (state, reason): (State, &str),
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update measurement.submissions
            set state = $2, state_reason = $3, version = version + 1, updated_at = $4 where reference = $1",
        reference.to_string(),
        state.number(),
        reason,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One submission.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Submission>, sqlx::Error> {
    let row = select_submissions!("where reference = $1", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One submission, which nobody else changes until the end of the transaction.
pub async fn load_locked(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<Submission>, sqlx::Error> {
    let row = select_submissions!("where reference = $1 for update", reference.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(TryInto::try_into).transpose()
}

/// Which submissions a list is to hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those on this measure.
    pub measure: Option<Reference>,
    /// Only those of this organization.
    pub organization: Option<Reference>,
    /// Only those in this state.
    pub state: Option<State>,
}

/// Submissions of a space sorted by reference, which is by home and then by time.
pub async fn list(
    connection: &mut PgConnection,
    space: &Space,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Submission>, sqlx::Error> {
    let rows = select_submissions!(
        "where space = $1 and ($2::text is null or measure = $2) and ($3::text is null or organization = $3)
           and ($4::integer is null or state = $4) and ($5::text is null or reference > $5)
         order by reference limit $6",
        space.to_string(),
        filter.measure.as_ref().map(ToString::to_string),
        filter.organization.as_ref().map(ToString::to_string),
        filter.state.map(State::number),
        after,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}
