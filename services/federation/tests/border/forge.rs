//! Frames and acceptances as somebody would make them who does not keep to the rules.

use bytes::Bytes;
use chassis::identity::NodeKeys;
use chassis::names::{Reference, Space};
use federation::link::Link as Road;
use federation::store::feeds;
use federation::wire::{self, FeedName, Head, Link};
use prost::Message;
use proto::federation::{Accepted, EntryHeader, Frame, LinkMessage, link_message};

use crate::node::{Node, SAID, soon};

/// The next entries of somebody's feed, made without its node.
pub struct Forge<'a> {
    pub node: &'a Node,
    pub feed: FeedName,
    pub next: u64,
    pub previous: Head,
}

impl<'a> Forge<'a> {
    /// From where the node's own feed of a space is now.
    pub async fn of(node: &'a Node, space: &Space) -> Self {
        let name = FeedName { space: space.clone(), origin: node.id().clone(), epoch: 1 };
        let mut connection = node.border.pool.acquire().await.unwrap();
        let (feed, _) = feeds::held(&mut connection, &name, &[]).await.unwrap();
        Self { node, feed: name, next: feed.sequence + 1, previous: feed.digest }
    }

    /// From the beginning of a feed.
    pub fn at_start(node: &'a Node, space: &Space, epoch: u32) -> Self {
        let feed = FeedName { space: space.clone(), origin: node.id().clone(), epoch };
        Self { node, feed, next: 1, previous: wire::GENESIS }
    }

    /// The next entries, one for each of these words.
    pub fn entries(&self, words: &[&str]) -> Vec<Link> {
        let about = Reference::born_on(self.node.id());
        let (mut sequence, mut previous) = (self.next, self.previous);
        let mut links = Vec::new();
        for words in words {
            let (event, bytes) = self.node.event(&self.feed.space, &about, SAID, (*words).to_owned());
            let link = wire::entry(&self.feed, sequence, &previous, &event, bytes, [7; 16]);
            (sequence, previous) = (sequence + 1, link.digest);
            links.push(link);
        }
        links
    }

    /// The next entry.
    pub fn entry(&self, words: &str) -> Link {
        self.entries(&[words]).remove(0)
    }

    /// Seals entries with the node's own key.
    pub fn sealed(&self, links: &[Link]) -> Frame {
        sealed(links, &self.node.border.keys)
    }
}

pub fn sealed(links: &[Link], keys: &NodeKeys) -> Frame {
    wire::frame(links, wire::seal(keys, &links.last().unwrap().digest))
}

/// The same entry with another header.
pub fn changed(link: &Link, change: impl FnOnce(&mut EntryHeader)) -> Link {
    let mut header = EntryHeader::decode(link.header.clone()).unwrap();
    change(&mut header);
    let header = Bytes::from(header.encode_to_vec());
    Link { digest: wire::digest(&header), header, ..link.clone() }
}

pub fn up(frame: Frame) -> Bytes {
    message(link_message::Message::Frame(frame))
}

pub fn down(accepted: Accepted) -> Bytes {
    message(link_message::Message::Accepted(accepted))
}

pub fn message(message: link_message::Message) -> Bytes {
    LinkMessage { message: Some(message), traceparent: String::new() }.encode_to_vec().into()
}

/// Puts bytes on the road as they are.
pub async fn send(road: &Road, bytes: &Bytes) {
    let sent = soon(async || road.mailbox.send(bytes.clone()).await.ok()).await;
    sent.await.unwrap();
}
