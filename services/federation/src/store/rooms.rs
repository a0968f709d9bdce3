//! What the border handed on to the rooms of this node.

use chassis::names::Space;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{signed, unsigned};

/// Number, in the sequence to the rooms, of the last event of a space that was handed on. What is not numbered yet
/// counts as beyond every number. A space's lines are appended under the lock of its order, so the last one has the
/// highest number, too.
///
/// # Errors
/// Where the database fails.
pub async fn handed_on(connection: &mut PgConnection, space: &Space) -> Result<u64, sqlx::Error> {
    let sequence = sqlx::query_scalar!(
        r#"select case when u.position is null then coalesce(r.sequence, 0) else 9223372036854775807 end as "sequence!"
             from (select position from log where space = $1 order by position desc limit 1) l
             left join relayed r using (position) left join unsequenced u using (position)"#,
        space.to_string(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(sequence.map_or(0, unsigned))
}

/// Since when the first event waits that was handed on after this number; `None` where there is none.
///
/// # Errors
/// Where the database fails.
pub async fn waiting_since(connection: &mut PgConnection, heard: u64) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!(
        "select l.recorded_at from relayed r join log l using (position)
          where r.sequence > $1 order by r.sequence limit 1",
        signed(heard),
    )
    .fetch_optional(connection)
    .await
}
