//! The life of measures and submissions, as callers see it.

use prost_types::FieldMask;
use proto::measurement::*;
use tonic::Code;

use crate::scene::{
    Scene, digest_of, enrollment, graduation, new_id, pair, part, reason, reference, rollup_of, series_of, submission,
    value,
};

#[tokio::test]
async fn a_measure_is_defined_changed_and_retired() {
    let scene = Scene::set().await;
    let mut here = scene.here();
    let measure = scene.measure(graduation()).await;
    assert_eq!(measure.definition, Some(graduation()));
    assert_eq!((measure.state(), measure.etag.as_str()), (MeasureState::Active, "1"));
    assert_eq!(reference(&measure.reference).node, scene.stage.node);

    let mut definition = graduation();
    definition.name = "Graduates".to_owned();
    definition.dimensions[0].codes.push(DimensionCode { code: "asian".to_owned(), name: "Asian".to_owned() });
    let mut update = UpdateMeasureRequest {
        measure: measure.reference.clone(),
        definition: Some(MeasureDefinition { unit: "ignored".to_owned(), ..definition.clone() }),
        update_mask: Some(FieldMask { paths: vec!["name".to_owned(), "dimensions".to_owned()] }),
        etag: measure.etag.clone(),
        request_id: new_id(),
    };
    let updated = here.update_measure(update.clone()).await.unwrap().into_inner().measure.unwrap();
    assert_eq!((updated.definition.as_ref(), updated.etag.as_str()), (Some(&definition), "2"));

    update.request_id = new_id();
    assert_eq!(here.update_measure(update.clone()).await.unwrap_err().code(), Code::Aborted);
    update.etag = updated.etag.clone();
    let same = here.update_measure(update).await.unwrap().into_inner().measure.unwrap();
    assert_eq!(same, updated, "what is the same as before is no change");

    let retire = RetireMeasureRequest {
        measure: measure.reference.clone(),
        reason: "Replaced".to_owned(),
        etag: updated.etag,
        request_id: new_id(),
    };
    let retired = here.retire_measure(retire).await.unwrap().into_inner().measure.unwrap();
    assert_eq!((retired.state(), retired.retired_reason.as_str()), (MeasureState::Retired, "Replaced"));
    let refused = submission(&measure, &scene.organization(), vec![pair("1", "7", "8")]);
    assert_eq!(reason(&here.submit_observations(refused).await.unwrap_err()), "MEASURE_RETIRED");
    // Its code is free again.
    scene.measure(graduation()).await;
    let list = ListMeasuresRequest { initiative: scene.initiative.to_string(), ..ListMeasuresRequest::default() };
    assert_eq!(here.list_measures(list.clone()).await.unwrap().into_inner().measures.len(), 2);
    let list = ListMeasuresRequest { state: MeasureState::Retired.into(), code: "graduation".to_owned(), ..list };
    assert_eq!(here.list_measures(list).await.unwrap().into_inner().measures, [retired]);
}

#[tokio::test]
async fn a_submission_counts_once_it_is_sealed() {
    let scene = Scene::set().await;
    let mut here = scene.here();
    let measure = scene.measure(enrollment()).await;
    let organization = scene.organization();
    let open = scene.open(&measure, &organization).await;
    assert_eq!((open.state(), open.observation_count, open.digest.clone()), (SubmissionState::Open, 0, vec![0; 32]));

    let observations = [value("1", "7"), value("2", "SUPPRESSED"), value("3", "0.50")];
    for chunk in observations.chunks(2) {
        let record = RecordObservationsRequest {
            submission: open.reference.clone(),
            observations: chunk.to_vec(),
            request_id: new_id(),
        };
        here.record_observations(record).await.unwrap();
        assert_eq!(scene.rollup(rollup_of(&measure)).await, [], "nothing counts before the seal");
    }
    // Needless zeros are no part of a number.
    let digest = digest_of(&[value("1", "7"), value("2", "SUPPRESSED"), value("3", "0.5")]);
    let seal = SealSubmissionRequest {
        submission: open.reference.clone(),
        count: 3,
        digest: digest.clone(),
        revision_reason: String::new(),
        request_id: new_id(),
    };
    let sealed = here.seal_submission(seal.clone()).await.unwrap().into_inner().submission.unwrap();
    assert_eq!((sealed.state(), sealed.observation_count, sealed.digest), (SubmissionState::Sealed, 3, digest));
    assert!(sealed.seal_time.is_some());
    let groups = scene.rollup(rollup_of(&measure)).await;
    assert_eq!((groups.len(), groups[0].value.as_str()), (1, "7.5"));

    let again = here.seal_submission(SealSubmissionRequest { request_id: new_id(), ..seal }).await.unwrap_err();
    assert_eq!((again.code(), reason(&again).as_str()), (Code::FailedPrecondition, "NOT_OPEN"));
    let list = ListObservationsRequest { submission: open.reference, page_size: 2, page_token: String::new() };
    let first = here.list_observations(list.clone()).await.unwrap().into_inner();
    let second = ListObservationsRequest { page_token: first.next_page_token, ..list };
    let second = here.list_observations(second).await.unwrap().into_inner();
    assert_eq!((first.observations.len(), second.observations.len()), (2, 1));
    assert_eq!(second.observations[0].value, Some(part("0.5")));
    assert_eq!(second.next_page_token, "");
}

#[tokio::test]
async fn a_later_value_replaces_an_earlier_one_and_says_why() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let (one, other) = (scene.organization(), scene.organization());
    scene.submit(&measure, &one, vec![value("1", "7"), value("2", "5")]).await;
    scene.submit(&measure, &other, vec![value("1", "100")]).await;

    let mut revision = submission(&measure, &one, vec![value("1", "8"), value("3", "1")]);
    let refused = scene.here().submit_observations(revision.clone()).await.unwrap_err();
    assert_eq!((reason(&refused).as_str(), refused.code()), ("REVISION_WITHOUT_REASON", Code::FailedPrecondition));
    assert!(refused.message().contains("1 of the values"), "{}", refused.message());
    revision.revision_reason = "Counted again".to_owned();
    let revised = scene.here().submit_observations(revision).await.unwrap().into_inner().submission.unwrap();
    assert_eq!(revised.revision_reason, "Counted again");

    let told: Vec<(String, String, String)> = scene
        .series(GetSeriesRequest { organization: one.to_string(), ..series_of(&measure) })
        .await
        .into_iter()
        .map(|point| {
            let observation = point.observation.unwrap();
            (observation.geography.unwrap().code, observation.value.unwrap().amount, point.revision_reason)
        })
        .collect();
    let expect = |code: &str, amount: &str, reason: &str| (code.to_owned(), amount.to_owned(), reason.to_owned());
    let counted = "Counted again";
    assert_eq!(told, [expect("1", "8", counted), expect("2", "5", ""), expect("3", "1", counted)]);
    assert_eq!(scene.rollup(rollup_of(&measure)).await[0].value, "114");

    // Taken back, it gives way to what it had replaced.
    let withdraw = WithdrawSubmissionRequest {
        submission: revised.reference,
        reason: "Counted wrongly".to_owned(),
        request_id: new_id(),
    };
    let withdrawn = scene.here().withdraw_submission(withdraw.clone()).await.unwrap().into_inner().submission.unwrap();
    assert_eq!((withdrawn.state(), withdrawn.state_reason.as_str()), (SubmissionState::Withdrawn, "Counted wrongly"));
    assert_eq!(scene.rollup(rollup_of(&measure)).await[0].value, "112");
    let again = WithdrawSubmissionRequest { request_id: new_id(), ..withdraw };
    assert_eq!(reason(&scene.here().withdraw_submission(again).await.unwrap_err()), "NOTHING_TO_WITHDRAW");
}

#[tokio::test]
async fn a_revision_in_several_calls_needs_its_reason_too() {
    let scene = Scene::set().await;
    let mut here = scene.here();
    let measure = scene.measure(enrollment()).await;
    let organization = scene.organization();
    scene.submit(&measure, &organization, vec![value("1", "7")]).await;
    let open = scene.open(&measure, &organization).await.reference;
    let observations = vec![value("1", "8")];
    let record = RecordObservationsRequest {
        submission: open.clone(),
        observations: observations.clone(),
        request_id: new_id(),
    };
    here.record_observations(record).await.unwrap();
    let seal = |reason: &str| SealSubmissionRequest {
        submission: open.clone(),
        count: 1,
        digest: digest_of(&observations),
        revision_reason: reason.to_owned(),
        request_id: new_id(),
    };
    assert_eq!(reason(&here.seal_submission(seal("")).await.unwrap_err()), "REVISION_WITHOUT_REASON");
    here.seal_submission(seal("Counted again")).await.unwrap();
    assert_eq!(scene.rollup(rollup_of(&measure)).await[0].value, "8");
}

#[tokio::test]
async fn the_same_request_has_one_effect_and_the_same_answer() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let request = submission(&measure, &scene.organization(), vec![value("1", "7")]);
    let answer = scene.here().submit_observations(request.clone()).await.unwrap().into_inner();
    let before = scene.stage.everything().await;
    assert_eq!(scene.here().submit_observations(request.clone()).await.unwrap().into_inner(), answer);
    let another = SubmitObservationsRequest { observations: vec![value("1", "8")], ..request };
    assert_eq!(scene.here().submit_observations(another).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(scene.stage.everything().await, before);
}

#[tokio::test]
async fn a_large_submission_is_told_in_events_that_stay_small() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let name = "x".repeat(200);
    let wide = |nth: usize| {
        let mut observation = value(&format!("{nth:064}"), "123456789012345.123456789");
        observation.geography.as_mut().unwrap().name.clone_from(&name);
        observation
    };
    let observations: Vec<Observation> = (0..2000).map(wide).collect();
    let sealed = scene.submit(&measure, &scene.organization(), observations.clone()).await;
    assert_eq!((sealed.observation_count, sealed.digest), (2000, digest_of(&observations)));
    let log = scene.stage.log().await;
    let sizes = log.iter().map(|event| event.encode().len());
    assert!(sizes.clone().max().unwrap() < 96 * 1024, "{:?}", sizes.collect::<Vec<_>>());
    assert!(log.iter().filter(|event| event.type_name.ends_with("ObservationsRecorded")).count() > 5);
}

#[tokio::test]
async fn lists_go_on_page_by_page() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let organization = scene.organization();
    for code in ["1", "2", "3"] {
        scene.submit(&measure, &organization, vec![value(code, "1")]).await;
    }
    let mut list = ListSubmissionsRequest {
        initiative: scene.initiative.to_string(),
        organization: organization.to_string(),
        measure: measure.reference.clone(),
        state: SubmissionState::Sealed.into(),
        page_size: 2,
        ..ListSubmissionsRequest::default()
    };
    let first = scene.here().list_submissions(list.clone()).await.unwrap().into_inner();
    list.page_token = first.next_page_token;
    let second = scene.here().list_submissions(list).await.unwrap().into_inner();
    assert_eq!((first.submissions.len(), second.submissions.len()), (2, 1));

    let mut series = GetSeriesRequest { page_size: 1, ..series_of(&measure) };
    let mut codes = Vec::new();
    loop {
        let page = scene.here().get_series(series.clone()).await.unwrap().into_inner();
        codes.extend(page.points.into_iter().map(|point| point.observation.unwrap().geography.unwrap().code));
        if page.next_page_token.is_empty() {
            break;
        }
        series.page_token = page.next_page_token;
    }
    assert_eq!(codes, ["1", "2", "3"]);
}
