//! The thread on every node, and what must be gone from it.

use proto::messaging::{Entry, MessageState};

use super::{Check, everywhere};
use crate::demo::talk::{self, CONCLUSION, OF_BRIDGEPORT, OF_HARTFORD, QUESTION, TAKEN_BACK};
use crate::demo::{Memory, search};
use crate::error::NodeError;
use crate::fleet::Coalition;

pub(super) async fn thread(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    let said = [QUESTION, OF_BRIDGEPORT, "(taken back)", OF_HARTFORD, CONCLUSION].join(" / ");
    everywhere(coalition, "thread on graduation", said, async |node| {
        let entries = talk::entries(&node.operator()?, &memory.thread).await?;
        Ok(entries.into_iter().map(words).collect::<Vec<_>>().join(" / "))
    })
    .await
}

fn words(entry: Entry) -> String {
    let message = entry.message.unwrap_or_default();
    match message.state() {
        _ if entry.pending => format!("(on its way) {}", message.body),
        MessageState::Withdrawn => format!("(taken back){}", message.body),
        _ => message.body,
    }
}

/// In no table: neither where it was read, nor where it was told, nor at the border. What brokers carried they forget after
/// an hour, so their files are not looked at. What was said before and after it is found by the same search.
pub(super) async fn taken_back(coalition: &Coalition) -> Result<Vec<Check>, NodeError> {
    let expected = "gone, and what was said before and after it is kept";
    everywhere(coalition, "message that was taken back, in every table", expected, async |node| {
        for kept in [OF_BRIDGEPORT, OF_HARTFORD] {
            if search::tables(node, kept).await?.is_empty() {
                return Ok(format!("the search does not find \"{kept}\""));
            }
        }
        let places = search::tables(node, TAKEN_BACK).await?;
        Ok(if places.is_empty() { expected.to_owned() } else { places.join(", ") })
    })
    .await
}
