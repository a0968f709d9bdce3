//! Bad input to calls about join requests.

use super::*;

#[tokio::test]
async fn create_join_request_refuses_precisely() {
    let trial = Trial::begins().await;
    let request = |initiative: &str, organization: &str| CreateJoinRequestRequest {
        initiative: initiative.to_owned(),
        join_request: Some(asking(organization)),
        request_id: new_id(),
    };
    let nothing = CreateJoinRequestRequest { request_id: new_id(), ..CreateJoinRequestRequest::default() };
    assert_eq!(wrong!(trial, create_join_request(nothing)), ["initiative", "join_request"]);
    assert_eq!(wrong!(trial, create_join_request(request("7", ""))), ["initiative", "join_request.organization"]);
    let mut long = request(&trial.initiative(), &trial.situation.stranger.reference);
    long.join_request.as_mut().unwrap().statement = "x".repeat(4001);
    assert_eq!(wrong!(trial, create_join_request(long)), ["join_request.statement"]);
    let initiative = trial.initiative();
    assert_eq!(no!(trial, create_join_request(request(&trial.unknown(), &trial.unknown()))), unknown());
    assert_eq!(no!(trial, create_join_request(request(&initiative, &trial.unknown()))), unknown());
    let twice = request(&initiative, &trial.situation.asking.reference);
    assert_eq!(no!(trial, create_join_request(twice)), refused("ALREADY_ASKED"));
    for membership in [&trial.situation.member, &trial.situation.suspended] {
        let member = request(&initiative, &membership.organization);
        assert_eq!(no!(trial, create_join_request(member)), refused("ALREADY_MEMBER"));
    }
    let another = trial.scene.initiative().await.reference;
    let elsewhere = request(&another, &trial.situation.stranger.reference);
    assert_eq!(no!(trial, create_join_request(elsewhere)), refused("OTHER_INITIATIVE"));
}

#[tokio::test]
async fn withdraw_join_request_refuses_precisely() {
    let trial = Trial::begins().await;
    let request =
        |join_request: &str| WithdrawJoinRequestRequest { join_request: join_request.to_owned(), request_id: new_id() };
    assert_eq!(wrong!(trial, withdraw_join_request(request(""))), ["join_request"]);
    assert_eq!(wrong!(trial, withdraw_join_request(request("7"))), ["join_request"]);
    assert_eq!(no!(trial, withdraw_join_request(request(&trial.unknown()))), unknown());
    let asked = trial.situation.request.reference.clone();
    trial.scene.here().withdraw_join_request(request(&asked)).await.unwrap();
    assert_eq!(no!(trial, withdraw_join_request(request(&asked))), refused("REQUEST_WITHDRAWN"));
    let admit = AdmitMemberRequest {
        initiative: trial.initiative(),
        join_request: asked,
        roles: vec![open_term(Role::Partner)],
        request_id: new_id(),
        ..AdmitMemberRequest::default()
    };
    assert_eq!(no!(trial, admit_member(admit)), refused("REQUEST_WITHDRAWN"));
}
