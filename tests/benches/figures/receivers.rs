//! What many small nodes cost one backbone: each verifies and confirms what it is sent, and now and then says something.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chassis::clock;
use chassis::event::{Actor, Event, Fact};
use chassis::identity::NodeKeys;
use chassis::names::{NodeId, Reference, Space};
use federation::hub::{NodeCredentials, NodeMailbox, Road as State};
use federation::store::nodes::Initiative;
use federation::wire::{self, FeedName, Head};
use federation::{invitation, join};
use node::fleet::{Coalition, Sketch};
use prost::Message;
use proto::federation::have::SpaceHead;
use proto::federation::{Accepted, CreateInvitationRequest, Have, LinkMessage, link_message};
use proto::membership::CreateInitiativeRequest;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::figure::{Figure, Outcome, quantile};
use crate::nodes::{new_id, soon};
use crate::road::Road;
use crate::standing::{self, PROGRAM};
use crate::{lag, told};

const BACKBONE: Sketch = Sketch { name: "backbone", title: "backbone", backbone: true };
const RECEIVERS: u32 = 50;
/// Twenty entries a minute each.
const EVERY: Duration = Duration::from_secs(3);
const ENTRIES: u32 = 20;
/// No version knows it, so no room minds: what is measured is the border.
const TYPE: &str = "commonweal.future.v1.Said";

type Lags = Arc<Mutex<Vec<f64>>>;
type Keys = Arc<BTreeMap<NodeId, Vec<Head>>>;

/// MiB that the backbone's process holds with so many nodes linked to it, beside those of its broker and its hub; and
/// milliseconds from what one of them says to another having verified it, of the slowest hundredth, beside the bare road.
pub async fn figures() -> Outcome<[Figure; 2]> {
    let folder = TempDir::new()?;
    let mut backbone = Coalition::settle(folder.path(), Path::new(PROGRAM), &[BACKBONE], true).await?;
    backbone.start().await?;
    let keys = (0..RECEIVERS).map(|nth| {
        let home = folder.path().join(format!("receiver-{nth}"));
        chassis::strongbox::folder(&home)?;
        Ok(NodeKeys::open(&home)?)
    });
    let keys = keys.collect::<Outcome<Vec<NodeKeys>>>()?;
    let known: Keys = Arc::new(keys.iter().map(|keys| (keys.id().clone(), vec![keys.public()])).collect());
    let initiative = begin(&backbone).await?;
    let mut receivers = Vec::new();
    for keys in keys {
        receivers.push(Receiver::join(&backbone, &initiative, keys, known.clone()).await?);
    }
    let (lags, begun) = (Lags::default(), Instant::now());
    let mut working = JoinSet::new();
    for (nth, receiver) in (0..RECEIVERS).zip(receivers) {
        working.spawn(receiver.work(begun, EVERY * nth / RECEIVERS, lags.clone()));
    }
    tokio::time::sleep(EVERY * (ENTRIES + 1)).await;
    let node = backbone.node(BACKBONE.name)?.process().ok_or("the backbone does not run")?;
    let memory = standing::resident(node)?;
    let brokers = standing::descendants(node)?.into_iter().map(standing::resident).sum::<Outcome<f64>>()?;
    working.shutdown().await;
    let lags = std::mem::take(&mut *lags.lock().unwrap_or_else(PoisonError::into_inner));
    let all = usize::try_from(RECEIVERS * (RECEIVERS - 1) * ENTRIES)?;
    if lags.len() < all {
        return Err(format!("of {all} entries only {} were received", lags.len()).into());
    }
    let config = backbone.node(BACKBONE.name)?.config();
    let road = Road::open(&config.node.data_dir.join("hub"), config.hub.listen).await?;
    let bare = lag::messages(&road, &[0; told::EVENT_BYTES]).await?;
    road.close().await;
    backbone.stop().await?;
    Ok([
        Figure { name: "receivers_50_memory", ours: memory, limit: brokers, unit: "MiB" },
        Figure { name: "receivers_50_lag_p99", ours: quantile(&lags, 0.99), limit: quantile(&bare, 0.99), unit: "ms" },
    ])
}

async fn begin(backbone: &Coalition) -> Outcome<String> {
    let initiative = proto::membership::Initiative {
        display_name: "Every student graduates".to_owned(),
        purpose: "Districts that want every student to graduate".to_owned(),
        ..Default::default()
    };
    let request = CreateInitiativeRequest { initiative: Some(initiative), request_id: new_id() };
    let client = backbone.backbone()?.operator()?;
    let created = client.membership().create_initiative(request).await?.into_inner();
    Ok(created.initiative.ok_or("no initiative")?.reference)
}

/// A node as small as can be: keys, a mailbox, and how far it holds the members space.
struct Receiver {
    keys: NodeKeys,
    known: Keys,
    initiative: Initiative,
    mailbox: NodeMailbox,
    feed: FeedName,
    sequence: u64,
    head: Head,
    position: u64,
    digest: Head,
}

impl Receiver {
    async fn join(backbone: &Coalition, initiative: &str, keys: NodeKeys, known: Keys) -> Outcome<Self> {
        let client = backbone.backbone()?.operator()?;
        let line = soon("an invitation", async || {
            let request = CreateInvitationRequest {
                request_id: new_id(),
                initiative: initiative.to_owned(),
                initiative_name: "Every student graduates".to_owned(),
                display_name: keys.id().to_string(),
                valid_seconds: 3600,
                follower: false,
            };
            Ok(client.federation().create_invitation(request).await.ok())
        });
        let invitation = invitation::read(&line.await?.into_inner().invitation, clock::now())?;
        let joined = join::join(&keys, "A small node", &invitation).await?;
        let credentials: NodeCredentials = serde_json::from_value(joined.link.mailbox)?;
        let mailbox = NodeMailbox::connect(&credentials).await?;
        mailbox.road().wait_for(State::is_open).await?;
        let space = Space::members(&joined.initiative.initiative);
        let feed = FeedName { space, origin: keys.id().clone(), epoch: 1 };
        let (head, digest) = (wire::GENESIS, wire::GENESIS);
        let initiative = joined.initiative;
        Ok(Self { keys, known, initiative, mailbox, feed, sequence: 0, head, position: 0, digest })
    }

    /// Verifies and confirms, and says something now and then.
    async fn work(mut self, begun: Instant, first: Duration, lags: Lags) -> Outcome<()> {
        let mut turns = interval_at(tokio::time::Instant::now() + first, EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.confirm(true).await?;
        let mut said = 0;
        loop {
            tokio::select! {
                frames = self.mailbox.pull_down(32) => {
                    for frame in frames? {
                        self.take(&frame.bytes, begun, &lags).await?;
                        frame.ack.done().await?;
                    }
                    self.confirm(false).await?;
                }
                _ = turns.tick(), if said < ENTRIES => {
                    said += 1;
                    self.say(begun).await?;
                }
            }
        }
    }

    async fn take(&mut self, bytes: &Bytes, begun: Instant, lags: &Lags) -> Outcome<()> {
        match LinkMessage::decode(bytes.clone())?.message {
            Some(link_message::Message::Accepted(accepted)) => self.verify(&accepted, begun, lags).await,
            Some(link_message::Message::Have(have)) if have.answer => self.confirm(true).await,
            _ => Ok(()),
        }
    }

    async fn verify(&mut self, accepted: &Accepted, begun: Instant, lags: &Lags) -> Outcome<()> {
        let step = wire::read_step(&accepted.acceptance)?;
        if step.feed.space != self.feed.space || step.acceptance.position <= self.position {
            return Ok(());
        }
        if step.acceptance.position > self.position + 1 {
            return self.confirm(true).await;
        }
        let seal = accepted.seal.clone().ok_or("no seal")?;
        wire::check_seal(&seal, &step.digest, &self.initiative.backbone, &self.initiative.backbone_keys)?;
        if let Some(frame) = &accepted.frame {
            let chain = wire::read(frame)?;
            let origin = &chain.feed.origin;
            chain.check(self.known.get(origin).unwrap_or(&self.initiative.backbone_keys))?;
            let now = begun.elapsed().as_secs_f64();
            let mut lags = lags.lock().unwrap_or_else(PoisonError::into_inner);
            for link in chain.links.iter().filter(|link| link.event_type == TYPE) {
                let event = wire::event(link.body.as_ref().ok_or("no body")?)?;
                let said = event.data.first_chunk().copied().map(f64::from_le_bytes).unwrap_or_default();
                lags.push((now - said) * 1000.0);
            }
        }
        (self.position, self.digest) = (step.acceptance.position, step.digest);
        Ok(())
    }

    async fn say(&mut self, begun: Instant) -> Outcome<()> {
        let mut data = begun.elapsed().as_secs_f64().to_le_bytes().to_vec();
        data.resize(told::EVENT_BYTES, b' ');
        let resource = Reference::born_on(self.keys.id());
        let (type_name, space) = (TYPE.to_owned(), self.feed.space.clone());
        let fact = Fact { type_name, resource, space, data: data.into() };
        let event = Event::told(&fact, self.keys.id(), &Actor::default());
        let bytes = event.encode().into();
        let link = wire::entry(&self.feed, self.sequence + 1, &self.head, &event, bytes, [7; 16]);
        (self.sequence, self.head) = (link.sequence, link.digest);
        let seal = wire::seal(&self.keys, &link.digest);
        self.send(link_message::Message::Frame(wire::frame(&[link], seal))).await
    }

    /// Says what it has.
    async fn confirm(&self, resume: bool) -> Outcome<()> {
        let digest = if self.position == 0 { Bytes::new() } else { Bytes::copy_from_slice(&self.digest) };
        let head = SpaceHead {
            initiative: self.initiative.initiative.to_string(),
            space: wire::within(&self.feed.space),
            position: self.position,
            digest,
        };
        self.send(link_message::Message::Have(Have { spaces: vec![head], resume, ..Have::default() })).await
    }

    async fn send(&self, message: link_message::Message) -> Outcome<()> {
        let message = LinkMessage { message: Some(message), traceparent: String::new() };
        self.mailbox.send_up(message.encode_to_vec().into()).await?.await?;
        Ok(())
    }
}
