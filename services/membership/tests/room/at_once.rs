//! Two who do the same at the same instant do it once; two who do different things do not wait for one another.

use chassis::names::Reference;
use proto::common::Role;
use proto::membership::*;

use crate::scene::{Scene, asking, district, identifier, new_id, open_term, reason};

/// How often what may go wrong is tried.
const TIMES: usize = 5;

#[tokio::test]
async fn two_who_invite_at_the_same_instant_invite_once() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    for _ in 0..TIMES {
        let organization = scene.organization(&initiative).await;
        let invite = || InviteOrganizationRequest {
            initiative: initiative.clone(),
            organization: organization.reference.clone(),
            request_id: new_id(),
            ..InviteOrganizationRequest::default()
        };
        let (mut one, mut other) = (scene.here(), scene.here());
        let (one, other) = tokio::join!(one.invite_organization(invite()), other.invite_organization(invite()));
        let refused: Vec<_> = [one, other].into_iter().filter_map(Result::err).map(|status| reason(&status)).collect();
        assert_eq!(refused, ["ALREADY_INVITED"]);
    }
}

#[tokio::test]
async fn two_who_admit_at_the_same_instant_admit_once() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let organization = scene.organization(&initiative).await;
    let request = scene.request(&organization).await;
    let admit = || AdmitMemberRequest {
        initiative: initiative.clone(),
        join_request: request.reference.clone(),
        roles: vec![open_term(Role::Partner)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    let (mut one, mut other) = (scene.here(), scene.here());
    let (one, other) = tokio::join!(one.admit_member(admit()), other.admit_member(admit()));
    let refused: Vec<String> = [one, other].into_iter().filter_map(Result::err).map(|status| reason(&status)).collect();
    assert_eq!(refused, ["ALREADY_MEMBER"]);
    let standing: Vec<Reference> = scene.stage.log().await.iter().map(|event| event.resource.clone()).collect();
    assert_eq!(standing.len(), 5, "created, registered, requested, admitted, granted");
}

#[tokio::test]
async fn two_who_take_the_same_identifier_at_the_same_instant_get_it_once() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    for number in 0..TIMES {
        let identifiers = vec![identifier("CT-SDE-district", &number.to_string())];
        let known = scene.organization(&initiative).await;
        let register = RegisterOrganizationRequest {
            initiative: initiative.clone(),
            organization: Some(Organization { identifiers: identifiers.clone(), ..district("Another") }),
            request_id: new_id(),
        };
        let update = UpdateOrganizationRequest {
            organization: Some(Organization { reference: known.reference, identifiers, ..Organization::default() }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["identifiers".to_owned()] }),
            request_id: new_id(),
        };
        let (mut one, mut other) = (scene.here(), scene.here());
        let (one, other) = tokio::join!(one.register_organization(register), other.update_organization(update));
        let refused: Vec<_> = one.err().into_iter().chain(other.err()).map(|status| reason(&status)).collect();
        assert_eq!(refused, ["ALREADY_REGISTERED"]);
    }
}

#[tokio::test]
async fn one_who_asks_twice_at_the_same_instant_asks_once() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    for _ in 0..TIMES {
        let organization = scene.organization(&initiative).await;
        let ask = || CreateJoinRequestRequest {
            initiative: initiative.clone(),
            join_request: Some(asking(&organization.reference)),
            request_id: new_id(),
        };
        let (mut one, mut other) = (scene.here(), scene.here());
        let (one, other) = tokio::join!(one.create_join_request(ask()), other.create_join_request(ask()));
        let refused: Vec<_> = [one, other].into_iter().filter_map(Result::err).map(|status| reason(&status)).collect();
        assert_eq!(refused, ["ALREADY_ASKED"]);
    }
}

#[tokio::test]
async fn who_decides_on_one_organization_does_not_wait_for_who_decides_on_another() {
    let scene = Scene::set().await;
    let initiative = scene.initiative().await.reference;
    let (one, other) = (scene.organization(&initiative).await, scene.organization(&initiative).await);
    let mut undecided = scene.stage.pool.begin().await.unwrap();
    sqlx::query("select from membership.initiatives for share").execute(&mut *undecided).await.unwrap();
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('membership ' || $1, 0))")
        .bind(one.reference)
        .execute(&mut *undecided)
        .await
        .unwrap();
    scene.member(&other, &[Role::Partner]).await;
    undecided.rollback().await.unwrap();
}
