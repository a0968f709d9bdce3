//! What is pledged towards a need.

use chassis::names::{Reference, Space};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::domain::pledge::State;
use crate::domain::{Means, pledge::Definition};

/// The means of all pledges towards a need that stand or were kept.
pub async fn towards(
    connection: &mut PgConnection,
    need: &Reference,
    space: &Space,
) -> Result<Vec<Means>, sqlx::Error> {
    let rows = sqlx::query_scalar!(
        r#"select content as "content: Json<Definition>" from activities.pledges
            where names @> array[$1::text] and content->>'need' = $1 and space = $2 and state = any($3)"#,
        need.to_string(),
        space.to_string(),
        &[State::Open.number(), State::Kept.number()],
    );
    Ok(rows.fetch_all(connection).await?.into_iter().map(|content| content.0.means).collect())
}
