//! How far people have read, as rows.

use chassis::names::Reference;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// How far a person has read a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPosition {
    /// Its name on this node.
    pub reference: Reference,
    /// Cursor of the last entry that was read.
    pub cursor: String,
    /// When it was moved.
    pub updated_at: OffsetDateTime,
}

/// Moves a read position, or begins one.
pub async fn save(
    connection: &mut PgConnection,
    reference: &Reference,
    (person, channel): (&str, &Reference),
    cursor: &str,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into messaging.read_positions as before (reference, person, channel, cursor, version, updated_at)
         values ($1, $2, $3, $4, 1, $5)
         on conflict (reference) do update
            set cursor = excluded.cursor, version = before.version + 1, updated_at = excluded.updated_at",
        reference.to_string(),
        person,
        channel.to_string(),
        cursor,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How far a person has read a channel; `None` where nothing is known.
pub async fn load(
    connection: &mut PgConnection,
    person: &str,
    channel: &Reference,
) -> Result<Option<ReadPosition>, sqlx::Error> {
    sqlx::query_as!(
        ReadPosition,
        r#"select reference as "reference: Reference", cursor, updated_at
             from messaging.read_positions where person = $1 and channel = $2 order by reference limit 1"#,
        person,
        channel.to_string(),
    )
    .fetch_optional(connection)
    .await
}

/// As [`load`]; nobody else begins or moves it until the end of the transaction.
pub async fn load_locked(
    connection: &mut PgConnection,
    person: &str,
    channel: &Reference,
) -> Result<Option<ReadPosition>, sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))", person, channel.to_string())
        .execute(&mut *connection)
        .await?;
    load(connection, person, channel).await
}
