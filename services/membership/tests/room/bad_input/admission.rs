//! Bad input to calls by which one becomes a member.

use super::*;

#[tokio::test]
async fn invite_organization_refuses_precisely() {
    let trial = Trial::begins().await;
    let request = |initiative: &str, organization: &str, invitee: &str| InviteOrganizationRequest {
        initiative: initiative.to_owned(),
        organization: organization.to_owned(),
        invitee: invitee.to_owned(),
        request_id: new_id(),
    };
    assert_eq!(wrong!(trial, invite_organization(request("", "", " "))), ["initiative", "organization"]);
    let initiative = trial.initiative();
    let stranger = trial.situation.stranger.reference.clone();
    assert_eq!(wrong!(trial, invite_organization(request(&initiative, &stranger, "Both"))), ["invitee"]);
    assert_eq!(wrong!(trial, invite_organization(request(&initiative, "7", ""))), ["organization"]);
    assert_eq!(wrong!(trial, invite_organization(request(&initiative, "", &"x".repeat(201)))), ["invitee"]);
    assert_eq!(no!(trial, invite_organization(request(&trial.unknown(), &stranger, ""))), unknown());
    assert_eq!(no!(trial, invite_organization(request(&initiative, &trial.unknown(), ""))), unknown());
    let invited = request(&initiative, &trial.situation.invited.organization, "");
    assert_eq!(no!(trial, invite_organization(invited)), refused("ALREADY_INVITED"));
    let member = request(&initiative, &trial.situation.member.organization, "");
    assert_eq!(no!(trial, invite_organization(member)), refused("ALREADY_MEMBER"));
    let another = trial.scene.initiative().await.reference;
    assert_eq!(no!(trial, invite_organization(request(&another, &stranger, ""))), refused("OTHER_INITIATIVE"));
}

#[tokio::test]
async fn admit_member_refuses_precisely() {
    let trial = Trial::begins().await;
    let nothing = AdmitMemberRequest { request_id: new_id(), ..AdmitMemberRequest::default() };
    assert_eq!(wrong!(trial, admit_member(nothing)), ["initiative", "membership", "roles"]);
    let request = |membership: &str, join_request: &str| AdmitMemberRequest {
        initiative: trial.initiative(),
        membership: membership.to_owned(),
        join_request: join_request.to_owned(),
        roles: vec![open_term(Role::Partner)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    let (invited, asked) = (&trial.situation.invited.reference, &trial.situation.request.reference);
    let roles = vec![
        RoleTerm { role: 99, ..RoleTerm::default() },
        RoleTerm { from: timestamp(2), until: timestamp(2), ..open_term(Role::Funder) },
        RoleTerm { from: timestamp(i64::MAX), ..open_term(Role::Partner) },
        open_term(Role::Partner),
    ];
    let bad = AdmitMemberRequest { roles, etag: "x".to_owned(), ..request("7", "7") };
    let all = ["etag", "join_request", "membership", "roles[0].role", "roles[1].until", "roles[2].from", "roles[3]"];
    assert_eq!(wrong!(trial, admit_member(bad)), all);
    let idle = AdmitMemberRequest { etag: "1".to_owned(), ..request("", asked) };
    assert_eq!(wrong!(trial, admit_member(idle)), ["etag"]);
    let old = AdmitMemberRequest { etag: "7".to_owned(), ..request(invited, "") };
    assert_eq!(no!(trial, admit_member(old)), stale());
    let over = RoleTerm { from: timestamp(1), until: timestamp(2), ..open_term(Role::Partner) };
    let over = AdmitMemberRequest { roles: vec![over], ..request(invited, "") };
    assert_eq!(no!(trial, admit_member(over)), refused("TERM_OVER"));

    let nowhere = AdmitMemberRequest { initiative: trial.unknown(), ..request(invited, "") };
    assert_eq!(no!(trial, admit_member(nowhere)), unknown());
    assert_eq!(no!(trial, admit_member(request(&trial.unknown(), ""))), unknown());
    assert_eq!(no!(trial, admit_member(request("", &trial.unknown()))), unknown());
    assert_eq!(no!(trial, admit_member(request(&trial.situation.member.reference, ""))), refused("NOT_INVITED"));
    assert_eq!(no!(trial, admit_member(request(invited, asked))), refused("INVITATION_FOR_ANOTHER"));
    let elsewhere = trial.scene.initiative().await.reference;
    for (membership, join_request) in [(invited.as_str(), ""), ("", asked.as_str())] {
        let request = AdmitMemberRequest { initiative: elsewhere.clone(), ..request(membership, join_request) };
        assert_eq!(no!(trial, admit_member(request)), refused("OTHER_INITIATIVE"));
    }
}
