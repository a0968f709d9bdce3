//! Looks everywhere on a node for words: in every column of every table of its database, and in every file of its
//! folder, where its broker keeps what is on the way.

use std::path::Path;

use chassis::database::without_password;
use data_encoding::HEXLOWER;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::error::NodeError;
use crate::fleet::Node;

/// Tables and files that hold the words, sorted.
///
/// # Errors
/// Where tables or files cannot be read.
pub async fn everywhere(node: &Node, words: &str) -> Result<Vec<String>, NodeError> {
    let mut found = tables(node, words).await?;
    let folder = &node.config().node.data_dir;
    files(folder, words, &mut found).map_err(|source| NodeError::DataDir { path: folder.clone(), source })?;
    found.sort();
    Ok(found)
}

/// Tables of its database that hold the words.
pub(super) async fn tables(node: &Node, words: &str) -> Result<Vec<String>, NodeError> {
    let url = node.database();
    let failed = |source| chassis::database::DatabaseError::Unreachable { address: without_password(url), source };
    let mut connection = PgConnection::connect(url).await.map_err(failed)?;
    let names: Vec<(String, String)> = sqlx::query_as(
        "select schemaname::text, tablename::text from pg_catalog.pg_tables
          where schemaname not in ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut connection)
    .await
    .map_err(failed)?;
    let mut found = Vec::new();
    for (schema, table) in names {
        // A row as text shows every column: bytes in hexadecimal, and arrays and JSON as they are.
        let (schema_name, table_name) = (quoted(&schema), quoted(&table));
        let query = format!(
            "select exists (select from {schema_name}.{table_name} row
                             where strpos(row::text, $1) > 0 or strpos(row::text, $2) > 0)"
        );
        let holds: bool = sqlx::query_scalar(AssertSqlSafe(query))
            .bind(words)
            .bind(HEXLOWER.encode(words.as_bytes()))
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        if holds {
            found.push(format!("{schema}.{table}"));
        }
    }
    connection.close().await.map_err(failed)?;
    Ok(found)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Adds the files under a folder that hold the words.
///
/// # Errors
/// Where the folder cannot be read.
pub fn files(folder: &Path, words: &str, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            files(&entry.path(), words, found)?;
        } else if kind.is_file() && holds(&entry.path(), words) {
            found.push(entry.path().display().to_string());
        }
    }
    Ok(())
}

/// A broker may take a file away while it is looked at.
fn holds(path: &Path, words: &str) -> bool {
    std::fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(words))
}
