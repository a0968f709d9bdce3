//! Circles: who is in one, and who does not even learn that there is one.

use chassis::names::Reference;
use chassis::testing::{some_node, speaking_for};
use proto::common::Role;
use proto::membership::*;
use tonic::Code;

use crate::scene::{Scene, new_id, reference};

#[tokio::test]
async fn who_is_not_in_a_circle_does_not_learn_of_it() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let (alpha, beta) = (some_node(), some_node());
    for node in [&alpha, &beta] {
        scene.node(&initiative, node, "A node").await;
    }
    let circle = scene.circle(&initiative, &[&alpha]).await;
    let (inside, outside, hosted, staff) = (
        Reference::born_on(&alpha),
        Reference::born_on(&beta),
        Reference::born_on(&scene.stage.node),
        Reference::born_on(&scene.stage.node),
    );
    for organization in [&inside, &outside, &hosted] {
        scene.stage.grant(&reference(&initiative), organization, Role::Partner).await;
    }
    scene.stage.grant(&reference(&initiative), &staff, Role::BackboneStaff).await;
    let get = GetCircleRequest { initiative: initiative.clone(), circle: circle.reference.clone() };
    let list = ListCirclesRequest { initiative: initiative.clone(), ..ListCirclesRequest::default() };
    for (organization, knows) in [(&inside, true), (&staff, true), (&outside, false), (&hosted, false)] {
        let mut client = scene.client(Some(&speaking_for(&[organization])));
        let got = client.get_circle(get.clone()).await.map(|response| response.into_inner().circle.unwrap());
        let listed = client.list_circles(list.clone()).await.unwrap().into_inner().circles;
        if knows {
            assert_eq!((got.unwrap(), listed), (circle.clone(), vec![circle.clone()]));
        } else {
            let unheard_of = Reference::born_on(&scene.stage.node).to_string();
            let nothing = GetCircleRequest { circle: unheard_of.clone(), ..get.clone() };
            let nothing = client.get_circle(nothing).await.unwrap_err();
            let got = got.unwrap_err();
            assert_eq!((got.code(), nothing.code(), listed), (Code::NotFound, Code::NotFound, Vec::new()));
            assert_eq!(got.message().replace(&circle.reference, &unheard_of), nothing.message());
        }
    }
}

#[tokio::test]
async fn a_circle_is_told_of_in_its_own_space_only() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let alpha = some_node();
    scene.node(&initiative, &alpha, "Alpha").await;
    let before = scene.stage.log().await.len();
    let circle = scene.circle(&initiative, &[&alpha, &scene.stage.node]).await;
    assert_eq!(circle.space, format!("circle/{}", circle.reference));
    let members = scene.stage.states(&reference(&initiative)).await;
    let mut nodes = vec![alpha.to_string(), scene.stage.node.to_string()];
    nodes.sort();
    assert_eq!((circle.nodes.clone(), circle.state()), (nodes, CircleState::Formed));

    let nodes = vec![scene.stage.node.to_string()];
    let update = UpdateCircleRequest {
        circle: Some(Circle { nodes: nodes.clone(), ..circle.clone() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["nodes".to_owned()] }),
        request_id: new_id(),
    };
    let changed = scene.here().update_circle(update).await.unwrap().into_inner().circle.unwrap();
    assert_eq!((changed.nodes.as_slice(), changed.etag.as_str()), (nodes.as_slice(), "2"));
    let end = EndCircleRequest {
        circle: circle.reference.clone(),
        reason: "It is public now".to_owned(),
        request_id: new_id(),
        ..EndCircleRequest::default()
    };
    let ended = scene.here().end_circle(end).await.unwrap().into_inner().circle.unwrap();
    assert_eq!((ended.state(), ended.reason.as_str(), ended.nodes), (CircleState::Ended, "It is public now", nodes));
    let told = scene.stage.log().await.split_off(before);
    let space = format!("{initiative}/{}", circle.space);
    assert_eq!(told.len(), 3);
    assert!(
        told.iter().all(|event| event.space.to_string() == space && event.resource.to_string() == circle.reference)
    );
    assert_eq!(scene.stage.states(&reference(&initiative)).await, members, "the members' space says nothing of it");
}
