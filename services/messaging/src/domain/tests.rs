//! The rules, without a database.

use chassis::clock;
use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;
use uuid::Uuid;

use super::channel::{self, Channel, Definition, Kind};
use super::cursor::{Cursor, MOST_PENDING};
use super::message::{self, Heading, Message, State};
use super::{Fact, Refusal};

fn stamp() -> Stamp {
    Stamp { version: 1, created_at: clock::now(), updated_at: clock::now() }
}

fn node(number: u8) -> NodeId {
    NodeId::of_key(&[number; 32])
}

fn channel(kind: Kind) -> Channel {
    let initiative = Reference::born_on(&node(1));
    let organization = Reference::born_on(&node(1));
    let definition = Definition { organization, name: "All".to_owned(), purpose: String::new(), subject: None, kind };
    Channel {
        reference: Reference::born_on(&node(1)),
        space: Space::members(&initiative),
        initiative,
        definition,
        closed: None,
        closed_position: None,
        stamp: stamp(),
    }
}

fn heading(channel: &Channel, home: &NodeId) -> Heading {
    let organization = Reference::born_on(home);
    Heading { channel: channel.reference.clone(), thread: None, organization, written_at: None }
}

fn message(channel: &Channel, home: &NodeId) -> Message {
    Message {
        reference: Reference::born_on(home),
        space: channel.space.clone(),
        heading: heading(channel, home),
        body: "Hello".to_owned(),
        byline: String::new(),
        state: State::Posted,
        void_reason: String::new(),
        edited_at: None,
        posted_position: Some(7),
        stamp: stamp(),
    }
}

fn said(heading: Heading) -> (Heading, String, String) {
    (heading, "Hello".to_owned(), String::new())
}

#[test]
fn announcements_are_the_backbones() {
    let (backbone, alpha) = (node(1), node(2));
    let all = channel(Kind::Announcements);
    let post = |home: &NodeId, staff| message::post(home, &all, None, staff, said(heading(&all, home)));
    assert!(post(&backbone, true).is_ok());
    assert_eq!(post(&backbone, false), Err(Refusal::BackboneAnnounces));
    assert_eq!(post(&alpha, true), Err(Refusal::BackboneAnnounces));
    let definition = Definition { organization: Reference::born_on(&alpha), ..all.definition.clone() };
    assert_eq!(channel::open(&alpha, &all.initiative, definition), Err(Refusal::BackboneAnnounces));
    assert!(message::void_in(&all, &message(&all, &alpha)).unwrap().contains("backbone"));
    assert_eq!(message::void_in(&all, &message(&all, &backbone)), None);
}

#[test]
fn a_thread_begins_with_a_message_of_the_same_channel_that_answers_none() {
    let (alpha, here) = (node(2), channel(Kind::Discussion));
    let first = message(&here, &node(3));
    let answer = |first: &Message| message::post(&alpha, &here, Some(first), false, said(heading(&here, &alpha)));
    assert!(answer(&first).is_ok());
    let nested =
        Message { heading: Heading { thread: Some(first.reference.clone()), ..first.heading.clone() }, ..first };
    assert_eq!(answer(&nested), Err(Refusal::NoThread(nested.reference.clone())));
    let elsewhere = message(&channel(Kind::Discussion), &node(3));
    assert_eq!(answer(&elsewhere), Err(Refusal::NoThread(elsewhere.reference.clone())));
}

#[test]
fn what_comes_after_the_close_is_void_and_what_came_before_stands() {
    let alpha = node(2);
    let mut closed = channel(Kind::Discussion);
    assert!(channel::close(&alpha, &closed, "Done".to_owned()).is_err(), "only its home closes it");
    closed.closed = Some("Done".to_owned());
    let post = message::post(&alpha, &closed, None, false, said(heading(&closed, &alpha)));
    assert!(matches!(post, Err(Refusal::ChannelClosed { .. })));
    let before = message(&closed, &alpha);
    assert_eq!(message::void_in(&closed, &before), None, "nobody has accepted the close yet");
    closed.closed_position = Some(7);
    assert_eq!(message::void_in(&closed, &before), None);
    let after = Message { posted_position: Some(8), ..before.clone() };
    assert!(message::void_in(&closed, &after).is_some());
    let pending = Message { posted_position: None, ..before.clone() };
    assert!(message::void_in(&closed, &pending).is_some());
    assert_eq!(message::void_in(&closed, &Message { state: State::Withdrawn, ..pending }), None);
    let other = Message { space: Space::Local, ..before };
    assert!(message::void_in(&closed, &other).unwrap().contains("space"));
}

#[test]
fn only_what_stands_is_edited_or_taken_back() {
    let (alpha, here) = (node(2), channel(Kind::Discussion));
    let posted = message(&here, &alpha);
    assert_eq!(message::edit(&alpha, &posted, "Hello".to_owned()), Ok(Vec::new()), "the same is no change");
    assert_eq!(message::edit(&alpha, &posted, "Hi".to_owned()).unwrap().len(), 1);
    assert!(matches!(message::edit(&node(3), &posted, "Hi".to_owned()), Err(Refusal::LivesElsewhere { .. })));
    let withdrawn = message::withdraw(&alpha, &posted).unwrap();
    assert!(matches!(withdrawn.as_slice(), [Fact::MessageWithdrawn { version: 2, .. }]), "{withdrawn:?}");
    let gone = Message { state: State::Withdrawn, ..posted };
    assert_eq!(message::edit(&alpha, &gone, "Hi".to_owned()), Err(Refusal::DoesNotStand));
    assert_eq!(message::withdraw(&alpha, &gone), Err(Refusal::DoesNotStand));
}

#[test]
fn a_message_is_its_authors() {
    let (alpha, here) = (node(2), channel(Kind::Discussion));
    let foreign = heading(&here, &node(3));
    let post = message::post(&alpha, &here, None, false, said(foreign.clone()));
    assert!(matches!(post, Err(Refusal::AuthorElsewhere { .. })));
    assert!(message::void_by_itself(&alpha, &foreign, None).is_some());
    let own = heading(&here, &alpha);
    assert_eq!(message::void_by_itself(&alpha, &own, Some(&own.organization)), None);
    assert!(message::void_by_itself(&alpha, &own, Some(&Reference::born_on(&alpha))).is_some());
}

#[test]
fn a_cursor_goes_forward_only_and_keeps_what_still_waits() {
    let ids: Vec<Uuid> = (0..4).map(|_| clock::new_id()).collect();
    let mut cursor = Cursor::default();
    cursor.pass(ids[1], Some(5));
    cursor.pass(ids[0], Some(5));
    assert_eq!(cursor.place, Some((5, ids[1])));
    cursor.pass(ids[2], None);
    cursor.pass(ids[3], None);
    assert_eq!(cursor.room(), MOST_PENDING - 2);
    cursor.settle(&[(ids[2], Some(9)), (ids[3], None)]);
    assert_eq!(cursor, Cursor { place: Some((9, ids[2])), pending: vec![ids[3]] });
    cursor.settle(&[]);
    assert!(cursor.pending.is_empty());
}
