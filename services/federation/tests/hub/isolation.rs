//! What a node may not do on the hub, neither to others nor to its own box.

use async_nats::ConnectErrorKind;
use federation::hub::{MailboxKeys, claims, new_user_seed};
use nkeys::KeyPair;

use super::raw::Raw;
use super::server::{Hub, Mailbox, now, soon};

async fn raw(hub: &Hub, mailbox: &Mailbox) -> Raw {
    let credentials = &mailbox.credentials;
    Raw::connect(&hub.reach, &credentials.user_token, &credentials.user_seed, "_INBOX_node").await.unwrap()
}

#[tokio::test]
async fn a_mailbox_cannot_see_anothers() {
    let hub = Hub::start().await;
    let admin = hub.admin().await;
    let (alpha, beta) = (hub.admit(&admin, "alpha").await, hub.admit(&admin, "beta").await);
    let (alpha_node, alpha_backbone) = hub.ends(&alpha).await;
    let (beta_node, beta_backbone) = hub.ends(&beta).await;

    // The names are the same in every account; the accounts keep them apart.
    alpha_node.send_up("alpha's".into()).await.unwrap().await.unwrap();
    alpha_backbone.send_down("for alpha".into()).await.unwrap().await.unwrap();
    beta_node.send_up("beta's".into()).await.unwrap().await.unwrap();
    beta_backbone.send_down("for beta".into()).await.unwrap().await.unwrap();

    assert_eq!(beta_node.backlog().await.unwrap(), 1);
    assert_eq!(soon(beta_node.pull_down(9)).await.unwrap().remove(0).bytes, "for beta");
    assert_eq!(beta_backbone.backlog().await.unwrap(), 1);
    assert_eq!(soon(beta_backbone.pull_up(9)).await.unwrap().remove(0).bytes, "beta's");
    assert_eq!(soon(alpha_node.pull_down(9)).await.unwrap().remove(0).bytes, "for alpha");
    assert_eq!(soon(alpha_backbone.pull_up(9)).await.unwrap().remove(0).bytes, "alpha's");
}

#[tokio::test]
async fn a_node_cannot_sign_itself_into_anothers_mailbox() {
    let hub = Hub::start().await;
    let admin = hub.admin().await;
    let (alpha, beta) = (hub.admit(&admin, "alpha").await, hub.admit(&admin, "beta").await);
    let (seed, user) = new_user_seed().unwrap();
    let account = KeyPair::from_seed(&alpha.keys.account_seed).unwrap().public_key();
    let stranger = MailboxKeys::new("stranger").unwrap();

    for signing_seed in [&beta.keys.signing_seed, &stranger.signing_seed] {
        let signing = KeyPair::from_seed(signing_seed).unwrap();
        let token = claims::node_user(&signing, &account, &user, now()).unwrap();
        let error = Raw::connect(&hub.reach, &token, &seed, "_INBOX_node").await.err().unwrap();
        assert_eq!(error.kind(), ConnectErrorKind::AuthorizationViolation);
    }
    // A right token in the hands of one who lacks its seed.
    let token = alpha.keys.node_token(&user, now()).unwrap();
    let (other_seed, _) = new_user_seed().unwrap();
    let error = Raw::connect(&hub.reach, &token, &other_seed, "_INBOX_node").await.err().unwrap();
    assert_eq!(error.kind(), ConnectErrorKind::AuthorizationViolation);
}

#[tokio::test]
async fn a_node_can_only_write_up_and_read_down() {
    let hub = Hub::start().await;
    let alpha = hub.admit(&hub.admin().await, "alpha").await;
    let mut node = raw(&hub, &alpha).await;

    for subject in [
        "down.frame",
        "enrol.someone",
        "$JS.API.INFO",
        "$JS.API.STREAM.CREATE.MINE",
        "$JS.API.STREAM.UPDATE.UP",
        "$JS.API.STREAM.INFO.UP",
        "$JS.API.STREAM.PURGE.UP",
        "$JS.API.STREAM.DELETE.DOWN",
        "$JS.API.STREAM.MSG.GET.UP",
        "$JS.API.DIRECT.GET.UP",
        "$JS.API.STREAM.MSG.DELETE.DOWN",
        "$JS.API.CONSUMER.CREATE.UP",
        "$JS.API.CONSUMER.CREATE.DOWN.mine",
        "$JS.API.CONSUMER.DURABLE.CREATE.DOWN.mine",
        "$JS.API.CONSUMER.DELETE.DOWN.node",
        "$JS.API.CONSUMER.MSG.NEXT.UP.relay",
        "$JS.API.CONSUMER.INFO.UP.relay",
        "$JS.ACK.UP.relay.1.1.1.1.0",
        "$SYS.REQ.CLAIMS.UPDATE",
        "_INBOX_backbone.x",
    ] {
        node.may_not_publish(subject).await;
    }
    for subject in [">", "up.>", "down.>", "_INBOX.>", "_INBOX_backbone.>", "$JS.>", "$SYS.>", "enrol.*"] {
        node.may_not_subscribe(subject).await;
    }
}
