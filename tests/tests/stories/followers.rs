//! Two initiatives, each with a backbone of its own: the one follows the other, learns what it publishes, and nothing of
//! what its members say to one another.

use chassis::clock;
use chassis::names::Reference;
use node::fleet::{Founded, Node, Sketch, organization, until};
use proto::common::Role;
use proto::membership::{Circle, CreateCircleRequest, Initiative, Sector};
use proto::messaging::*;
use sqlx::{Connection, PgConnection};
use tests::Stage;
use tonic::Code;

use super::{PROGRAM, tables_with};

const SKETCHES: [Sketch; 3] = [
    Sketch { name: "backbone", title: "Readers' Alliance", backbone: true },
    Sketch { name: "alpha", title: "Town Library", backbone: false },
    Sketch { name: "neighbour", title: "Reading Valley", backbone: true },
];
const AMONG_MEMBERS: &str = "Only for members: the numbers of May are late";
const IN_CIRCLE: &str = "Only between us: the grant ends in June";
const LEARNED: &str = "Reading hours at the laundromat";

async fn begin(backbone: &Node, name: &str, own: &str) -> Founded {
    let initiative = Initiative { display_name: name.to_owned(), ..Initiative::default() };
    Founded::begin(backbone, initiative, organization(own, Sector::Nonprofit, &[])).await.unwrap()
}

fn new_id() -> String {
    clock::new_id().to_string()
}

/// Says something in a new channel of a space, once the rooms of the node have heard of the space.
async fn say(node: &Node, founded: &Founded, organization: &Reference, space: &str, body: &str) {
    let speaking = node.speaking_for(organization).unwrap();
    let channel = until("a channel", async || {
        let request = CreateChannelRequest {
            initiative: founded.initiative.clone(),
            space: space.to_owned(),
            definition: Some(ChannelDefinition {
                organization: organization.to_string(),
                name: "News".to_owned(),
                subject: founded.initiative.clone(),
                kind: ChannelKind::Discussion.into(),
                ..ChannelDefinition::default()
            }),
            request_id: new_id(),
        };
        Ok(speaking.messaging().create_channel(request).await.ok())
    });
    let channel = channel.await.unwrap().into_inner().channel.unwrap().reference;
    let post = PostMessageRequest {
        channel,
        organization: organization.to_string(),
        body: body.to_owned(),
        request_id: new_id(),
        ..PostMessageRequest::default()
    };
    speaking.messaging().post_message(post).await.unwrap();
}

fn card(initiative: &str, organization: &Reference) -> PublishPracticeCardRequest {
    PublishPracticeCardRequest {
        initiative: initiative.to_owned(),
        definition: Some(PracticeCardDefinition {
            organization: organization.to_string(),
            title: LEARNED.to_owned(),
            challenge: "Parents had no time for the library".to_owned(),
            tried: "We read where they wait anyway".to_owned(),
            ..PracticeCardDefinition::default()
        }),
        request_id: new_id(),
    }
}

/// The titles of an initiative's cards, as somebody reads them who speaks for an organization of the node.
async fn titles(node: &Node, organization: &Reference, initiative: &str) -> Vec<String> {
    let request = ListPracticeCardsRequest { initiative: initiative.to_owned(), ..ListPracticeCardsRequest::default() };
    let listed = node.speaking_for(organization).unwrap().messaging().list_practice_cards(request).await.unwrap();
    let cards = listed.into_inner().practice_cards.into_iter();
    cards.filter_map(|card| card.definition).map(|definition| definition.title).collect()
}

#[tokio::test]
async fn what_one_initiative_learned_another_reads_and_nothing_else() {
    let stage = Stage::set(PROGRAM, &SKETCHES).await.unwrap();
    let coalition = &stage.coalition;
    let [backbone, alpha, neighbour] = ["backbone", "alpha", "neighbour"].map(|name| coalition.node(name).unwrap());
    let founded = begin(backbone, "Everyone reads", "Readers' Alliance").await;
    let valley = begin(neighbour, "The valley reads", "Reading Valley").await;
    coalition.link("alpha", &founded.initiative, "Everyone reads").await.unwrap();
    let library = organization("Town Library", Sector::Institution, &[]);
    let library = founded.admit(coalition, "alpha", library, &[Role::Partner]).await.unwrap();

    let (line, ok) = coalition.command(backbone, &["invite", "--follower", "--for", "Reading Valley"]).await.unwrap();
    assert!(ok, "{line}");
    let (said, ok) = coalition.command(neighbour, &["join", &line]).await.unwrap();
    assert!(ok && said.starts_with("Follows \"Everyone reads\", its public space only"), "{said}");

    let circle = CreateCircleRequest {
        initiative: founded.initiative.clone(),
        circle: Some(Circle {
            display_name: "Finances".to_owned(),
            nodes: vec![backbone.id.to_string(), alpha.id.to_string()],
            ..Circle::default()
        }),
        request_id: new_id(),
    };
    let circle = founded.staff.membership().create_circle(circle).await.unwrap().into_inner().circle.unwrap();
    say(alpha, &founded, &library, "members", AMONG_MEMBERS).await;
    say(alpha, &founded, &library, &circle.space, IN_CIRCLE).await;
    for words in [AMONG_MEMBERS, IN_CIRCLE] {
        until("the words at the backbone", async || {
            Ok((!tables_with(backbone.database(), words).await.is_empty()).then_some(()))
        })
        .await
        .unwrap();
    }
    alpha
        .speaking_for(&library)
        .unwrap()
        .messaging()
        .publish_practice_card(card(&founded.initiative, &library))
        .await
        .unwrap();

    until("the card at the other backbone", async || {
        Ok((titles(neighbour, &valley.own, &founded.initiative).await == [LEARNED]).then_some(()))
    })
    .await
    .unwrap();
    // Equal position and digest at the backbone, at a member and at the follower.
    coalition.settled(&format!("{}/public", founded.initiative)).await.unwrap();
    for node in [backbone, alpha] {
        assert!(!tables_with(node.database(), AMONG_MEMBERS).await.is_empty(), "the search finds what is there");
        assert!(!tables_with(node.database(), IN_CIRCLE).await.is_empty(), "the search finds what is there");
    }
    let members = format!("{}/members", founded.initiative);
    for words in [AMONG_MEMBERS, IN_CIRCLE, &circle.reference, &members] {
        assert_eq!(tables_with(neighbour.database(), words).await, [""; 0], "{words}");
    }
    assert_eq!(tables_with(alpha.database(), neighbour.id.as_str()).await, [""; 0], "no member is told who follows");
    assert_eq!(titles(backbone, &founded.own, &valley.initiative).await, [""; 0], "and nothing goes the other way");

    let refused = neighbour.speaking_for(&valley.own).unwrap().messaging();
    let refused = { refused }.publish_practice_card(card(&founded.initiative, &valley.own)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "who follows publishes nothing there");
    for (node, words) in [
        (neighbour, "this node follows \"Everyone reads\", its public space only; connected"),
        (backbone, "Reading Valley"),
        (backbone, "follows \"Everyone reads\", its public space only; connected"),
    ] {
        let (status, ok) = coalition.command(node, &["status"]).await.unwrap();
        assert!(ok && status.contains(words), "{status}");
    }
    for node in [backbone, alpha, neighbour] {
        let (proof, ok) = coalition.command(node, &["verify"]).await.unwrap();
        assert!(ok && proof.contains("Everything holds."), "{proof}");
    }
    // What the follower was shown of keys is part of the proof.
    let mut connection = PgConnection::connect(neighbour.database()).await.unwrap();
    let altered = "update federation.key_chains set keys = array[decode(repeat('11', 32), 'hex')] where node = $1";
    sqlx::query(altered).bind(alpha.id.as_str()).execute(&mut connection).await.unwrap();
    let (proof, ok) = coalition.command(neighbour, &["verify", "--skip-folds"]).await.unwrap();
    assert!(!ok && proof.contains("a key that does not belong to"), "{proof}");
    drop(connection);
    stage.end().await.unwrap();
}
