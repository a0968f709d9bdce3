//! The tables follow from the log: folded again, they are the same, here and on every other node.

use std::collections::BTreeSet;

use chassis::names::Reference;
use chassis::room::Room;
use chassis::testing::some_node;
use proto::common::Role;
use proto::membership::*;

use crate::scene::{Scene, district, identifier, new_id, open_term};

/// Every event type of this room, and those it hears.
const TYPES: [&str; 25] = [
    "commonweal.federation.v1.NodeAdmitted",
    "commonweal.federation.v1.NodeEnded",
    "commonweal.membership.v1.CircleChanged",
    "commonweal.membership.v1.CircleEnded",
    "commonweal.membership.v1.CircleFormed",
    "commonweal.membership.v1.InitiativeCreated",
    "commonweal.membership.v1.InitiativeRevised",
    "commonweal.membership.v1.JoinRequestWithdrawn",
    "commonweal.membership.v1.JoinRequested",
    "commonweal.membership.v1.MemberAdmitted",
    "commonweal.membership.v1.MemberInvited",
    "commonweal.membership.v1.MemberReinstated",
    "commonweal.membership.v1.MemberSuspended",
    "commonweal.membership.v1.MembershipEnded",
    "commonweal.membership.v1.OrganizationRegistered",
    "commonweal.membership.v1.OrganizationRevised",
    "commonweal.membership.v1.PostingMade",
    "commonweal.membership.v1.PostingMet",
    "commonweal.membership.v1.PostingRevised",
    "commonweal.membership.v1.PostingWithdrawn",
    "commonweal.membership.v1.RoleEnded",
    "commonweal.membership.v1.RoleGranted",
    "commonweal.membership.v1.WorkingGroupDissolved",
    "commonweal.membership.v1.WorkingGroupFormed",
    "commonweal.membership.v1.WorkingGroupRevised",
];

/// Lets everything happen that can happen in this room.
async fn everything_happens(scene: &Scene) -> Reference {
    let initiative = scene.initiative().await.reference;
    let mut here = scene.here();
    let update = UpdateInitiativeRequest {
        initiative: Some(Initiative {
            reference: initiative.clone(),
            state: InitiativeState::Active.into(),
            ..Initiative::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["state".to_owned()] }),
        request_id: new_id(),
    };
    here.update_initiative(update).await.unwrap();

    let organization = scene.organization(&initiative).await;
    let identifiers = vec![identifier("CT-SDE-district", "0640011"), identifier("US-EIN", "06-6001870")];
    let update = UpdateOrganizationRequest {
        organization: Some(Organization {
            reference: organization.reference.clone(),
            identifiers,
            ..district("Hartford School District")
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["*".to_owned()] }),
        request_id: new_id(),
    };
    here.update_organization(update).await.unwrap();

    let withdrawn = scene.request(&organization).await;
    let withdraw = WithdrawJoinRequestRequest { join_request: withdrawn.reference, request_id: new_id() };
    here.withdraw_join_request(withdraw).await.unwrap();
    let request = scene.request(&organization).await;
    let admit = AdmitMemberRequest {
        initiative: initiative.clone(),
        join_request: request.reference,
        roles: vec![open_term(Role::Partner), open_term(Role::DataLead)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    let member = here.admit_member(admit).await.unwrap().into_inner().membership.unwrap().reference;
    let end = EndRoleRequest {
        membership: member.clone(),
        role: Role::DataLead.into(),
        request_id: new_id(),
        ..EndRoleRequest::default()
    };
    here.end_role(end).await.unwrap();

    let other = scene.organization(&initiative).await;
    let suspended = scene.suspended(&other, &[Role::Partner, Role::Observer]).await.reference;
    let reinstate =
        ReinstateMemberRequest { membership: suspended, request_id: new_id(), ..ReinstateMemberRequest::default() };
    here.reinstate_member(reinstate).await.unwrap();
    let ended = scene.suspended(&scene.organization(&initiative).await, &[Role::Funder]).await.reference;
    let end = EndMembershipRequest {
        membership: ended,
        reason: "Gone".to_owned(),
        request_id: new_id(),
        ..EndMembershipRequest::default()
    };
    here.end_membership(end).await.unwrap();
    scene.suspended(&scene.organization(&initiative).await, &[Role::Partner]).await;

    let alpha = some_node();
    let admitted = scene.node(&initiative, &alpha, "Alpha").await;
    scene.node_ended(&admitted, &alpha, "Its key was lost").await;
    scene.node(&initiative, &scene.stage.node, "The backbone").await;
    groups_and_circles_come_and_go(scene, &initiative, &organization.reference).await;
    postings_come_and_go(scene, &initiative, &organization.reference).await;
    initiative.parse().unwrap()
}

async fn groups_and_circles_come_and_go(scene: &Scene, initiative: &str, organization: &str) {
    let mut here = scene.here();
    let reason = "Done".to_owned();
    scene.group(initiative, &[organization]).await;
    let group = scene.group(initiative, &[organization]).await;
    let update = UpdateWorkingGroupRequest {
        working_group: Some(WorkingGroup { charge: "Another".to_owned(), ..group.clone() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["charge".to_owned()] }),
        request_id: new_id(),
    };
    here.update_working_group(update).await.unwrap();
    let dissolve = DissolveWorkingGroupRequest {
        working_group: group.reference,
        reason: reason.clone(),
        request_id: new_id(),
        ..DissolveWorkingGroupRequest::default()
    };
    here.dissolve_working_group(dissolve).await.unwrap();

    let alpha = some_node();
    scene.node(initiative, &alpha, "Alpha").await;
    scene.circle(initiative, &[&scene.stage.node, &alpha]).await;
    let circle = scene.circle(initiative, &[&alpha]).await;
    let update = UpdateCircleRequest {
        circle: Some(Circle { nodes: vec![scene.stage.node.to_string()], ..circle.clone() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["nodes".to_owned()] }),
        request_id: new_id(),
    };
    here.update_circle(update).await.unwrap();
    let end =
        EndCircleRequest { circle: circle.reference, reason, request_id: new_id(), ..EndCircleRequest::default() };
    here.end_circle(end).await.unwrap();
}

async fn postings_come_and_go(scene: &Scene, initiative: &str, organization: &str) {
    let mut here = scene.here();
    let posting = scene.posting(initiative, organization).await;
    let open_until = Some(prost_types::Timestamp { seconds: 253_000_000_000, nanos: 0 });
    let update = UpdatePostingRequest {
        posting: Some(Posting { open_until, ..posting.clone() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["open_until".to_owned()] }),
        request_id: new_id(),
    };
    here.update_posting(update).await.unwrap();
    let (reason, request_id) = ("A school took them".to_owned(), new_id());
    let meet = MeetPostingRequest { posting: posting.reference, reason, request_id, ..MeetPostingRequest::default() };
    here.meet_posting(meet).await.unwrap();
    let posting = scene.posting(initiative, organization).await.reference;
    let (reason, request_id) = ("Sold".to_owned(), new_id());
    let withdraw = WithdrawPostingRequest { posting, reason, request_id, ..WithdrawPostingRequest::default() };
    here.withdraw_posting(withdraw).await.unwrap();
    scene.posting(initiative, organization).await;
}

/// The canonical states of the circles that a node holds, each in its own space.
async fn circles(scene: &Scene, initiative: &Reference) -> Vec<(Reference, bytes::Bytes)> {
    let list = ListCirclesRequest { initiative: initiative.to_string(), ..ListCirclesRequest::default() };
    let mut connection = scene.stage.pool.acquire().await.unwrap();
    let mut states = Vec::new();
    for circle in scene.here().list_circles(list).await.unwrap().into_inner().circles {
        let space = format!("{initiative}/{}", circle.space).parse().unwrap();
        states.extend(membership::Membership::states(&mut connection, &space).await.unwrap());
    }
    states
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
async fn what_the_backbone_told_is_the_same_state_on_another_node() {
    let (backbone, alpha) = (Scene::set().await, Scene::set().await);
    let initiative = everything_happens(&backbone).await;
    for event in backbone.stage.log().await {
        alpha.stage.take(event).await;
    }
    let states = backbone.stage.states(&initiative).await;
    assert_eq!(states.len(), 1 + 4 + 2 + 4 + 2 + 3, "an initiative, organizations, requests, memberships ...");
    let secret = circles(&backbone, &initiative).await;
    assert_eq!((secret.len(), circles(&alpha, &initiative).await), (2, secret), "circles have spaces of their own");
    assert!(states.is_sorted_by_key(|(resource, _)| resource.clone()));
    assert_eq!(alpha.stage.states(&initiative).await, states);
    let another = backbone.initiative().await.reference.parse().unwrap();
    assert_eq!(backbone.stage.states(&another).await.len(), 1);
}

#[tokio::test]
async fn events_of_two_homes_may_come_in_any_order_between_them() {
    let backbone = Scene::set().await;
    let initiative = backbone.initiative().await;
    let alpha = Scene::set().await;
    for event in backbone.stage.log().await {
        alpha.stage.take(event).await;
    }
    let organization = alpha.organization(&initiative.reference).await;
    let request = alpha.request(&organization).await;
    for event in alpha.stage.log().await.split_off(1) {
        backbone.stage.take(event).await;
    }
    let admit = AdmitMemberRequest {
        initiative: initiative.reference.clone(),
        join_request: request.reference,
        roles: vec![open_term(Role::Partner)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    backbone.here().admit_member(admit).await.unwrap();

    // Beta hears the backbone first and alpha afterwards: the membership waits for its organization without harm.
    let beta = Scene::set().await;
    let (late, early): (Vec<_>, Vec<_>) =
        backbone.stage.log().await.into_iter().partition(|event| event.home == alpha.stage.node);
    for event in early.into_iter().chain(late) {
        beta.stage.take(event).await;
    }
    let initiative = initiative.reference.parse().unwrap();
    assert_eq!(beta.stage.states(&initiative).await, backbone.stage.states(&initiative).await);
}

#[tokio::test]
async fn an_answer_is_part_of_the_memberships_state_and_not_of_the_requests() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let request = scene.request(&scene.organization(&initiative).await).await;
    let known = initiative.parse().unwrap();
    let before = scene.stage.states(&known).await;
    let admit = AdmitMemberRequest {
        initiative,
        join_request: request.reference,
        roles: vec![open_term(Role::Partner)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    scene.here().admit_member(admit).await.unwrap();
    let mut after = scene.stage.states(&known).await;
    after.retain(|(resource, _)| before.iter().any(|(known, _)| known == resource));
    assert_eq!(after, before);
}
