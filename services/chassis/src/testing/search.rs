//! Searching a whole database, for tests of what a node must not hold.

use sqlx::{AssertSqlSafe, PgConnection};

/// The tables in which some row has these words, as text or as bytes. Search for what is there to be found, too:
/// otherwise nothing shows that the search finds anything.
pub async fn tables_with(connection: &mut PgConnection, words: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select quote_ident(table_schema) || '.' || quote_ident(table_name) from information_schema.tables
          where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') order by 1",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let hex: String = words.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut found = Vec::new();
    for table in tables {
        let select = format!(
            "select exists (select from {table} t where t::text like '%' || $1 || '%' or t::text like '%' || $2 || '%')"
        );
        let select = sqlx::query_scalar(AssertSqlSafe(select)).bind(words).bind(&hex);
        if select.fetch_one(&mut *connection).await.unwrap() {
            found.push(table);
        }
    }
    found
}
