//! What values add up to, and how much of them was reported.

use chassis::clock;
use chassis::event::{Actor, Event, Fact};
use chassis::names::{NodeId, Reference, Space};
use chassis::testing::{Stage, some_node};
use proto::measurement::*;
use tonic::Code;
use uuid::Uuid;

use crate::scene::{
    Scene, YEAR, digest_of, enrollment, fields, graduation, group_of, heading, of_group, pair, reason, reference,
    rollup_of, series_of, submission, value,
};

fn withheld(observation: Observation) -> Observation {
    Observation { rate_withheld: true, ..observation }
}

#[tokio::test]
async fn a_ratio_adds_up_pairs_of_which_both_parts_are_reported_and_is_no_mean_of_ratios() {
    let scene = Scene::set().await;
    let measure = scene.measure(graduation()).await;
    let cells = [
        pair("1", "10", "100"),
        pair("2", "9", "10"),
        pair("3", "SUPPRESSED", "1000"),
        pair("4", "50", "SUPPRESSED"),
        pair("5", "NOT_APPLICABLE", "NOT_APPLICABLE"),
        pair("6", "MISSING", "7"),
        pair("7", "NOT_YET_DUE", "NOT_YET_DUE"),
    ];
    let mut organizations = Vec::new();
    for cell in cells {
        let organization = scene.organization();
        scene.submit(&measure, &organization, vec![cell]).await;
        organizations.push(organization.to_string());
    }
    let groups = scene.rollup(rollup_of(&measure)).await;
    assert_eq!(groups.len(), 1);
    let group = &groups[0];
    assert_eq!((group.period.as_str(), &group.dimensions), (YEAR, &group_of(&[])));
    assert_eq!((group.numerator.as_str(), group.denominator.as_str(), group.value.as_str()), ("19", "110", ""));
    assert_eq!(group.rate, "17.3", "19 of 110, not the mean of 10.0 and 90.0");
    let coverage = group.coverage.clone().unwrap();
    let counts = (coverage.expected, coverage.reporting, coverage.suppressed, coverage.missing);
    assert_eq!(counts, (6, 2, 2, 1));
    assert_eq!((coverage.not_applicable, coverage.not_yet_due, coverage.rate_withheld), (1, 1, 0));
    let absences: Vec<_> = (coverage.absences.iter())
        .map(|absence| (absence.organization.clone(), absence.geography.clone().unwrap().code, absence.state()))
        .collect();
    let expect = |nth: usize, state| (organizations[nth].clone(), (nth + 1).to_string(), state);
    let mut expected = vec![
        expect(2, ValueState::Suppressed),
        expect(3, ValueState::Suppressed),
        expect(4, ValueState::NotApplicable),
        expect(5, ValueState::Missing),
        expect(6, ValueState::NotYetDue),
    ];
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(absences, expected);
}

#[tokio::test]
async fn a_rate_that_its_source_withheld_is_never_shown() {
    let scene = Scene::set().await;
    let measure = scene.measure(graduation()).await;
    scene.submit(&measure, &scene.organization(), vec![withheld(pair("1", "6", "8"))]).await;
    let points = scene.series(series_of(&measure)).await;
    assert_eq!((points.len(), points[0].rate.as_str()), (1, ""));
    assert!(points[0].observation.as_ref().unwrap().rate_withheld);

    let alone = &scene.rollup(rollup_of(&measure)).await[0];
    assert_eq!((alone.numerator.as_str(), alone.denominator.as_str(), alone.rate.as_str()), ("6", "8", ""));
    assert_eq!(alone.coverage.as_ref().unwrap().rate_withheld, 1);
    // Beside somebody who reports nothing it still stands alone.
    scene.submit(&measure, &scene.organization(), vec![pair("2", "SUPPRESSED", "30")]).await;
    assert_eq!(scene.rollup(rollup_of(&measure)).await[0].rate, "");
    // Among others its counts are part of another rate.
    scene.submit(&measure, &scene.organization(), vec![pair("3", "14", "32")]).await;
    let together = &scene.rollup(rollup_of(&measure)).await[0];
    assert_eq!(
        (together.numerator.as_str(), together.denominator.as_str(), together.rate.as_str()),
        ("20", "40", "50.0")
    );
}

#[tokio::test]
async fn a_single_cells_rate_is_shown_where_both_parts_are_and_rounded_half_up() {
    let scene = Scene::set().await;
    let measure = scene.measure(graduation()).await;
    let cells = vec![
        pair("1", "36965", "42392"),
        pair("2", "1", "2000"),
        pair("3", "0", "10"),
        pair("4", "0", "0"),
        pair("5", "SUPPRESSED", "10"),
        pair("6", "3", "MISSING"),
    ];
    scene.submit(&measure, &scene.organization(), cells).await;
    let rates: Vec<String> = scene.series(series_of(&measure)).await.into_iter().map(|point| point.rate).collect();
    assert_eq!(rates, ["87.2", "0.1", "0.0", "", "", ""]);
}

#[tokio::test]
async fn published_totals_and_components_are_series_of_their_own() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let state = scene.organization();
    scene.submit(&measure, &scene.organization(), vec![value("1", "7")]).await;
    let mut total = submission(&measure, &state, vec![value("CT", "9")]);
    total.definition.as_mut().unwrap().basis = Basis::PublishedTotal.into();
    scene.here().submit_observations(total).await.unwrap();
    let published = Basis::PublishedTotal.into();
    assert_eq!(scene.rollup(rollup_of(&measure)).await[0].value, "7");
    assert_eq!(scene.rollup(GetRollupRequest { basis: published, ..rollup_of(&measure) }).await[0].value, "9");
    assert_eq!(scene.series(GetSeriesRequest { basis: published, ..series_of(&measure) }).await.len(), 1);
}

#[tokio::test]
async fn a_breakdown_is_read_by_itself_and_never_added_to_the_total() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let cells = vec![
        value("1", "30"),
        of_group(value("1", "10"), &[("race", "black")]),
        of_group(value("1", "20"), &[("race", "white")]),
        of_group(value("1", "4"), &[("race", "black"), ("gender", "female")]),
        of_group(value("1", "6"), &[("race", "black"), ("gender", "male")]),
        Observation { period: "2015-07-01/2016-06-30".to_owned(), ..value("1", "31") },
    ];
    scene.submit(&measure, &scene.organization(), cells).await;
    let rolled = async |fixed: &[(&str, &str)], by: &[&str]| -> Vec<(String, String)> {
        let request = GetRollupRequest {
            dimensions: group_of(fixed),
            by: by.iter().map(ToString::to_string).collect(),
            ..rollup_of(&measure)
        };
        let groups = scene.rollup(request).await.into_iter();
        groups.map(|group| (group.dimensions.into_values().collect::<Vec<_>>().join(" "), group.value)).collect()
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    assert_eq!(rolled(&[], &[]).await, pairs(&[("", "30"), ("", "31")]));
    assert_eq!(rolled(&[], &["race"]).await, pairs(&[("black", "10"), ("white", "20")]));
    assert_eq!(rolled(&[("race", "white")], &[]).await, pairs(&[("white", "20")]));
    assert_eq!(rolled(&[("race", "black")], &["gender"]).await, pairs(&[("female black", "4"), ("male black", "6")]));
    assert_eq!(rolled(&[("gender", "female")], &[]).await, []);

    let one = GetRollupRequest { periods: vec![YEAR.to_owned()], ..rollup_of(&measure) };
    assert_eq!(scene.rollup(one).await.len(), 1);
    let level = GetRollupRequest { geography_level: "state".to_owned(), ..rollup_of(&measure) };
    assert_eq!(scene.rollup(level).await, []);
    let elsewhere = GetSeriesRequest {
        geography: Some(Geography { code: "2".to_owned(), ..Geography::default() }),
        ..series_of(&measure)
    };
    assert_eq!(scene.series(elsewhere).await, []);
}

#[tokio::test]
async fn each_rule_makes_values_one_in_its_own_way() {
    let scene = Scene::set().await;
    let definition = |code: &str, aggregation: Aggregation| MeasureDefinition {
        code: code.to_owned(),
        aggregation: aggregation.into(),
        ..enrollment()
    };
    let weighted =
        MeasureDefinition { denominator: "Students".to_owned(), ..definition("mean", Aggregation::WeightedMean) };
    let measure = scene.measure(weighted).await;
    let weigh = |code: &str, text: &str, weight: &str| Observation {
        denominator: pair(code, "0", weight).denominator,
        ..value(code, text)
    };
    let cells = vec![weigh("1", "10", "1"), weigh("2", "20.25", "3"), weigh("3", "99", "SUPPRESSED")];
    scene.submit(&measure, &scene.organization(), cells).await;
    let group = &scene.rollup(rollup_of(&measure)).await[0];
    assert_eq!((group.value.as_str(), group.denominator.as_str(), group.rate.as_str()), ("17.7", "4", ""));

    let measure = scene.measure(definition("latest", Aggregation::Latest)).await;
    for amount in ["3", "5", "4"] {
        scene.submit(&measure, &scene.organization(), vec![value("1", amount)]).await;
    }
    assert_eq!(scene.rollup(rollup_of(&measure)).await[0].value, "4");

    let measure = scene.measure(definition("none", Aggregation::None)).await;
    scene.submit(&measure, &scene.organization(), vec![value("1", "3")]).await;
    let refused = scene.here().get_rollup(rollup_of(&measure)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "NOT_ADDED_UP"));
}

/// What another node tells of a submission of one value, its seal under an id of that node's choice.
fn submitted_on(node: &NodeId, measure: &Measure, amount: &str, seal: Uuid) -> Vec<Event> {
    let space = Space::members(&reference(&measure.initiative));
    let (submission, organization) = (Reference::born_on(node), Reference::born_on(node));
    let observations = vec![value("1", amount)];
    let (count, digest) = (1, digest_of(&observations));
    let facts = [
        Fact::of(&submission, &space, &SubmissionOpened { definition: Some(heading(measure, &organization)) }),
        Fact::of(&submission, &space, &ObservationsRecorded { observations }),
        Fact::of(&submission, &space, &SubmissionSealed { count, digest, revision_reason: String::new() }),
    ];
    let mut events: Vec<Event> = facts.iter().map(|fact| Event::told(fact, node, &Actor::default())).collect();
    events[2].id = seal;
    events
}

#[tokio::test]
async fn the_latest_value_is_the_one_accepted_last_whatever_id_its_home_gave_it() {
    let backbone = Scene::set().await;
    let latest =
        MeasureDefinition { code: "latest".to_owned(), aggregation: Aggregation::Latest.into(), ..enrollment() };
    let measure = backbone.measure(latest).await;
    let beta = Scene::of(Stage::set().await, backbone.initiative.clone()).await;
    for event in backbone.stage.log().await {
        beta.stage.take(event).await;
    }
    let (alpha, gamma) = (some_node(), some_node());
    // Of the year 10889, as a home might make it that wants to stay the last.
    let highest = uuid::Builder::from_unix_timestamp_millis((1 << 48) - 1, &[0xff; 10]).into_uuid();
    let accepted = [submitted_on(&alpha, &measure, "3", highest), submitted_on(&gamma, &measure, "5", clock::new_id())];
    for scene in [&backbone, &beta] {
        for event in accepted.iter().flatten() {
            scene.stage.take(event.clone()).await;
        }
        assert_eq!(scene.rollup(rollup_of(&measure)).await[0].value, "5");
    }
    // What is pending comes after all that was accepted.
    backbone.submit(&measure, &backbone.organization(), vec![value("1", "4")]).await;
    assert_eq!(backbone.rollup(rollup_of(&measure)).await[0].value, "4");
}

#[tokio::test]
async fn questions_that_the_measure_cannot_answer_are_refused_field_by_field() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let wrong = GetRollupRequest {
        basis: 0,
        space: "public".to_owned(),
        periods: vec!["2014".to_owned()],
        by: vec!["race".to_owned(), "race".to_owned()],
        ..rollup_of(&measure)
    };
    let refused = scene.here().get_rollup(wrong).await.unwrap_err();
    assert_eq!(fields(&refused), ["basis", "by[1]", "periods[0]", "space"]);
    let unknown = GetSeriesRequest {
        dimensions: group_of(&[("race", "green"), ("shoe", "42")]),
        by: vec!["hat".to_owned()],
        ..series_of(&measure)
    };
    let refused = scene.here().get_series(unknown).await.unwrap_err();
    assert_eq!(fields(&refused), ["by[0]", "dimensions[race]", "dimensions[shoe]"]);
    let stranger = GetRollupRequest { measure: scene.organization().to_string(), ..rollup_of(&measure) };
    assert_eq!(scene.here().get_rollup(stranger).await.unwrap_err().code(), Code::NotFound);
    let token = GetSeriesRequest { page_token: "x".to_owned(), ..series_of(&measure) };
    assert_eq!(fields(&scene.here().get_series(token).await.unwrap_err()), ["page_token"]);
}

#[tokio::test]
async fn a_long_list_of_absences_is_cut_and_counted() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let cells = (0..250).map(|nth| value(&format!("{nth:03}"), "SUPPRESSED")).collect();
    scene.submit(&measure, &scene.organization(), cells).await;
    let coverage = scene.rollup(rollup_of(&measure)).await[0].coverage.clone().unwrap();
    assert_eq!((coverage.suppressed, coverage.absences.len(), coverage.more_absences), (250, 200, 50));
    assert_eq!(coverage.absences[199].geography.as_ref().unwrap().code, "199");
}
