//! The wire format, byte for byte: what this version makes from fixed inputs is what lies in `golden/`, and what lies
//! there is read back and verified. A test that fails here means that nodes of the last release and of this one would
//! not understand each other: then the format needs a new number, not the files new bytes.
#![cfg(test)]

#[path = "golden/made.rs"]
mod made;

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use chassis::identity::{self, root};
use federation::wire::Runs;
use federation::{invitation, wire};
use made::{ACCEPTED_AT, EXPIRES_AT, MADE_AT, Made, SECRET, id_of};
use prost::Message;
use proto::federation::{
    Accepted, EnrolmentRequest, Entry, EntryBody, EntryHeader, Frame, LinkMessage, NodeAdmitted, SignedAppointment,
};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn golden(name: &str) -> Bytes {
    fs::read(path(name)).unwrap().into()
}

fn read<M: Message + Default>(name: &str) -> M {
    M::decode(golden(name)).unwrap()
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let made = Made::again();
    let mut files = made.files();
    let values: serde_json::Map<String, serde_json::Value> =
        made.values().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    files.push(("values.json", format!("{:#}\n", serde_json::Value::from(values)).into_bytes()));
    for (name, bytes) in files {
        // For the first files of a new format number.
        if std::env::var_os("WRITE_GOLDEN").is_some() {
            fs::write(path(name), &bytes).unwrap();
        }
        assert_eq!(golden(name), bytes, "{name} would come out differently");
    }
}

#[test]
fn entries_read_back_chained() {
    let (one, two): (Entry, Entry) = (read("entry_1.binpb"), read("entry_2.binpb"));
    assert_eq!((one.header.clone(), one.body.clone()), (golden("entry_header.binpb"), Some(read("entry_body.binpb"))));
    let header = EntryHeader::decode(one.header.clone()).unwrap();
    assert_eq!((header.format, header.epoch, header.sequence), (1, 7, 1));
    assert_eq!((header.space.as_str(), header.previous.as_ref()), ("members", [0; 32].as_slice()));
    let body: EntryBody = read("entry_body.binpb");
    assert_eq!(header.body_digest.as_ref(), wire::digest(&[body.salt.as_ref(), body.event.as_ref()].concat()));
    let event = wire::event(&body).unwrap();
    assert_eq!((event.type_name, event.made_at), (header.event_type, MADE_AT));
    let next = EntryHeader::decode(two.header).unwrap();
    assert_eq!((next.sequence, next.previous.as_ref()), (2, wire::digest(&one.header).as_slice()));
}

#[test]
fn an_entry_names_what_it_erases() {
    let entry: Entry = read("entry_erasing.binpb");
    assert_eq!((wire::erases(&entry.header), entry.body), (Runs::from([(7, vec![1, 3])]), None));
    assert!(wire::erases(&golden("entry_header.binpb")).is_empty());
    let header = EntryHeader::decode(entry.header).unwrap();
    assert_eq!((header.sequence, header.previous.as_ref()), (4, Made::again().links[2].digest.as_slice()));
}

#[test]
fn a_frame_reads_back_under_its_seal() {
    let made = Made::again();
    let chain = wire::read(&read::<Frame>("frame.binpb")).unwrap();
    chain.check(&[made.alpha.public()]).unwrap();
    assert_eq!((chain.first(), chain.last(), chain.feed.origin), (2, 3, made.alpha.id().clone()));
    let message = [b"commonweal-seal-1".as_slice(), &wire::digest(&chain.links[1].header)].concat();
    identity::verify(&made.alpha.public(), &message, &chain.seal.signature).unwrap();
}

#[test]
fn an_acceptance_reads_back_under_its_seal() {
    let made = Made::again();
    let accepted: Accepted = read("accepted.binpb");
    assert_eq!(accepted.acceptance, golden("acceptance.binpb"));
    let step = wire::read_step(&accepted.acceptance).unwrap();
    wire::check_seal(&accepted.seal.unwrap(), &step.digest, made.backbone.id(), &[made.backbone.public()]).unwrap();
    assert_eq!((step.acceptance.position, step.acceptance.governance_position, step.at), (5, 4, ACCEPTED_AT));
    assert_eq!((step.acceptance.from, step.acceptance.to, step.acceptance.refused[0].sequence), (2, 3, 3));
    // What was refused comes without its body, under the same seal of its origin.
    let chain = wire::read(&accepted.frame.unwrap()).unwrap();
    chain.check(&[made.alpha.public()]).unwrap();
    assert_eq!(chain.head(), step.acceptance.head.as_ref());
    assert!(chain.links[0].body.is_some() && chain.links[1].body.is_none());
}

#[test]
fn a_message_of_the_link_reads_back() {
    let message: LinkMessage = read("link_message.binpb");
    let Some(proto::federation::link_message::Message::Have(have)) = message.message else { panic!("no Have") };
    assert_eq!((have.feeds[0].sequence, have.spaces[0].position, have.answer, have.resume), (3, 5, true, false));
    assert_eq!(have.spaces[0].digest, wire::digest(&golden("acceptance.binpb")).as_slice());
}

#[test]
fn an_appointment_reads_back_under_its_root() {
    let made = Made::again();
    let signed: SignedAppointment = read("signed_appointment.binpb");
    let appointment = root::verify_appointment(&made.root, &signed).unwrap();
    assert_eq!((appointment.number, appointment.backbone), (2, made.backbone.id().to_string()));
    let message = [b"commonweal-appointment-1".as_slice(), &signed.appointment].concat();
    identity::verify(&made.root, &message, &signed.signature).unwrap();
}

#[test]
fn keys_read_back_as_a_chain() {
    let made = Made::again();
    let admitted: NodeAdmitted = read("node_admitted.binpb");
    let node = admitted.node.parse().unwrap();
    assert_eq!(node, id_of(&admitted.keys));
    let keys = identity::verify_chain(&node, &admitted.keys).unwrap();
    assert_eq!((keys.len(), keys[1]), (2, made.alpha.public()));
    let message = [b"commonweal-key-1".as_slice(), &keys[1]].concat();
    identity::verify(&keys[0], &message, &admitted.keys[1].signature).unwrap();
}

#[test]
fn an_invitation_reads_back_from_its_line() {
    let line = String::from_utf8(golden("invitation.txt").to_vec()).unwrap();
    let invitation = invitation::read(&line, MADE_AT).unwrap();
    assert_eq!(invitation, read("invitation.binpb"));
    assert_eq!(invitation.secret, SECRET.as_slice());
    assert!(invitation::read(&line, EXPIRES_AT).is_err());
}

#[test]
fn an_enrolment_request_reads_back_with_its_proof() {
    let made = Made::again();
    let request: EnrolmentRequest = read("enrolment_request.binpb");
    let bare = EnrolmentRequest { proof: Bytes::new(), ..request.clone() };
    let message = [b"commonweal-join-1".as_slice(), &wire::digest(&SECRET), &bare.encode_to_vec()].concat();
    identity::verify(&made.alpha.public(), &message, &request.proof).unwrap();
}
