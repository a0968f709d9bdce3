//! Bad input to calls about postings.

use super::*;

#[tokio::test]
async fn create_posting_refuses_precisely() {
    let trial = Trial::begins().await;
    let request = |initiative: &str, posting| CreatePostingRequest {
        initiative: initiative.to_owned(),
        posting,
        request_id: new_id(),
    };
    assert_eq!(wrong!(trial, create_posting(request("", None))), ["initiative", "posting"]);
    let bad = Posting {
        organization: "7".to_owned(),
        kind: 99,
        quantity: "x".repeat(201),
        open_until: timestamp(i64::MAX),
        ..Posting::default()
    };
    let all = [
        "posting.description",
        "posting.direction",
        "posting.kind",
        "posting.open_until",
        "posting.organization",
        "posting.quantity",
    ];
    assert_eq!(wrong!(trial, create_posting(request(&trial.initiative(), Some(bad)))), all);
    let member = trial.situation.member.organization.as_str();
    let initiative = trial.initiative();
    assert_eq!(no!(trial, create_posting(request(&trial.unknown(), Some(desks(member))))), unknown());
    assert_eq!(no!(trial, create_posting(request(&initiative, Some(desks(&trial.unknown()))))), unknown());
    let over = Posting { open_until: timestamp(1), ..desks(member) };
    assert_eq!(no!(trial, create_posting(request(&initiative, Some(over)))), refused("POSTING_OVER"));
    let another = trial.scene.initiative().await.reference;
    let elsewhere = request(&another, Some(desks(member)));
    assert_eq!(no!(trial, create_posting(elsewhere)), refused("OTHER_INITIATIVE"));
}

#[tokio::test]
async fn what_is_no_posting_or_closed_does_not_change() {
    let trial = Trial::begins().await;
    let posting = trial.situation.posting.clone();
    let update = |posting, paths| UpdatePostingRequest {
        posting: Some(posting),
        update_mask: mask(paths),
        request_id: new_id(),
    };
    let meet = |posting: &str, reason: &str, etag: &str| MeetPostingRequest {
        posting: posting.to_owned(),
        reason: reason.to_owned(),
        etag: etag.to_owned(),
        request_id: new_id(),
    };
    let withdraw = |posting: &str, reason: &str, etag: &str| WithdrawPostingRequest {
        posting: posting.to_owned(),
        reason: reason.to_owned(),
        etag: etag.to_owned(),
        request_id: new_id(),
    };
    let nothing = UpdatePostingRequest { request_id: new_id(), ..UpdatePostingRequest::default() };
    assert_eq!(wrong!(trial, update_posting(nothing)), ["posting", "update_mask"]);
    assert_eq!(wrong!(trial, update_posting(update(posting.clone(), &["direction"]))), ["update_mask"]);
    let bad = Posting { reference: "7".to_owned(), etag: "x".to_owned(), ..Posting::default() };
    let all = ["posting.description", "posting.etag", "posting.kind", "posting.reference"];
    assert_eq!(wrong!(trial, update_posting(update(bad, &["*"]))), all);
    assert_eq!(wrong!(trial, meet_posting(meet("", "", "x"))), ["etag", "posting", "reason"]);
    assert_eq!(wrong!(trial, withdraw_posting(withdraw("7", " ", ""))), ["posting", "reason"]);
    let nowhere = Posting { reference: trial.unknown(), ..posting.clone() };
    assert_eq!(no!(trial, update_posting(update(nowhere, &["kind"]))), unknown());
    assert_eq!(no!(trial, meet_posting(meet(&trial.unknown(), "Met", ""))), unknown());
    assert_eq!(no!(trial, withdraw_posting(withdraw(&trial.unknown(), "Sold", ""))), unknown());
    let old = Posting { etag: "7".to_owned(), ..posting.clone() };
    assert_eq!(no!(trial, update_posting(update(old, &["kind"]))), stale());
    assert_eq!(no!(trial, meet_posting(meet(&posting.reference, "Met", "7"))), stale());
    assert_eq!(no!(trial, withdraw_posting(withdraw(&posting.reference, "Sold", "7"))), stale());
    let over = Posting { open_until: timestamp(1), ..posting.clone() };
    assert_eq!(no!(trial, update_posting(update(over, &["open_until"]))), refused("POSTING_OVER"));

    trial.scene.here().meet_posting(meet(&posting.reference, "Met", "")).await.unwrap();
    let late = Posting { etag: String::new(), quantity: "More".to_owned(), ..posting.clone() };
    assert_eq!(no!(trial, update_posting(update(late, &["quantity"]))), refused("POSTING_CLOSED"));
    assert_eq!(no!(trial, meet_posting(meet(&posting.reference, "Met", ""))), refused("POSTING_CLOSED"));
    assert_eq!(no!(trial, withdraw_posting(withdraw(&posting.reference, "Sold", ""))), refused("POSTING_CLOSED"));
}
