//! Bad input to calls about working groups.

use super::*;

#[tokio::test]
async fn create_working_group_refuses_precisely() {
    let trial = Trial::begins().await;
    let request = |initiative: &str, working_group| CreateWorkingGroupRequest {
        initiative: initiative.to_owned(),
        working_group,
        request_id: new_id(),
    };
    assert_eq!(wrong!(trial, create_working_group(request("", None))), ["initiative", "working_group"]);
    let member = trial.situation.member.organization.as_str();
    let bad = WorkingGroup {
        charge: "x".repeat(4001),
        chair: "7".to_owned(),
        organizations: vec![member.to_owned(), "7".to_owned(), member.to_owned()],
        ..WorkingGroup::default()
    };
    let all = [
        "working_group.chair",
        "working_group.charge",
        "working_group.display_name",
        "working_group.organizations[1]",
        "working_group.organizations[2]",
    ];
    assert_eq!(wrong!(trial, create_working_group(request(&trial.initiative(), Some(bad)))), all);
    for organizations in [Vec::new(), vec![member.to_owned(); 201]] {
        let bad = WorkingGroup { organizations, ..attendance(&[member]) };
        let refused = wrong!(trial, create_working_group(request(&trial.initiative(), Some(bad))));
        assert_eq!(refused, ["working_group.organizations"]);
    }
    let unknown_initiative = request(&trial.unknown(), Some(attendance(&[member])));
    assert_eq!(no!(trial, create_working_group(unknown_initiative)), unknown());
    let outside = WorkingGroup { chair: trial.situation.stranger.reference.clone(), ..attendance(&[member]) };
    let outside = request(&trial.initiative(), Some(outside));
    assert_eq!(no!(trial, create_working_group(outside)), refused("CHAIR_OUTSIDE"));
    for other in [&trial.situation.stranger.reference, &trial.situation.suspended.organization, &trial.unknown()] {
        let strange = request(&trial.initiative(), Some(attendance(&[member, other.as_str()])));
        assert_eq!(no!(trial, create_working_group(strange)), refused("NOT_A_MEMBER"));
    }
}

#[tokio::test]
async fn what_is_no_working_group_or_over_does_not_change() {
    let trial = Trial::begins().await;
    let group = trial.situation.group.clone();
    let update = |working_group, paths| UpdateWorkingGroupRequest {
        working_group: Some(working_group),
        update_mask: mask(paths),
        request_id: new_id(),
    };
    let dissolve = |working_group: &str, reason: &str, etag: &str| DissolveWorkingGroupRequest {
        working_group: working_group.to_owned(),
        reason: reason.to_owned(),
        etag: etag.to_owned(),
        request_id: new_id(),
    };
    let nothing = UpdateWorkingGroupRequest { request_id: new_id(), ..UpdateWorkingGroupRequest::default() };
    assert_eq!(wrong!(trial, update_working_group(nothing)), ["update_mask", "working_group"]);
    let bad = WorkingGroup { reference: "7".to_owned(), etag: "x".to_owned(), ..WorkingGroup::default() };
    let all = ["working_group.etag", "working_group.organizations", "working_group.reference"];
    assert_eq!(wrong!(trial, update_working_group(update(bad, &["charge", "organizations"]))), all);
    assert_eq!(wrong!(trial, dissolve_working_group(dissolve("", "", "x"))), ["etag", "reason", "working_group"]);
    let nowhere = WorkingGroup { reference: trial.unknown(), ..group.clone() };
    assert_eq!(no!(trial, update_working_group(update(nowhere, &["charge"]))), unknown());
    assert_eq!(no!(trial, dissolve_working_group(dissolve(&trial.unknown(), "Over", ""))), unknown());
    let old = WorkingGroup { etag: "7".to_owned(), ..group.clone() };
    assert_eq!(no!(trial, update_working_group(update(old, &["charge"]))), stale());
    assert_eq!(no!(trial, dissolve_working_group(dissolve(&group.reference, "Over", "7"))), stale());
    let strange = WorkingGroup { organizations: vec![trial.unknown(), group.chair.clone()], ..group.clone() };
    assert_eq!(no!(trial, update_working_group(update(strange, &["organizations"]))), refused("NOT_A_MEMBER"));

    trial.scene.here().dissolve_working_group(dissolve(&group.reference, "Over", "")).await.unwrap();
    let late = WorkingGroup { etag: String::new(), charge: "More".to_owned(), ..group.clone() };
    assert_eq!(no!(trial, update_working_group(update(late, &["charge"]))), refused("DISSOLVED"));
    assert_eq!(no!(trial, dissolve_working_group(dissolve(&group.reference, "Over", ""))), refused("DISSOLVED"));
}
