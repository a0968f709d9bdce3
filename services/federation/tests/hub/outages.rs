//! The hub goes away and comes back, with its disk or without.

use std::time::Duration;

use federation::hub::{EnrolmentDesk, MailboxError, NodeMailbox, Road, enrol};

use super::server::{Hub, PATIENCE, SIZE, now, open, refused, soon};

#[tokio::test]
async fn what_was_not_acknowledged_survives_a_crash_of_the_hub() {
    let mut hub = Hub::start().await;
    let alpha = hub.admit(&hub.admin().await, "alpha").await;
    let (node, backbone) = hub.ends(&alpha).await;
    node.send_up("before".into()).await.unwrap().await.unwrap();

    let waiting = tokio::spawn(async move {
        let frames = soon(node.pull_down(1)).await.unwrap();
        (node, frames)
    });
    hub.kill().await;
    let mut road = backbone.road();
    soon(road.wait_for(|road| matches!(road, Road::Disconnected(_)))).await.unwrap();
    assert_eq!(backbone.send_down("lost?".into()).await.err(), Some(MailboxError::Away));
    hub.start_again().await;
    open(backbone.road()).await;

    backbone.send_down("after".into()).await.unwrap().await.unwrap();
    // It asks again as soon as it is connected, not when its request would have run out.
    let (_node, frames) = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    assert_eq!(frames[0].bytes, "after");
    assert_eq!(soon(backbone.pull_up(1)).await.unwrap().remove(0).bytes, "before");
}

#[tokio::test]
async fn a_hub_that_lost_its_disk_is_restored_by_opening_the_mailboxes_again() {
    let mut hub = Hub::start().await;
    let admin = hub.admin().await;
    admin.open_enrolment(now()).await.unwrap();
    let mut desk = EnrolmentDesk::open(&hub.reach, &hub.keys, now()).await.unwrap();
    let alpha = hub.admit(&admin, "alpha").await;
    let (node, backbone) = hub.ends(&alpha).await;
    node.send_up("lost".into()).await.unwrap().await.unwrap();

    hub.kill().await;
    hub.wipe_disk();
    hub.start_again().await;
    refused(node.road()).await;
    refused(backbone.road()).await;
    refused(desk.road()).await;

    open(admin.road()).await;
    admin.open_enrolment(now()).await.unwrap();
    admin.open_mailbox(&alpha.keys, SIZE, now()).await.unwrap();
    open(node.road()).await;
    open(backbone.road()).await;
    open(desk.road()).await;
    node.send_up("again".into()).await.unwrap().await.unwrap();
    assert_eq!(soon(backbone.pull_up(9)).await.unwrap().remove(0).bytes, "again");
    backbone.send_down("yes".into()).await.unwrap().await.unwrap();
    assert_eq!(soon(node.pull_down(9)).await.unwrap().remove(0).bytes, "yes");

    let invited = hub.keys.enrolment_credentials("inv-1", now() + PATIENCE).unwrap();
    let asking = enrol(&hub.reach, &invited, "still there?".into(), PATIENCE);
    let answering = async { desk.next().await.unwrap().answer("yes".into()).await.unwrap() };
    let (answer, ()) = soon(async { tokio::join!(asking, answering) }).await;
    assert_eq!(answer.unwrap(), "yes");
}

#[tokio::test]
async fn opening_an_open_mailbox_again_loses_nothing() {
    let hub = Hub::start().await;
    let admin = hub.admin().await;
    let alpha = hub.admit(&admin, "alpha").await;
    let (node, backbone) = hub.ends(&alpha).await;
    let (mut node_road, mut backbone_road) = (node.road(), backbone.road());
    node_road.mark_unchanged();
    backbone_road.mark_unchanged();
    node.send_up("kept".into()).await.unwrap().await.unwrap();

    admin.open_mailbox(&alpha.keys, SIZE, now()).await.unwrap();
    assert_eq!(soon(backbone.pull_up(9)).await.unwrap().remove(0).bytes, "kept");
    assert!(!node_road.has_changed().unwrap());
    assert!(!backbone_road.has_changed().unwrap());
}

#[tokio::test]
async fn a_node_starts_without_the_hub_and_finds_it_later() {
    let mut hub = Hub::start().await;
    let alpha = hub.admit(&hub.admin().await, "alpha").await;
    hub.kill().await;
    let node = NodeMailbox::connect(&alpha.credentials).await.unwrap();
    let mut road = node.road();
    soon(road.wait_for(|road| matches!(road, Road::Disconnected(_)))).await.unwrap();
    hub.start_again().await;
    open(node.road()).await;
    node.send_up("here".into()).await.unwrap().await.unwrap();
}
