//! What every call says to bad input: what is wrong, field by field, and nothing written.

use chassis::names::Reference;
use chassis::testing::some_node;
use prost_types::FieldMask;
use proto::activities::*;
use tonic::{Code, Status};

use crate::scene::{
    Scene, ask, bus_fares, disbursement, evidence, fields, goods, grant, money, new_id, place, promise, reason,
    towards, tutoring,
};

/// The status of a refused call, which wrote nothing.
macro_rules! refused {
    ($scene:expr, $method:ident, $request:expr) => {{
        let before = $scene.stage.everything().await;
        let status: Status = $scene.here().$method($request).await.unwrap_err();
        assert_eq!($scene.stage.everything().await, before, "something was written");
        status
    }};
}

#[tokio::test]
async fn nothing_at_all_is_refused_by_every_call() {
    let scene = Scene::set().await;
    macro_rules! wrong {
        ($($method:ident($request:ident) = $fields:expr;)+) => {
            $(
                let status = refused!(scene, $method, $request::default());
                assert_eq!(status.code(), Code::InvalidArgument, stringify!($method));
                assert_eq!(fields(&status), $fields, stringify!($method));
            )+
        };
    }
    wrong! {
        create_activity(CreateActivityRequest) = ["definition", "initiative"];
        get_activity(GetActivityRequest) = ["activity"];
        list_activities(ListActivitiesRequest) = ["initiative"];
        update_activity(UpdateActivityRequest) = ["activity", "definition", "update_mask"];
        begin_activity(BeginActivityRequest) = ["activity"];
        complete_activity(CompleteActivityRequest) = ["activity"];
        cancel_activity(CancelActivityRequest) = ["activity", "reason"];
        make_commitment(MakeCommitmentRequest) = ["definition", "initiative"];
        get_commitment(GetCommitmentRequest) = ["commitment"];
        list_commitments(ListCommitmentsRequest) = ["initiative"];
        meet_commitment(MeetCommitmentRequest) = ["commitment", "evidence"];
        miss_commitment(MissCommitmentRequest) = ["commitment", "reason"];
        withdraw_commitment(WithdrawCommitmentRequest) = ["commitment", "reason"];
        create_need(CreateNeedRequest) = ["definition", "initiative"];
        get_need(GetNeedRequest) = ["need"];
        list_needs(ListNeedsRequest) = ["initiative"];
        close_need(CloseNeedRequest) = ["need", "reason"];
        make_pledge(MakePledgeRequest) = ["definition", "initiative"];
        get_pledge(GetPledgeRequest) = ["pledge"];
        list_pledges(ListPledgesRequest) = ["initiative"];
        keep_pledge(KeepPledgeRequest) = ["pledge"];
        withdraw_pledge(WithdrawPledgeRequest) = ["pledge", "reason"];
        create_award(CreateAwardRequest) = ["definition", "initiative"];
        get_award(GetAwardRequest) = ["award"];
        list_awards(ListAwardsRequest) = ["initiative"];
        record_disbursement(RecordDisbursementRequest) = ["award", "disbursement"];
        cancel_award(CancelAwardRequest) = ["award", "reason"];
        get_coverage(GetCoverageRequest) = ["initiative"];
    }
}

#[tokio::test]
async fn what_nobody_knows_is_not_found() {
    let scene = Scene::set().await;
    let organization = scene.organization();
    let unknown = scene.organization().to_string();
    let why = || "Because".to_owned();
    let mut here = scene.here();
    let before = scene.stage.everything().await;
    macro_rules! unknown {
        ($($answer:expr;)+) => {
            $(assert_eq!($answer.unwrap_err().code(), Code::NotFound, "{}", stringify!($answer));)+
        };
    }
    let initiative = || unknown.clone();
    let create = scene.create_activity(tutoring(&organization));
    let promise = scene.make_commitment(promise(&organization, &unknown));
    let need = scene.create_need(bus_fares(&organization));
    let pledge = scene.make_pledge(towards(&organization, &unknown, money("1", "GBP")));
    let award = scene.create_award(grant(&organization));
    let definition = Some(tutoring(&organization));
    let update_mask = Some(FieldMask { paths: vec!["title".to_owned()] });
    let (evidence, disbursement) = (Some(evidence()), disbursement(0, DisbursementState::Paid, "1"));
    unknown! {
        here.create_activity(CreateActivityRequest { initiative: initiative(), ..create }).await;
        here.make_commitment(MakeCommitmentRequest { initiative: initiative(), ..promise }).await;
        here.create_need(CreateNeedRequest { initiative: initiative(), ..need }).await;
        here.make_pledge(MakePledgeRequest { initiative: initiative(), ..pledge }).await;
        here.create_award(CreateAwardRequest { initiative: initiative(), ..award }).await;
        here.get_activity(GetActivityRequest { activity: unknown.clone() }).await;
        here.get_commitment(GetCommitmentRequest { commitment: unknown.clone() }).await;
        here.get_need(GetNeedRequest { need: unknown.clone() }).await;
        here.get_pledge(GetPledgeRequest { pledge: unknown.clone() }).await;
        here.get_award(GetAwardRequest { award: unknown.clone() }).await;
        ask!(here, update_activity, UpdateActivityRequest { activity: unknown.clone(), definition, update_mask });
        ask!(here, begin_activity, BeginActivityRequest { activity: unknown.clone() });
        ask!(here, complete_activity, CompleteActivityRequest { activity: unknown.clone() });
        ask!(here, cancel_activity, CancelActivityRequest { activity: unknown.clone(), reason: why() });
        ask!(here, meet_commitment, MeetCommitmentRequest { commitment: unknown.clone(), evidence });
        ask!(here, miss_commitment, MissCommitmentRequest { commitment: unknown.clone(), reason: why() });
        ask!(here, withdraw_commitment, WithdrawCommitmentRequest { commitment: unknown.clone(), reason: why() });
        ask!(here, close_need, CloseNeedRequest { need: unknown.clone(), reason: why() });
        ask!(here, keep_pledge, KeepPledgeRequest { pledge: unknown.clone() });
        ask!(here, withdraw_pledge, WithdrawPledgeRequest { pledge: unknown.clone(), reason: why() });
        ask!(here, record_disbursement, RecordDisbursementRequest { award: unknown.clone(), disbursement });
        ask!(here, cancel_award, CancelAwardRequest { award: unknown.clone(), reason: why() });
    }
    assert_eq!(scene.stage.everything().await, before, "something was written");
}

#[tokio::test]
async fn an_activity_is_refused_with_all_that_is_wrong_with_it() {
    let scene = Scene::set().await;
    let lead = scene.organization();
    let wrong = async |definition: ActivityDefinition| {
        let status = refused!(scene, create_activity, scene.create_activity(definition));
        fields(&status).into_iter().map(|field| field.trim_start_matches("definition.").to_owned()).collect::<Vec<_>>()
    };
    let malformed = ActivityDefinition {
        lead: "x".to_owned(),
        title: "two\nlines".to_owned(),
        description: "x".repeat(4001),
        strategy: "x".to_owned(),
        measures: vec!["x".to_owned(); 51],
        supporting: vec!["x".to_owned()],
        funding: vec![lead.to_string(), lead.to_string()],
        places: vec![place("1"), place("1"), Place { level: "No Slug".to_owned(), ..Place::default() }],
        start_date: "2026-02-30".to_owned(),
        end_date: "1.3.2026".to_owned(),
        external_id: "x".repeat(201),
    };
    let all = [
        "description",
        "end_date",
        "external_id",
        "funding[1]",
        "lead",
        "measures",
        "places[1]",
        "places[2].code",
        "places[2].level",
        "start_date",
        "strategy",
        "supporting[0]",
        "title",
    ];
    assert_eq!(wrong(malformed).await, all);
    let backwards = ActivityDefinition { end_date: "2026-08-31".to_owned(), ..tutoring(&lead) };
    assert_eq!(wrong(backwards).await, ["end_date"]);
    let twice = ActivityDefinition { supporting: vec![lead.to_string()], ..tutoring(&lead) };
    assert_eq!(wrong(twice).await, ["supporting[0]"]);
    let many = (0..200).map(|nth| Place { name: "ж".repeat(200), ..place(&nth.to_string()) }).collect();
    let huge = ActivityDefinition { places: many, ..tutoring(&lead) };
    assert_eq!(wrong(huge).await, ["definition"]);
    for date in ["0000-01-01", "+2026-01-01", "2026-1-1", "12026-01-01", "2026-01-01T00:00:00Z"] {
        let odd = ActivityDefinition { start_date: date.to_owned(), end_date: String::new(), ..tutoring(&lead) };
        assert_eq!(wrong(odd).await, ["start_date"], "{date}");
    }
    let status = refused!(
        scene,
        create_activity,
        CreateActivityRequest { request_id: "short".to_owned(), ..scene.create_activity(tutoring(&lead)) }
    );
    assert_eq!(fields(&status), ["request_id"]);
}

#[tokio::test]
async fn an_update_is_refused_for_what_would_be_wrong_afterwards() {
    let scene = Scene::set().await;
    let activity = scene.activity(tutoring(&scene.organization())).await.reference;
    let update = |change: ActivityDefinition, field: &str| UpdateActivityRequest {
        activity: activity.clone(),
        definition: Some(change),
        update_mask: Some(FieldMask { paths: vec![field.to_owned()] }),
        etag: String::new(),
        request_id: new_id(),
    };
    let early = ActivityDefinition { end_date: "2020-01-01".to_owned(), ..ActivityDefinition::default() };
    assert_eq!(fields(&refused!(scene, update_activity, update(early, "end_date"))), ["definition.end_date"]);
    let untitled = ActivityDefinition::default();
    assert_eq!(fields(&refused!(scene, update_activity, update(untitled, "title"))), ["definition.title"]);
}

#[tokio::test]
async fn amounts_are_decimals_above_zero_in_one_currency() {
    let scene = Scene::set().await;
    let organization = scene.organization();
    let amount = "definition.means.money.amount";
    for (means, wrong) in [
        (None, vec!["definition.means"]),
        (Some(Means { kind: None }), vec!["definition.means"]),
        (money("", ""), vec![amount, "definition.means.money.currency"]),
        (money("1", "gbp"), vec!["definition.means.money.currency"]),
        (money("1", "£"), vec!["definition.means.money.currency"]),
        (
            goods("0", "", ""),
            vec![
                "definition.means.goods.description",
                "definition.means.goods.quantity",
                "definition.means.goods.unit",
            ],
        ),
    ] {
        let need = NeedDefinition { means, ..bus_fares(&organization) };
        assert_eq!(fields(&refused!(scene, create_need, scene.create_need(need))), wrong);
    }
    let (whole, parts) = ("9".repeat(16), format!("1.{}", "1".repeat(5)));
    for odd in ["0", "0.00", "-1", "+1", "1,000", "1e3", "NaN", ".5", "1.", "٣", "0x10", &whole, &parts] {
        let pledge = towards(&organization, &organization.to_string(), money(odd, "GBP"));
        assert_eq!(fields(&refused!(scene, make_pledge, scene.make_pledge(pledge))), [amount], "{odd}");
    }
    let exact = money(&format!("{}.{}", "9".repeat(15), "9".repeat(4)), "GBP");
    let kept = scene.need(NeedDefinition { means: exact.clone(), ..bus_fares(&organization) }).await;
    assert_eq!(kept.definition.unwrap().means, exact);
}

#[tokio::test]
async fn promises_and_awards_are_refused_with_all_that_is_wrong_with_them() {
    let scene = Scene::set().await;
    let organization = scene.organization();
    let empty = CommitmentDefinition::default();
    let status = refused!(scene, make_commitment, scene.make_commitment(empty));
    assert_eq!(
        fields(&status),
        ["activity", "due_date", "organization", "promise"].map(|field| format!("definition.{field}"))
    );
    let status = refused!(scene, create_award, scene.create_award(AwardDefinition::default()));
    let all = ["award_date", "means", "organization", "purpose", "recipient"];
    assert_eq!(fields(&status), all.map(|field| format!("definition.{field}")));

    let commitment = scene.commitment(promise(&organization, &organization.to_string())).await.reference;
    for link in ["javascript:alert(1)", "ftp://x", "//x", &format!("https://{}", "x".repeat(1000))] {
        let evidence = Some(Evidence { link: link.to_owned(), ..evidence() });
        let (commitment, request_id) = (commitment.clone(), new_id());
        let request = MeetCommitmentRequest { commitment, evidence, request_id, ..Default::default() };
        assert_eq!(fields(&refused!(scene, meet_commitment, request)), ["evidence.link"], "{link}");
    }
    let award = scene.award(grant(&organization)).await.reference;
    let part = Some(Disbursement { note: "x".repeat(1001), number: 7, ..Disbursement::default() });
    let request = RecordDisbursementRequest { award, disbursement: part, request_id: new_id(), ..Default::default() };
    let status = refused!(scene, record_disbursement, request);
    assert_eq!(fields(&status), ["amount", "date", "note", "state"].map(|field| format!("disbursement.{field}")));
}

#[tokio::test]
async fn what_belongs_to_an_organization_that_lives_elsewhere_is_written_there() {
    let scene = Scene::set().await;
    let elsewhere = Reference::born_on(&some_node());
    let some = scene.organization().to_string();
    let before = scene.stage.everything().await;
    let mut here = scene.here();
    for status in [
        here.create_activity(scene.create_activity(tutoring(&elsewhere))).await.unwrap_err(),
        here.make_commitment(scene.make_commitment(promise(&elsewhere, &some))).await.unwrap_err(),
        here.create_need(scene.create_need(bus_fares(&elsewhere))).await.unwrap_err(),
        here.make_pledge(scene.make_pledge(towards(&elsewhere, &some, money("1", "GBP")))).await.unwrap_err(),
        here.create_award(scene.create_award(grant(&elsewhere))).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "ORGANIZATION_ELSEWHERE"));
    }
    assert_eq!(scene.stage.everything().await, before);
}

#[tokio::test]
async fn a_matrix_that_nobody_could_read_is_refused() {
    let scene = Scene::set().await;
    let (strategies, places) = (0..501, 0..501);
    let strategies: Vec<String> = strategies.map(|_| scene.organization().to_string()).collect();
    let places: Vec<Place> = places.map(|nth| place(&nth.to_string())).collect();
    let many = GetCoverageRequest { strategies: strategies.clone(), places: places.clone(), ..scene.everywhere() };
    assert_eq!(fields(&refused!(scene, get_coverage, many)), ["places", "strategies"]);
    let (strategies, places) = (strategies[..200].to_vec(), places[..200].to_vec());
    let large = GetCoverageRequest { strategies, places, ..scene.everywhere() };
    assert_eq!(reason(&refused!(scene, get_coverage, large)), "TOO_MANY_CELLS");
    let level = "No Slug".to_owned();
    let both = GetCoverageRequest { places: vec![place("1")], place_level: level, ..scene.everywhere() };
    assert_eq!(fields(&refused!(scene, get_coverage, both)), ["place_level", "place_level"]);
    let state = 99;
    let list = ListActivitiesRequest { initiative: scene.initiative.to_string(), state, ..Default::default() };
    assert_eq!(fields(&refused!(scene, list_activities, list)), ["state"]);
}
