//! What people do with channels, from the first word to the last.

use chassis::event::Fact;
use chassis::names::Reference;
use chassis::testing::speaking_for;
use proto::common::Role;
use proto::messaging::*;

use crate::scene::{Scene, definition, new_id, post, reason};

#[tokio::test]
async fn a_message_is_posted_answered_and_edited() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    assert_eq!((channel.state(), channel.space.as_str()), (ChannelState::Open, "members"));
    let first = scene.post(&channel, "Who has the figures?").await;
    assert_eq!((first.body.as_str(), first.byline.as_str()), ("", ""), "answers are kept, and hold nothing said");
    let answer = scene.answer(&first, "We do").await;
    scene.post(&channel, "Something else").await;
    assert_eq!(scene.bodies(&channel).await, ["Who has the figures?", "We do", "Something else"]);
    let thread = ListMessagesRequest {
        channel: channel.reference.clone(),
        thread: first.reference.clone(),
        ..ListMessagesRequest::default()
    };
    let thread = scene.operated().list_messages(thread).await.unwrap().into_inner();
    assert_eq!(crate::scene::bodies(&thread.entries), ["Who has the figures?", "We do"]);

    let edited = scene.edit(&answer, "We do not").await;
    assert!(edited.edit_time.is_some() && edited.etag == "2");
    let changes: Vec<Change> = scene.list(&channel, "", 0).await.entries.iter().map(Entry::change).collect();
    assert_eq!(changes, [Change::Posted, Change::Posted, Change::Posted, Change::Edited]);
    let get = scene.get(&answer).await;
    assert_eq!(
        (get.body.as_str(), get.byline.as_str(), get.state()),
        ("We do not", "Wilhelmina", MessageState::Posted)
    );
    let stale = EditMessageRequest {
        message: answer.reference.clone(),
        body: "Late".to_owned(),
        etag: answer.etag.clone(),
        request_id: new_id(),
    };
    assert_eq!(reason(&scene.operated().edit_message(stale).await.unwrap_err()), "STALE_ETAG");
    let unchanged = scene.edit(&answer, "We do not").await;
    assert_eq!(unchanged.etag, "2", "the same is no event");
}

#[tokio::test]
async fn the_same_request_has_one_effect_and_the_same_answer() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let request = post(&channel, &scene.here, "Once");
    let one = scene.operated().post_message(request.clone()).await.unwrap().into_inner();
    let other = scene.operated().post_message(request).await.unwrap().into_inner();
    assert_eq!(one, other);
    assert_eq!(scene.bodies(&channel).await, ["Once"]);
}

#[tokio::test]
async fn announcements_are_made_by_the_backbones_staff() {
    let scene = Scene::set().await;
    let channel = scene.channel("members", ChannelKind::Announcements).await;
    let staff = scene.organization();
    scene.stage.grant(&scene.initiative, &staff, Role::BackboneStaff).await;
    let by = async |organization: &Reference| {
        let mut client = scene.client(Some(&speaking_for(&[organization])));
        client.post_message(post(&channel, organization, "Hear hear")).await.map(drop)
    };
    by(&staff).await.unwrap();
    assert_eq!(reason(&by(&scene.here).await.unwrap_err()), "BACKBONE_ANNOUNCES");
    assert_eq!(scene.bodies(&channel).await, ["Hear hear"]);

    // A partner's node may tell what it likes: it is kept, and shown nowhere.
    let alpha = scene.elsewhere().await;
    let request = alpha.channel_of("members", ChannelKind::Announcements);
    assert_eq!(reason(&alpha.operated().create_channel(request).await.unwrap_err()), "BACKBONE_ANNOUNCES");
    let heading = MessageHeading {
        channel: channel.reference.clone(),
        organization: alpha.here.to_string(),
        ..MessageHeading::default()
    };
    let posted = MessagePosted { heading: Some(heading), body: "Hear me".to_owned(), byline: String::new() };
    let message = Reference::born_on(&alpha.stage.node);
    scene.stage.hear(&alpha.stage.node, &Fact::of(&message, &scene.members(), &posted)).await;
    assert_eq!(scene.bodies(&channel).await, ["Hear hear"]);
    assert_eq!(scene.search("hear").await, ["Hear hear"]);
    let kept = scene.get(&Message { reference: message.to_string(), ..Message::default() }).await;
    assert_eq!(kept.state(), MessageState::Void);
    assert!(kept.void_reason.contains("backbone"), "{}", kept.void_reason);
}

#[tokio::test]
async fn a_closed_channel_takes_no_more_and_keeps_what_it_has() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let before = scene.post(&channel, "Before").await;
    scene.accept(&before.reference).await;
    let closed = scene.close(&channel).await;
    assert_eq!((closed.state(), closed.closed_reason.as_str()), (ChannelState::Closed, "Done"));
    let late = scene.operated().post_message(post(&channel, &scene.here, "After")).await.unwrap_err();
    assert_eq!(reason(&late), "CHANNEL_CLOSED");
    // Another node has not heard of it, and posts: before the close is accepted that counts, after it no more.
    let alpha = scene.elsewhere().await;
    for event in scene.told(&channel.reference).await.into_iter().take(1) {
        alpha.stage.take(event).await;
    }
    for body in ["In time", "Too late"] {
        let posted = alpha.post(&channel, body).await;
        for event in alpha.told(&posted.reference).await {
            scene.stage.take(event).await;
        }
        scene.accept(&channel.reference).await;
    }
    assert_eq!(scene.bodies(&channel).await, ["Before", "In time"]);
    assert_eq!(scene.search("late OR time").await, ["In time"]);
    // What was said in time can still be taken back.
    scene.withdraw(&before).await;
    assert_eq!(scene.bodies(&channel).await, ["In time", ""]);
}

#[tokio::test]
async fn the_search_finds_words_in_any_language_and_nothing_withdrawn() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    for body in ["Niños y niñas", "Die Zahlen für Hartford", "Figures for Hartford", "Draft figures"] {
        scene.post(&channel, body).await;
    }
    assert_eq!(scene.search("niños").await, ["Niños y niñas"]);
    assert_eq!(scene.search("hartford").await, ["Figures for Hartford", "Die Zahlen für Hartford"], "the last first");
    assert_eq!(scene.search("hartford -figures").await, ["Die Zahlen für Hartford"]);
    assert_eq!(scene.search("\"figures for\"").await, ["Figures for Hartford"]);
    assert_eq!(scene.search("' ) & | ! :* \\").await, [""; 0]);
    let gone = scene.list(&channel, "", 0).await.entries[1].message.clone().unwrap();
    scene.edit(&scene.list(&channel, "", 0).await.entries[3].message.clone().unwrap(), "Final totals").await;
    scene.withdraw(&gone).await;
    assert_eq!(scene.search("hartford").await, ["Figures for Hartford"]);
    assert_eq!(scene.search("draft").await, [""; 0], "what it said before it was edited is not found");
    let page = |page_token: String| SearchMessagesRequest {
        initiative: scene.initiative.to_string(),
        query: "figures OR totals".to_owned(),
        page_size: 1,
        page_token,
        ..SearchMessagesRequest::default()
    };
    let first = scene.operated().search_messages(page(String::new())).await.unwrap().into_inner();
    let second = scene.operated().search_messages(page(first.next_page_token)).await.unwrap().into_inner();
    assert_eq!(first.messages[0].body, "Final totals");
    assert_eq!((second.messages[0].body.as_str(), second.next_page_token.as_str()), ("Figures for Hartford", ""));
}

#[tokio::test]
async fn a_circle_is_for_its_nodes_only() {
    let scene = Scene::set().await;
    let (alpha, beta) = (chassis::testing::some_node(), chassis::testing::some_node());
    let space = scene.stage.circle(&scene.initiative, &[&alpha]).await.to_string();
    let within = space.split_once(&format!("{}/", scene.initiative)).unwrap().1.to_owned();
    let staff = scene.organization();
    scene.stage.grant(&scene.initiative, &staff, Role::BackboneStaff).await;
    let create = CreateChannelRequest {
        definition: Some(definition(&staff, ChannelKind::Discussion)),
        ..scene.channel_of(&within, ChannelKind::Discussion)
    };
    let mut of_staff = scene.client(Some(&speaking_for(&[&staff])));
    let channel = of_staff.create_channel(create).await.unwrap().into_inner().channel.unwrap();
    assert_eq!(channel.space, within);
    let secret = of_staff.post_message(post(&channel, &staff, "Between us")).await.unwrap().into_inner();
    let secret = secret.message.unwrap().reference;

    let (of_alpha, of_beta) = (Reference::born_on(&alpha), Reference::born_on(&beta));
    for organization in [&of_alpha, &of_beta] {
        scene.stage.grant(&scene.initiative, organization, Role::Partner).await;
    }
    // A partner hosted on the backbone's node is no more in the circle than one of beta.
    for (organization, may) in [(&of_alpha, true), (&of_beta, false), (&scene.here, false), (&staff, true)] {
        let mut client = scene.client(Some(&speaking_for(&[organization])));
        let channel_ = channel.reference.clone();
        let get = GetChannelRequest { channel: channel_.clone() };
        assert_eq!(client.get_channel(get).await.is_ok(), may, "{organization}");
        let list = ListMessagesRequest { channel: channel_.clone(), ..ListMessagesRequest::default() };
        let listed = client.list_messages(list).await;
        assert_eq!(listed.is_ok(), may);
        let watch = WatchMessagesRequest { channel: channel_.clone(), ..WatchMessagesRequest::default() };
        assert_eq!(client.watch_messages(watch).await.is_ok(), may);
        assert_eq!(client.get_message(GetMessageRequest { message: secret.clone() }).await.is_ok(), may);
        let position = GetReadPositionRequest { channel: channel_.clone() };
        assert_eq!(client.get_read_position(position).await.is_ok(), may);
        let cursor = scene.list(&channel, "", 0).await.next_cursor;
        let position = MoveReadPositionRequest { channel: channel_, cursor, request_id: new_id() };
        assert_eq!(client.move_read_position(position).await.is_ok(), may);
        let initiative = scene.initiative.to_string();
        let search = SearchMessagesRequest { initiative, query: "between".to_owned(), ..Default::default() };
        let found = client.search_messages(search).await.unwrap().into_inner().messages.len();
        assert_eq!(found == 1, may);
        let initiative = scene.initiative.to_string();
        let list = ListChannelsRequest { initiative, ..ListChannelsRequest::default() };
        assert_eq!(client.list_channels(list).await.unwrap().into_inner().channels.len() == 1, may);
    }
    let mut hosted = scene.client(Some(&speaking_for(&[&scene.here])));
    assert!(hosted.post_message(post(&channel, &scene.here, "Me too")).await.is_err());
    assert_eq!(scene.bodies(&channel).await, ["Between us"]);
}

#[tokio::test]
async fn how_far_somebody_has_read_is_theirs_and_stays_here() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let position = async |caller: &chassis::authn::Caller| {
        let get = GetReadPositionRequest { channel: channel.reference.clone() };
        scene.client(Some(caller)).get_read_position(get).await.unwrap().into_inner().position.unwrap()
    };
    for body in ["One", "Two", "Three"] {
        scene.post(&channel, body).await;
    }
    let reader = speaking_for(&[&scene.here]);
    assert_eq!(position(&reader).await.unread, 3);
    let listed = scene.list(&channel, "", 0).await.entries;
    let cursor = listed[1].cursor.clone();
    let moved = MoveReadPositionRequest { channel: channel.reference.clone(), cursor, request_id: new_id() };
    let moved = scene.client(Some(&reader)).move_read_position(moved).await.unwrap().into_inner().position.unwrap();
    assert_eq!(moved.unread, 1);
    for message in listed.iter().rev() {
        scene.accept(&message.message.clone().unwrap().reference).await;
    }
    assert_eq!(position(&reader).await.unread, 1, "also after the order turned out otherwise");
    assert_eq!(position(&speaking_for(&[&scene.here])).await.unread, 3);
    let local = scene.stage.log().await.into_iter().filter(|event| event.type_name.ends_with("ReadPositionMoved"));
    assert!(local.clone().count() == 1 && local.into_iter().all(|event| event.space.initiative().is_none()));
}
