//! The hub against a real nats-server: what flows, what may not, and what survives.
#![cfg(test)]

mod raw;
mod server;

mod enrolment;
mod isolation;
mod outages;
mod revocation;

use bytes::Bytes;
use federation::hub::{HubAdmin, HubError, HubTls, MailboxError, MailboxKeys, NodeMailbox, Road};
use server::{Hub, SIZE, now, open, soon};

fn numbered(range: std::ops::Range<u32>) -> Vec<Bytes> {
    range.map(|n| Bytes::from(format!("message {n}"))).collect()
}

#[tokio::test]
async fn messages_flow_both_ways_in_order_and_leave_the_box_when_acknowledged() {
    let hub = Hub::start().await;
    let alpha = hub.admit(&hub.admin().await, "alpha").await;
    let (node, backbone) = hub.ends(&alpha).await;
    let messages = numbered(0..300);

    let mut sent = Vec::new();
    for message in &messages {
        sent.push(node.send_up(message.clone()).await.unwrap());
    }
    for confirmation in sent {
        confirmation.await.unwrap();
    }
    assert_eq!(backbone.backlog().await.unwrap(), 300);
    let mut got = Vec::new();
    while got.len() < messages.len() {
        for frame in soon(backbone.pull_up(50)).await.unwrap() {
            got.push(frame.bytes);
            frame.ack.done().await.unwrap();
        }
    }
    assert_eq!(got, messages);

    for message in &messages {
        backbone.send_down(message.clone()).await.unwrap().await.unwrap();
    }
    let mut got = Vec::new();
    while got.len() < messages.len() {
        for frame in soon(node.pull_down(50)).await.unwrap() {
            got.push(frame.bytes);
            frame.ack.done().await.unwrap();
        }
    }
    assert_eq!(got, messages);
    soon(async { while node.backlog().await.unwrap() > 0 {} }).await;
    soon(async { while backbone.backlog().await.unwrap() > 0 {} }).await;
}

#[tokio::test]
async fn what_is_put_off_comes_again() {
    let hub = Hub::start().await;
    let alpha = hub.admit(&hub.admin().await, "alpha").await;
    let (node, backbone) = hub.ends(&alpha).await;
    node.send_up("again".into()).await.unwrap().await.unwrap();

    let first = soon(backbone.pull_up(1)).await.unwrap().remove(0);
    first.ack.later(std::time::Duration::from_millis(50)).await.unwrap();
    let second = soon(backbone.pull_up(1)).await.unwrap().remove(0);
    assert_eq!(second.bytes, "again");
}

#[tokio::test]
async fn messages_flow_over_a_websocket() {
    let hub = Hub::start().await;
    let mut alpha = hub.admit(&hub.admin().await, "alpha").await;
    alpha.credentials.hub = hub.wss.clone();
    let (node, backbone) = hub.ends(&alpha).await;
    let large = Bytes::from(vec![7; 192 * 1024]);

    node.send_up(large.clone()).await.unwrap().await.unwrap();
    assert_eq!(soon(backbone.pull_up(1)).await.unwrap().remove(0).bytes, large);
    backbone.send_down(large.clone()).await.unwrap().await.unwrap();
    assert_eq!(soon(node.pull_down(1)).await.unwrap().remove(0).bytes, large);
}

#[tokio::test]
async fn a_full_box_holds_the_node_back_and_drops_the_oldest_for_it() {
    let hub = Hub::start().await;
    let alpha = hub.admit(&hub.admin().await, "alpha").await;
    let (node, backbone) = hub.ends(&alpha).await;
    let message = |n: u8| Bytes::from(vec![n; 200 * 1024]);

    let mut fitted = 0;
    let full = loop {
        match node.send_up(message(0)).await.unwrap().await {
            Ok(()) => fitted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(full, MailboxError::Full);
    assert!(fitted > 10, "{fitted}");
    for frame in soon(backbone.pull_up(8)).await.unwrap() {
        frame.ack.done().await.unwrap();
    }
    soon(async { while node.send_up(message(0)).await.unwrap().await.is_err() {} }).await;

    for n in 0..40 {
        backbone.send_down(message(n)).await.unwrap().await.unwrap();
    }
    let oldest = soon(node.pull_down(1)).await.unwrap().remove(0);
    assert!(oldest.bytes[0] > 10, "{}", oldest.bytes[0]);
}

#[tokio::test]
async fn an_oversize_message_is_refused_before_it_is_sent() {
    let hub = Hub::start().await;
    let alpha = hub.admit(&hub.admin().await, "alpha").await;
    let (node, _backbone) = hub.ends(&alpha).await;
    let limit = federation::hub::MAX_MESSAGE_BYTES;

    let error = node.send_up(vec![0; limit + 1].into()).await.err();
    assert_eq!(error, Some(MailboxError::TooLarge { bytes: limit + 1, limit }));
    node.send_up(vec![0; limit].into()).await.unwrap().await.unwrap();
    assert!(node.road().borrow().is_open());
}

#[tokio::test]
async fn an_account_without_room_is_noticed() {
    let hub = Hub::start_with(u64::try_from(SIZE.disk_bytes() + 1).unwrap()).await;
    let admin = hub.admin().await;
    hub.admit(&admin, "alpha").await;
    let beta = MailboxKeys::new("beta").unwrap();
    let error = admin.open_mailbox(&beta, SIZE, now()).await.unwrap_err();
    assert!(matches!(error, HubError::NoRoom { asked, .. } if asked == SIZE.disk_bytes()));
}

#[tokio::test]
async fn a_hub_with_another_authority_is_not_believed() {
    let hub = Hub::start().await;
    let mut alpha = hub.admit(&hub.admin().await, "alpha").await;
    let other = tempfile::tempdir().unwrap();
    let other = HubTls::load_or_create(other.path(), &[], now()).unwrap();
    let mut reach = hub.reach.clone();
    reach.ca_der.clone_from(&other.ca_der);

    let error = HubAdmin::connect(&reach, &hub.keys).await.err();
    assert!(matches!(error, Some(HubError::Unreachable { .. })), "{error:?}");
    alpha.credentials.hub = reach;
    let node = NodeMailbox::connect(&alpha.credentials).await.unwrap();
    let mut road = node.road();
    soon(road.wait_for(|road| matches!(road, Road::Disconnected(_)))).await.unwrap();
}

#[tokio::test]
async fn a_renewed_certificate_is_served_without_a_restart() {
    let hub = Hub::start().await;
    let admin = hub.admin().await;
    let folder = hub.folder.path().join("tls");
    let before = served(&hub);
    let renewed = HubTls::load_or_create(&folder, &["hub.example".to_owned()], now()).unwrap();
    assert!(renewed.renewed);
    assert_eq!(served(&hub), before);
    admin.reload().await.unwrap();
    soon(async { while served(&hub) == before {} }).await;

    let alpha = hub.admit(&admin, "alpha").await;
    let (node, _backbone) = hub.ends(&alpha).await;
    open(node.road()).await;
}

/// The certificate that the server shows to a partner.
fn served(hub: &Hub) -> Vec<u8> {
    use std::io::{BufRead, BufReader};
    let stream = std::net::TcpStream::connect(hub.listen).unwrap();
    let mut stream = BufReader::new(stream);
    // The server speaks first, in the clear.
    stream.read_line(&mut String::new()).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut tls = rustls::ClientConnection::new(raw::trusting(&hub.reach).into(), name).unwrap();
    tls.complete_io(stream.get_mut()).unwrap();
    tls.peer_certificates().unwrap()[0].to_vec()
}
