//! The practice card, and the public space it lives in.

use proto::messaging::{GetPracticeCardRequest, PracticeCardState};

use super::{Check, everywhere, same_state};
use crate::demo::{Memory, practice};
use crate::error::NodeError;
use crate::fleet::{Coalition, Node};

/// Waits until all hold the same of the public space, and says what.
pub(super) async fn state(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    let digests = coalition.settled(&format!("{}/public", memory.initiative)).await?;
    let everybody: Vec<&Node> = coalition.nodes.iter().collect();
    Ok(same_state("state digest of the public space", &everybody, &digests))
}

pub(super) async fn card(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    everywhere(coalition, "practice card for others", practice::TITLE, async |node| {
        let request = GetPracticeCardRequest { practice_card: memory.practice_card.clone() };
        let card = node.operator()?.messaging().get_practice_card(request).await?.into_inner().practice_card;
        let card = card.unwrap_or_default();
        match card.state() {
            PracticeCardState::Published => Ok(card.definition.unwrap_or_default().title),
            other => Ok(other.as_str_name().to_owned()),
        }
    })
    .await
}
