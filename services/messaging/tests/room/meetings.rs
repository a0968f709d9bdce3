//! Meetings and practice cards, from the first word to the last.

use chassis::event::Fact;
use chassis::names::{Reference, Space, Within};
use chassis::testing::{some_node, speaking_for};
use prost_types::{FieldMask, Timestamp};
use proto::messaging::*;

use crate::scene::{Scene, card, fields, meeting, new_id, reason};

#[tokio::test]
async fn a_meeting_is_called_moved_minuted_and_exported() {
    let scene = Scene::set().await;
    let called = scene.meeting().await;
    assert_eq!((called.state(), called.space.as_str()), (MeetingState::Scheduled, "members"));
    let update = |mask: &str, change: MeetingDefinition| UpdateMeetingRequest {
        meeting: called.reference.clone(),
        definition: Some(change),
        update_mask: Some(FieldMask { paths: vec![mask.to_owned()] }),
        etag: String::new(),
        request_id: new_id(),
    };
    let place = MeetingDefinition { place: "Room 2".to_owned(), ..MeetingDefinition::default() };
    let moved = scene.operated().update_meeting(update("place", place)).await.unwrap().into_inner().meeting.unwrap();
    let definition = moved.definition.unwrap();
    assert_eq!((definition.place.as_str(), definition.title.as_str()), ("Room 2", "Graduation"));
    let early = MeetingDefinition { end_time: Some(Timestamp { seconds: 0, nanos: 0 }), ..Default::default() };
    let status = scene.operated().update_meeting(update("end_time", early)).await.unwrap_err();
    assert_eq!(fields(&status), ["definition.end_time"]);
    let minutes = RecordMinutesRequest {
        meeting: called.reference.clone(),
        minutes: "Agreed; all of it".to_owned(),
        etag: moved.etag,
        request_id: new_id(),
    };
    let minuted = scene.operated().record_minutes(minutes).await.unwrap().into_inner().meeting.unwrap();
    assert_eq!((minuted.minutes.as_str(), minuted.etag.as_str()), ("Agreed; all of it", "3"));
    let export = ExportMeetingRequest { meeting: called.reference.clone() };
    let calendar = scene.operated().export_meeting(export).await.unwrap().into_inner().calendar;
    assert!(calendar.starts_with("BEGIN:VCALENDAR\r\n") && calendar.ends_with("END:VCALENDAR\r\n"));
    assert!(calendar.contains("\r\nDTSTART:20260301T150000Z\r\n"), "{calendar}");
    assert!(calendar.contains("Agreed\\; all of it"), "{calendar}");

    let cancel = CancelMeetingRequest {
        meeting: called.reference.clone(),
        reason: "Snow".to_owned(),
        etag: String::new(),
        request_id: new_id(),
    };
    let cancelled = scene.operated().cancel_meeting(cancel.clone()).await.unwrap().into_inner().meeting.unwrap();
    assert_eq!((cancelled.state(), cancelled.cancelled_reason.as_str()), (MeetingState::Cancelled, "Snow"));
    let again = CancelMeetingRequest { request_id: new_id(), ..cancel };
    assert_eq!(reason(&scene.operated().cancel_meeting(again).await.unwrap_err()), "MEETING_CANCELLED");
}

#[tokio::test]
async fn meetings_are_listed_by_the_time_they_begin() {
    let scene = Scene::set().await;
    for (title, day) in [("Later", 20), ("Sooner", 10), ("Past", 1)] {
        let start = Timestamp { seconds: day * 86_400, nanos: 0 };
        let definition = MeetingDefinition {
            title: title.to_owned(),
            start_time: Some(start),
            end_time: Some(Timestamp { seconds: start.seconds + 60, nanos: 0 }),
            ..meeting(&scene.here)
        };
        scene.called(definition).await;
    }
    let list = |page_token: String| ListMeetingsRequest {
        initiative: scene.initiative.to_string(),
        ends_after: Some(Timestamp { seconds: 2 * 86_400, nanos: 0 }),
        page_size: 1,
        page_token,
    };
    let first = scene.operated().list_meetings(list(String::new())).await.unwrap().into_inner();
    let second = scene.operated().list_meetings(list(first.next_page_token)).await.unwrap().into_inner();
    let title = |meetings: &[Meeting]| meetings[0].definition.clone().unwrap().title;
    assert_eq!((title(&first.meetings), title(&second.meetings)), ("Sooner".to_owned(), "Later".to_owned()));
    assert_eq!(second.next_page_token, "");
}

#[tokio::test]
async fn a_card_is_public_and_read_by_those_who_follow() {
    let scene = Scene::set().await;
    let published = scene.published().await;
    assert_eq!(published.definition.clone().unwrap().title, "", "answers are kept, and hold nothing said");
    let told = scene.told(&published.reference).await.remove(0);
    assert_eq!(told.space, Space::Of(scene.initiative.clone(), Within::Public));

    // The backbone of another initiative, which nobody here gave a role.
    let follower = Scene::set().await;
    follower.stage.take(told).await;
    let somebody = speaking_for(&[]);
    let list = ListPracticeCardsRequest::default();
    let cards = follower.client(Some(&somebody)).list_practice_cards(list).await.unwrap().into_inner().practice_cards;
    assert_eq!(cards[0].definition, Some(card(&scene.here)));
    let get = GetPracticeCardRequest { practice_card: published.reference.clone() };
    let got = follower.client(Some(&somebody)).get_practice_card(get).await.unwrap().into_inner();
    assert_eq!(got.practice_card.as_ref(), cards.first());
    let of_their_own = ListPracticeCardsRequest { initiative: follower.initiative.to_string(), ..Default::default() };
    let cards = follower.operated().list_practice_cards(of_their_own).await.unwrap().into_inner().practice_cards;
    assert_eq!(cards, []);
}

#[tokio::test]
async fn a_card_is_revised_by_its_organization_only() {
    let scene = Scene::set().await;
    let published = scene.published().await;
    let update = |definition: PracticeCardDefinition| UpdatePracticeCardRequest {
        practice_card: published.reference.clone(),
        definition: Some(definition),
        etag: String::new(),
        request_id: new_id(),
    };
    let failed = PracticeCardDefinition { failed: "Buses".to_owned(), ..card(&scene.here) };
    let revised = scene.operated().update_practice_card(update(failed.clone())).await.unwrap().into_inner();
    assert_eq!(revised.practice_card.unwrap().etag, "2");
    let again = scene.operated().update_practice_card(update(failed)).await.unwrap().into_inner();
    assert_eq!(again.practice_card.unwrap().etag, "2", "the same is no event");
    let other = scene.organization();
    let status = scene.operated().update_practice_card(update(card(&other))).await.unwrap_err();
    assert_eq!(fields(&status), ["definition.organization"]);
}

#[tokio::test]
async fn a_card_for_an_organization_that_lives_elsewhere_is_void() {
    let scene = Scene::set().await;
    let node = some_node();
    let resource = Reference::born_on(&node);
    let published = PracticeCardPublished { definition: Some(card(&scene.here)) };
    let space = Space::Of(scene.initiative.clone(), Within::Public);
    scene.stage.hear(&node, &Fact::of(&resource, &space, &published)).await;
    let get = GetPracticeCardRequest { practice_card: resource.to_string() };
    let kept = scene.operated().get_practice_card(get).await.unwrap().into_inner().practice_card.unwrap();
    assert_eq!(kept.state(), PracticeCardState::Void);
    let cards = scene.operated().list_practice_cards(ListPracticeCardsRequest::default()).await.unwrap().into_inner();
    assert_eq!(cards.practice_cards, []);
}
