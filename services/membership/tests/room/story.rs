//! How one comes from nothing to a membership, and what can become of it.

use chassis::event::Fact;
use chassis::names::{Reference, Space};
use chassis::roles;
use chassis::testing::speaking_for;
use proto::common::Role;
use proto::membership::*;
use time::{Duration, OffsetDateTime};

use crate::scene::{Scene, asking, new_id, open_term, reason, reference};

/// Roles that every service would find.
async fn held(scene: &Scene, organization: &str, initiative: &str) -> Vec<Role> {
    let mut connection = scene.stage.pool.acquire().await.unwrap();
    let (organization, initiative) = (reference(organization), reference(initiative));
    roles::held(&mut connection, &initiative, &[organization], chassis::clock::now()).await.unwrap()
}

#[tokio::test]
async fn the_backbone_itself_is_registered_invited_and_admitted_like_any_other() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await;
    assert_eq!(initiative.backbone_node, scene.stage.node.to_string());
    assert_eq!(initiative.state(), InitiativeState::Forming);
    let organization = scene.organization(&initiative.reference).await;
    let member = scene.member(&organization, &[Role::BackboneStaff, Role::Partner]).await;
    assert_eq!(member.state(), MembershipState::Active);
    assert_eq!(member.roles.iter().map(RoleTerm::role).collect::<Vec<_>>(), [Role::BackboneStaff, Role::Partner]);

    // From now on its people admit others, without the operator.
    let staff = speaking_for(&[&reference(&organization.reference)]);
    let request = InviteOrganizationRequest {
        initiative: initiative.reference,
        invitee: "Hartford School District".to_owned(),
        request_id: new_id(),
        ..InviteOrganizationRequest::default()
    };
    let invited = scene.client(Some(&staff)).invite_organization(request).await.unwrap().into_inner();
    assert_eq!(invited.membership.unwrap().invitee, "Hartford School District");
}

#[tokio::test]
async fn who_asks_is_admitted_and_the_request_says_by_what() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let organization = scene.organization(&initiative).await;
    let request = scene.request(&organization).await;
    let admit = AdmitMemberRequest {
        initiative: initiative.clone(),
        join_request: request.reference.clone(),
        roles: vec![open_term(Role::Partner)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    let member = scene.here().admit_member(admit).await.unwrap().into_inner().membership.unwrap();
    assert_eq!(member.organization, organization.reference);
    assert_eq!(member.join_request, request.reference);
    assert_eq!(held(&scene, &organization.reference, &initiative).await, [Role::Partner]);
    let get = GetJoinRequestRequest { join_request: request.reference.clone() };
    let answered = scene.here().get_join_request(get).await.unwrap().into_inner().join_request.unwrap();
    assert_eq!(answered.answered_by, member.reference);

    let withdraw = WithdrawJoinRequestRequest { join_request: request.reference, request_id: new_id() };
    let refused = scene.here().withdraw_join_request(withdraw).await.unwrap_err();
    assert_eq!(reason(&refused), "ALREADY_ANSWERED");
}

#[tokio::test]
async fn an_invitation_to_one_that_is_to_come_is_taken_up_by_its_request() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let invite = InviteOrganizationRequest {
        initiative: initiative.clone(),
        invitee: "Bridgeport School District".to_owned(),
        request_id: new_id(),
        ..InviteOrganizationRequest::default()
    };
    let invited = scene.here().invite_organization(invite).await.unwrap().into_inner().membership.unwrap();
    let mut admit = AdmitMemberRequest {
        initiative: initiative.clone(),
        membership: invited.reference.clone(),
        roles: vec![open_term(Role::Partner)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    let refused = scene.here().admit_member(admit.clone()).await.unwrap_err();
    assert_eq!(reason(&refused), "INVITEE_UNREGISTERED");

    let organization = scene.organization(&initiative).await;
    admit.join_request = scene.request(&organization).await.reference;
    let member = scene.here().admit_member(admit).await.unwrap().into_inner().membership.unwrap();
    assert_eq!((member.reference, member.organization), (invited.reference, organization.reference));
}

#[tokio::test]
async fn roles_rest_while_a_member_is_suspended_and_come_back_unless_their_term_is_over() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let organization = scene.organization(&initiative).await;
    let member = scene.member(&organization, &[Role::Partner]).await;
    let soon = chassis::clock::now() + Duration::seconds(1);
    let grant = GrantRoleRequest {
        membership: member.reference.clone(),
        role: Some(RoleTerm { until: Some(chassis::event::timestamp(soon)), ..open_term(Role::Funder) }),
        request_id: new_id(),
        ..GrantRoleRequest::default()
    };
    scene.here().grant_role(grant).await.unwrap();
    let suspend = SuspendMemberRequest {
        membership: member.reference.clone(),
        reason: "No word since May".to_owned(),
        request_id: new_id(),
        ..SuspendMemberRequest::default()
    };
    let suspended = scene.here().suspend_member(suspend).await.unwrap().into_inner().membership.unwrap();
    assert_eq!((suspended.state(), suspended.reason.as_str()), (MembershipState::Suspended, "No word since May"));
    assert_eq!(suspended.roles.len(), 2, "what rests is shown");
    assert_eq!(held(&scene, &organization.reference, &initiative).await, []);

    until(soon).await;
    let reinstate = ReinstateMemberRequest {
        membership: member.reference.clone(),
        request_id: new_id(),
        ..ReinstateMemberRequest::default()
    };
    let back = scene.here().reinstate_member(reinstate).await.unwrap().into_inner().membership.unwrap();
    assert_eq!((back.state(), back.reason.as_str()), (MembershipState::Active, ""));
    assert_eq!(back.roles.iter().map(RoleTerm::role).collect::<Vec<_>>(), [Role::Partner]);
    assert_eq!(held(&scene, &organization.reference, &initiative).await, [Role::Partner]);
}

async fn until(instant: OffsetDateTime) {
    while chassis::clock::now() < instant {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_role_ends_and_may_be_granted_again() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let organization = scene.organization(&initiative).await;
    let member = scene.member(&organization, &[Role::Partner, Role::DataLead]).await;
    let end = EndRoleRequest {
        membership: member.reference.clone(),
        role: Role::DataLead.into(),
        request_id: new_id(),
        ..EndRoleRequest::default()
    };
    scene.here().end_role(end.clone()).await.unwrap();
    assert_eq!(held(&scene, &organization.reference, &initiative).await, [Role::Partner]);
    let twice = scene.here().end_role(EndRoleRequest { request_id: new_id(), ..end }).await.unwrap_err();
    assert_eq!(
        (reason(&twice).as_str(), twice.message()),
        ("ROLE_NOT_HELD", "the member does not hold the role data lead")
    );

    let grant = GrantRoleRequest {
        membership: member.reference,
        role: Some(open_term(Role::DataLead)),
        request_id: new_id(),
        ..GrantRoleRequest::default()
    };
    let again = scene.here().grant_role(grant.clone()).await.unwrap().into_inner().membership.unwrap();
    assert_eq!(again.roles.len(), 2);
    let twice = scene.here().grant_role(GrantRoleRequest { request_id: new_id(), ..grant }).await.unwrap_err();
    assert_eq!(reason(&twice), "ROLE_HELD");
}

#[tokio::test]
async fn an_ended_membership_stays_ended_and_whoever_comes_back_gets_a_new_one() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let organization = scene.organization(&initiative).await;
    let member = scene.member(&organization, &[Role::Partner]).await;
    let caller = speaking_for(&[&reference(&organization.reference)]);
    let end = EndMembershipRequest {
        membership: member.reference.clone(),
        reason: "Merged with another district".to_owned(),
        request_id: new_id(),
        ..EndMembershipRequest::default()
    };
    let ended = scene.client(Some(&caller)).end_membership(end).await.unwrap().into_inner().membership.unwrap();
    assert_eq!((ended.state(), ended.roles.len()), (MembershipState::Ended, 0));
    assert_eq!(held(&scene, &organization.reference, &initiative).await, []);
    let reinstate = ReinstateMemberRequest {
        membership: member.reference.clone(),
        request_id: new_id(),
        ..ReinstateMemberRequest::default()
    };
    assert_eq!(reason(&scene.here().reinstate_member(reinstate).await.unwrap_err()), "MEMBERSHIP_ENDED");
    let again = scene.member(&organization, &[Role::Partner]).await;
    assert_ne!(again.reference, member.reference);
}

#[tokio::test]
async fn events_name_the_organization_only_where_the_caller_speaks_for_it() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let backbone = scene.organization(&initiative).await;
    scene.member(&backbone, &[Role::BackboneStaff]).await;
    let organization = scene.organization(&initiative).await;
    let member = scene.member(&organization, &[Role::Partner]).await;
    let staff = speaking_for(&[&reference(&backbone.reference)]);
    let suspend = SuspendMemberRequest {
        membership: member.reference,
        reason: "No word since May".to_owned(),
        request_id: new_id(),
        ..SuspendMemberRequest::default()
    };
    scene.client(Some(&staff)).suspend_member(suspend).await.unwrap();
    let last = scene.stage.log().await.pop().unwrap();
    assert_eq!(last.actor.organization, Some(reference(&backbone.reference)));
    assert_eq!(last.actor.person, Some(staff.person));
}

#[tokio::test]
async fn a_partner_cannot_admit_itself() {
    let backbone = Scene::set().await;
    let initiative = backbone.initiative().await.reference;
    let alpha = Scene::set().await;
    for event in backbone.stage.log().await {
        alpha.stage.take(event).await;
    }
    let organization = alpha.organization(&initiative).await;
    assert_eq!(organization.node, alpha.stage.node.to_string());
    let invite = InviteOrganizationRequest {
        initiative: initiative.clone(),
        organization: organization.reference.clone(),
        request_id: new_id(),
        ..InviteOrganizationRequest::default()
    };
    let refused = alpha.here().invite_organization(invite).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_THE_BACKBONE");
    assert!(refused.message().contains("CreateJoinRequest"), "{}", refused.message());
    let request = alpha.request(&organization).await;
    let admit = AdmitMemberRequest {
        initiative: initiative.clone(),
        join_request: request.reference.clone(),
        roles: vec![open_term(Role::Partner)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    assert_eq!(reason(&alpha.here().admit_member(admit.clone()).await.unwrap_err()), "NOT_THE_BACKBONE");

    // The backbone hears the request and answers; the answer makes it a member at both.
    for event in alpha.stage.log().await {
        backbone.stage.take(event).await;
    }
    let before = backbone.stage.log().await.len();
    let member = backbone.here().admit_member(admit).await.unwrap().into_inner().membership.unwrap();
    assert_eq!(member.node, alpha.stage.node.to_string());
    for event in backbone.stage.log().await.split_off(before) {
        alpha.stage.take(event).await;
    }
    assert_eq!(held(&alpha, &organization.reference, &initiative).await, [Role::Partner]);
    let caller = speaking_for(&[&reference(&organization.reference)]);
    let get = GetMembershipRequest { membership: member.reference.clone() };
    assert_eq!(alpha.client(Some(&caller)).get_membership(get).await.unwrap().into_inner().membership, Some(member));
}

#[tokio::test]
async fn a_node_cannot_ask_for_an_organization_of_another() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let organization = scene.organization(&initiative).await;
    let alpha = chassis::testing::some_node();
    for (asks, told) in
        [(organization.reference, "NOT_FOUND"), (Reference::born_on(&alpha).to_string(), "UNREGISTERED")]
    {
        let request = Reference::born_on(&alpha);
        let (about, itself) = (initiative.clone(), request.to_string());
        let requested = JoinRequest { initiative: about, reference: itself, ..asking(&asks) };
        let requested = JoinRequested { join_request: Some(requested) };
        let space = Space::members(&reference(&initiative));
        scene.stage.hear(&alpha, &Fact::of(&request, &space, &requested)).await;
        let admit = AdmitMemberRequest {
            initiative: initiative.clone(),
            join_request: request.to_string(),
            roles: vec![open_term(Role::Partner)],
            request_id: new_id(),
            ..AdmitMemberRequest::default()
        };
        assert_eq!(reason(&scene.here().admit_member(admit).await.unwrap_err()), told);
    }
}

#[tokio::test]
async fn nobody_changes_what_lives_on_another_node() {
    let backbone = Scene::set().await;
    let initiative = backbone.initiative().await.reference;
    let organization = backbone.organization(&initiative).await;
    let request = backbone.request(&organization).await;
    let alpha = Scene::set().await;
    for event in backbone.stage.log().await {
        alpha.stage.take(event).await;
    }
    let update = UpdateOrganizationRequest {
        organization: Some(Organization { display_name: "Mine now".to_owned(), ..organization.clone() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] }),
        request_id: new_id(),
    };
    assert_eq!(reason(&alpha.here().update_organization(update).await.unwrap_err()), "NOT_ITS_HOME");
    let withdraw = WithdrawJoinRequestRequest { join_request: request.reference, request_id: new_id() };
    assert_eq!(reason(&alpha.here().withdraw_join_request(withdraw).await.unwrap_err()), "NOT_ITS_HOME");
    let ask = CreateJoinRequestRequest {
        initiative: initiative.clone(),
        join_request: Some(asking(&organization.reference)),
        request_id: new_id(),
    };
    assert_eq!(reason(&alpha.here().create_join_request(ask).await.unwrap_err()), "NOT_ITS_HOME");
    let update = UpdateInitiativeRequest {
        initiative: Some(Initiative { reference: initiative, region: "Mine".to_owned(), ..Initiative::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["region".to_owned()] }),
        request_id: new_id(),
    };
    assert_eq!(reason(&alpha.here().update_initiative(update).await.unwrap_err()), "NOT_THE_BACKBONE");
}
