//! Postings as rows.

use chassis::database::unreadable;
use chassis::names::{Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{By, Rows};
use crate::domain::posting::{PostingDirection, PostingKind};
use crate::domain::{Posting, PostingProfile, PostingState};

struct Row {
    reference: Reference,
    initiative: Reference,
    organization: Reference,
    direction: i32,
    kind: i32,
    description: String,
    quantity: String,
    open_until: Option<OffsetDateTime>,
    state: i32,
    reason: String,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_postings {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", initiative as "initiative: Reference", 
                      organization as "organization: Reference", direction, kind, description, quantity, open_until,
                      state, reason, version, created_at, updated_at
                 from membership.postings "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Posting {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            reference: row.reference,
            initiative: row.initiative,
            profile: PostingProfile {
                organization: row.organization,
                direction: row.direction.try_into().map_err(unreadable)?,
                kind: row.kind.try_into().map_err(unreadable)?,
                description: row.description,
                quantity: row.quantity,
                open_until: row.open_until,
            },
            state: row.state.try_into().map_err(unreadable)?,
            reason: row.reason,
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// One posting.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Posting>, sqlx::Error> {
    let row = select_postings!("where reference = $1", reference as &Reference).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One posting, locked until the transaction ends.
pub async fn load_locked(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Posting>, sqlx::Error> {
    let row = select_postings!("where reference = $1 for update", reference as &Reference);
    row.fetch_optional(connection).await?.map(TryInto::try_into).transpose()
}

/// Which postings of an initiative to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only offers, or only needs.
    pub direction: Option<PostingDirection>,
    /// Only those of this kind.
    pub kind: Option<PostingKind>,
    /// Only those in this state.
    pub state: Option<PostingState>,
    /// Only those of this organization.
    pub organization: Option<&'a Reference>,
    /// Only those in this space.
    pub space: Option<&'a Space>,
}

/// Postings of an initiative, sorted by reference.
pub async fn list(
    connection: &mut PgConnection,
    initiative: &Reference,
    filter: Filter<'_>,
    rows: Rows<'_>,
) -> Result<Vec<Posting>, sqlx::Error> {
    let rows = select_postings!(
        "where initiative = $1 and ($2::text is null or space = $2) and ($3::text is null or reference > $3)
           and ($5::integer is null or direction = $5) and ($6::integer is null or kind = $6)
           and ($7::integer is null or state = $7) and ($8::text is null or organization = $8)
         order by reference limit $4",
        initiative as &Reference,
        filter.space as Option<&Space>,
        rows.after,
        rows.limit,
        filter.direction.map(PostingDirection::number),
        filter.kind.map(PostingKind::number),
        filter.state.map(PostingState::number),
        filter.organization as Option<&Reference>,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Writes what a posting says from now on. One that is over stays as it was, and counts the event.
pub async fn save(connection: &mut PgConnection, by: By<'_>, profile: &PostingProfile) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.postings set kind = $3, description = $4, quantity = $5, open_until = $6
          where reference = $1 and state = $2",
        by.resource as &Reference,
        PostingState::Open.number(),
        profile.kind.number(),
        profile.description,
        profile.quantity,
        profile.open_until,
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into membership.postings
             (reference, initiative, space, organization, direction, kind, description, quantity, open_until, state, version, created_at, updated_at)
         values ($1, $2, $3, $6, $7, $8, $9, $10, $11, $5, 1, $4, $4)
         on conflict (reference) do update set
             version = postings.version + 1, updated_at = excluded.updated_at",
        by.resource as &Reference,
        by.initiative as &Reference,
        by.space as &Space,
        by.made_at,
        PostingState::Open.number(),
        &profile.organization as &Reference,
        profile.direction.number(),
        profile.kind.number(),
        profile.description,
        profile.quantity,
        profile.open_until,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a posting was met or withdrawn. One that is over already stays as it was, and counts the event.
pub async fn close(
    connection: &mut PgConnection,
    by: By<'_>,
    state: PostingState,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update membership.postings
            set state = case when state = $2 then $3 else state end, reason = case when state = $2 then $4 else reason end,
                version = version + 1, updated_at = $5
          where reference = $1",
        by.resource as &Reference,
        PostingState::Open.number(),
        state.number(),
        reason,
        by.made_at
    )
    .execute(connection)
    .await?;
    Ok(())
}
