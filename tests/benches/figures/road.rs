//! The bare road: two more mailboxes at the hub, and somebody who carries messages from the one to the other.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use chassis::clock;
use federation::hub::{
    BackboneMailbox, HubAdmin, HubKeys, HubReach, HubTls, MailboxKeys, MailboxSize, NodeCredentials, NodeMailbox,
    Road as State, new_user_seed,
};
use tokio::task::JoinHandle;

use crate::figure::Outcome;

const PULL: usize = 256;

/// Both ends of the road and the carrier between.
pub struct Road {
    from: Arc<NodeMailbox>,
    to: Arc<NodeMailbox>,
    carrier: JoinHandle<Outcome<()>>,
}

impl Road {
    /// Opens it at the hub with this folder and address.
    pub async fn open(folder: &Path, listen: SocketAddr) -> Outcome<Self> {
        let keys = HubKeys::load_or_create(&folder.join("keys.json"), clock::now())?;
        let tls = HubTls::load_or_create(&folder.join("tls"), &[listen.ip().to_string()], clock::now())?;
        let reach = HubReach { address: format!("tls://{listen}").parse()?, ca_der: tls.ca_der };
        let admin = HubAdmin::connect(&reach, &keys).await?;
        let (from, from_far) = mailbox(&admin, &reach, "from").await?;
        let (to, to_far) = mailbox(&admin, &reach, "to").await?;
        let carrier = tokio::spawn(carry(from_far, to_far));
        Ok(Self { from: Arc::new(from), to: Arc::new(to), carrier })
    }

    /// Sends messages, as many under way as the mailbox allows; done when the hub has all of them.
    pub async fn send(&self, messages: impl Iterator<Item = Bytes>) -> Outcome<()> {
        let mut sent = Vec::new();
        for message in messages {
            sent.push(self.from.send_up(message).await?);
        }
        for sent in sent {
            sent.await?;
        }
        Ok(())
    }

    /// The near end, to send from another task.
    pub fn from(&self) -> Arc<NodeMailbox> {
        self.from.clone()
    }

    /// Takes out what has arrived; waits for at least one.
    pub async fn take(&self) -> Outcome<Vec<Bytes>> {
        let mut messages = Vec::new();
        for frame in self.to.pull_down(PULL).await? {
            messages.push(frame.bytes);
            frame.ack.done().await?;
        }
        Ok(messages)
    }

    /// Ends the carrier.
    pub async fn close(self) {
        self.carrier.abort();
        // It was told to end; how is of no interest.
        let _ = self.carrier.await;
    }
}

async fn mailbox(admin: &HubAdmin, reach: &HubReach, name: &str) -> Outcome<(NodeMailbox, BackboneMailbox)> {
    let keys = MailboxKeys::new(name)?;
    admin.open_mailbox(&keys, MailboxSize::default(), clock::now()).await?;
    let (user_seed, user) = new_user_seed()?;
    let user_token = keys.node_token(&user, clock::now())?;
    let near = NodeMailbox::connect(&NodeCredentials { hub: reach.clone(), user_token, user_seed }).await?;
    let far = BackboneMailbox::connect(reach, &keys, clock::now()).await?;
    for mut road in [near.road(), far.road()] {
        road.wait_for(State::is_open).await?;
    }
    Ok((near, far))
}

async fn carry(from: BackboneMailbox, to: BackboneMailbox) -> Outcome<()> {
    loop {
        let mut carried = Vec::new();
        for frame in from.pull_up(PULL).await? {
            carried.push((to.send_down(frame.bytes).await?, frame.ack));
        }
        for (sent, ack) in carried {
            sent.await?;
            ack.done().await?;
        }
    }
}
