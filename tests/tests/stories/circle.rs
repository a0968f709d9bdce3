//! A circle of the backbone and one partner: they talk in it, and the other partner's node never hears of it.

use chassis::clock;
use chassis::names::Reference;
use node::demo::SKETCHES;
use node::fleet::{Founded, Node, organization, until};
use proto::common::Role;
use proto::membership::{Circle, CreateCircleRequest, GetCircleRequest, Initiative, Sector};
use proto::messaging::*;
use tests::Stage;

use super::{PROGRAM, tables_with};

const WORDS: &str = "Only between us: the grant ends in June";

/// What was said in a channel, as a node's operator reads it.
async fn said(node: &Node, channel: &str) -> Vec<String> {
    let request = ListMessagesRequest { channel: channel.to_owned(), ..ListMessagesRequest::default() };
    let Ok(listed) = node.operator().unwrap().messaging().list_messages(request).await else { return Vec::new() };
    let entries = listed.into_inner().entries.into_iter().filter(|entry| !entry.pending);
    entries.filter_map(|entry| entry.message).map(|message| message.body).collect()
}

#[tokio::test]
async fn what_is_said_in_a_circle_reaches_the_nodes_in_it_and_no_other() {
    let stage = Stage::set(PROGRAM, &SKETCHES).await.unwrap();
    let coalition = &stage.coalition;
    let initiative = Initiative { display_name: "Everyone reads".to_owned(), ..Initiative::default() };
    let alliance = organization("Readers' Alliance", Sector::Nonprofit, &[]);
    let founded = Founded::begin(coalition.backbone().unwrap(), initiative, alliance).await.unwrap();
    let mut libraries = Vec::new();
    for name in ["alpha", "beta"] {
        coalition.link(name, &founded.initiative, "Everyone reads").await.unwrap();
        let library = organization(&format!("Library of {name}"), Sector::Institution, &[]);
        libraries.push(founded.admit(coalition, name, library, &[Role::Partner]).await.unwrap());
    }
    let (backbone, alpha, beta) =
        (coalition.node("backbone").unwrap(), coalition.node("alpha").unwrap(), coalition.node("beta").unwrap());

    let circle = CreateCircleRequest {
        initiative: founded.initiative.clone(),
        circle: Some(Circle {
            display_name: "Finances".to_owned(),
            nodes: vec![backbone.id.to_string(), alpha.id.to_string()],
            ..Circle::default()
        }),
        request_id: clock::new_id().to_string(),
    };
    let circle = founded.staff.membership().create_circle(circle).await.unwrap().into_inner().circle.unwrap();
    let library: &Reference = &libraries[0];
    let speaking = alpha.speaking_for(library).unwrap();
    // The circle comes by the border, and each room hears of it a moment after the other.
    let channel = until("a channel in the circle", async || {
        let request = CreateChannelRequest {
            initiative: founded.initiative.clone(),
            space: circle.space.clone(),
            definition: Some(ChannelDefinition {
                organization: library.to_string(),
                name: "Finances".to_owned(),
                subject: circle.reference.clone(),
                kind: ChannelKind::Discussion.into(),
                ..ChannelDefinition::default()
            }),
            request_id: clock::new_id().to_string(),
        };
        Ok(speaking.messaging().create_channel(request).await.ok())
    });
    let channel = channel.await.unwrap().into_inner().channel.unwrap().reference;
    let post = PostMessageRequest {
        channel: channel.clone(),
        organization: library.to_string(),
        body: WORDS.to_owned(),
        request_id: clock::new_id().to_string(),
        ..PostMessageRequest::default()
    };
    let posted = speaking.messaging().post_message(post).await.unwrap().into_inner().message.unwrap();
    for node in [backbone, alpha] {
        until(format!("the words at {}", node.sketch.name), async || {
            Ok((said(node, &channel).await == [WORDS]).then_some(()))
        })
        .await
        .unwrap();
    }

    // Everything that was to go to beta has gone there, and the search finds what is there to be found.
    coalition.settled(&format!("{}/members", founded.initiative)).await.unwrap();
    let name = circle.reference.rsplit('/').next().unwrap();
    for word in [WORDS, name] {
        for node in [backbone, alpha] {
            assert!(!tables_with(node.database(), word).await.is_empty(), "{word} on {}", node.sketch.name);
        }
        assert_eq!(tables_with(beta.database(), word).await, [""; 0], "{word}");
    }
    let get = GetCircleRequest { initiative: founded.initiative.clone(), circle: circle.reference.clone() };
    let unknown = beta.operator().unwrap().membership().get_circle(get).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound);

    // What is taken back is in no table of any node, be it a room's or the border's.
    let withdraw = WithdrawMessageRequest { message: posted.reference, request_id: clock::new_id().to_string() };
    speaking.messaging().withdraw_message(withdraw).await.unwrap();
    for node in [backbone, alpha] {
        until(format!("nothing of it on {}", node.sketch.name), async || {
            Ok(tables_with(node.database(), WORDS).await.is_empty().then_some(()))
        })
        .await
        .unwrap();
    }
    stage.end().await.unwrap();
}
