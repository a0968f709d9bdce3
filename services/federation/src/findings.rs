//! Lines of quarantine as people are shown them: whose they are, and what one does now.

use chassis::event::timestamp;
use chassis::names::NodeId;
use proto::federation::QuarantinedItem;
use proto::federation::quarantined_item::Standing as Shown;
use sqlx::PgConnection;

use crate::advice;
use crate::store::nodes;
use crate::store::quarantine::{Quarantined, Standing};

/// Lines as messages. `here` is this node.
///
/// # Errors
/// Where the database fails.
pub async fn items(
    connection: &mut PgConnection,
    here: &NodeId,
    lines: Vec<Quarantined>,
) -> Result<Vec<QuarantinedItem>, sqlx::Error> {
    let mut items = Vec::<QuarantinedItem>::with_capacity(lines.len());
    for line in lines {
        let display_name = match items.iter().find(|item| item.node == line.node) {
            Some(same) => same.display_name.clone(),
            None => nodes::called(connection, &line.node).await?,
        };
        items.push(item(here, line, display_name));
    }
    Ok(items)
}

fn item(here: &NodeId, line: Quarantined, display_name: String) -> QuarantinedItem {
    // What parted here is said of this node's own feed, and is nothing that it told.
    let ours = line.standing == Standing::Refused && line.origin == here.as_str();
    QuarantinedItem {
        id: line.id,
        advice: advice::of(&line.code, line.standing, ours),
        standing: shown(line.standing).into(),
        ours,
        display_name,
        node: line.node,
        space: line.space,
        origin: line.origin,
        sequence: line.sequence,
        code: line.code,
        reason: line.reason,
        at: Some(timestamp(line.at)),
    }
}

fn shown(standing: Standing) -> Shown {
    match standing {
        Standing::Refused => Shown::Refused,
        Standing::Open => Shown::Open,
        Standing::Held => Shown::Held,
        Standing::Alarm => Shown::Alarm,
    }
}
