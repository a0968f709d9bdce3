//! The activities that a coverage matrix is made of.

use chassis::database::unreadable;
use chassis::names::Space;
use futures_util::StreamExt;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::domain::activity::{Definition, State};
use crate::domain::coverage::Coverage;

/// Counts the activities of a space into a matrix, one by one as they come.
pub async fn count(connection: &mut PgConnection, space: &Space, coverage: &mut Coverage) -> Result<(), sqlx::Error> {
    let rows = sqlx::query!(
        r#"select state, content as "content: Json<Definition>" from activities.activities where space = $1"#,
        space.to_string(),
    );
    let mut rows = rows.fetch(connection);
    while let Some(row) = rows.next().await {
        let row = row?;
        coverage.count(State::try_from(row.state).map_err(unreadable)?, &row.content.0);
    }
    Ok(())
}
