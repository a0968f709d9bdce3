//! Bad input to calls about initiatives.

use super::*;

#[tokio::test]
async fn create_initiative_refuses_precisely() {
    let trial = Trial::begins().await;
    let request = |initiative| CreateInitiativeRequest { initiative, request_id: new_id() };
    assert_eq!(wrong!(trial, create_initiative(request(None))), ["initiative"]);
    let nameless = Initiative { state: 99, ..Initiative::default() };
    assert_eq!(
        wrong!(trial, create_initiative(request(Some(nameless)))),
        ["initiative.display_name", "initiative.state"]
    );
    let oversize = Initiative {
        display_name: "x".repeat(201),
        purpose: "x".repeat(4001),
        region: "two\nlines".to_owned(),
        state: InitiativeState::Closed.into(),
        ..Initiative::default()
    };
    let all = ["initiative.display_name", "initiative.purpose", "initiative.region", "initiative.state"];
    assert_eq!(wrong!(trial, create_initiative(request(Some(oversize)))), all);
    let id =
        CreateInitiativeRequest { initiative: Some(trial.situation.initiative.clone()), request_id: "7".to_owned() };
    assert_eq!(wrong!(trial, create_initiative(id)), ["request_id"]);
}

#[tokio::test]
async fn update_initiative_refuses_precisely() {
    let trial = Trial::begins().await;
    let request = |initiative, paths| UpdateInitiativeRequest {
        initiative: Some(initiative),
        update_mask: mask(paths),
        request_id: new_id(),
    };
    let nothing = UpdateInitiativeRequest { request_id: new_id(), ..UpdateInitiativeRequest::default() };
    assert_eq!(wrong!(trial, update_initiative(nothing)), ["initiative", "update_mask"]);
    let initiative = trial.situation.initiative.clone();
    let other = Initiative { reference: "7".to_owned(), etag: "old".to_owned(), ..initiative.clone() };
    let all = ["initiative.etag", "initiative.reference", "update_mask"];
    assert_eq!(wrong!(trial, update_initiative(request(other, &["backbone_node"]))), all);
    let long = Initiative { region: "x".repeat(201), ..initiative.clone() };
    assert_eq!(wrong!(trial, update_initiative(request(long, &["region"]))), ["initiative.region"]);
    let old = Initiative { etag: "7".to_owned(), ..initiative.clone() };
    assert_eq!(no!(trial, update_initiative(request(old, &["region"]))), stale());
    let nowhere = Initiative { reference: trial.unknown(), ..initiative.clone() };
    assert_eq!(no!(trial, update_initiative(request(nowhere, &["region"]))), unknown());

    let closed = Initiative { state: InitiativeState::Closed.into(), ..initiative };
    trial.scene.here().update_initiative(request(closed, &["state"])).await.unwrap();
    let active =
        Initiative { reference: trial.initiative(), state: InitiativeState::Active.into(), ..Initiative::default() };
    assert_eq!(no!(trial, update_initiative(request(active, &["state"]))), refused("INITIATIVE_CLOSED"));
    let register = RegisterOrganizationRequest {
        initiative: trial.initiative(),
        organization: Some(district("Late")),
        request_id: new_id(),
    };
    assert_eq!(no!(trial, register_organization(register)), refused("INITIATIVE_CLOSED"));
}
