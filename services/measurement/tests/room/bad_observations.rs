//! Observations that cannot be: each is refused with the field that is wrong, and nothing of the submission is kept.

use proto::measurement::*;
use tonic::Code;

use crate::scene::{Scene, enrollment, fields, graduation, group_of, new_id, of_group, pair, part, submission, value};

fn changed(mut observation: Observation, change: impl Fn(&mut Observation)) -> Observation {
    change(&mut observation);
    observation
}

fn located(change: impl Fn(&mut Geography)) -> Observation {
    changed(value("1", "7"), |one| change(one.geography.as_mut().unwrap()))
}

async fn wrong(scene: &Scene, measure: &Measure, observations: Vec<Observation>) -> Vec<String> {
    let organization = scene.organization();
    let before = scene.stage.everything().await;
    let submit = submission(measure, &organization, observations.clone());
    let status = scene.here().submit_observations(submit).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{}", status.message());
    assert_eq!(scene.stage.everything().await, before, "something was written");
    // The same holds where they are recorded step by step.
    let open = scene.open(measure, &organization).await.reference;
    let before = scene.stage.everything().await;
    let record = RecordObservationsRequest { submission: open, observations, request_id: new_id() };
    let recorded = scene.here().record_observations(record).await.unwrap_err();
    assert_eq!(scene.stage.everything().await, before, "something was written");
    assert_eq!(fields(&recorded), fields(&status));
    fields(&status)
}

#[tokio::test]
async fn a_malformed_observation_is_refused_by_its_field() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let with = |part: Part| changed(value("1", "7"), |one| one.value = Some(part.clone()));
    let cases: Vec<(Observation, &str)> = vec![
        (changed(value("1", "7"), |one| one.geography = None), ".geography"),
        (located(|place| place.level = "A level".to_owned()), ".geography.level"),
        (located(|place| place.code = String::new()), ".geography.code"),
        (located(|place| place.code = "a\tb".to_owned()), ".geography.code"),
        (located(|place| place.name = "x".repeat(201)), ".geography.name"),
        (changed(value("1", "7"), |one| one.period = "2014-15".to_owned()), ".period"),
        (changed(value("1", "7"), |one| one.period = "2015-06-30/2014-07-01".to_owned()), ".period"),
        (changed(value("1", "7"), |one| one.period = "2014-02-30/2014-03-01".to_owned()), ".period"),
        (with(Part { state: ValueState::Suppressed.into(), amount: "7".to_owned() }), ".value"),
        (with(Part { state: ValueState::Reported.into(), amount: String::new() }), ".value"),
        (with(Part::default()), ".value"),
        (with(Part { state: 99, amount: String::new() }), ".value"),
        (with(part("1,200")), ".value"),
        (with(part("12%")), ".value"),
        (with(part("1e3")), ".value"),
        (with(part("NaN")), ".value"),
        (with(part(".5")), ".value"),
        (with(part("1234567890123456")), ".value"),
        (with(part("0.1234567891")), ".value"),
        (of_group(value("1", "7"), &[("race", "A code")]), ".dimensions[race]"),
    ];
    for (observation, field) in cases {
        let told = wrong(&scene, &measure, vec![value("0", "1"), observation.clone()]).await;
        assert_eq!(told, [format!("observations[1]{field}")], "{observation:?}");
    }
}

#[tokio::test]
async fn an_observation_that_does_not_fit_its_measure_is_refused_by_its_field() {
    let scene = Scene::set().await;
    let (sum, ratio) = (scene.measure(enrollment()).await, scene.measure(graduation()).await);
    let group = |group: &[(&str, &str)]| of_group(pair("1", "1", "2"), group);
    let withheld = |one: Observation| Observation { rate_withheld: true, ..one };
    let cases: Vec<(&Measure, Observation, &[&str])> = vec![
        (&ratio, group(&[("race", "green")]), &[".dimensions[race]"]),
        (&ratio, group(&[("shoe", "black")]), &[".dimensions[shoe]"]),
        (&ratio, pair("1", "9", "8"), &[".numerator.amount"]),
        (&ratio, pair("1", "-1", "8"), &[".numerator.amount"]),
        (&ratio, pair("1", "SUPPRESSED", "-8"), &[".denominator.amount"]),
        (&ratio, value("1", "7"), &[".denominator", ".numerator", ".value"]),
        (&ratio, changed(pair("1", "1", "2"), |one| one.denominator = None), &[".denominator"]),
        (&sum, pair("1", "1", "2"), &[".denominator", ".numerator", ".value"]),
        (&sum, value("1", "-7"), &[".value.amount"]),
        (&sum, withheld(value("1", "7")), &[".rate_withheld"]),
    ];
    for (measure, observation, expected) in cases {
        let told = wrong(&scene, measure, vec![observation.clone()]).await;
        let expected: Vec<String> = expected.iter().map(|field| format!("observations[0]{field}")).collect();
        assert_eq!(told, expected, "{observation:?}");
    }
}

#[tokio::test]
async fn a_measure_may_allow_what_others_do_not() {
    let scene = Scene::set().await;
    let free = |definition| MeasureDefinition { numerator_may_exceed: true, may_be_negative: true, ..definition };
    let ratio = scene.measure(free(graduation())).await;
    scene.submit(&ratio, &scene.organization(), vec![pair("1", "9", "8"), pair("2", "-1", "8")]).await;
    let sum = scene.measure(free(enrollment())).await;
    scene.submit(&sum, &scene.organization(), vec![value("1", "-7")]).await;
}

#[tokio::test]
async fn two_observations_about_the_same_cell_are_refused() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let renamed = located(|place| place.name = "Another name".to_owned());
    assert_eq!(wrong(&scene, &measure, vec![value("1", "7"), value("2", "7"), renamed]).await, ["observations[2]"]);
    let other_group = of_group(value("1", "7"), &[("race", "black")]);
    assert_eq!(other_group.dimensions, group_of(&[("race", "black")]));
    scene.submit(&measure, &scene.organization(), vec![value("1", "7"), other_group]).await;
}

#[tokio::test]
async fn many_flaws_are_told_by_the_first_and_their_number() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let many: Vec<Observation> = (0..2000).map(|nth| value(&nth.to_string(), "x")).collect();
    let status = scene.here().submit_observations(submission(&measure, &scene.organization(), many)).await.unwrap_err();
    assert_eq!(fields(&status).len(), 21);
    assert!(status.message().ends_with("and 1980 more from here on"), "{}", status.message());
}
