//! The enrolment desk: what an invitation's credentials reach, and for how long.

use std::time::Duration;

use federation::hub::{EnrolmentCredentials, EnrolmentDesk, HubError, enrol};

use super::raw::Raw;
use super::server::{Hub, PATIENCE, now, open, soon};

async fn desk(hub: &Hub) -> EnrolmentDesk {
    hub.admin().await.open_enrolment(now()).await.unwrap();
    let desk = EnrolmentDesk::open(&hub.reach, &hub.keys, now()).await.unwrap();
    open(desk.road()).await;
    desk
}

fn invitation(hub: &Hub, id: &str, life: Duration) -> EnrolmentCredentials {
    hub.keys.enrolment_credentials(id, now() + life).unwrap()
}

async fn raw(hub: &Hub, invited: &EnrolmentCredentials) -> Raw {
    let inbox = format!("_INBOX_enrol_{}", invited.invitation);
    Raw::connect(&hub.reach, &invited.user_token, &invited.user_seed, &inbox).await.unwrap()
}

#[tokio::test]
async fn who_knocks_is_answered_and_known_by_the_invitation() {
    let hub = Hub::start().await;
    let mut desk = desk(&hub).await;
    let answering = tokio::spawn(async move {
        for _ in 0..2 {
            let request = desk.next().await.unwrap();
            let answer = format!("{} said {:?}", request.invitation, request.bytes);
            request.answer(answer.into()).await.unwrap();
        }
    });
    let invited = invitation(&hub, "inv-1", PATIENCE);
    let answer = enrol(&hub.reach, &invited, "my key".into(), PATIENCE).await.unwrap();
    assert_eq!(answer, "inv-1 said b\"my key\"");
    let answer = enrol(&hub.wss, &invited, "over 443".into(), PATIENCE).await.unwrap();
    assert_eq!(answer, "inv-1 said b\"over 443\"");
    answering.await.unwrap();
}

#[tokio::test]
async fn nobody_at_the_desk_is_said_at_once() {
    let hub = Hub::start().await;
    hub.admin().await.open_enrolment(now()).await.unwrap();
    let invited = invitation(&hub, "inv-1", PATIENCE);
    let answer = soon(enrol(&hub.reach, &invited, "hello?".into(), 3 * PATIENCE)).await;
    assert!(matches!(answer, Err(HubError::Unanswered(_))));
}

#[tokio::test]
async fn an_invitation_reaches_the_desk_and_nothing_else() {
    let hub = Hub::start().await;
    let _desk = desk(&hub).await;
    let mut invited = raw(&hub, &invitation(&hub, "inv-1", PATIENCE)).await;
    for subject in [
        "enrol.inv-2",
        "enrol.inv-1.more",
        "up.frame",
        "$JS.API.INFO",
        "$JS.API.STREAM.CREATE.X",
        "$SYS.REQ.CLAIMS.UPDATE",
        "_INBOX_enrol_inv-2.x",
    ] {
        invited.may_not_publish(subject).await;
    }
    for subject in [">", "enrol.*", "enrol.inv-1", "_INBOX_enrol_inv-2.>", "_INBOX.>", "$SYS.>"] {
        invited.may_not_subscribe(subject).await;
    }
}

#[tokio::test]
async fn an_answer_goes_to_the_askers_own_inbox_only() {
    let hub = Hub::start().await;
    let mut desk = desk(&hub).await;
    let sly = raw(&hub, &invitation(&hub, "inv-1", PATIENCE)).await;
    sly.client.publish_with_reply("enrol.inv-1", "_INBOX_enrol_inv-2.x", "sly".into()).await.unwrap();
    sly.client.publish("enrol.inv-1", "mute".into()).await.unwrap();
    sly.client.publish_with_reply("enrol.inv-1", "_INBOX_enrol_inv-1.x", "honest".into()).await.unwrap();
    assert_eq!(soon(desk.next()).await.unwrap().bytes, "honest");
}

#[tokio::test]
async fn an_expired_invitation_is_refused() {
    let hub = Hub::start().await;
    let _desk = desk(&hub).await;
    let past = now() - Duration::from_secs(60);
    let invited = hub.keys.enrolment_credentials("inv-1", past).unwrap();
    let answer = enrol(&hub.reach, &invited, "late".into(), PATIENCE).await;
    assert!(matches!(answer, Err(HubError::Refused { .. })), "{answer:?}");
}

#[tokio::test]
async fn an_invitation_that_expires_while_connected_is_cut_off() {
    let hub = Hub::start().await;
    let _desk = desk(&hub).await;
    // The server counts in whole seconds.
    let mut invited = raw(&hub, &invitation(&hub, "inv-1", Duration::from_secs(2))).await;
    invited.is_thrown_out().await;
}
