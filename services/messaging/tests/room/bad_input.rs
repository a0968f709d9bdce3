//! What every call says to bad input: what is wrong, field by field, and nothing written.

use proto::messaging::*;
use tonic::{Code, Status};

use crate::scene::{Scene, card, definition, fields, meeting, new_id, post, reason};

/// A refused call, which wrote nothing.
macro_rules! refused {
    ($scene:expr, $method:ident, $request:expr) => {{
        let before = $scene.stage.everything().await;
        let status: Status = $scene.operated().$method($request).await.map(drop).unwrap_err();
        assert_eq!($scene.stage.everything().await, before, "something was written");
        status
    }};
}

#[tokio::test]
async fn nothing_at_all_is_refused_by_every_call() {
    let scene = Scene::set().await;
    macro_rules! wrong {
        ($($method:ident($request:ident) = $fields:expr;)+) => {
            $(
                let status = refused!(scene, $method, $request::default());
                assert_eq!(status.code(), Code::InvalidArgument, stringify!($method));
                assert_eq!(fields(&status), $fields, stringify!($method));
            )+
        };
    }
    wrong! {
        create_channel(CreateChannelRequest) = ["definition", "initiative"];
        get_channel(GetChannelRequest) = ["channel"];
        list_channels(ListChannelsRequest) = ["initiative"];
        close_channel(CloseChannelRequest) = ["channel", "reason"];
        post_message(PostMessageRequest) = ["body", "channel", "organization"];
        edit_message(EditMessageRequest) = ["body", "message"];
        withdraw_message(WithdrawMessageRequest) = ["message"];
        get_message(GetMessageRequest) = ["message"];
        list_messages(ListMessagesRequest) = ["channel"];
        watch_messages(WatchMessagesRequest) = ["channel"];
        search_messages(SearchMessagesRequest) = ["initiative", "query"];
        get_read_position(GetReadPositionRequest) = ["channel"];
        move_read_position(MoveReadPositionRequest) = ["channel", "cursor"];
        create_meeting(CreateMeetingRequest) = ["definition", "initiative"];
        get_meeting(GetMeetingRequest) = ["meeting"];
        list_meetings(ListMeetingsRequest) = ["initiative"];
        update_meeting(UpdateMeetingRequest) = ["definition", "meeting", "update_mask"];
        record_minutes(RecordMinutesRequest) = ["meeting", "minutes"];
        cancel_meeting(CancelMeetingRequest) = ["meeting", "reason"];
        export_meeting(ExportMeetingRequest) = ["meeting"];
        publish_practice_card(PublishPracticeCardRequest) = ["definition", "initiative"];
        get_practice_card(GetPracticeCardRequest) = ["practice_card"];
        update_practice_card(UpdatePracticeCardRequest) = ["definition", "practice_card"];
        retract_practice_card(RetractPracticeCardRequest) = ["practice_card", "reason"];
    }
}

#[tokio::test]
async fn what_nobody_knows_is_not_found() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let unknown = scene.organization().to_string();
    let stranger = Channel { reference: unknown.clone(), ..Channel::default() };
    let (message, request_id) = (unknown.clone(), new_id());
    macro_rules! unknown {
        ($($method:ident($request:expr);)+) => {
            $(assert_eq!(refused!(scene, $method, $request).code(), Code::NotFound, stringify!($method));)+
        };
    }
    unknown! {
        create_channel(CreateChannelRequest {
            initiative: unknown.clone(), ..scene.channel_of("members", ChannelKind::Discussion)
        });
        get_channel(GetChannelRequest { channel: unknown.clone() });
        close_channel(CloseChannelRequest {
            channel: unknown.clone(), reason: "Done".to_owned(), etag: String::new(), request_id: request_id.clone(),
        });
        post_message(post(&stranger, &scene.here, "Hello"));
        post_message(PostMessageRequest { thread: unknown.clone(), ..post(&channel, &scene.here, "Hello") });
        edit_message(EditMessageRequest {
            message: message.clone(), body: "Hi".to_owned(), etag: String::new(), request_id: request_id.clone(),
        });
        withdraw_message(WithdrawMessageRequest { message: message.clone(), request_id: request_id.clone() });
        get_message(GetMessageRequest { message });
        list_messages(ListMessagesRequest { channel: unknown.clone(), ..ListMessagesRequest::default() });
        watch_messages(WatchMessagesRequest { channel: unknown.clone(), ..WatchMessagesRequest::default() });
        search_messages(SearchMessagesRequest {
            initiative: scene.initiative.to_string(),
            channel: unknown.clone(),
            query: "x".to_owned(),
            ..SearchMessagesRequest::default()
        });
        get_read_position(GetReadPositionRequest { channel: unknown.clone() });
    }
}

#[tokio::test]
async fn what_is_malformed_or_too_long_is_named() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let wordy = ChannelDefinition {
        organization: "x".to_owned(),
        name: "x".repeat(201),
        purpose: "x".repeat(2001),
        subject: "x".to_owned(),
        kind: 9,
    };
    let create = CreateChannelRequest {
        definition: Some(wordy),
        space: "public".to_owned(),
        ..scene.channel_of("", ChannelKind::Discussion)
    };
    let mut expected: Vec<String> =
        ["kind", "name", "organization", "purpose", "subject"].map(|field| format!("definition.{field}")).into();
    expected.push("space".to_owned());
    assert_eq!(fields(&refused!(scene, create_channel, create)), expected);
    let wordy = PostMessageRequest {
        byline: "x".repeat(201),
        thread: "x".to_owned(),
        written_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
        ..post(&channel, &scene.here, &"x".repeat(20_001))
    };
    assert_eq!(fields(&refused!(scene, post_message, wordy)), ["body", "byline", "thread", "written_time"]);
    for body in ["a\0b", "a\u{1b}[2Jb", " \n "] {
        assert_eq!(fields(&refused!(scene, post_message, post(&channel, &scene.here, body))), ["body"]);
    }
    // The largest there is, in the widest characters, still is an event.
    scene.post(&channel, &"\u{1f4ac}".repeat(20_000)).await;
    let short = PostMessageRequest { request_id: "short".to_owned(), ..post(&channel, &scene.here, "Hello") };
    assert_eq!(fields(&refused!(scene, post_message, short)), ["request_id"]);
    let elsewhere = scene.elsewhere().await.here;
    let status = refused!(scene, post_message, post(&channel, &elsewhere, "Hello"));
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "AUTHOR_ELSEWHERE"));
    let foreign = CreateChannelRequest {
        definition: Some(definition(&elsewhere, ChannelKind::Discussion)),
        ..scene.channel_of("", ChannelKind::Discussion)
    };
    assert_eq!(reason(&refused!(scene, create_channel, foreign)), "AUTHOR_ELSEWHERE");
}

#[tokio::test]
async fn a_meeting_or_card_is_refused_with_all_that_is_wrong_with_it() {
    let scene = Scene::set().await;
    let wordy = MeetingDefinition {
        organization: "x".to_owned(),
        title: "x".repeat(201),
        start_time: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
        end_time: None,
        place: "x".repeat(501),
        link: "javascript:alert(1)".to_owned(),
        agenda: vec![AgendaItem { title: String::new(), notes: "x".repeat(2001) }],
        channel: "x".to_owned(),
    };
    let create = |definition: MeetingDefinition| CreateMeetingRequest {
        initiative: scene.initiative.to_string(),
        space: "public".to_owned(),
        definition: Some(definition),
        request_id: new_id(),
    };
    let mut expected: Vec<String> = [
        "agenda[0].notes",
        "agenda[0].title",
        "channel",
        "end_time",
        "link",
        "organization",
        "place",
        "start_time",
        "title",
    ]
    .map(|field| format!("definition.{field}"))
    .into();
    expected.push("space".to_owned());
    assert_eq!(fields(&refused!(scene, create_meeting, create(wordy))), expected);
    let good = meeting(&scene.here);
    for end_time in [good.start_time, Some(prost_types::Timestamp { seconds: 1_900_000_000, nanos: 0 })] {
        let create =
            CreateMeetingRequest { space: String::new(), ..create(MeetingDefinition { end_time, ..good.clone() }) };
        assert_eq!(fields(&refused!(scene, create_meeting, create)), ["definition.end_time"]);
    }
    let item = AgendaItem { title: "x".to_owned(), notes: "\u{1f4ac}".repeat(2000) };
    let large = MeetingDefinition { agenda: vec![item; 9], ..good };
    let create = CreateMeetingRequest { space: String::new(), ..create(large) };
    assert_eq!(fields(&refused!(scene, create_meeting, create)), ["definition"]);

    let series = MeasureSeries { measure: "x".to_owned(), points: Vec::new(), ..MeasureSeries::default() };
    let wordy = PracticeCardDefinition {
        title: String::new(),
        challenge: "x".repeat(4001),
        tried: "x".repeat(8001),
        cost: "x".repeat(2001),
        result: "x".repeat(4001),
        series: Some(series),
        failed: "x".repeat(4001),
        ..card(&scene.here)
    };
    let publish = PublishPracticeCardRequest {
        initiative: scene.initiative.to_string(),
        definition: Some(wordy),
        request_id: new_id(),
    };
    let expected =
        ["challenge", "cost", "failed", "result", "series.measure", "series.name", "series.points", "title", "tried"];
    assert_eq!(
        fields(&refused!(scene, publish_practice_card, publish)),
        expected.map(|field| format!("definition.{field}"))
    );
}

#[tokio::test]
async fn a_cursor_of_another_list_is_no_cursor() {
    let scene = Scene::set().await;
    let (one, other) = (scene.discussion().await, scene.discussion().await);
    let first = scene.post(&one, "Hello").await;
    let cursor = scene.list(&one, "", 0).await.next_cursor;
    for (channel, thread, cursor) in
        [(&other, "", cursor.as_str()), (&one, first.reference.as_str(), &cursor), (&one, "", "nonsense")]
    {
        let list = ListMessagesRequest {
            channel: channel.reference.clone(),
            thread: thread.to_owned(),
            cursor: cursor.to_owned(),
            page_size: -1,
        };
        assert_eq!(fields(&refused!(scene, list_messages, list.clone())), ["cursor", "page_size"]);
        let watch = WatchMessagesRequest { channel: list.channel, thread: list.thread, cursor: list.cursor };
        assert_eq!(fields(&refused!(scene, watch_messages, watch)), ["cursor"]);
    }
    let moved = MoveReadPositionRequest { channel: other.reference, cursor, request_id: new_id() };
    assert_eq!(fields(&refused!(scene, move_read_position, moved)), ["cursor"]);
}

#[tokio::test]
async fn what_does_not_stand_or_lives_elsewhere_is_not_changed() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let gone = scene.post(&channel, "Gone").await;
    scene.withdraw(&gone).await;
    let edit = |message: &Message| EditMessageRequest {
        message: message.reference.clone(),
        body: "Back".to_owned(),
        etag: String::new(),
        request_id: new_id(),
    };
    assert_eq!(reason(&refused!(scene, edit_message, edit(&gone))), "DOES_NOT_STAND");
    let withdraw =
        |message: &Message| WithdrawMessageRequest { message: message.reference.clone(), request_id: new_id() };
    assert_eq!(reason(&refused!(scene, withdraw_message, withdraw(&gone))), "DOES_NOT_STAND");
    let alpha = scene.elsewhere().await;
    alpha.stage.take(scene.told(&channel.reference).await.remove(0)).await;
    let theirs = alpha.post(&channel, "Theirs").await;
    scene.stage.take(alpha.told(&theirs.reference).await.remove(0)).await;
    assert_eq!(reason(&refused!(scene, edit_message, edit(&theirs))), "LIVES_ELSEWHERE");
    assert_eq!(reason(&refused!(scene, withdraw_message, withdraw(&theirs))), "LIVES_ELSEWHERE");
    let close = CloseChannelRequest {
        channel: channel.reference.clone(),
        reason: "Done".to_owned(),
        etag: "7".to_owned(),
        request_id: new_id(),
    };
    assert_eq!(reason(&refused!(scene, close_channel, close.clone())), "STALE_ETAG");
    let close = CloseChannelRequest { etag: String::new(), request_id: new_id(), ..close };
    assert_eq!(reason(&refused!(alpha, close_channel, close)), "LIVES_ELSEWHERE");
    let nested = scene.answer(&scene.post(&channel, "First").await, "Answer").await;
    let thread = PostMessageRequest { thread: nested.reference, ..post(&channel, &scene.here, "Deeper") };
    assert_eq!(reason(&refused!(scene, post_message, thread)), "NO_THREAD");
}
