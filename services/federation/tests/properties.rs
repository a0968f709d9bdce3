//! What holds whatever comes: bytes that were changed never pass for what was signed, and numbers that come in any order
//! are taken once each, in order.
#![cfg(test)]

use std::sync::LazyLock;

use bytes::Bytes;
use chassis::clock;
use chassis::event::{Actor, Event, Fact};
use chassis::identity::{MOST_KEYS, NodeKeys};
use chassis::names::{Reference, Space};
use federation::domain::{Step, step};
use federation::wire::{self, FeedName, Head, Link};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;
use proto::federation::{Acceptance, Accepted, Entry, Frame, LinkMessage, NodeKey, Refusal, Seal, link_message};

/// A frame of five entries and the step that accepts it, with whoever made both.
struct Signed {
    key: Head,
    origin: chassis::names::NodeId,
    links: Vec<Link>,
    frame: Vec<u8>,
    step: Bytes,
    seal: Seal,
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let keys = NodeKeys::create(folder.path()).unwrap();
    let space = Space::members(&Reference::born_on(keys.id()));
    let feed = FeedName { space: space.clone(), origin: keys.id().clone(), epoch: 1 };
    let (mut previous, mut links) = (wire::GENESIS, Vec::new());
    for sequence in 1..=5 {
        let (type_name, data) = ("a.B".to_owned(), Bytes::from(vec![7; 40]));
        let fact = Fact { type_name, resource: Reference::born_on(keys.id()), space: space.clone(), data };
        let event = Event::told(&fact, keys.id(), &Actor::default());
        let link = wire::entry(&feed, sequence, &previous, &event, event.encode().into(), [7; 16]);
        previous = link.digest;
        links.push(link);
    }
    let frame = wire::frame(&links, wire::seal(&keys, &previous));
    let chain = wire::read(&frame).unwrap();
    let refused = [(3, "DUPLICATE_EVENT", "again".to_owned())];
    let step = wire::accept(&chain, 1, &wire::GENESIS, 0, clock::now(), refused.into_iter());
    let seal = wire::seal(&keys, &step.digest);
    let (key, origin) = (keys.public(), keys.id().clone());
    Signed { key, origin, links, frame: frame.encode_to_vec(), step: step.bytes, seal }
});

/// One change to some bytes.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize),
    End(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 1..=255u8).prop_map(|(at, bits)| Change::Flip(at, bits)),
        (any::<Index>(), 1..300usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<Index>(), 1..500usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        any::<Index>().prop_map(Change::End),
    ]
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        let place = |at: &Index| if bytes.is_empty() { 0 } else { at.index(bytes.len()) };
        match change {
            Change::Flip(at, bits) => {
                let at = place(at);
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bits);
            }
            Change::Cut(at, length) => {
                let at = place(at);
                bytes.drain(at..bytes.len().min(at + length));
            }
            Change::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Repeat(at, length) => {
                let at = place(at);
                let again = bytes[at..bytes.len().min(at + length)].to_vec();
                bytes.splice(at..at, again);
            }
            Change::End(at) => {
                let at = place(at);
                bytes.truncate(at);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_passes_for_a_frame_is_what_its_origin_made(changes in vec(change(), 1..4)) {
        let Ok(frame) = Frame::decode(changed(&SIGNED.frame, &changes).as_slice()) else { return Ok(()) };
        let Ok(chain) = wire::read(&frame) else { return Ok(()) };
        if chain.check(&[SIGNED.key]).is_err() {
            return Ok(());
        }
        // The end of the chain is what the seal covers; its beginning may have been sent before.
        let missing = SIGNED.links.len() - chain.links.len();
        for (link, genuine) in chain.links.iter().zip(&SIGNED.links[missing..]) {
            prop_assert_eq!((&link.header, link.digest), (&genuine.header, genuine.digest));
            prop_assert!(link.body.is_none() || link.body == genuine.body);
        }
    }

    #[test]
    fn what_passes_for_a_step_is_what_the_backbone_made(changes in vec(change(), 1..4)) {
        let bytes = Bytes::from(changed(&SIGNED.step, &changes));
        if let Ok(step) = wire::read_step(&bytes) {
            prop_assert_eq!((&step.bytes, step.digest), (&bytes, wire::digest(&bytes)));
            let sealed = wire::check_seal(&SIGNED.seal, &step.digest, &SIGNED.origin, &[SIGNED.key]).is_ok();
            prop_assert_eq!(sealed, bytes == SIGNED.step);
        }
    }

    #[test]
    fn no_bytes_at_all_do_any_harm(bytes in vec(any::<u8>(), 0..2000)) {
        let _ = wire::read_step(&Bytes::from(bytes.clone()));
        if let Ok(frame) = Frame::decode(bytes.as_slice()) {
            let _ = wire::read(&frame);
        }
    }

    #[test]
    fn a_run_of_numbers_is_taken_exactly_where_it_goes_on(held: u64, first in 1..=u64::MAX, length: u64) {
        let last = first.saturating_add(length);
        match step(held, first, last) {
            Step::Drop => prop_assert!(last <= held),
            Step::Ask => prop_assert!(first > held && first - held > 1),
            Step::Take { seen } => {
                prop_assert_eq!(first + seen, held + 1);
                prop_assert!(held < last);
            }
        }
    }

    #[test]
    fn whatever_is_lost_doubled_or_late_each_number_is_taken_once_and_in_order(
        arrivals in vec((1..=60u64, 0..12u64), 0..200),
    ) {
        let (mut held, mut taken) = (0, Vec::new());
        let mut arrive = |held: &mut u64, first: u64, last: u64| match step(*held, first, last) {
            Step::Take { seen } => {
                taken.extend(first + seen..=last);
                *held = last;
            }
            Step::Drop | Step::Ask => {}
        };
        for (first, length) in arrivals {
            arrive(&mut held, first, (first + length).min(60));
        }
        // Asked, or by the regular word: the other side goes back to what is held.
        while held < 60 {
            let first = held + 1;
            arrive(&mut held, first, (first + 6).min(60));
        }
        prop_assert_eq!(taken, (1..=60).collect::<Vec<_>>());
    }
}

#[test]
fn what_a_later_version_adds_to_a_step_is_kept_with_it() {
    // Field 99, of a kind that this version does not know.
    let bytes = Bytes::from([SIGNED.step.as_ref(), &[0x98, 0x06, 0x01]].concat());
    let step = wire::read_step(&bytes).unwrap();
    assert_eq!((step.digest, &step.bytes), (wire::digest(&bytes), &bytes));
    assert_ne!(step.acceptance.encode_to_vec(), bytes);
}

#[test]
fn the_largest_frame_with_every_entry_refused_fits_a_message() {
    let step = wire::read_step(&SIGNED.step).unwrap();
    let refusal =
        |sequence| Refusal { sequence, code: "X".repeat(wire::CODE_BYTES), reason: "x".repeat(wire::REASON_BYTES) };
    let acceptance = Acceptance {
        position: u64::MAX,
        governance_position: u64::MAX,
        refused: (0..u64::from(wire::FRAME_ENTRIES)).map(|nth| refusal(u64::MAX - nth)).collect(),
        ..step.acceptance
    };
    let entry = |bytes| Entry { header: vec![0; bytes].into(), body: None };
    let frame = Frame { entries: vec![entry(wire::FRAME_BYTES - 200)], seal: Some(SIGNED.seal.clone()) };
    assert!((wire::FRAME_BYTES - 100..=wire::FRAME_BYTES).contains(&frame.encoded_len()), "{}", frame.encoded_len());
    let key = NodeKey { public_key: vec![0; 32].into(), signature: vec![0; 64].into() };
    let accepted = Accepted {
        acceptance: acceptance.encode_to_vec().into(),
        seal: Some(SIGNED.seal.clone()),
        frame: Some(frame),
        origin_keys: vec![key.clone(); MOST_KEYS],
        backbone_keys: vec![key; MOST_KEYS],
    };
    let message = LinkMessage {
        message: Some(link_message::Message::Accepted(accepted)),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
    };
    assert!(message.encoded_len() <= federation::hub::MAX_MESSAGE_BYTES, "{}", message.encoded_len());
}
