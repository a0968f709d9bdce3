//! Everything that parses bytes from another node, in one function: it never panics, takes in no more than a frame may
//! hold, and what it takes for whole it writes and reads again as the same.

use bytes::Bytes;
use chassis::event::Event;
use chassis::identity::{self, root};
use federation::hub::{HubAddress, jwt};
use federation::wire::{self, FeedName, Link};
use federation::{domain, invitation, join, take};
use prost::Message;
use proto::federation::{
    EnrolmentReply, EnrolmentRequest, Frame, Invitation, LinkMessage, NodeAdmitted, SignedAppointment, link_message,
};
use time::OffsetDateTime;

/// Reads bytes as everything that they could be.
pub fn parse(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    message(&bytes);
    if let Ok(message) = Frame::decode(bytes.clone()) {
        frame(&message);
    }
    step(&bytes);
    event(&bytes);
    people(&bytes);
    if let Ok(text) = std::str::from_utf8(&bytes) {
        words(text);
    }
}

fn message(bytes: &Bytes) {
    let Some(message) = take::read(bytes) else { return };
    let again = LinkMessage::decode(message.encode_to_vec().as_slice());
    assert!(again.is_ok_and(|again| again == message), "a message reads back as it was written");
    match &message.message {
        Some(link_message::Message::Frame(found)) => frame(found),
        Some(link_message::Message::Accepted(accepted)) => {
            step(&accepted.acceptance);
            assert!(accepted.frame.as_ref().is_none_or(|frame| frame.entries.len() <= 193), "lists have a bound");
            accepted.frame.iter().for_each(frame);
        }
        Some(link_message::Message::Have(have)) => {
            assert!(have.feeds.len() <= 100 && have.spaces.len() <= 100, "lists have a bound");
        }
        None => {}
    }
}

fn frame(message: &Frame) {
    let Ok(chain) = wire::read(message) else { return };
    assert!(chain.links.len() <= usize::from(wire::FRAME_ENTRIES), "a frame has a bound");
    let _ = chain.check(&[[7; 32]]);
    for link in &chain.links {
        entry(&chain.feed, link);
    }
    let again = wire::read(&wire::frame(&chain.links, chain.seal.clone()));
    let same = again.is_ok_and(|again| (again.feed, again.links.len()) == (chain.feed.clone(), chain.links.len()));
    assert!(same, "a frame reads back as it was written");
}

fn entry(feed: &FeedName, link: &Link) {
    wire::erases(&link.header);
    for backbone in [true, false] {
        let governance = domain::Governance { admitted: true, backbone, ..domain::Governance::default() };
        if let Err(refusal) = domain::judge(feed, link, &governance, false) {
            assert!(!refusal.code().is_empty() && !refusal.to_string().is_empty(), "a refusal has a name");
        }
    }
}

fn step(bytes: &Bytes) {
    let Ok(step) = wire::read_step(bytes) else { return };
    assert!(step.bytes == *bytes && step.digest == wire::digest(bytes), "a step is kept byte for byte");
}

fn event(bytes: &[u8]) {
    let Ok(event) = Event::decode(bytes) else { return };
    let again = Event::decode(&event.encode());
    assert!(again.is_ok_and(|again| again == event), "an event reads back as it was written");
}

/// What a newcomer and a backbone say to one another.
fn people(bytes: &Bytes) {
    let nobody = chassis::names::NodeId::of_key(&[7; 32]);
    if let Ok(request) = EnrolmentRequest::decode(bytes.clone()) {
        let node = request.node.parse().unwrap_or_else(|_| nobody.clone());
        let _ = identity::verify_chain(&node, &request.keys);
    }
    if let Ok(reply) = EnrolmentReply::decode(bytes.clone()) {
        let _ = join::introduced(&Invitation { root_key: vec![7; 32].into(), ..Invitation::default() }, &reply);
        let _ = jwt::read(&reply.connection_jwt);
    }
    if let Ok(signed) = SignedAppointment::decode(bytes.clone()) {
        let _ = root::verify_appointment(&[7; 32], &signed);
    }
    if let Ok(admitted) = NodeAdmitted::decode(bytes.clone()) {
        let node = admitted.node.parse().unwrap_or(nobody);
        let _ = identity::verify_chain(&node, &admitted.keys);
    }
    if let Ok(invited) = Invitation::decode(bytes.clone()) {
        let _ = invitation::read(&invitation::write(&invited), OffsetDateTime::UNIX_EPOCH);
    }
}

fn words(text: &str) {
    if let Ok(invited) = invitation::read(text, OffsetDateTime::UNIX_EPOCH) {
        let again = invitation::read(&invitation::write(&invited), OffsetDateTime::UNIX_EPOCH);
        assert!(again.is_ok_and(|again| again == invited), "an invitation reads back as it was written");
    }
    let _ = jwt::read(text);
    let _ = text.parse::<HubAddress>();
    if let Ok(space) = text.parse::<chassis::names::Space>() {
        assert_eq!(space.to_string().parse(), Ok(space), "a space reads back as it was written");
    }
}
