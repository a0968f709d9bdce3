//! The tables follow from the log: folded again, they are the same, here and on every other node.

use std::collections::BTreeSet;

use chassis::event::Fact;
use chassis::names::Reference;
use chassis::testing::some_node;
use proto::common::Role;
use proto::messaging::*;

use crate::scene::{Scene, card, new_id};

/// Every event type of this room, and the one it hears through the chassis.
const TYPES: [&str; 14] = [
    "commonweal.membership.v1.RoleGranted",
    "commonweal.messaging.v1.ChannelClosed",
    "commonweal.messaging.v1.ChannelOpened",
    "commonweal.messaging.v1.MeetingCancelled",
    "commonweal.messaging.v1.MeetingRevised",
    "commonweal.messaging.v1.MeetingScheduled",
    "commonweal.messaging.v1.MessageEdited",
    "commonweal.messaging.v1.MessagePosted",
    "commonweal.messaging.v1.MessageWithdrawn",
    "commonweal.messaging.v1.MinutesRecorded",
    "commonweal.messaging.v1.PracticeCardPublished",
    "commonweal.messaging.v1.PracticeCardRetracted",
    "commonweal.messaging.v1.PracticeCardRevised",
    "commonweal.messaging.v1.ReadPositionMoved",
];

/// Lets everything happen that can happen in this room; gives a channel that was talked in.
async fn everything_happens(scene: &Scene) -> Channel {
    let channel = scene.discussion().await;
    let first = scene.post(&channel, "First").await;
    let answer = scene.answer(&first, "Answer").await;
    scene.edit(&answer, "Edited answer").await;
    let gone = scene.post(&channel, "Gone").await;
    scene.accept(&first.reference).await;
    scene.withdraw(&gone).await;
    let cursor = scene.list(&channel, "", 1).await.next_cursor;
    let moved = MoveReadPositionRequest { channel: channel.reference.clone(), cursor, request_id: new_id() };
    for _ in 0..2 {
        let moved = MoveReadPositionRequest { request_id: new_id(), ..moved.clone() };
        scene.operated().move_read_position(moved).await.unwrap();
    }
    meeting_and_card(scene).await;
    let closed = scene.discussion().await;
    scene.close(&closed).await;
    scene.accept(&closed.reference).await;
    channel
}

async fn meeting_and_card(scene: &Scene) {
    let mut operated = scene.operated();
    let (meeting, etag) = (scene.meeting().await.reference, String::new());
    let update = UpdateMeetingRequest {
        meeting: meeting.clone(),
        definition: Some(MeetingDefinition { title: "Moved".to_owned(), ..MeetingDefinition::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["title".to_owned()] }),
        etag: etag.clone(),
        request_id: new_id(),
    };
    operated.update_meeting(update).await.unwrap();
    let (minutes, request_id) = ("Agreed".to_owned(), new_id());
    let record = RecordMinutesRequest { meeting: meeting.clone(), minutes, etag: etag.clone(), request_id };
    operated.record_minutes(record).await.unwrap();
    let reason = "Snow".to_owned();
    let cancel = CancelMeetingRequest { meeting, reason: reason.clone(), etag: etag.clone(), request_id: new_id() };
    operated.cancel_meeting(cancel).await.unwrap();
    scene.published().await;
    let practice_card = scene.published().await.reference;
    let update = UpdatePracticeCardRequest {
        practice_card: practice_card.clone(),
        definition: Some(PracticeCardDefinition { cost: "Nothing".to_owned(), ..card(&scene.here) }),
        etag,
        request_id: new_id(),
    };
    operated.update_practice_card(update).await.unwrap();
    let retract = RetractPracticeCardRequest { practice_card, reason, request_id: new_id() };
    operated.retract_practice_card(retract).await.unwrap();
}

#[tokio::test]
async fn the_log_folded_again_gives_the_same_rows() {
    let scene = Scene::set().await;
    everything_happens(&scene).await;
    let log = scene.stage.log().await;
    let types: BTreeSet<&str> = log.iter().map(|event| event.type_name.as_str()).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), TYPES, "every event type took place");
    let before = scene.stage.rows().await;
    assert!(before.values().all(|rows| !rows.is_empty()), "every table has rows");
    scene.stage.replay().await;
    assert_eq!(scene.stage.rows().await, before);
}

#[tokio::test]
async fn one_resource_folded_again_gives_the_same_rows() {
    let scene = Scene::set().await;
    everything_happens(&scene).await;
    let before = scene.stage.rows().await;
    let resources: BTreeSet<Reference> = scene.stage.log().await.into_iter().map(|event| event.resource).collect();
    for resource in resources {
        scene.stage.refold(&resource).await;
        assert_eq!(scene.stage.rows().await, before, "{resource}");
    }
}

#[tokio::test]
async fn what_was_told_here_is_the_same_state_on_another_node() {
    let backbone = Scene::set().await;
    let channel = everything_happens(&backbone).await;
    let alpha = backbone.elsewhere().await;
    let states = backbone.stage.states(&backbone.initiative).await;
    assert_eq!(states.len(), 2 + 3 + 1, "channels, messages and the meeting, and nothing of how far anybody has read");
    assert!(states.is_sorted_by_key(|(resource, _)| resource.clone()));
    for event in backbone.stage.log().await.into_iter().filter(|event| event.space.initiative().is_some()) {
        alpha.stage.take(event).await;
    }
    assert_eq!(alpha.stage.states(&backbone.initiative).await, states);
    let mut there = alpha.bodies(&channel).await;
    let mut here = backbone.bodies(&channel).await;
    there.sort();
    here.sort();
    assert_eq!(there, here, "the same, in the order in which each has it accepted");
    assert_eq!(backbone.stage.states(&Reference::born_on(&alpha.stage.node)).await, []);
}

#[tokio::test]
async fn a_message_may_come_before_its_channel() {
    let backbone = Scene::set().await;
    let channel = backbone.discussion().await;
    let message = backbone.post(&channel, "Early").await;
    let alpha = backbone.elsewhere().await;
    alpha.stage.take(backbone.told(&message.reference).await.remove(0)).await;
    assert_eq!(alpha.get(&message).await.body, "Early");
    alpha.stage.take(backbone.told(&channel.reference).await.remove(0)).await;
    assert_eq!(alpha.bodies(&channel).await, ["Early"]);
    assert_eq!(alpha.stage.states(&alpha.initiative).await, backbone.stage.states(&backbone.initiative).await);
}

#[tokio::test]
async fn a_message_for_an_organization_that_lives_elsewhere_is_void() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let node = some_node();
    let heading = MessageHeading {
        channel: channel.reference.clone(),
        organization: scene.here.to_string(),
        ..MessageHeading::default()
    };
    let message = Reference::born_on(&node);
    let posted = MessagePosted { heading: Some(heading.clone()), body: "As you".to_owned(), byline: String::new() };
    scene.stage.hear(&node, &Fact::of(&message, &scene.members(), &posted)).await;
    let got = Message { reference: message.to_string(), ..Message::default() };
    let kept = scene.get(&got).await;
    assert_eq!(kept.state(), MessageState::Void);
    assert!(kept.void_reason.contains("does not live on the node"), "{}", kept.void_reason);
    assert_eq!(scene.bodies(&channel).await, [""; 0]);
    assert_eq!(scene.search("as").await, [""; 0]);
    let before = scene.stage.rows().await;
    scene.stage.refold(&message).await;
    assert_eq!(scene.stage.rows().await, before, "void again when folded again");
    let edited = MessageEdited { body: "As me".to_owned() };
    scene.stage.hear(&node, &Fact::of(&message, &scene.members(), &edited)).await;
    assert_eq!(scene.get(&got).await.etag, "2", "what follows is counted and changes nothing");
    assert_eq!(scene.get(&got).await.body, "As you");

    // Nor does one count that another organization of the same node signed.
    let another = Reference::born_on(&node);
    scene.stage.grant(&scene.initiative, &another, Role::Partner).await;
    let message = Reference::born_on(&node);
    let heading = MessageHeading { organization: another.to_string(), ..heading };
    let posted = MessagePosted { heading: Some(heading), body: "As us".to_owned(), byline: String::new() };
    let fact = Fact::of(&message, &scene.members(), &posted);
    let actor = chassis::event::Actor { organization: Some(Reference::born_on(&node)), person: None };
    scene.stage.take(chassis::event::Event::told(&fact, &node, &actor)).await;
    let kept = scene.get(&Message { reference: message.to_string(), ..Message::default() }).await;
    assert!(kept.void_reason.contains("signed for organization"), "{}", kept.void_reason);
}
