//! Everything in this folder, made again from fixed keys, ids, salts and times.

use bytes::Bytes;
use chassis::event::{Actor, Event, timestamp};
use chassis::identity::NodeKeys;
use chassis::identity::root::RootKey;
use chassis::names::{NodeId, Reference, Space};
use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer, SigningKey};
use federation::wire::{self, FeedName, Link, Runs, Step};
use federation::{invitation, join};
use nkeys::{KeyPair, KeyPairType};
use prost::Message;
use proto::federation::have::{FeedHead, SpaceHead};
use proto::federation::{
    Accepted, EnrolmentRequest, Entry, Frame, Have, Invitation, LinkMessage, NodeAdmitted, NodeEnded, NodeKey,
    SignedAppointment, link_message,
};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::{Uuid, uuid};

pub const MADE_AT: OffsetDateTime = datetime!(2026-01-02 03:04:05.678901 UTC);
pub const ACCEPTED_AT: OffsetDateTime = datetime!(2026-01-02 03:04:06 UTC);
pub const EXPIRES_AT: OffsetDateTime = datetime!(2026-02-01 00:00 UTC);
const INITIATIVE: Uuid = uuid!("019b7c5e-0000-7000-8000-000000000001");
const RESOURCE: Uuid = uuid!("019b7c5e-0000-7000-8000-000000000002");
const EVENTS: [Uuid; 3] = [
    uuid!("019b7c5e-0000-7000-8000-0000000000a1"),
    uuid!("019b7c5e-0000-7000-8000-0000000000a2"),
    uuid!("019b7c5e-0000-7000-8000-0000000000a3"),
];
const SALTS: [[u8; 16]; 3] = [[0xa1; 16], [0xa2; 16], [0xa3; 16]];
/// No two numbers are equal, so that none can pass for another.
const EPOCH: u32 = 7;
/// What is asked for in the invitation and proven in the request.
pub const SECRET: [u8; 32] = [0x5e; 32];

/// Everything, by the name of its file.
pub struct Made {
    pub alpha: NodeKeys,
    pub backbone: NodeKeys,
    pub root: [u8; 32],
    pub links: Vec<Link>,
    pub erasing: Link,
    pub frame: Frame,
    pub step: Step,
    pub accepted: Accepted,
    pub have: LinkMessage,
    pub appointment: SignedAppointment,
    pub admitted: NodeAdmitted,
    pub invitation: Invitation,
    pub request: EnrolmentRequest,
}

impl Made {
    pub fn again() -> Self {
        let (alpha, backbone) = (keys(&[[0x01; 32], [0x02; 32]]), keys(&[[0x03; 32]]));
        let initiative = Reference { node: backbone.id().clone(), id: INITIATIVE };
        let feed = FeedName { space: Space::members(&initiative), origin: alpha.id().clone(), epoch: EPOCH };
        let links = entries(&feed);
        let erasing = erasing(&feed, &links[2]);
        let frame = wire::frame(&links[1..], wire::seal(&alpha, &links[2].digest));
        let chain = wire::read(&frame).unwrap();
        let refused = [(3, "NOT_ITS_HOME", "only the home may".to_owned())];
        let step = wire::accept(&chain, 5, &[0x44; 32], 4, ACCEPTED_AT, refused.into_iter());
        let accepted = Accepted {
            acceptance: step.bytes.clone(),
            seal: Some(wire::seal(&backbone, &step.digest)),
            frame: Some(wire::frame(&[links[1].clone(), Link { body: None, ..links[2].clone() }], chain.seal)),
            ..Accepted::default()
        };
        let root = root();
        let invitation = invited(&initiative, &root);
        let user = KeyPair::new_from_raw(KeyPairType::User, [0x06; 32]).unwrap().public_key();
        Self {
            have: have(&feed, &links[2], &step),
            appointment: root.appoint(2, backbone.id(), MADE_AT),
            admitted: NodeAdmitted {
                node: alpha.id().to_string(),
                keys: alpha.chain(),
                display_name: "Alpha".to_owned(),
            },
            request: join::request(&alpha, "Alpha", &invitation, user),
            root: root.public(),
            alpha,
            backbone,
            links,
            erasing,
            frame,
            step,
            accepted,
            invitation,
        }
    }

    /// The bytes of every file.
    pub fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        let entry = |link: &Link| Entry { header: link.header.clone(), body: link.body.clone() }.encode_to_vec();
        vec![
            ("entry_header.binpb", self.links[0].header.to_vec()),
            ("entry_body.binpb", self.links[0].body.clone().unwrap().encode_to_vec()),
            ("entry_1.binpb", entry(&self.links[0])),
            ("entry_2.binpb", entry(&self.links[1])),
            ("entry_erasing.binpb", entry(&Link { body: None, ..self.erasing.clone() })),
            ("frame.binpb", self.frame.encode_to_vec()),
            ("acceptance.binpb", self.step.bytes.to_vec()),
            ("accepted.binpb", self.accepted.encode_to_vec()),
            ("link_message.binpb", self.have.encode_to_vec()),
            ("signed_appointment.binpb", self.appointment.encode_to_vec()),
            ("node_admitted.binpb", self.admitted.encode_to_vec()),
            ("invitation.binpb", self.invitation.encode_to_vec()),
            ("invitation.txt", invitation::write(&self.invitation).into_bytes()),
            ("enrolment_request.binpb", self.request.encode_to_vec()),
        ]
    }

    /// What is computed on the way to these bytes, in hexadecimal where it is a digest.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        let body = |link: &Link| HEXLOWER.encode(&wire::body_digest(link.body.as_ref().unwrap()));
        vec![
            ("alpha", self.alpha.id().to_string()),
            ("backbone", self.backbone.id().to_string()),
            ("body_digest_1", body(&self.links[0])),
            ("body_digest_2", body(&self.links[1])),
            ("header_digest_1", HEXLOWER.encode(&self.links[0].digest)),
            ("header_digest_2", HEXLOWER.encode(&self.links[1].digest)),
            ("acceptance_digest", HEXLOWER.encode(&self.step.digest)),
        ]
    }
}

/// A node that had these secrets one after the other.
fn keys(secrets: &[[u8; 32]]) -> NodeKeys {
    let mut chain: Vec<serde_json::Value> = Vec::new();
    let mut before: Option<SigningKey> = None;
    for secret in secrets {
        let key = SigningKey::from_bytes(secret);
        let public = key.verifying_key().to_bytes();
        let succession = [b"commonweal-key-1".as_slice(), public.as_slice()].concat();
        let signature = before.map(|before| before.sign(&succession).to_vec()).unwrap_or_default();
        chain.push(serde_json::json!({
            "public_key": HEXLOWER.encode(&public), "signature": HEXLOWER.encode(&signature),
        }));
        before = Some(key);
    }
    let stored = serde_json::json!({"secret": HEXLOWER.encode(secrets.last().unwrap()), "chain": chain});
    let folder = tempfile::tempdir().unwrap();
    chassis::strongbox::make(&folder.path().join("node.key"), stored.to_string().as_bytes()).unwrap();
    NodeKeys::load(folder.path()).unwrap().unwrap()
}

fn root() -> RootKey {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.key");
    chassis::strongbox::make(&path, HEXLOWER.encode(&[0x04; 32]).as_bytes()).unwrap();
    RootKey::load(&path).unwrap()
}

fn entries(feed: &FeedName) -> Vec<Link> {
    let (mut sequence, mut previous, mut links) = (1, wire::GENESIS, Vec::new());
    for (id, salt) in EVENTS.into_iter().zip(SALTS) {
        let event = event(id, feed);
        let link = wire::entry(feed, sequence, &previous, &event, Bytes::from(event.encode()), salt);
        (sequence, previous) = (sequence + 1, link.digest);
        links.push(link);
    }
    links
}

/// An entry that erases the first and the third.
fn erasing(feed: &FeedName, last: &Link) -> Link {
    let event = event(uuid!("019b7c5e-0000-7000-8000-0000000000a4"), feed);
    let bytes = Bytes::from(event.encode());
    wire::erasing_entry(
        feed,
        last.sequence + 1,
        &last.digest,
        &event,
        bytes,
        [0xa4; 16],
        Runs::from([(feed.epoch, vec![1, 3])]),
    )
}

fn event(id: Uuid, feed: &FeedName) -> Event {
    let told = NodeEnded { node: feed.origin.to_string(), reason: "an example".to_owned() };
    Event {
        id,
        type_name: "commonweal.federation.v1.NodeEnded".to_owned(),
        home: feed.origin.clone(),
        space: feed.space.clone(),
        resource: Reference { node: feed.origin.clone(), id: RESOURCE },
        actor: Actor { organization: None, person: Some("p1".to_owned()) },
        made_at: MADE_AT,
        data: told.encode_to_vec().into(),
        accepted: None,
    }
}

fn have(feed: &FeedName, last: &Link, step: &Step) -> LinkMessage {
    let (initiative, space) = (feed.space.initiative().unwrap().to_string(), wire::within(&feed.space));
    let feed = FeedHead {
        initiative: initiative.clone(),
        space: space.clone(),
        origin: feed.origin.to_string(),
        epoch: feed.epoch,
        sequence: last.sequence,
        digest: Bytes::copy_from_slice(&last.digest),
    };
    let position = step.acceptance.position;
    let space = SpaceHead { initiative, space, position, digest: Bytes::copy_from_slice(&step.digest) };
    let have = Have { feeds: vec![feed], spaces: vec![space], answer: true, ..Have::default() };
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    LinkMessage { message: Some(link_message::Message::Have(have)), traceparent }
}

fn invited(initiative: &Reference, root: &RootKey) -> Invitation {
    Invitation {
        invitation: "019b7c5e-0000-7000-8000-0000000000ff".to_owned(),
        initiative: initiative.to_string(),
        initiative_name: "Every child".to_owned(),
        hub: "tls://hub.example.org:7421".to_owned(),
        authority: Bytes::from_static(b"a certificate"),
        root_key: root.public().to_vec().into(),
        enrolment_jwt: "a token".to_owned(),
        enrolment_seed: "a seed".to_owned(),
        secret: Bytes::copy_from_slice(&SECRET),
        expires_at: Some(timestamp(EXPIRES_AT)),
        follower: false,
    }
}

/// The id that a chain of keys belongs to.
pub fn id_of(keys: &[NodeKey]) -> NodeId {
    let first: [u8; 32] = keys[0].public_key.as_ref().try_into().unwrap();
    NodeId::of_key(&first)
}
