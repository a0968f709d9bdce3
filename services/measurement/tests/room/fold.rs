//! The tables follow from the log: folded again, they are the same, here and on every other node.

use std::collections::BTreeSet;

use chassis::names::Reference;
use chassis::testing::Stage;
use prost_types::FieldMask;
use proto::common::Role;
use proto::measurement::*;

use crate::scene::{
    Scene, enrollment, graduation, new_id, of_group, pair, reference, rollup_of, series_of, submission, value,
};

/// Every event type of this room, and the one it hears through the chassis.
const TYPES: [&str; 8] = [
    "commonweal.measurement.v1.MeasureDefined",
    "commonweal.measurement.v1.MeasureRetired",
    "commonweal.measurement.v1.MeasureRevised",
    "commonweal.measurement.v1.ObservationsRecorded",
    "commonweal.measurement.v1.SubmissionOpened",
    "commonweal.measurement.v1.SubmissionSealed",
    "commonweal.measurement.v1.SubmissionWithdrawn",
    "commonweal.membership.v1.RoleGranted",
];

/// Lets everything happen that can happen in this room; gives a measure that was reported on.
async fn everything_happens(scene: &Scene) -> Measure {
    let mut here = scene.here();
    let measure = scene.measure(graduation()).await;
    let update = UpdateMeasureRequest {
        measure: measure.reference.clone(),
        definition: Some(MeasureDefinition { decimals: 2, ..graduation() }),
        update_mask: Some(FieldMask { paths: vec!["decimals".to_owned()] }),
        etag: String::new(),
        request_id: new_id(),
    };
    let measure = here.update_measure(update).await.unwrap().into_inner().measure.unwrap();
    let (one, other) = (scene.organization(), scene.organization());
    let cells = vec![
        pair("1", "7", "9"),
        of_group(pair("1", "SUPPRESSED", "9"), &[("race", "black")]),
        Observation { rate_withheld: true, ..of_group(pair("1", "3", "4"), &[("race", "white")]) },
    ];
    scene.submit(&measure, &one, cells).await;
    let revision = submission(&measure, &one, vec![pair("1", "8", "9")]);
    let revision = SubmitObservationsRequest { revision_reason: "Counted again".to_owned(), ..revision };
    here.submit_observations(revision).await.unwrap();
    let withdrawn = scene.submit(&measure, &other, vec![pair("2", "1", "2")]).await.reference;
    let withdraw =
        WithdrawSubmissionRequest { submission: withdrawn, reason: "Wrong".to_owned(), request_id: new_id() };
    here.withdraw_submission(withdraw).await.unwrap();
    let open = scene.open(&measure, &other).await.reference;
    let record =
        RecordObservationsRequest { submission: open, observations: vec![pair("2", "1", "3")], request_id: new_id() };
    here.record_observations(record).await.unwrap();

    let retired = scene.measure(enrollment()).await.reference;
    let reason = "Not needed".to_owned();
    let retire = RetireMeasureRequest { measure: retired, reason, etag: String::new(), request_id: new_id() };
    here.retire_measure(retire).await.unwrap();
    measure
}

async fn observations(stage: &Stage<measurement::Measurement>) -> Vec<String> {
    let rows = sqlx::query_scalar("select to_jsonb(o)::text from measurement.observations o order by 1");
    rows.fetch_all(&stage.pool).await.unwrap()
}

#[tokio::test]
async fn the_log_folded_again_gives_the_same_rows() {
    let scene = Scene::set().await;
    everything_happens(&scene).await;
    let log = scene.stage.log().await;
    let types: BTreeSet<&str> = log.iter().map(|event| event.type_name.as_str()).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), TYPES, "every event type took place");
    let (before, values) = (scene.stage.rows().await, observations(&scene.stage).await);
    assert!(before.values().all(|rows| !rows.is_empty()), "every table has rows");
    assert_eq!(values.len(), 6);
    scene.stage.replay().await;
    assert_eq!(scene.stage.rows().await, before);
    assert_eq!(observations(&scene.stage).await, values);
}

#[tokio::test]
async fn one_resource_folded_again_gives_the_same_rows() {
    let scene = Scene::set().await;
    everything_happens(&scene).await;
    let (before, values) = (scene.stage.rows().await, observations(&scene.stage).await);
    let resources: BTreeSet<Reference> = scene.stage.log().await.into_iter().map(|event| event.resource).collect();
    for resource in resources {
        scene.stage.refold(&resource).await;
        assert_eq!(scene.stage.rows().await, before, "{resource}");
        assert_eq!(observations(&scene.stage).await, values, "{resource}");
    }
}

#[tokio::test]
async fn what_was_told_here_is_the_same_state_on_another_node() {
    let backbone = Scene::set().await;
    let measure = everything_happens(&backbone).await;
    let alpha = Scene::of(Stage::set().await, backbone.initiative.clone()).await;
    let states = backbone.stage.states(&backbone.initiative).await;
    assert_eq!(states.len(), 2 + 4, "measures and submissions");
    assert!(states.is_sorted_by_key(|(resource, _)| resource.clone()));
    for event in backbone.stage.log().await {
        alpha.stage.take(event).await;
    }
    assert_eq!(alpha.stage.states(&backbone.initiative).await, states);
    assert_eq!(alpha.rollup(rollup_of(&measure)).await, backbone.rollup(rollup_of(&measure)).await);
    assert_eq!(alpha.series(series_of(&measure)).await, backbone.series(series_of(&measure)).await);
    assert_eq!(alpha.series(series_of(&measure)).await[0].rate, "88.89");
    assert_eq!(backbone.stage.states(&Reference::born_on(&alpha.stage.node)).await, []);
}

#[tokio::test]
async fn events_of_two_homes_may_come_in_any_order_between_them() {
    let backbone = Scene::set().await;
    let measure = backbone.measure(enrollment()).await;
    let alpha = Scene::of(Stage::set().await, backbone.initiative.clone()).await;
    let defined = backbone.stage.log().await;
    for event in defined.clone() {
        alpha.stage.take(event).await;
    }
    let reporter = alpha.organization();
    alpha.stage.grant(&alpha.initiative, &reporter, Role::Partner).await;
    alpha.submit(&measure, &reporter, vec![value("1", "7")]).await;
    let told = alpha.stage.log().await.into_iter().filter(|event| event.home == alpha.stage.node);

    // Beta hears alpha before the backbone: the submission waits for its measure without harm.
    let beta = Scene::of(Stage::set().await, backbone.initiative.clone()).await;
    for event in told.chain(defined) {
        beta.stage.take(event).await;
    }
    assert_eq!(beta.rollup(rollup_of(&measure)).await, alpha.rollup(rollup_of(&measure)).await);
    let (here, there) = (beta.stage.states(&beta.initiative).await, alpha.stage.states(&alpha.initiative).await);
    assert_eq!(here, there);
    assert_eq!(reference(&measure.reference).node, backbone.stage.node);
}
