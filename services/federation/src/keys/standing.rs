//! How far a change of this node's key has come in an initiative.

use chassis::names::Space;
use proto::federation::key_standing::State;
use sqlx::PgConnection;

use super::sealing;
use crate::border::Border;
use crate::domain::succession;
use crate::store::key_changes;
use crate::store::nodes::Initiative;
use crate::store::order;
use crate::wire::{self, Head};

/// How this node's key stands in an initiative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The initiative knows it.
    Known,
    /// This node does not know yet that it belongs.
    Unadmitted,
    /// It is about to be told.
    Untold,
    /// It was told, and the backbone has not judged it yet.
    Told,
    /// The backbone refused it.
    Refused(String),
    /// The initiative knows other keys of this node.
    Lost(&'static str),
}

impl Standing {
    /// As the contract says it.
    pub fn state(&self) -> State {
        match self {
            Self::Known => State::Known,
            Self::Unadmitted | Self::Untold => State::Untold,
            Self::Told => State::Told,
            Self::Refused(_) => State::Refused,
            Self::Lost(_) => State::Lost,
        }
    }

    /// The same in words, with what to do where something is to be done.
    pub fn words(&self) -> String {
        match self {
            Self::Known => "known".to_owned(),
            Self::Unadmitted => "is told as soon as this node knows that it belongs".to_owned(),
            Self::Untold => "is told within seconds, where the node runs".to_owned(),
            Self::Told => "told; the former key counts until the backbone accepts the new one".to_owned(),
            Self::Refused(reason) => {
                format!("the backbone refused the change, and the former key still counts there: {reason}")
            }
            Self::Lost(why) => format!("nothing that this node seals is taken there: {why}"),
        }
    }
}

/// How this node's key stands in an initiative that it writes in.
///
/// # Errors
/// Where the database fails.
pub async fn standing(
    connection: &mut PgConnection,
    border: &Border,
    initiative: &Initiative,
) -> Result<Standing, sqlx::Error> {
    // Asked first: what is judged by then is known to the second question.
    let told = key_changes::told(connection, &initiative.initiative, border.node()).await?;
    let position = order::read(connection, &Space::members(&initiative.initiative)).await?.position;
    let Some(known) = sealing::known(connection, border, initiative, position).await? else {
        return Ok(Standing::Unadmitted);
    };
    let chain: Vec<Head> = border.keys.chain().iter().filter_map(|key| wire::head(&key.public_key)).collect();
    if known == chain {
        return Ok(Standing::Known);
    }
    if succession::goes_on(&chain, &known) {
        return Ok(Standing::Lost(
            "its file holds a former key: put the newest copy of node.key into its data directory",
        ));
    }
    if !succession::goes_on(&known, &chain) {
        return Ok(Standing::Lost(
            "another key than its own was told as its next, by somebody who has the one before: revoke it, and make a \
             new node",
        ));
    }
    let told = told.into_iter().find(|told| Some(&told.public_key) == chain.last());
    Ok(match told {
        Some(told) if !told.judged => Standing::Told,
        Some(told) => Standing::Refused(told.refused.unwrap_or_else(|| "it does not know such a change".to_owned())),
        None if known.last().is_none_or(|key| border.keys.sign_with(key, b"").is_none()) => {
            Standing::Lost("the secret of the key that is known there is gone: revoke it, and make a new node")
        }
        None => Standing::Untold,
    })
}
