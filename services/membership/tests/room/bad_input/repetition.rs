//! The same request again, and another one under its id.

use super::*;

/// Makes a request, the same again, and another under its id.
async fn repeat<Q: Clone, A: PartialEq + std::fmt::Debug>(
    scene: &Scene,
    request: Q,
    other: Q,
    call: impl AsyncFn(Client, Q) -> Result<Response<A>, Status>,
) {
    let first = call(scene.here(), request.clone()).await.unwrap().into_inner();
    let before = scene.stage.everything().await;
    let stranger = scene.client(Some(&speaking_for(&[])));
    assert_eq!(call(stranger, request.clone()).await.unwrap_err().code(), Code::PermissionDenied, "authorised anew");
    let again = call(scene.here(), request).await.unwrap().into_inner();
    assert_eq!(again, first);
    let status = call(scene.here(), other).await.unwrap_err();
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["request_id".to_owned()]));
    assert_eq!(scene.stage.everything().await, before);
}

/// Repeats a request that differs from the other in the fields named.
macro_rules! repeat {
    ($scene:expr, $method:ident($request:expr), $($field:ident: $value:expr),+) => {{
        let request = $request;
        let mut other = request.clone();
        $(other.$field = $value;)+
        repeat($scene, request, other, async |mut client: Client, request| client.$method(request).await).await;
    }};
}

#[tokio::test]
async fn the_same_request_again_has_one_effect_and_another_under_its_id_has_none() {
    let Trial { scene, situation } = Trial::begins().await;
    let Situation { initiative, stranger, asking: asks, request, invited, member, suspended, .. } = situation;
    let Situation { group, circle, posting, .. } = Situation::of(&scene).await;
    let (about, reason, etag) = (initiative.reference.clone(), "Because".to_owned(), String::new());
    let update_mask = mask(&["display_name"]);
    let renamed = Initiative { display_name: "Renamed".to_owned(), ..initiative };
    repeat!(&scene, create_working_group(CreateWorkingGroupRequest {
        initiative: group.initiative.clone(), working_group: Some(attendance(&[&group.chair])), request_id: new_id(),
    }), working_group: Some(WorkingGroup { charge: "Another".to_owned(), ..attendance(&[&group.chair]) }));
    repeat!(&scene, update_working_group(UpdateWorkingGroupRequest {
        working_group: Some(WorkingGroup { charge: "Another".to_owned(), ..group.clone() }),
        update_mask: mask(&["charge"]), request_id: new_id(),
    }), update_mask: mask(&["display_name"]));
    repeat!(&scene, dissolve_working_group(DissolveWorkingGroupRequest {
        working_group: group.reference, reason: reason.clone(), etag: etag.clone(), request_id: new_id(),
    }), reason: "Another".to_owned());
    repeat!(&scene, create_circle(CreateCircleRequest {
        initiative: circle.initiative.clone(), circle: Some(talks(&[&scene.stage.node])), request_id: new_id(),
    }), circle: Some(Circle { purpose: String::new(), ..talks(&[&scene.stage.node]) }));
    repeat!(&scene, update_circle(UpdateCircleRequest {
        circle: Some(Circle { purpose: "Another".to_owned(), ..circle.clone() }),
        update_mask: mask(&["purpose"]), request_id: new_id(),
    }), update_mask: mask(&["display_name"]));
    repeat!(&scene, end_circle(EndCircleRequest {
        circle: circle.reference, reason: reason.clone(), etag: etag.clone(), request_id: new_id(),
    }), reason: "Another".to_owned());
    repeat!(&scene, create_posting(CreatePostingRequest {
        initiative: posting.initiative.clone(), posting: Some(desks(&posting.organization)), request_id: new_id(),
    }), posting: Some(Posting { quantity: String::new(), ..desks(&posting.organization) }));
    repeat!(&scene, update_posting(UpdatePostingRequest {
        posting: Some(Posting { quantity: "30".to_owned(), ..posting.clone() }),
        update_mask: mask(&["quantity"]), request_id: new_id(),
    }), update_mask: mask(&["kind"]));
    repeat!(&scene, withdraw_posting(WithdrawPostingRequest {
        posting: posting.reference, reason: reason.clone(), etag: etag.clone(), request_id: new_id(),
    }), reason: "Another".to_owned());
    let posting = scene.posting(&posting.initiative, &posting.organization).await;
    repeat!(&scene, meet_posting(MeetPostingRequest {
        posting: posting.reference, reason: reason.clone(), etag: etag.clone(), request_id: new_id(),
    }), reason: "Another".to_owned());
    repeat!(&scene, create_initiative(CreateInitiativeRequest { initiative: Some(renamed.clone()), request_id: new_id() }),
        initiative: Some(Initiative { region: "Maine".to_owned(), ..renamed.clone() }));
    // The etag is that of before the change: the repetition is answered and not called stale.
    repeat!(&scene, update_initiative(UpdateInitiativeRequest {
        initiative: Some(renamed), update_mask: update_mask.clone(), request_id: new_id(),
    }), update_mask: mask(&["region"]));
    repeat!(&scene, register_organization(RegisterOrganizationRequest {
        initiative: about.clone(), organization: Some(district("New")), request_id: new_id(),
    }), organization: Some(district("Newer")));
    repeat!(&scene, update_organization(UpdateOrganizationRequest {
        organization: Some(Organization { display_name: "Renamed".to_owned(), ..stranger.clone() }),
        update_mask, request_id: new_id(),
    }), update_mask: mask(&["website"]));
    repeat!(&scene, create_join_request(CreateJoinRequestRequest {
        initiative: about.clone(), join_request: Some(asking(&stranger.reference)), request_id: new_id(),
    }), join_request: Some(asking(&asks.reference)));
    let asked = scene.request(&scene.organization(&about).await).await;
    repeat!(&scene, withdraw_join_request(WithdrawJoinRequestRequest {
        join_request: request.reference, request_id: new_id(),
    }), join_request: asked.reference);
    repeat!(&scene, invite_organization(InviteOrganizationRequest {
        initiative: about.clone(), organization: stranger.reference, request_id: new_id(), ..Default::default()
    }), organization: asks.reference);
    repeat!(&scene, admit_member(AdmitMemberRequest {
        initiative: about, membership: invited.reference.clone(), roles: vec![open_term(Role::Partner)],
        request_id: new_id(), etag: invited.etag, ..Default::default()
    }), roles: vec![open_term(Role::Observer)]);
    repeat!(&scene, grant_role(GrantRoleRequest {
        membership: member.reference.clone(), role: Some(open_term(Role::Funder)), etag: member.etag, request_id: new_id(),
    }), role: Some(open_term(Role::Observer)));
    repeat!(&scene, end_role(EndRoleRequest {
        membership: member.reference.clone(), role: Role::Funder.into(), etag: etag.clone(), request_id: new_id(),
    }), role: Role::Partner.into());
    repeat!(&scene, suspend_member(SuspendMemberRequest {
        membership: member.reference.clone(), reason: reason.clone(), etag: etag.clone(), request_id: new_id(),
    }), reason: "Another".to_owned());
    repeat!(&scene, reinstate_member(ReinstateMemberRequest {
        membership: member.reference.clone(), etag: etag.clone(), request_id: new_id(),
    }), membership: suspended.reference.clone());
    repeat!(&scene, end_membership(EndMembershipRequest {
        membership: member.reference, reason, etag, request_id: new_id(),
    }), membership: suspended.reference);
}
