//! The partner who cheats is found out: in the midst of everything the backbone shuts it out, and from that place in the
//! members' order on nobody takes anything of it.

use std::time::Duration;

use chassis::clock;
use node::error::NodeError;
use proto::federation::RevokeNodeRequest;
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use super::books::Books;
use super::field::Field;
use super::wrong;

const CALL: Duration = Duration::from_secs(15);
const AGAIN: Duration = Duration::from_millis(500);
const ANSWERED_WITHIN: Duration = Duration::from_secs(180);

/// Has the backbone shut it out after some time, however often that must be asked for.
pub async fn shut_out(field: &Field, after: Duration) -> Result<(), NodeError> {
    sleep(after).await;
    let request = RevokeNodeRequest {
        request_id: clock::new_id().to_string(),
        initiative: field.world.initiative.clone(),
        node: field.cheat.id().to_string(),
        reason: "it cheats".to_owned(),
    };
    let began = Instant::now();
    loop {
        let asking = async {
            let client = field.place(0)?.node.read().await.operator()?;
            Ok::<_, NodeError>(client.federation().revoke_node(request.clone()).await?)
        };
        match timeout(CALL, asking).await {
            Ok(Ok(_)) => break,
            _ if began.elapsed() > ANSWERED_WITHIN => return Err(wrong("nobody shuts out the one who cheats")),
            _ => sleep(AGAIN).await,
        }
    }
    field.log.note("the one who cheats is shut out");
    Ok(())
}

/// What was taken of it after its end, and who does not know that it has ended.
pub async fn look(field: &Field, books: &[Books]) -> Result<(Vec<String>, Vec<String>), NodeError> {
    let (mut forged, mut lost) = (Vec::new(), Vec::new());
    let (cheat, members) = (field.cheat.id().as_str(), field.world.space("members"));
    for (place, books) in field.places.iter().zip(books) {
        let url = place.node.read().await.database().to_owned();
        let mut connection = PgConnection::connect(&url).await.map_err(NodeError::Unreadable)?;
        let ended: Option<i64> = sqlx::query_scalar("select max(ended_position) from federation.nodes where node = $1")
            .bind(cheat)
            .fetch_one(&mut connection)
            .await
            .map_err(NodeError::Unreadable)?;
        connection.close().await.map_err(NodeError::Unreadable)?;
        let Some(ended) = ended else {
            lost.push(format!("{} does not know that the one who cheats was shut out", books.name));
            continue;
        };
        let order = books.orders.get(&members).into_iter().flatten();
        let later = order.filter(|(position, step)| **position > ended && step.feed.1 == cheat);
        forged.extend(later.map(|(position, _)| {
            format!("{}: at {position} something of the one who cheats, which was shut out at {ended}", books.name)
        }));
    }
    Ok((forged, lost))
}
