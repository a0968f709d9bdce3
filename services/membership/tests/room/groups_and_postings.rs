//! Working groups, offers and needs, as people use them.

use chassis::testing::speaking_for;
use proto::common::Role;
use proto::membership::*;

use crate::scene::{Scene, Situation, attendance, desks, new_id, reason, reference, talks};

fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() })
}

#[tokio::test]
async fn a_working_group_goes_on_although_one_of_its_members_has_left() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let (one, other) = (scene.organization(&initiative).await, scene.organization(&initiative).await);
    scene.member(&one, &[Role::Partner]).await;
    let leaving = scene.member(&other, &[Role::Partner]).await;
    let group = scene.group(&initiative, &[&one.reference, &other.reference]).await;
    let mut sorted = vec![one.reference.clone(), other.reference.clone()];
    sorted.sort();
    assert_eq!((group.organizations.clone(), group.chair.clone()), (sorted, one.reference.clone()));
    let end = EndMembershipRequest {
        membership: leaving.reference,
        reason: "Merged".to_owned(),
        request_id: new_id(),
        ..EndMembershipRequest::default()
    };
    scene.here().end_membership(end).await.unwrap();
    let update = UpdateWorkingGroupRequest {
        working_group: Some(WorkingGroup { charge: "Call on families".to_owned(), ..group.clone() }),
        update_mask: mask(&["charge"]),
        request_id: new_id(),
    };
    let group = scene.here().update_working_group(update).await.unwrap().into_inner().working_group.unwrap();
    assert_eq!((group.charge.as_str(), group.organizations.len()), ("Call on families", 2));
    let of = |organization: &str, state: WorkingGroupState| {
        let request = ListWorkingGroupsRequest {
            initiative: initiative.clone(),
            organization: organization.to_owned(),
            state: state.into(),
            ..ListWorkingGroupsRequest::default()
        };
        let mut here = scene.here();
        async move { here.list_working_groups(request).await.unwrap().into_inner().working_groups }
    };
    assert_eq!(of(&one.reference, WorkingGroupState::Formed).await, [group]);
    assert_eq!(of(&one.reference, WorkingGroupState::Dissolved).await, []);
    assert_eq!(of(&initiative, WorkingGroupState::Unspecified).await, []);
}

#[tokio::test]
async fn an_organization_with_a_role_posts_for_itself_until_it_is_met() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let organization = scene.organization(&initiative).await;
    let own = speaking_for(&[&reference(&organization.reference)]);
    let create = || CreatePostingRequest {
        initiative: initiative.clone(),
        posting: Some(Posting { direction: PostingDirection::Need.into(), ..desks(&organization.reference) }),
        request_id: new_id(),
    };
    let refused = scene.client(Some(&own)).create_posting(create()).await.unwrap_err();
    assert_eq!(reason(&refused), "ROLE_MISSING", "who is no member posts nothing");
    scene.member(&organization, &[Role::Partner]).await;
    let posting = scene.client(Some(&own)).create_posting(create()).await.unwrap().into_inner().posting.unwrap();
    assert_eq!((posting.state(), posting.direction()), (PostingState::Open, PostingDirection::Need));
    let told = scene.stage.log().await.pop().unwrap();
    assert_eq!(told.actor.organization.unwrap().to_string(), organization.reference);

    scene.posting(&initiative, &organization.reference).await;
    let list = |direction: PostingDirection, state: PostingState| {
        let request = ListPostingsRequest {
            initiative: initiative.clone(),
            direction: direction.into(),
            kind: PostingKind::Good.into(),
            state: state.into(),
            organization: organization.reference.clone(),
            ..ListPostingsRequest::default()
        };
        let mut client = scene.client(Some(&own));
        async move { client.list_postings(request).await.unwrap().into_inner().postings }
    };
    assert_eq!(list(PostingDirection::Need, PostingState::Open).await, std::slice::from_ref(&posting));
    assert_eq!(list(PostingDirection::Unspecified, PostingState::Open).await.len(), 2);
    let meet = MeetPostingRequest {
        posting: posting.reference.clone(),
        reason: "The library gave them".to_owned(),
        etag: posting.etag,
        request_id: new_id(),
    };
    let met = scene.client(Some(&own)).meet_posting(meet).await.unwrap().into_inner().posting.unwrap();
    assert_eq!((met.state(), met.reason.as_str()), (PostingState::Met, "The library gave them"));
    assert_eq!(list(PostingDirection::Need, PostingState::Open).await, []);
}

#[tokio::test]
async fn groups_circles_and_postings_change_at_home_only() {
    let (backbone, alpha) = (Scene::set().await, Scene::set().await);
    let Situation { initiative, member, group, circle, posting, .. } = Situation::of(&backbone).await;
    for event in backbone.stage.log().await {
        alpha.stage.take(event).await;
    }
    let before = alpha.stage.everything().await;
    let mut here = alpha.here();
    let (about, text) = (initiative.reference, "Mine now".to_owned());
    let (create, update) = (new_id(), new_id());
    let refused = [
        here.create_working_group(CreateWorkingGroupRequest {
            initiative: about.clone(),
            working_group: Some(attendance(&[&member.organization])),
            request_id: create.clone(),
        })
        .await
        .unwrap_err(),
        here.update_working_group(UpdateWorkingGroupRequest {
            working_group: Some(WorkingGroup { charge: text.clone(), ..group }),
            update_mask: mask(&["charge"]),
            request_id: update.clone(),
        })
        .await
        .unwrap_err(),
        here.create_circle(CreateCircleRequest {
            initiative: about.clone(),
            circle: Some(talks(&[&backbone.stage.node])),
            request_id: create.clone(),
        })
        .await
        .unwrap_err(),
        here.update_circle(UpdateCircleRequest {
            circle: Some(Circle { purpose: text.clone(), ..circle }),
            update_mask: mask(&["purpose"]),
            request_id: update.clone(),
        })
        .await
        .unwrap_err(),
        here.create_posting(CreatePostingRequest {
            initiative: about,
            posting: Some(desks(&member.organization)),
            request_id: create,
        })
        .await
        .unwrap_err(),
        here.update_posting(UpdatePostingRequest {
            posting: Some(Posting { quantity: text, ..posting }),
            update_mask: mask(&["quantity"]),
            request_id: update,
        })
        .await
        .unwrap_err(),
    ];
    // Of what was asked, and of no admission that nobody asked for.
    assert!(refused[0].message().starts_with("only the initiative's backbone can do this"), "{}", refused[0].message());
    let backbone_only = "NOT_THE_BACKBONE";
    let told = [backbone_only, backbone_only, backbone_only, backbone_only, "NOT_ITS_HOME", "NOT_ITS_HOME"];
    assert_eq!(refused.map(|status| reason(&status)), told);
    assert_eq!(alpha.stage.everything().await, before);
}
