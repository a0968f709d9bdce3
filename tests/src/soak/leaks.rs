//! Canaries: words said only in the spaces of two nodes, and these spaces' names, looked for wherever another node or
//! its mailbox keeps anything.
//!
//! The search is shown to find what is there: in the databases of the two.

use std::path::PathBuf;

use data_encoding::BASE64URL_NOPAD;
use node::demo::search;
use node::error::NodeError;
use sqlx::{Connection, PgConnection};

use super::command::canary;
use super::field::Field;
use super::wrong;

/// What leaked, in words. That the search finds nothing where something must be is a finding of the log.
pub async fn look(field: &Field, seed: u64) -> Result<Vec<String>, NodeError> {
    let secrets = field.world.secret.iter().enumerate();
    let words: Vec<String> = secrets.flat_map(|(number, secret)| [canary(seed, number), secret.name.clone()]).collect();
    let mut leaked = Vec::new();
    for word in &words {
        for (number, place) in field.places.iter().enumerate() {
            let node = place.node.read().await;
            let found = search::everywhere(&node, word).await?;
            let name = node.sketch.name;
            match number {
                0 | 1 if found.is_empty() => {
                    field.log.finding(&format!("the search for {word} finds nothing on {name}, which holds it"));
                }
                0 | 1 => {}
                _ => leaked.extend(found.into_iter().map(|place| format!("{word} on {name}: {place}"))),
            }
        }
        for folder in beyond(field).await? {
            let mut found = Vec::new();
            if folder.exists() {
                search::files(&folder, word, &mut found).map_err(wrong)?;
            }
            leaked.extend(found.into_iter().map(|place| format!("{word} in {place}")));
        }
    }
    Ok(leaked)
}

/// Where else something for those may lie who may not know: their mailboxes at the hub, and all that the cheat has.
async fn beyond(field: &Field) -> Result<Vec<PathBuf>, NodeError> {
    let mut folders = vec![field.cheat.folder().await, mailbox(field, field.cheat.credentials())?];
    for place in field.places.iter().skip(2) {
        let url = place.node.read().await.database().to_owned();
        let mut connection = PgConnection::connect(&url).await.map_err(NodeError::Unreadable)?;
        let credentials: serde_json::Value = sqlx::query_scalar("select mailbox from federation.links")
            .fetch_one(&mut connection)
            .await
            .map_err(NodeError::Unreadable)?;
        connection.close().await.map_err(NodeError::Unreadable)?;
        folders.push(mailbox(field, &serde_json::from_value(credentials).map_err(wrong)?)?);
    }
    Ok(folders)
}

/// The folder in which the hub keeps a node's mailbox: named like the account that its token names.
fn mailbox(field: &Field, credentials: &federation::hub::NodeCredentials) -> Result<PathBuf, NodeError> {
    let claims = credentials.user_token.split('.').nth(1).unwrap_or_default();
    let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).map_err(wrong)?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).map_err(wrong)?;
    let account = claims.pointer("/nats/issuer_account").and_then(|account| account.as_str());
    let account = account.ok_or_else(|| wrong("a node's token names no account"))?;
    Ok(field.folder.join("hub/jetstream/jetstream").join(account))
}
