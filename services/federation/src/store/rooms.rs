//! What the border handed on to the rooms of this node.

use chassis::names::Space;
use sqlx::PgConnection;

use super::unsigned;

/// Number, in the sequence to the rooms, of the last event of a space that was handed on. What is not numbered yet
/// counts as beyond every number.
///
/// # Errors
/// Where the database fails.
pub async fn handed_on(connection: &mut PgConnection, space: &Space) -> Result<u64, sqlx::Error> {
    let sequence = sqlx::query_scalar!(
        r#"select coalesce(max(case when u.position is null then coalesce(r.sequence, 0) else 9223372036854775807 end), 0)
                  as "sequence!"
             from log l left join relayed r using (position) left join unsequenced u using (position)
            where l.space = $1"#,
        space.to_string(),
    )
    .fetch_one(connection)
    .await?;
    Ok(unsigned(sequence))
}
