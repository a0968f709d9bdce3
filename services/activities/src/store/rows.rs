//! Resources as rows: what is asked of each of the room's tables.

use chassis::names::Reference;

/// Which resources a list is to hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only those that name each of these.
    pub names: Vec<Reference>,
    /// Only those in the state of this number.
    pub state: Option<i32>,
}

impl Filter {
    /// Those that name each of these, where there is one, in this state, where there is one.
    pub fn of(names: impl IntoIterator<Item = Option<Reference>>, state: Option<i32>) -> Self {
        Self { names: names.into_iter().flatten().collect(), state }
    }
}

/// References as a column has them.
pub(super) fn texts<'a>(references: impl IntoIterator<Item = &'a Reference>) -> Vec<String> {
    references.into_iter().map(ToString::to_string).collect()
}

macro_rules! select_rows {
    ($table:literal, $which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", space as "space: Space", state, reason,
                      content as "content: Json<Content>", version, created_at, updated_at from "#
                + $table
                + $which,
            $($argument),*
        )
    };
}
pub(super) use select_rows;

macro_rules! rows {
    ($module:ident: $table:literal, $content:ty, $state:ty) => {
        #[doc = concat!("Rows of ", $table, ".")]
        pub mod $module {
            use chassis::database::unreadable;
            use chassis::names::{Reference, Space};
            use chassis::revision::Stamp;
            use sqlx::PgConnection;
            use sqlx::types::Json;
            use time::OffsetDateTime;

            use crate::domain::{Content as _, Kept};
            use crate::store::Filter;
            use crate::store::rows::{select_rows, texts};

            type Content = $content;
            type Resource = Kept<$content, $state>;

            struct Row {
                reference: Reference,
                space: Space,
                state: i32,
                reason: String,
                content: Json<Content>,
                version: i64,
                created_at: OffsetDateTime,
                updated_at: OffsetDateTime,
            }

            impl TryFrom<Row> for Resource {
                type Error = sqlx::Error;

                fn try_from(row: Row) -> Result<Self, sqlx::Error> {
                    Ok(Self {
                        reference: row.reference,
                        space: row.space,
                        content: row.content.0,
                        state: row.state.try_into().map_err(unreadable)?,
                        reason: row.reason,
                        stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
                    })
                }
            }

            /// Adds a resource; one that is there already stays as it is.
            pub async fn insert(
                connection: &mut PgConnection,
                reference: &Reference,
                space: &Space,
                content: &Content,
                (state, reason): ($state, &str),
                at: OffsetDateTime,
            ) -> Result<(), sqlx::Error> {
                sqlx::query!(
                    "insert into "
                        + $table
                        + " (reference, space, names, state, reason, content, version, created_at, updated_at)
                            values ($1, $2, $3, $4, $5, $6, 1, $7, $7) on conflict (reference) do nothing",
                    reference.to_string(),
                    space.to_string(),
                    &texts(content.names()),
                    state.number(),
                    reason,
                    Json(content) as _,
                    at,
                )
                .execute(connection)
                .await?;
                Ok(())
            }

            /// Writes a resource as a step left it.
            pub async fn save(
                connection: &mut PgConnection,
                resource: &Resource,
                at: OffsetDateTime,
            ) -> Result<(), sqlx::Error> {
                sqlx::query!(
                    "update "
                        + $table
                        + " set names = $2, state = $3, reason = $4, content = $5, version = version + 1, updated_at = $6
                             where reference = $1",
                    resource.reference.to_string(),
                    &texts(resource.content.names()),
                    resource.state.number(),
                    resource.reason,
                    Json(&resource.content) as _,
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
                    "update " + $table + " set version = version + 1, updated_at = $2 where reference = $1",
                    reference.to_string(),
                    at,
                )
                .execute(connection)
                .await?;
                Ok(())
            }

            /// One resource.
            pub async fn load(
                connection: &mut PgConnection,
                reference: &Reference,
            ) -> Result<Option<Resource>, sqlx::Error> {
                let row = select_rows!($table, " where reference = $1", reference.to_string());
                row.fetch_optional(connection).await?.map(TryInto::try_into).transpose()
            }

            /// One resource, which nobody else changes until the end of the transaction.
            pub async fn load_locked(
                connection: &mut PgConnection,
                reference: &Reference,
            ) -> Result<Option<Resource>, sqlx::Error> {
                let row = select_rows!($table, " where reference = $1 for update", reference.to_string());
                row.fetch_optional(connection).await?.map(TryInto::try_into).transpose()
            }

            /// Resources of a space sorted by reference, which is by home and then by time.
            pub async fn list(
                connection: &mut PgConnection,
                space: &Space,
                filter: &Filter,
                after: Option<&str>,
                limit: i64,
            ) -> Result<Vec<Resource>, sqlx::Error> {
                let rows = select_rows!(
                    $table,
                    " where space = $1 and names @> $2 and ($3::integer is null or state = $3)
                        and ($4::text is null or reference > $4)
                      order by reference limit $5",
                    space.to_string(),
                    &texts(&filter.names),
                    filter.state,
                    after,
                    limit,
                );
                rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
            }
        }
    };
}
pub(super) use rows;
