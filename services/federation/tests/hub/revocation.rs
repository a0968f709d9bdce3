//! Shutting a node out while everything runs.

use std::time::{Duration, Instant};

use federation::hub::{HubError, MailboxError, MailboxKeys, NodeMailbox};

use super::server::{Hub, SIZE, now, open, refused, soon};

#[tokio::test]
async fn a_revoked_node_is_out_within_a_second_and_the_backbone_stays() {
    let hub = Hub::start().await;
    let admin = hub.admin().await;
    let (alpha, beta) = (hub.admit(&admin, "alpha").await, hub.admit(&admin, "beta").await);
    let (node, backbone) = hub.ends(&alpha).await;
    let (beta_node, _beta_backbone) = hub.ends(&beta).await;
    let (mut backbone_road, mut beta_road) = (backbone.road(), beta_node.road());
    backbone_road.mark_unchanged();
    beta_road.mark_unchanged();
    node.send_up("last words".into()).await.unwrap().await.unwrap();

    let mut road = node.road();
    let asked = Instant::now();
    admin.revoke(&alpha.keys, SIZE, now()).await.unwrap();
    soon(road.wait_for(|road| !road.is_open())).await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(node.send_up("more".into()).await.err(), Some(MailboxError::Away));
    refused(node.road()).await;
    let again = NodeMailbox::connect(&alpha.credentials).await.unwrap();
    refused(again.road()).await;

    assert_eq!(soon(backbone.pull_up(9)).await.unwrap().remove(0).bytes, "last words");
    assert!(!backbone_road.has_changed().unwrap());
    assert!(!beta_road.has_changed().unwrap());
}

#[tokio::test]
async fn a_closed_mailbox_gives_its_disk_back_and_closing_twice_is_no_error() {
    let hub = Hub::start_with(u64::try_from(SIZE.disk_bytes() + 1).unwrap()).await;
    let admin = hub.admin().await;
    let alpha = hub.admit(&admin, "alpha").await;
    let (_node, backbone) = hub.ends(&alpha).await;
    let beta = MailboxKeys::new("beta").unwrap();
    let no_room = admin.open_mailbox(&beta, SIZE, now()).await;
    assert!(matches!(no_room, Err(HubError::NoRoom { .. })));

    admin.close_mailbox(&alpha.keys, SIZE, now()).await.unwrap();
    admin.close_mailbox(&alpha.keys, SIZE, now()).await.unwrap();
    assert_eq!(backbone.backlog().await, Err(MailboxError::Missing));
    assert_eq!(soon(backbone.pull_up(1)).await.err(), Some(MailboxError::Missing));
    let down = backbone.send_down("anyone?".into()).await.unwrap().await;
    assert_eq!(down, Err(MailboxError::Missing));
    admin.open_mailbox(&beta, SIZE, now()).await.unwrap();
}

#[tokio::test]
async fn a_node_admitted_anew_needs_its_new_token() {
    let hub = Hub::start().await;
    let admin = hub.admin().await;
    let mut alpha = hub.admit(&admin, "alpha").await;
    admin.close_mailbox(&alpha.keys, SIZE, now()).await.unwrap();

    let (seed, user) = federation::hub::new_user_seed().unwrap();
    alpha.keys.signing_seed = MailboxKeys::new("alpha").unwrap().signing_seed;
    admin.open_mailbox(&alpha.keys, SIZE, now()).await.unwrap();
    let old = NodeMailbox::connect(&alpha.credentials).await.unwrap();
    refused(old.road()).await;
    alpha.credentials.user_token = alpha.keys.node_token(&user, now()).unwrap();
    alpha.credentials.user_seed = seed;
    let new = NodeMailbox::connect(&alpha.credentials).await.unwrap();
    open(new.road()).await;
    new.send_up("back".into()).await.unwrap().await.unwrap();
}
