//! What lists and shows say.

use chassis::testing::some_node;
use proto::common::Role;
use proto::membership::*;

use crate::scene::{Scene, Situation, district, identifier, new_id};

async fn members(scene: &Scene, request: ListMembersRequest) -> Vec<Member> {
    scene.here().list_members(request).await.unwrap().into_inner().members
}

#[tokio::test]
async fn members_are_found_by_state_sector_and_role() {
    let scene = Scene::set().await;
    let situation = Situation::of(&scene).await;
    let all =
        ListMembersRequest { initiative: situation.initiative.reference.clone(), ..ListMembersRequest::default() };
    assert_eq!(members(&scene, all.clone()).await.len(), 3);
    let active = ListMembersRequest { state: MembershipState::Active.into(), ..all.clone() };
    let found = members(&scene, active).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].membership.as_ref(), Some(&situation.member));
    assert_eq!(found[0].organization.as_ref().unwrap().reference, situation.member.organization);
    let partners = ListMembersRequest { role: Role::Partner.into(), ..all.clone() };
    assert_eq!(members(&scene, partners).await.len(), 1, "a role that rests is not held");
    let institutions = ListMembersRequest { sector: Sector::Institution.into(), ..all.clone() };
    assert_eq!(members(&scene, institutions).await.len(), 3);
    let businesses = ListMembersRequest { sector: Sector::Business.into(), ..all };
    assert_eq!(members(&scene, businesses).await, []);
}

#[tokio::test]
async fn a_list_comes_in_pages_and_misses_and_repeats_nothing() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let mut registered = Vec::new();
    for _ in 0..5 {
        registered.push(scene.organization(&initiative).await);
    }
    let mut request = ListOrganizationsRequest { initiative, page_size: 2, ..ListOrganizationsRequest::default() };
    let mut listed = Vec::new();
    let mut pages = 0;
    loop {
        let page = scene.here().list_organizations(request.clone()).await.unwrap().into_inner();
        listed.extend(page.organizations);
        pages += 1;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(listed, registered);
}

#[tokio::test]
async fn an_organization_is_found_by_its_identifier_sector_and_node() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    scene.organization(&initiative).await;
    let organization = Organization {
        sector: Sector::Business.into(),
        identifiers: vec![identifier("US-EIN", "12-3456789"), identifier("CT-SDE-district", "0640011")],
        ..district("Hartford")
    };
    let register = RegisterOrganizationRequest {
        initiative: initiative.clone(),
        organization: Some(organization.clone()),
        request_id: new_id(),
    };
    let answer = scene.here().register_organization(register.clone()).await.unwrap().into_inner();
    let hartford = answer.organization.unwrap();
    assert_eq!(hartford.identifiers, organization.identifiers, "in the order given");
    let all = ListOrganizationsRequest { initiative, ..ListOrganizationsRequest::default() };
    let by_identifier =
        ListOrganizationsRequest { identifier: Some(identifier("CT-SDE-district", "0640011")), ..all.clone() };
    let by_sector = ListOrganizationsRequest { sector: Sector::Business.into(), ..all.clone() };
    for request in [by_identifier, by_sector] {
        let found = scene.here().list_organizations(request).await.unwrap().into_inner().organizations;
        assert_eq!(found, std::slice::from_ref(&hartford));
    }
    let elsewhere = ListOrganizationsRequest { node: some_node().to_string(), ..all.clone() };
    assert_eq!(scene.here().list_organizations(elsewhere).await.unwrap().into_inner().organizations, []);
    let here = ListOrganizationsRequest { node: scene.stage.node.to_string(), ..all };
    assert_eq!(scene.here().list_organizations(here).await.unwrap().into_inner().organizations.len(), 2);
}

#[tokio::test]
async fn requests_without_an_answer_are_found() {
    let scene = Scene::set().await;
    let situation = Situation::of(&scene).await;
    let all =
        ListJoinRequestsRequest { initiative: situation.initiative.reference, ..ListJoinRequestsRequest::default() };
    let unanswered = ListJoinRequestsRequest { unanswered: true, ..all.clone() };
    let list = |request| async { scene.here().list_join_requests(request).await.unwrap().into_inner().join_requests };
    assert_eq!(list(unanswered.clone()).await, std::slice::from_ref(&situation.request));
    let admit = AdmitMemberRequest {
        initiative: all.initiative.clone(),
        join_request: situation.request.reference,
        roles: vec![crate::scene::open_term(Role::Partner)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    scene.here().admit_member(admit).await.unwrap();
    assert_eq!(list(unanswered).await, []);
    assert_eq!(list(ListJoinRequestsRequest { state: JoinRequestState::Open.into(), ..all.clone() }).await.len(), 1);
    assert_eq!(list(ListJoinRequestsRequest { state: JoinRequestState::Withdrawn.into(), ..all }).await, []);
}

#[tokio::test]
async fn nodes_are_what_the_border_tells_and_show_who_lives_there() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let organization = scene.organization(&initiative).await;
    let alpha = some_node();
    scene.node(&initiative, &scene.stage.node, "The backbone").await;
    let admitted = scene.node(&initiative, &alpha, "Alpha").await;
    scene.node(&initiative, &alpha, "Alpha, renamed").await;
    let get = |node: String| {
        let (mut client, initiative) = (scene.here(), initiative.clone());
        async move { client.get_node(GetNodeRequest { initiative, node }).await.unwrap().into_inner().node.unwrap() }
    };
    let backbone = get(scene.stage.node.to_string()).await;
    assert_eq!((backbone.backbone, backbone.organizations), (true, vec![organization.reference]));
    let known = get(alpha.to_string()).await;
    assert_eq!((known.display_name.as_str(), known.state()), ("Alpha, renamed", NodeState::Admitted));
    assert_eq!((known.backbone, known.organizations), (false, vec![]));

    scene.node_ended(&admitted, &alpha, "Its key was lost").await;
    let known = get(alpha.to_string()).await;
    assert_eq!((known.reason.as_str(), known.state()), ("Its key was lost", NodeState::Ended));
    let list = ListNodesRequest {
        initiative: initiative.clone(),
        state: NodeState::Admitted.into(),
        ..ListNodesRequest::default()
    };
    let admitted = scene.here().list_nodes(list).await.unwrap().into_inner().nodes;
    assert_eq!(admitted.iter().map(|node| node.id.clone()).collect::<Vec<_>>(), [scene.stage.node.to_string()]);
}

#[tokio::test]
async fn an_update_that_changes_nothing_leaves_the_etag() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await;
    let mut update = UpdateInitiativeRequest {
        initiative: Some(initiative.clone()),
        update_mask: Some(prost_types::FieldMask { paths: vec!["*".to_owned()] }),
        request_id: new_id(),
    };
    let same = scene.here().update_initiative(update.clone()).await.unwrap().into_inner().initiative.unwrap();
    assert_eq!(same, initiative);
    update.initiative.as_mut().unwrap().region = "New England".to_owned();
    update.request_id = new_id();
    let changed = scene.here().update_initiative(update).await.unwrap().into_inner().initiative.unwrap();
    assert_eq!(changed.region, "New England");
    assert_ne!(changed.etag, initiative.etag);
    assert_eq!(changed.create_time, initiative.create_time);
}
