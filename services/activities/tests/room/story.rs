//! What each kind of resource goes through, as callers live it.

use prost_types::FieldMask;
use proto::activities::*;
use tonic::Code;

use crate::scene::{
    Scene, ask, bus_fares, disbursement, evidence, fields, goods, grant, money, new_id, place, promise, reason,
    towards, tutoring,
};

#[tokio::test]
async fn an_activity_is_planned_begun_and_completed() {
    let scene = Scene::set().await;
    let (lead, strategy, measure) = (scene.organization(), scene.organization(), scene.organization());
    let definition = ActivityDefinition {
        strategy: strategy.to_string(),
        measures: vec![measure.to_string()],
        supporting: vec![scene.organization().to_string(), scene.organization().to_string()],
        funding: vec![lead.to_string()],
        external_id: "XM-DAC-1".to_owned(),
        ..tutoring(&lead)
    };
    let planned = scene.activity(definition.clone()).await;
    assert_eq!((planned.definition.as_ref(), planned.state()), (Some(&definition), ActivityState::Planned));
    assert_eq!((planned.etag.as_str(), planned.initiative), ("1", scene.initiative.to_string()));

    let mut here = scene.here();
    let activity = planned.reference;
    let too_early = ask!(here, complete_activity, CompleteActivityRequest { activity: activity.clone() }).unwrap_err();
    assert_eq!((reason(&too_early).as_str(), too_early.code()), ("NOT_NOW", Code::FailedPrecondition));
    ask!(here, begin_activity, BeginActivityRequest { activity: activity.clone() }).unwrap();
    let done = ask!(here, complete_activity, CompleteActivityRequest { activity: activity.clone() }).unwrap();
    assert_eq!(done.into_inner().activity.unwrap().state(), ActivityState::Completed);
    let reason_ = "Too late".to_owned();
    let late = ask!(here, cancel_activity, CancelActivityRequest { activity, reason: reason_ }).unwrap_err();
    assert_eq!(reason(&late), "NOT_NOW");
    assert!(late.message().contains("the activity is completed"), "{}", late.message());
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names_and_nothing_else() {
    let scene = Scene::set().await;
    let activity = scene.activity(tutoring(&scene.organization())).await;
    let change = ActivityDefinition {
        title: "Tutoring at noon".to_owned(),
        places: vec![place("2"), place("3")],
        description: "Not to be taken".to_owned(),
        ..ActivityDefinition::default()
    };
    let update = |paths: &[&str], etag: &str| UpdateActivityRequest {
        activity: activity.reference.clone(),
        definition: Some(change.clone()),
        update_mask: Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() }),
        etag: etag.to_owned(),
        request_id: new_id(),
    };
    let updated = scene.here().update_activity(update(&["title", "places"], "1")).await.unwrap().into_inner();
    let updated = updated.activity.unwrap();
    let expected = ActivityDefinition {
        title: change.title.clone(),
        places: change.places.clone(),
        ..activity.definition.clone().unwrap()
    };
    assert_eq!((updated.definition, updated.etag.as_str()), (Some(expected), "2"));
    let stale = scene.here().update_activity(update(&["title"], "1")).await.unwrap_err();
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "STALE_ETAG"));
    let fixed = scene.here().update_activity(update(&["lead"], "")).await.unwrap_err();
    assert_eq!(fields(&fixed), ["update_mask"]);
}

#[tokio::test]
async fn a_commitment_is_overdue_from_the_day_after_its_last_day_until_it_is_met() {
    let scene = Scene::set().await;
    let (organization, activity) = (scene.organization(), scene.organization().to_string());
    let (late, met) = ("2020-02-29".to_owned(), promise(&organization, &activity));
    let late = scene.commitment(CommitmentDefinition { due_date: late, ..met.clone() }).await;
    let open = scene.commitment(met).await;
    assert_eq!((late.overdue, open.overdue), (true, false));
    let list = ListCommitmentsRequest { initiative: scene.initiative.to_string(), activity, ..Default::default() };
    let listed = scene.here().list_commitments(list).await.unwrap().into_inner().commitments;
    assert_eq!(listed, [late.clone(), open.clone()]);

    let request =
        MeetCommitmentRequest { commitment: late.reference, evidence: Some(evidence()), ..Default::default() };
    let request = MeetCommitmentRequest { request_id: new_id(), ..request };
    let met = scene.here().meet_commitment(request).await.unwrap().into_inner().commitment.unwrap();
    assert_eq!((met.state(), met.overdue, met.evidence), (CommitmentState::Met, false, Some(evidence())));
    let commitment = open.reference;
    let reason_ = "No tutors to be found".to_owned();
    let mut here = scene.here();
    let missed =
        MissCommitmentRequest { commitment: commitment.clone(), reason: reason_.clone(), ..Default::default() };
    let missed = MissCommitmentRequest { request_id: new_id(), ..missed };
    let missed = here.miss_commitment(missed).await.unwrap().into_inner().commitment.unwrap();
    assert_eq!((missed.state(), missed.state_reason), (CommitmentState::Missed, reason_.clone()));
    let again = ask!(here, withdraw_commitment, WithdrawCommitmentRequest { commitment, reason: reason_ }).unwrap_err();
    assert_eq!(reason(&again), "NOT_NOW");
}

#[tokio::test]
async fn pledges_add_up_by_currency_and_by_goods() {
    let scene = Scene::set().await;
    let mut here = scene.here();
    let need = scene.need(bus_fares(&scene.organization())).await.reference;
    let funder = scene.organization();
    let mut pledges = Vec::new();
    for means in [money("1000", "GBP"), money("0.50", "GBP"), money("300", "EUR"), goods("40", "Tickets", "pieces")] {
        pledges.push(scene.pledge(towards(&funder, &need, means)).await.reference);
    }
    scene.pledge(towards(&funder, &scene.organization().to_string(), money("9", "GBP"))).await;
    ask!(here, keep_pledge, KeepPledgeRequest { pledge: pledges[0].clone() }).unwrap();
    let why = "Budget cut".to_owned();
    ask!(here, withdraw_pledge, WithdrawPledgeRequest { pledge: pledges[2].clone(), reason: why.clone() }).unwrap();
    let seen = here.get_need(GetNeedRequest { need: need.clone() }).await.unwrap().into_inner();
    let pledged = seen.pledged.unwrap();
    let amounts: Vec<_> = pledged.money.iter().map(|one| (one.amount.as_str(), one.currency.as_str())).collect();
    assert_eq!(amounts, [("1000.5", "GBP")]);
    assert_eq!((pledged.goods.len(), pledged.goods[0].quantity.as_str()), (1, "40"));

    ask!(here, close_need, CloseNeedRequest { need: need.clone(), reason: why }).unwrap();
    let late = here.make_pledge(scene.make_pledge(towards(&funder, &need, money("1", "GBP")))).await.unwrap_err();
    assert_eq!(reason(&late), "ENDED");
    assert!(late.message().contains("the need is closed"), "{}", late.message());
}

#[tokio::test]
async fn what_is_paid_out_is_never_more_than_what_was_awarded() {
    use DisbursementState::{Paid, Planned};
    let scene = Scene::set().await;
    let mut here = scene.here();
    let award = scene.award(grant(&scene.organization())).await.reference;
    let mut record = async |number, state, amount| {
        let disbursement = disbursement(number, state, amount);
        let answer = ask!(here, record_disbursement, RecordDisbursementRequest { award: award.clone(), disbursement });
        answer.map(|answer| answer.into_inner().award.unwrap()).map_err(|status| reason(&status))
    };
    record(0, Planned, "600").await.unwrap();
    record(0, Planned, "600").await.unwrap();
    let paid = record(1, Paid, "599.99").await.unwrap();
    assert_eq!(paid.paid, "599.99");
    let states: Vec<_> = paid.disbursements.iter().map(|one| (one.number, one.state(), one.amount.as_str())).collect();
    assert_eq!(states, [(1, Paid, "599.99"), (2, Planned, "600")]);
    assert_eq!(record(2, Paid, "400.02").await.unwrap_err(), "OVERPAID");
    assert_eq!(record(1, Planned, "1").await.unwrap_err(), "PAID_ALREADY");
    assert_eq!(record(4, Planned, "1").await.unwrap_err(), "NO_SUCH_DISBURSEMENT");
    assert_eq!(record(2, Paid, "400.01").await.unwrap().paid, "1000");
    let reason_ = "Not taken up".to_owned();
    ask!(here, cancel_award, CancelAwardRequest { award: award.clone(), reason: reason_ }).unwrap();
    let disbursement = disbursement(0, Planned, "1");
    let late = ask!(here, record_disbursement, RecordDisbursementRequest { award, disbursement }).unwrap_err();
    assert_eq!(reason(&late), "NOT_NOW");
}

#[tokio::test]
async fn nothing_is_promised_to_what_is_known_to_have_ended_or_to_be_another_initiatives() {
    let scene = Scene::set().await;
    let mut here = scene.here();
    let organization = scene.organization();
    let activity = scene.activity(tutoring(&organization)).await.reference;
    let elsewhere = scene.organization();
    scene.stage.grant(&elsewhere, &organization, proto::common::Role::Partner).await;
    let request = scene.make_commitment(promise(&organization, &activity));
    let request = MakeCommitmentRequest { initiative: elsewhere.to_string(), ..request };
    assert_eq!(reason(&here.make_commitment(request).await.unwrap_err()), "OTHER_INITIATIVE");
    let why = "No room".to_owned();
    ask!(here, cancel_activity, CancelActivityRequest { activity: activity.clone(), reason: why }).unwrap();
    let refused = here.make_commitment(scene.make_commitment(promise(&organization, &activity))).await.unwrap_err();
    assert_eq!(reason(&refused), "ENDED");
    let need = NeedDefinition { activity: activity.clone(), ..bus_fares(&organization) };
    assert_eq!(reason(&here.create_need(scene.create_need(need)).await.unwrap_err()), "ENDED");
    let award = AwardDefinition { activity, ..grant(&organization) };
    assert_eq!(reason(&here.create_award(scene.create_award(award)).await.unwrap_err()), "ENDED");
}

#[tokio::test]
async fn lists_are_narrowed_down_and_go_on_page_by_page() {
    let scene = Scene::set().await;
    let (lead, supporter, strategy) = (scene.organization(), scene.organization(), scene.organization());
    let mut all = Vec::new();
    for nth in 0..3 {
        let supporting = if nth == 1 { vec![supporter.to_string()] } else { Vec::new() };
        let strategy = if nth == 2 { strategy.to_string() } else { String::new() };
        all.push(scene.activity(ActivityDefinition { supporting, strategy, ..tutoring(&lead) }).await);
    }
    ask!(scene.here(), begin_activity, BeginActivityRequest { activity: all[0].reference.clone() }).unwrap();
    let list = async |request: ListActivitiesRequest| {
        let request = ListActivitiesRequest { initiative: scene.initiative.to_string(), ..request };
        let page = scene.here().list_activities(request).await.unwrap().into_inner();
        let found: Vec<usize> = (page.activities.iter())
            .map(|found| all.iter().position(|one| one.reference == found.reference).unwrap())
            .collect();
        (found, page.next_page_token)
    };
    let with = ListActivitiesRequest::default;
    assert_eq!(list(with()).await.0, [0, 1, 2]);
    assert_eq!(list(ListActivitiesRequest { organization: lead.to_string(), ..with() }).await.0, [0, 1, 2]);
    assert_eq!(list(ListActivitiesRequest { organization: supporter.to_string(), ..with() }).await.0, [1]);
    assert_eq!(list(ListActivitiesRequest { strategy: strategy.to_string(), ..with() }).await.0, [2]);
    assert_eq!(list(ListActivitiesRequest { state: ActivityState::UnderWay.into(), ..with() }).await.0, [0]);
    let (first, page_token) = list(ListActivitiesRequest { page_size: 2, ..with() }).await;
    let (second, end) = list(ListActivitiesRequest { page_size: 2, page_token, ..with() }).await;
    assert_eq!((first, second, end.as_str()), (vec![0, 1], vec![2], ""));
}

#[tokio::test]
async fn the_same_request_has_one_effect_and_the_same_answer() {
    let scene = Scene::set().await;
    let request = scene.create_award(grant(&scene.organization()));
    let answer = scene.here().create_award(request.clone()).await.unwrap().into_inner();
    let before = scene.stage.everything().await;
    assert_eq!(scene.here().create_award(request.clone()).await.unwrap().into_inner(), answer);
    let another = CreateAwardRequest { definition: Some(grant(&scene.organization())), ..request };
    assert_eq!(scene.here().create_award(another).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(scene.stage.everything().await, before);
}
