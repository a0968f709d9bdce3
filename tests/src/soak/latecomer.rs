//! Who joins in the midst of everything, and is to be filled from the first entry.

use std::time::Duration;

use chassis::clock;
use node::error::NodeError;
use proto::federation::{CreateInvitationRequest, JoinInitiativeRequest};
use tokio::time::{Instant, sleep, timeout};

use super::field::{Field, by_door};
use super::wrong;

const CALL: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(500);
const JOINS_WITHIN: Duration = Duration::from_secs(180);
/// Clocks may be wrong by hours, and an invitation is good by the backbone's.
const VALID_SECONDS: u32 = 7 * 24 * 3600;

/// Lets the last of the nodes join after some time, however often that must be tried.
pub async fn join(field: &Field, after: Duration) -> Result<(), NodeError> {
    sleep(after).await;
    let invitation = CreateInvitationRequest {
        request_id: clock::new_id().to_string(),
        initiative: field.world.initiative.clone(),
        initiative_name: field.world.name.clone(),
        display_name: "Library of Omega".to_owned(),
        valid_seconds: VALID_SECONDS,
        follower: false,
    };
    let request_id = clock::new_id().to_string();
    let began = Instant::now();
    loop {
        let said = match timeout(CALL, once(field, &invitation, &request_id)).await {
            Ok(Ok(())) => break,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if began.elapsed() > JOINS_WITHIN {
            return Err(wrong(format!("nobody lets the latecomer in: {said}")));
        }
        sleep(AGAIN).await;
    }
    field.log.note(&format!("the latecomer joined after {:.1} s", began.elapsed().as_secs_f64()));
    Ok(())
}

async fn once(field: &Field, invitation: &CreateInvitationRequest, request_id: &str) -> Result<(), NodeError> {
    let backbone = field.place(0)?.node.read().await.operator()?;
    let line = backbone.federation().create_invitation(invitation.clone()).await?.into_inner().invitation;
    let place = field.places.last().ok_or_else(|| wrong("nobody comes late"))?;
    let invitation = by_door(&line, place.ground.proxy.address)?;
    let join = JoinInitiativeRequest { request_id: request_id.to_owned(), invitation };
    let node = place.node.read().await.operator()?;
    node.federation().join_initiative(join).await?;
    Ok(())
}
