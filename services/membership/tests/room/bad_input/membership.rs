//! Bad input to calls about memberships.

use super::*;

#[tokio::test]
async fn commands_on_a_membership_refuse_precisely() {
    let trial = Trial::begins().await;
    let (reason, request_id) = ("Because".to_owned(), new_id());
    let Situation { invited, member, suspended, .. } = &trial.situation;
    let member = member.reference.clone();
    let grant = GrantRoleRequest {
        membership: member.clone(),
        role: Some(open_term(Role::Funder)),
        etag: String::new(),
        request_id: request_id.clone(),
    };
    let end_role = EndRoleRequest {
        membership: member.clone(),
        role: Role::Partner.into(),
        etag: String::new(),
        request_id: request_id.clone(),
    };
    let suspend = SuspendMemberRequest {
        membership: member.clone(),
        reason: reason.clone(),
        etag: String::new(),
        request_id: request_id.clone(),
    };
    let reinstate = ReinstateMemberRequest {
        membership: suspended.reference.clone(),
        etag: String::new(),
        request_id: request_id.clone(),
    };
    let end = EndMembershipRequest { membership: member.clone(), reason, etag: String::new(), request_id };
    macro_rules! each {
        ($method:ident, $request:expr) => {
            let none = {
                let mut request = $request.clone();
                (request.membership, request.etag) = (String::new(), "one".to_owned());
                request
            };
            assert_eq!(wrong!(trial, $method(none)), ["etag", "membership"]);
            let mut nowhere = $request.clone();
            nowhere.membership = trial.unknown();
            assert_eq!(no!(trial, $method(nowhere)), unknown());
            let mut old = $request.clone();
            old.etag = "77".to_owned();
            assert_eq!(no!(trial, $method(old)), stale());
            let mut id = $request.clone();
            id.request_id = "has blanks in it".to_owned();
            assert_eq!(wrong!(trial, $method(id)), ["request_id"]);
        };
    }
    each!(grant_role, grant);
    each!(end_role, end_role);
    each!(suspend_member, suspend);
    each!(reinstate_member, reinstate);
    each!(end_membership, end);

    let none = GrantRoleRequest { role: None, ..grant.clone() };
    assert_eq!(wrong!(trial, grant_role(none)), ["role"]);
    let backwards = RoleTerm { role: 0, from: timestamp(2), until: timestamp(1) };
    let backwards = GrantRoleRequest { role: Some(backwards), ..grant.clone() };
    assert_eq!(wrong!(trial, grant_role(backwards)), ["role.role", "role.until"]);
    assert_eq!(wrong!(trial, end_role(EndRoleRequest { role: 7, ..end_role.clone() })), ["role"]);
    for reason in [String::new(), " \n".to_owned(), "x".repeat(1001)] {
        let suspend = SuspendMemberRequest { reason: reason.clone(), ..suspend.clone() };
        assert_eq!(wrong!(trial, suspend_member(suspend)), ["reason"]);
        assert_eq!(wrong!(trial, end_membership(EndMembershipRequest { reason, ..end.clone() })), ["reason"]);
    }
    for (membership, told) in [(&invited.reference, "NOT_ACTIVE"), (&suspended.reference, "NOT_ACTIVE")] {
        let grant = GrantRoleRequest { membership: membership.clone(), ..grant.clone() };
        assert_eq!(no!(trial, grant_role(grant)), refused(told));
        let end_role = EndRoleRequest { membership: membership.clone(), ..end_role.clone() };
        assert_eq!(no!(trial, end_role(end_role)), refused(told));
        let suspend = SuspendMemberRequest { membership: membership.clone(), ..suspend.clone() };
        assert_eq!(no!(trial, suspend_member(suspend)), refused(told));
    }
    let active = ReinstateMemberRequest { membership: member, ..reinstate };
    assert_eq!(no!(trial, reinstate_member(active)), refused("NOT_SUSPENDED"));
    let held = GrantRoleRequest { role: Some(open_term(Role::Partner)), ..grant.clone() };
    assert_eq!(no!(trial, grant_role(held)), refused("ROLE_HELD"));
    let over = RoleTerm { from: timestamp(1), until: timestamp(2), ..open_term(Role::Funder) };
    assert_eq!(no!(trial, grant_role(GrantRoleRequest { role: Some(over), ..grant.clone() })), refused("TERM_OVER"));
    trial.scene.here().end_membership(end.clone()).await.unwrap();
    assert_eq!(
        no!(trial, end_membership(EndMembershipRequest { request_id: new_id(), ..end })),
        refused("MEMBERSHIP_ENDED")
    );
    assert_eq!(no!(trial, grant_role(grant)), refused("MEMBERSHIP_ENDED"));
}

#[tokio::test]
async fn own_rights_end_at_ones_own_organization() {
    let trial = Trial::begins().await;
    let own = reference(&trial.situation.stranger.reference);
    let caller = speaking_for(&[&own]);
    let update = UpdateOrganizationRequest {
        organization: Some(Organization { display_name: "Mine".to_owned(), ..trial.situation.asking.clone() }),
        update_mask: mask(&["display_name"]),
        request_id: new_id(),
    };
    let ask = CreateJoinRequestRequest {
        initiative: trial.initiative(),
        join_request: Some(asking(&trial.situation.invited.organization)),
        request_id: new_id(),
    };
    let withdraw =
        WithdrawJoinRequestRequest { join_request: trial.situation.request.reference.clone(), request_id: new_id() };
    let end = EndMembershipRequest {
        membership: trial.situation.member.reference.clone(),
        reason: "Away with them".to_owned(),
        request_id: new_id(),
        ..EndMembershipRequest::default()
    };
    let before = trial.scene.stage.everything().await;
    let mut client = trial.scene.client(Some(&caller));
    let codes = [
        client.update_organization(update).await.unwrap_err().code(),
        client.create_join_request(ask).await.unwrap_err().code(),
        client.withdraw_join_request(withdraw).await.unwrap_err().code(),
        client.end_membership(end).await.unwrap_err().code(),
    ];
    assert_eq!(codes, [Code::PermissionDenied; 4]);
    assert_eq!(trial.scene.stage.everything().await, before);
}
