//! What every call says to bad input: what is wrong, field by field, and nothing written.

use prost_types::FieldMask;
use proto::measurement::*;
use tonic::{Code, Status};

use crate::scene::{
    Scene, digest_of, enrollment, fields, graduation, heading, new_id, pair, reason, rollup_of, series_of, submission,
    value,
};

/// Code and wrong fields of a refused call, which wrote nothing.
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
        create_measure(CreateMeasureRequest) = ["definition", "initiative"];
        get_measure(GetMeasureRequest) = ["measure"];
        list_measures(ListMeasuresRequest) = ["initiative"];
        update_measure(UpdateMeasureRequest) = ["definition", "measure", "update_mask"];
        retire_measure(RetireMeasureRequest) = ["measure", "reason"];
        submit_observations(SubmitObservationsRequest) = ["definition", "observations"];
        open_submission(OpenSubmissionRequest) = ["definition"];
        record_observations(RecordObservationsRequest) = ["observations", "submission"];
        seal_submission(SealSubmissionRequest) = ["digest", "submission"];
        withdraw_submission(WithdrawSubmissionRequest) = ["reason", "submission"];
        get_submission(GetSubmissionRequest) = ["submission"];
        list_submissions(ListSubmissionsRequest) = ["initiative"];
        list_observations(ListObservationsRequest) = ["submission"];
        get_series(GetSeriesRequest) = ["basis", "measure"];
        get_rollup(GetRollupRequest) = ["basis", "measure"];
    }
}

#[tokio::test]
async fn what_nobody_knows_is_not_found() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let unknown = scene.organization().to_string();
    let (etag, reason, request_id) = (String::new(), "Because".to_owned(), new_id());
    let stranger = Measure { reference: unknown.clone(), ..measure.clone() };
    let name = || Some(MeasureDefinition { name: "New".to_owned(), ..MeasureDefinition::default() });
    macro_rules! unknown {
        ($($method:ident($request:expr);)+) => {
            $(assert_eq!(refused!(scene, $method, $request).code(), Code::NotFound, stringify!($method));)+
        };
    }
    unknown! {
        create_measure(CreateMeasureRequest {
            initiative: unknown.clone(), definition: Some(graduation()), request_id: new_id(),
        });
        get_measure(GetMeasureRequest { measure: unknown.clone() });
        update_measure(UpdateMeasureRequest {
            measure: unknown.clone(),
            definition: name(),
            update_mask: Some(FieldMask { paths: vec!["name".to_owned()] }),
            etag: etag.clone(),
            request_id: new_id(),
        });
        retire_measure(RetireMeasureRequest {
            measure: unknown.clone(), reason: reason.clone(), etag, request_id: request_id.clone(),
        });
        submit_observations(submission(&stranger, &scene.organization(), vec![value("1", "7")]));
        open_submission(OpenSubmissionRequest {
            definition: Some(heading(&stranger, &scene.organization())), space: String::new(), request_id: new_id(),
        });
        record_observations(RecordObservationsRequest {
            submission: unknown.clone(), observations: vec![value("1", "7")], request_id: new_id(),
        });
        seal_submission(SealSubmissionRequest {
            submission: unknown.clone(), count: 1, digest: vec![0; 32], revision_reason: String::new(), request_id,
        });
        withdraw_submission(WithdrawSubmissionRequest { submission: unknown.clone(), reason, request_id: new_id() });
        get_submission(GetSubmissionRequest { submission: unknown.clone() });
        list_observations(ListObservationsRequest { submission: unknown, ..ListObservationsRequest::default() });
        get_series(series_of(&stranger));
        get_rollup(rollup_of(&stranger));
    }
}

#[tokio::test]
async fn a_definition_is_refused_with_all_that_is_wrong_with_it() {
    let scene = Scene::set().await;
    let create = |definition: MeasureDefinition, request_id: &str| CreateMeasureRequest {
        initiative: scene.initiative.to_string(),
        definition: Some(definition),
        request_id: request_id.to_owned(),
    };
    let malformed = MeasureDefinition {
        code: "Has Blanks".to_owned(),
        name: "x".repeat(201),
        kind: 99,
        unit: " ".to_owned(),
        direction: 0,
        aggregation: 9,
        numerator: "x".repeat(1001),
        decimals: 10,
        per: 2_000_000,
        ..graduation()
    };
    let status = refused!(scene, create_measure, create(malformed, &new_id()));
    let expected = ["aggregation", "code", "decimals", "direction", "kind", "name", "numerator", "per", "unit"];
    assert_eq!(fields(&status), expected.map(|field| format!("definition.{field}")));

    let mut inconsistent = graduation();
    inconsistent.numerator = String::new();
    inconsistent.dimensions[1].name = "race".to_owned();
    inconsistent.dimensions[0].codes[1].code = "black".to_owned();
    inconsistent.dimensions.push(Dimension { name: "9".to_owned(), codes: Vec::new() });
    let status = refused!(scene, create_measure, create(inconsistent, &new_id()));
    let wrong =
        ["dimensions[0].codes[1].code", "dimensions[1].name", "dimensions[2].codes", "dimensions[2].name", "numerator"];
    assert_eq!(fields(&status), wrong.map(|field| format!("definition.{field}")));

    let sum = MeasureDefinition { numerator: "x".to_owned(), denominator: "y".to_owned(), per: 100, ..enrollment() };
    let status = refused!(scene, create_measure, create(sum, &new_id()));
    assert_eq!(fields(&status), ["definition.denominator", "definition.numerator", "definition.per"]);

    let many = DimensionCode { code: String::new(), name: "x".repeat(200) };
    let large = Dimension { name: "large".to_owned(), codes: vec![many; 400] };
    let status = refused!(
        scene,
        create_measure,
        create(MeasureDefinition { dimensions: vec![large], ..graduation() }, &new_id())
    );
    assert_eq!(fields(&status), ["definition"]);

    let status = refused!(scene, create_measure, create(graduation(), "short"));
    assert_eq!(fields(&status), ["request_id"]);
    // Of many who take a code at the same instant one gets it.
    let mut taking = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (mut here, request) = (scene.here(), create(graduation(), &new_id()));
        taking.spawn(async move { here.create_measure(request).await.map(drop).map_err(|status| status.code()) });
    }
    let taken = taking.join_all().await;
    assert_eq!(taken.iter().filter(|taken| taken.is_ok()).count(), 1, "{taken:?}");
    assert!(taken.iter().all(|taken| taken.is_ok() || *taken == Err(Code::AlreadyExists)), "{taken:?}");
    assert_eq!(refused!(scene, create_measure, create(graduation(), &new_id())).code(), Code::AlreadyExists);
}

#[tokio::test]
async fn what_values_may_stand_under_is_not_taken_away() {
    let scene = Scene::set().await;
    let measure = scene.measure(graduation()).await;
    let update = |change: MeasureDefinition, mask: &str, etag: &str| UpdateMeasureRequest {
        measure: measure.reference.clone(),
        definition: Some(change),
        update_mask: Some(FieldMask { paths: vec![mask.to_owned()] }),
        etag: etag.to_owned(),
        request_id: new_id(),
    };
    let mut fewer = graduation();
    fewer.dimensions[1].codes.pop();
    let status = refused!(scene, update_measure, update(fewer, "dimensions", ""));
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "CODES_GONE"));
    assert!(status.message().contains("gender"));
    for fixed in ["code", "kind", "unit", "aggregation", "per"] {
        assert_eq!(fields(&refused!(scene, update_measure, update(enrollment(), fixed, ""))), ["update_mask"]);
    }
    assert_eq!(fields(&refused!(scene, update_measure, update(graduation(), "name", "x"))), ["etag"]);
    let status = refused!(scene, update_measure, update(graduation(), "decimals", "7"));
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "STALE_ETAG"));
    let nothing = MeasureDefinition { denominator: String::new(), ..graduation() };
    assert_eq!(
        fields(&refused!(scene, update_measure, update(nothing, "denominator", ""))),
        ["definition.denominator"]
    );
    let retire = RetireMeasureRequest {
        measure: measure.reference.clone(),
        reason: "Because".to_owned(),
        etag: "7".to_owned(),
        request_id: new_id(),
    };
    assert_eq!(refused!(scene, retire_measure, retire).code(), Code::Aborted);
}

#[tokio::test]
async fn figures_of_an_organization_that_lives_elsewhere_are_submitted_there() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let elsewhere = chassis::names::Reference::born_on(&chassis::testing::some_node());
    let status = refused!(scene, submit_observations, submission(&measure, &elsewhere, vec![value("1", "7")]));
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "REPORTER_ELSEWHERE"));
    let definition = Some(heading(&measure, &elsewhere));
    let open = OpenSubmissionRequest { definition, space: String::new(), request_id: new_id() };
    assert_eq!(reason(&refused!(scene, open_submission, open)), "REPORTER_ELSEWHERE");
}

#[tokio::test]
async fn a_seal_must_be_that_of_what_is_here() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let open = scene.open(&measure, &scene.organization()).await.reference;
    let seal = |count: u64, digest: Vec<u8>| SealSubmissionRequest {
        submission: open.clone(),
        count,
        digest,
        revision_reason: String::new(),
        request_id: new_id(),
    };
    assert_eq!(reason(&refused!(scene, seal_submission, seal(0, vec![0; 32]))), "EMPTY");
    let observations = vec![value("1", "7")];
    let record = |observations: &[Observation]| RecordObservationsRequest {
        submission: open.clone(),
        observations: observations.to_vec(),
        request_id: new_id(),
    };
    scene.here().record_observations(record(&observations)).await.unwrap();
    assert_eq!(reason(&refused!(scene, record_observations, record(&observations))), "RECORDED_ALREADY");
    let digest = digest_of(&observations);
    assert_eq!(reason(&refused!(scene, seal_submission, seal(2, digest.clone()))), "COUNT_DIFFERS");
    assert_eq!(reason(&refused!(scene, seal_submission, seal(1, digest_of(&[value("1", "8")])))), "DIGEST_DIFFERS");
    assert_eq!(fields(&refused!(scene, seal_submission, seal(1, vec![1]))), ["digest"]);
    scene.here().seal_submission(seal(1, digest)).await.unwrap();
    assert_eq!(reason(&refused!(scene, record_observations, record(&[value("2", "1")]))), "NOT_OPEN");
}

#[tokio::test]
async fn oversize_is_refused() {
    let scene = Scene::set().await;
    let measure = scene.measure(graduation()).await;
    let many: Vec<Observation> = (0..2001).map(|nth| pair(&nth.to_string(), "1", "2")).collect();
    let status = refused!(scene, submit_observations, submission(&measure, &scene.organization(), many));
    assert_eq!(fields(&status), ["observations"]);
    let mut wordy = submission(&measure, &scene.organization(), vec![pair("1", "1", "2")]);
    wordy.revision_reason = "x".repeat(1001);
    wordy.definition.as_mut().unwrap().source = "x".repeat(1001);
    wordy.space = "circle/x".to_owned();
    let status = refused!(scene, submit_observations, wordy);
    assert_eq!(fields(&status), ["definition.source", "revision_reason", "space"]);
    let periods = vec!["2014-07-01/2015-06-30".to_owned(); 101];
    let rollup = GetRollupRequest { periods, ..rollup_of(&measure) };
    assert_eq!(fields(&refused!(scene, get_rollup, rollup)), ["periods"]);
}
