//! What a node keeps, in memory, and what it makes of a message: the same decisions as the border, which keeps it in
//! Postgres.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use chassis::event::Event;
use chassis::identity::NodeKeys;
use chassis::names::{NodeId, Space};
use federation::domain::{self, Governance, Refusal};
use federation::protocol::{self, Continuation, Following, Word};
use federation::store::feeds::Feed;
use federation::store::order::Order;
use federation::wire::{self, Chain, FeedName, Head, Link, Step};
use prost::Name;
use proto::federation::{Accepted, Frame, NodeAdmitted, NodeEnded, Seal};
use time::OffsetDateTime;
use uuid::Uuid;

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    Accepted,
    Dropped,
    Gap,
    Refused,
}

/// One place in the order of a space: what was applied of it, and the verdict on every entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub feed: FeedName,
    pub verdicts: Vec<(u64, Option<Uuid>)>,
}

/// A step as it was sealed.
#[derive(Clone)]
pub struct Sealed {
    pub step: Step,
    pub seal: Seal,
    pub frame_seal: Seal,
}

/// What survives the end of a node's process.
pub struct Mind {
    pub keys: Arc<NodeKeys>,
    pub backbone: NodeId,
    pub known: Arc<BTreeMap<NodeId, Head>>,
    pub feeds: BTreeMap<FeedName, (Feed, Vec<Link>)>,
    pub orders: BTreeMap<Space, (Order, Vec<Sealed>)>,
    pub placed: BTreeMap<Space, Vec<Placed>>,
    told: BTreeSet<Uuid>,
    /// Who was let in, at which position of the members space.
    admitted: BTreeMap<NodeId, u64>,
    /// Who was shut out, and where.
    ended: BTreeMap<NodeId, u64>,
    members: Space,
}

impl Mind {
    /// An empty one; the founders belong from the beginning, the backbone first.
    pub fn new(keys: Arc<NodeKeys>, known: Arc<BTreeMap<NodeId, Head>>, members: Space, founders: &[NodeId]) -> Self {
        let (feeds, orders, placed, told, ended) = Default::default();
        let backbone = founders[0].clone();
        let admitted = founders.iter().map(|node| (node.clone(), 0)).collect();
        Self { keys, backbone, known, feeds, orders, placed, told, admitted, ended, members }
    }

    pub fn is_backbone(&self) -> bool {
        *self.keys.id() == self.backbone
    }

    pub fn order(&self, space: &Space) -> Order {
        self.orders.get(space).map(|(order, _)| *order).unwrap_or_default()
    }

    /// Appends an event to the node's own feed; the backbone gives it its place at once.
    pub fn tell(&mut self, space: &Space, event: &Event, now: OffsetDateTime) {
        let name = FeedName { space: space.clone(), origin: self.keys.id().clone(), epoch: 1 };
        let (feed, links) = self.feeds.entry(name.clone()).or_default();
        let link = wire::entry(&name, feed.sequence + 1, &feed.digest, event, event.encode().into(), [7; 16]);
        let previous = feed.digest;
        (feed.sequence, feed.digest) = (link.sequence, link.digest);
        links.push(link.clone());
        if self.is_backbone() {
            let seal = wire::seal(&self.keys, &link.digest);
            self.place(&Chain { feed: name, previous, links: vec![link], seal }, now);
        }
    }

    /// A partner's frame, out of its mailbox.
    pub fn frame(&mut self, mailbox: &NodeId, frame: &Frame, now: OffsetDateTime) -> Came {
        let Ok(mut chain) = wire::read(frame) else { return Came::Refused };
        let governed_by = self.order(&self.members).position;
        let governance = self.governance(&chain.feed.origin, governed_by);
        let known = chain.feed.origin == *mailbox && governance.admitted && !governance.backbone;
        if !known || chain.check(&self.keys_of(mailbox)).is_err() || chain.feed.epoch != 1 {
            return Came::Refused;
        }
        let held = self.feeds.get(&chain.feed).map(|(feed, _)| *feed).unwrap_or_default();
        match protocol::continues(&held, &mut chain) {
            Continuation::Held => Came::Dropped,
            Continuation::Gap => Came::Gap,
            Continuation::Parted(_) | Continuation::OtherRun => Came::Refused,
            Continuation::Next => {
                let (feed, links) = self.feeds.entry(chain.feed.clone()).or_default();
                (feed.sequence, feed.digest) = (chain.last(), chain.head());
                links.extend(chain.links.clone());
                self.place(&chain, now);
                Came::Accepted
            }
        }
    }

    fn place(&mut self, chain: &Chain, now: OffsetDateTime) {
        let governed_by = self.order(&self.members).position;
        let governance = self.governance(&chain.feed.origin, governed_by);
        let before = self.order(&chain.feed.space);
        let verdicts: Vec<(u64, Result<Event, Refusal>)> =
            chain.links.iter().map(|link| (link.sequence, self.judge(chain, link, &governance))).collect();
        let refused = verdicts.iter().filter_map(|(sequence, verdict)| {
            let refusal = verdict.as_ref().err()?;
            Some((*sequence, refusal.code(), refusal.to_string()))
        });
        let at = now.max(before.accepted_at);
        let step = wire::accept(chain, before.position + 1, &before.digest, governed_by, at, refused);
        let seal = wire::seal(&self.keys, &step.digest);
        self.keep(Sealed { step, seal, frame_seal: chain.seal.clone() }, verdicts);
    }

    /// A step from the backbone.
    pub fn accepted(&mut self, message: &Accepted) -> Came {
        let Ok(step) = wire::read_step(&message.acceptance) else { return Came::Refused };
        let Some(seal) = message.seal.clone() else { return Came::Refused };
        if wire::check_seal(&seal, &step.digest, &self.backbone, &self.keys_of(&self.backbone)).is_err() {
            return Came::Refused;
        }
        let members = self.order(&self.members);
        let by = match step.feed.space == self.members {
            true => protocol::Governance::Itself,
            false => protocol::Governance::Members(&members),
        };
        match protocol::follows(&self.order(&step.feed.space), by, &step) {
            Following::Held => return Came::Dropped,
            Following::Gap => return Came::Gap,
            Following::Broken => return Came::Refused,
            Following::Next => {}
        }
        match step.feed.origin == *self.keys.id() {
            true => self.confirm(step, seal),
            false => self.take(step, seal, message.frame.as_ref()),
        }
    }

    fn confirm(&mut self, step: Step, seal: Seal) -> Came {
        let (feed, links) = self.feeds.get(&step.feed).expect("the backbone says what this node never told");
        let head = links.iter().find(|link| link.sequence == step.acceptance.to).map(|link| link.digest);
        assert_eq!(
            protocol::word(&step, feed.judged, head),
            Word::Ours,
            "the backbone judged what this node never told"
        );
        let (from, to) = (step.acceptance.from, step.acceptance.to);
        let own = links.iter().filter(|link| (from..=to).contains(&link.sequence));
        let verdicts = own.map(|link| (link.sequence, self.verdict(&step, link))).collect();
        let frame_seal = wire::seal(&self.keys, &head.expect("it was just compared"));
        self.keep(Sealed { step, seal, frame_seal }, verdicts);
        Came::Accepted
    }

    fn take(&mut self, step: Step, seal: Seal, frame: Option<&Frame>) -> Came {
        let Some(Ok(chain)) = frame.map(wire::read) else { return Came::Refused };
        if !protocol::speaks_of(&step, &chain) || chain.check(&self.keys_of(&step.feed.origin)).is_err() {
            return Came::Refused;
        }
        let (feed, links) = self.feeds.entry(chain.feed.clone()).or_default();
        assert!(protocol::is_next(feed, &chain), "an honest backbone accepted what does not continue the feed");
        (feed.sequence, feed.digest) = (chain.last(), chain.head());
        links.extend(chain.links.clone());
        let governance = self.governance(&chain.feed.origin, step.acceptance.governance_position);
        let mut verdicts = Vec::new();
        for link in &chain.links {
            let verdict = self.verdict(&step, link);
            let judged = self.judge(&chain, link, &governance);
            assert_eq!(verdict.is_ok(), judged.is_ok(), "two honest nodes judge differently: {verdict:?}, {judged:?}");
            verdicts.push((link.sequence, verdict));
        }
        self.keep(Sealed { step, seal, frame_seal: chain.seal }, verdicts);
        Came::Accepted
    }

    fn judge(&self, chain: &Chain, link: &Link, governance: &Governance) -> Result<Event, Refusal> {
        let again = wire::event(link.body.as_ref().unwrap()).is_ok_and(|event| self.told.contains(&event.id));
        domain::judge(&chain.feed, link, governance, again)
    }

    fn verdict(&self, step: &Step, link: &Link) -> Result<Event, Refusal> {
        match step.acceptance.refused.iter().any(|refused| refused.sequence == link.sequence) {
            true => Err(Refusal::DuplicateEvent),
            false => Ok(wire::event(link.body.as_ref().unwrap()).unwrap()),
        }
    }

    fn keep(&mut self, sealed: Sealed, verdicts: Vec<(u64, Result<Event, Refusal>)>) {
        let (step, space) = (sealed.step.clone(), sealed.step.feed.space.clone());
        for event in verdicts.iter().filter_map(|(_, verdict)| verdict.as_ref().ok()) {
            assert!(self.told.insert(event.id), "one event counts twice");
            let position = step.acceptance.position;
            if event.type_name == NodeEnded::full_name() {
                self.ended.insert(event.message::<NodeEnded>().unwrap().node.parse().unwrap(), position);
            }
            if event.type_name == NodeAdmitted::full_name() {
                let node = event.message::<NodeAdmitted>().unwrap().node.parse().unwrap();
                self.admitted.entry(node).or_insert(position);
            }
        }
        let verdicts = verdicts.into_iter().map(|(sequence, verdict)| (sequence, verdict.ok().map(|event| event.id)));
        let placed = Placed { feed: step.feed.clone(), verdicts: verdicts.collect() };
        let (feed, _) = self.feeds.get_mut(&step.feed).expect("its entries are kept");
        assert_eq!(step.acceptance.from, feed.judged + 1, "an entry got two verdicts, or none");
        feed.judged = step.acceptance.to;
        let (order, steps) = self.orders.entry(space.clone()).or_default();
        *order = Order {
            position: step.acceptance.position,
            digest: step.digest,
            accepted_at: step.at,
            governed_by: step.acceptance.governance_position,
            ..*order
        };
        steps.push(sealed);
        self.placed.entry(space).or_default().push(placed);
    }

    fn governance(&self, node: &NodeId, position: u64) -> Governance {
        let backbone = *node == self.backbone;
        let admitted = self.admitted.get(node).is_some_and(|admitted| *admitted <= position)
            && self.ended.get(node).is_none_or(|ended| position < *ended);
        Governance { admitted, backbone, in_circle: false, roles: Vec::new(), keys: Vec::new() }
    }

    fn keys_of(&self, node: &NodeId) -> Vec<Head> {
        self.known.get(node).copied().into_iter().collect()
    }

    /// Whether a space's order has this digest at a position.
    pub fn stands(&self, space: &Space, position: u64, digest: &Bytes) -> bool {
        let nth = usize::try_from(position).unwrap().checked_sub(1);
        let steps = self.orders.get(space).map(|(_, steps)| steps.as_slice()).unwrap_or_default();
        nth.is_none_or(|nth| steps.get(nth).is_some_and(|sealed| sealed.step.digest == digest.as_ref()))
    }
}
