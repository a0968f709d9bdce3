//! What the border lets in although it breaks a rule of this room: kept, void with its reason, counted nowhere.

use chassis::event::Fact;
use chassis::names::{NodeId, Reference, Space};
use chassis::testing::some_node;
use prost::{Message, Name};
use proto::measurement::*;

use crate::scene::{Scene, digest_of, enrollment, heading, new_id, reference, rollup_of, value};

/// Another node's submission, told event by event.
struct Foreign<'a> {
    scene: &'a Scene,
    node: NodeId,
    submission: Reference,
}

impl<'a> Foreign<'a> {
    /// Opened for an organization of that node.
    async fn opened(scene: &'a Scene, measure: &Measure) -> Self {
        let node = some_node();
        let foreign = Self { scene, submission: Reference::born_on(&node), node };
        let organization = Reference::born_on(&foreign.node);
        foreign.tell(&SubmissionOpened { definition: Some(heading(measure, &organization)) }).await;
        foreign
    }

    async fn tell<M: Message + Name>(&self, message: &M) {
        let space = Space::members(&self.scene.initiative);
        self.scene.stage.hear(&self.node, &Fact::of(&self.submission, &space, message)).await;
    }

    async fn record(&self, observations: &[Observation]) {
        self.tell(&ObservationsRecorded { observations: observations.to_vec() }).await;
    }

    async fn seal(&self, count: u64, digest: Vec<u8>) {
        self.tell(&SubmissionSealed { count, digest, revision_reason: String::new() }).await;
    }

    async fn submission(&self) -> Submission {
        let get = GetSubmissionRequest { submission: self.submission.to_string() };
        self.scene.here().get_submission(get).await.unwrap().into_inner().submission.unwrap()
    }

    async fn state(&self) -> (SubmissionState, String) {
        let submission = self.submission().await;
        (submission.state(), submission.state_reason)
    }

    async fn is_void(&self, measure: &Measure, because: &str) {
        let (state, reason) = self.state().await;
        assert_eq!(state, SubmissionState::Void);
        assert!(reason.contains(because), "{reason}");
        assert_eq!(self.scene.rollup(rollup_of(measure)).await, []);
        let before = self.scene.stage.rows().await;
        self.scene.stage.refold(&self.submission).await;
        assert_eq!(self.scene.stage.rows().await, before, "void again when folded again");
    }
}

#[tokio::test]
async fn a_foreign_submission_counts_if_its_seal_is_right() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let foreign = Foreign::opened(&scene, &measure).await;
    let values = [value("1", "7"), value("2", "5")];
    foreign.record(&values[..1]).await;
    foreign.record(&values[1..]).await;
    foreign.seal(2, digest_of(&values)).await;
    assert_eq!(foreign.state().await.0, SubmissionState::Sealed);
    assert_eq!(scene.rollup(rollup_of(&measure)).await[0].value, "12");
    assert_eq!(foreign.submission().await.etag, "4");
    // What comes after the seal is counted and changes nothing.
    foreign.record(&[value("3", "1")]).await;
    assert_eq!(foreign.submission().await.etag, "5");
    assert_eq!(scene.rollup(rollup_of(&measure)).await[0].value, "12");
    foreign.tell(&SubmissionWithdrawn { reason: "Wrong".to_owned() }).await;
    assert_eq!(foreign.state().await, (SubmissionState::Withdrawn, "Wrong".to_owned()));
}

#[tokio::test]
async fn a_seal_that_is_not_that_of_what_was_recorded_makes_it_void() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let values = [value("1", "7"), value("2", "5")];
    let foreign = Foreign::opened(&scene, &measure).await;
    foreign.record(&values).await;
    foreign.seal(3, digest_of(&values)).await;
    foreign.is_void(&measure, "3 observations, and 2 were recorded").await;

    let foreign = Foreign::opened(&scene, &measure).await;
    foreign.record(&values).await;
    foreign.seal(2, digest_of(&[value("1", "7"), value("2", "6")])).await;
    foreign.is_void(&measure, "not that of the observations recorded").await;
}

#[tokio::test]
async fn a_submission_for_an_organization_of_another_node_is_void() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let node = some_node();
    let foreign = Foreign { scene: &scene, submission: Reference::born_on(&node), node };
    let definition = Some(heading(&measure, &scene.organization()));
    foreign.tell(&SubmissionOpened { definition }).await;
    let values = [value("1", "7")];
    foreign.record(&values).await;
    foreign.seal(1, digest_of(&values)).await;
    foreign.is_void(&measure, "does not live on the node").await;
}

#[tokio::test]
async fn observations_that_cannot_be_or_stand_there_twice_make_it_void() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let mut impossible = value("1", "7");
    impossible.value.as_mut().unwrap().state = ValueState::Suppressed.into();
    for (chunk, because) in [
        (vec![impossible], "observations[0].value"),
        (vec![Observation { period: "2015-06-30/2014-07-01".to_owned(), ..value("1", "7") }], "before it starts"),
        (vec![value("1", "7"), value("1", "8")], "about cells it had recorded already"),
    ] {
        let foreign = Foreign::opened(&scene, &measure).await;
        foreign.record(&chunk).await;
        foreign.seal(chunk.len() as u64, digest_of(&chunk)).await;
        foreign.is_void(&measure, because).await;
    }
    let foreign = Foreign::opened(&scene, &measure).await;
    foreign.record(&[value("1", "7")]).await;
    foreign.record(&[value("1", "7")]).await;
    foreign.is_void(&measure, "about cells it had recorded already").await;
}

/// How the last event in the log stands, and why.
async fn last_standing(scene: &Scene) -> (String, String) {
    sqlx::query_as("select standing, coalesce(reason, '') from log order by position desc limit 1")
        .fetch_one(&scene.stage.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_measure_is_what_its_api_would_take() {
    let scene = Scene::set().await;
    let node = some_node();
    let space = Space::members(&scene.initiative);
    let before = scene.stage.rows().await;
    for definition in [
        MeasureDefinition { name: "x".repeat(201), ..enrollment() },
        MeasureDefinition { aggregation: 99, ..enrollment() },
        MeasureDefinition { aggregation: Aggregation::RatioOfSums.into(), ..enrollment() },
        MeasureDefinition { dimensions: vec![Dimension::default()], ..enrollment() },
    ] {
        let defined = MeasureDefined { definition: Some(definition) };
        scene.stage.hear(&node, &Fact::of(&Reference::born_on(&node), &space, &defined)).await;
        let (standing, reason) = last_standing(&scene).await;
        assert_eq!((standing.as_str(), reason.contains("definition")), ("held", true), "{reason}");
    }
    assert_eq!(scene.stage.rows().await, before);
    let measure = Reference::born_on(&node);
    let defined = MeasureDefined { definition: Some(enrollment()) };
    scene.stage.hear(&node, &Fact::of(&measure, &space, &defined)).await;
    let retired = MeasureRetired { reason: "x".repeat(1001) };
    scene.stage.hear(&node, &Fact::of(&measure, &space, &retired)).await;
    assert!(last_standing(&scene).await.1.contains("reason"));
}

#[tokio::test]
async fn a_submission_gives_reasons_that_its_api_would_take() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let values = [value("1", "7")];
    let foreign = Foreign::opened(&scene, &measure).await;
    foreign.record(&values).await;
    let (count, digest) = (1, digest_of(&values));
    foreign.tell(&SubmissionSealed { count, digest, revision_reason: "x".repeat(1001) }).await;
    foreign.is_void(&measure, "the reason for its revision cannot be read").await;

    let foreign = Foreign::opened(&scene, &measure).await;
    foreign.record(&values).await;
    foreign.seal(1, digest_of(&values)).await;
    foreign.tell(&SubmissionWithdrawn { reason: " ".to_owned() }).await;
    assert_eq!(last_standing(&scene).await.0, "held");
    assert_eq!(foreign.state().await.0, SubmissionState::Sealed);
}

#[tokio::test]
async fn what_lives_elsewhere_is_not_changed_here() {
    let scene = Scene::set().await;
    let mut here = scene.here();
    let measure = scene.measure(enrollment()).await;
    let foreign = Foreign::opened(&scene, &measure).await;
    let submission = foreign.submission.to_string();
    let before = scene.stage.everything().await;
    let (request_id, observations) = (new_id(), vec![value("1", "7")]);
    let record = RecordObservationsRequest { submission: submission.clone(), observations, request_id };
    assert_eq!(crate::scene::reason(&here.record_observations(record).await.unwrap_err()), "LIVES_ELSEWHERE");
    let withdraw = WithdrawSubmissionRequest { submission, reason: "Mine".to_owned(), request_id: new_id() };
    assert_eq!(crate::scene::reason(&here.withdraw_submission(withdraw).await.unwrap_err()), "LIVES_ELSEWHERE");
    assert_eq!(scene.stage.everything().await, before);

    let node = some_node();
    let theirs = Reference::born_on(&node);
    let defined = MeasureDefined { definition: Some(enrollment()) };
    scene.stage.hear(&node, &Fact::of(&theirs, &Space::members(&scene.initiative), &defined)).await;
    let retire = RetireMeasureRequest {
        measure: theirs.to_string(),
        reason: "Mine".to_owned(),
        etag: String::new(),
        request_id: new_id(),
    };
    assert_eq!(crate::scene::reason(&here.retire_measure(retire).await.unwrap_err()), "LIVES_ELSEWHERE");
    assert_eq!(reference(&measure.reference).node, scene.stage.node);
}
