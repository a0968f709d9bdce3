//! Who may call what: every call by everybody, against a table that stands here and not in the contract.

use chassis::authn::Caller;
use chassis::names::Reference;
use chassis::testing::{operator, some_node, speaking_for};
use proto::common::Role;
use proto::measurement::*;
use tonic::{Code, Status};

use crate::scene::{Scene, digest_of, enrollment, heading, new_id, reference, rollup_of, series_of, submission, value};

/// Whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Without a token.
    Nobody,
    /// With a token, and nothing more.
    Somebody,
    /// Speaks for the organization that reports.
    Own,
    /// Speaks for an organization that works for the backbone of another initiative.
    Elsewhere,
    /// Operates the node.
    Operator,
    /// Speaks for another organization, which holds this role here.
    Holding(Role),
}
use Who::{Elsewhere, Holding, Nobody, Operator, Own, Somebody};

const ROLES: [Role; 6] =
    [Role::BackboneStaff, Role::SteeringCommittee, Role::Partner, Role::DataLead, Role::Funder, Role::Observer];

/// Sets of callers that calls are open to, beside the operator, who may do everything.
const DEFINE: &[Who] = &[Holding(Role::BackboneStaff), Holding(Role::DataLead)];
const OWN: &[Who] = &[Own];
const MEMBERS: &[Who] = &[
    Holding(Role::BackboneStaff),
    Holding(Role::SteeringCommittee),
    Holding(Role::Partner),
    Holding(Role::DataLead),
    Holding(Role::Funder),
    Holding(Role::Observer),
];

const TABLE: [(&str, &[Who]); 15] = [
    ("CreateMeasure", DEFINE),
    ("GetMeasure", MEMBERS),
    ("GetRollup", MEMBERS),
    ("GetSeries", MEMBERS),
    ("GetSubmission", MEMBERS),
    ("ListMeasures", MEMBERS),
    ("ListObservations", MEMBERS),
    ("ListSubmissions", MEMBERS),
    ("OpenSubmission", OWN),
    ("RecordObservations", OWN),
    ("RetireMeasure", DEFINE),
    ("SealSubmission", OWN),
    ("SubmitObservations", OWN),
    ("UpdateMeasure", DEFINE),
    ("WithdrawSubmission", OWN),
];

/// A measure, and an open submission on it with one observation.
struct Situation {
    measure: Measure,
    organization: Reference,
    open: Submission,
}

impl Situation {
    async fn of(scene: &Scene) -> Self {
        let code = format!("m{}", new_id());
        let measure = scene.measure(MeasureDefinition { code, ..enrollment() }).await;
        let organization = scene.organization();
        scene.stage.grant(&scene.initiative, &organization, Role::Partner).await;
        let open = scene.open(&measure, &organization).await;
        let record = RecordObservationsRequest {
            submission: open.reference.clone(),
            observations: vec![value("1", "7")],
            request_id: new_id(),
        };
        let open = scene.here().record_observations(record).await.unwrap().into_inner().submission.unwrap();
        Self { measure, organization, open }
    }
}

async fn caller(scene: &Scene, situation: &Situation, who: Who) -> Option<Caller> {
    let another = scene.organization();
    match who {
        Nobody => None,
        Somebody => Some(speaking_for(&[])),
        Own => Some(speaking_for(&[&situation.organization])),
        Elsewhere => {
            scene.stage.grant(&Reference::born_on(&some_node()), &another, Role::BackboneStaff).await;
            Some(speaking_for(&[&another]))
        }
        Operator => Some(operator()),
        Holding(role) => {
            scene.stage.grant(&scene.initiative, &another, role).await;
            Some(speaking_for(&[&another]))
        }
    }
}

async fn call(scene: &Scene, situation: &Situation, call: &str, caller: Option<&Caller>) -> Result<(), Status> {
    let mut client = scene.client(caller);
    let Situation { measure, organization, open } = situation;
    let initiative = scene.initiative.to_string();
    let (request_id, etag, reason) = (new_id(), String::new(), "Because".to_owned());
    let about = measure.reference.clone();
    let submission_ = open.reference.clone();
    macro_rules! answered {
        ($method:ident($request:expr)) => {
            client.$method($request).await.map(drop)
        };
    }
    match call {
        "CreateMeasure" => {
            let definition = Some(MeasureDefinition { code: format!("m{}", new_id()), ..enrollment() });
            answered!(create_measure(CreateMeasureRequest { initiative, definition, request_id }))
        }
        "GetMeasure" => answered!(get_measure(GetMeasureRequest { measure: about })),
        "ListMeasures" => {
            answered!(list_measures(ListMeasuresRequest { initiative, ..ListMeasuresRequest::default() }))
        }
        "UpdateMeasure" => answered!(update_measure(UpdateMeasureRequest {
            measure: about,
            definition: Some(MeasureDefinition { name: new_id(), ..MeasureDefinition::default() }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["name".to_owned()] }),
            etag,
            request_id,
        })),
        "RetireMeasure" => {
            answered!(retire_measure(RetireMeasureRequest { measure: about, reason, etag, request_id }))
        }
        "SubmitObservations" => {
            answered!(submit_observations(submission(measure, organization, vec![value("1", "7")])))
        }
        "OpenSubmission" => answered!(open_submission(OpenSubmissionRequest {
            definition: Some(heading(measure, organization)),
            space: String::new(),
            request_id,
        })),
        "RecordObservations" => answered!(record_observations(RecordObservationsRequest {
            submission: submission_,
            observations: vec![value("2", "7")],
            request_id,
        })),
        "SealSubmission" => answered!(seal_submission(SealSubmissionRequest {
            submission: submission_,
            count: 1,
            digest: digest_of(&[value("1", "7")]),
            revision_reason: String::new(),
            request_id,
        })),
        "WithdrawSubmission" => {
            answered!(withdraw_submission(WithdrawSubmissionRequest { submission: submission_, reason, request_id }))
        }
        "GetSubmission" => answered!(get_submission(GetSubmissionRequest { submission: submission_ })),
        "ListSubmissions" => {
            answered!(list_submissions(ListSubmissionsRequest { initiative, ..ListSubmissionsRequest::default() }))
        }
        "ListObservations" => answered!(list_observations(ListObservationsRequest {
            submission: submission_,
            ..ListObservationsRequest::default()
        })),
        "GetSeries" => answered!(get_series(series_of(measure))),
        "GetRollup" => answered!(get_rollup(rollup_of(measure))),
        other => panic!("{other} is not in this test"),
    }
}

#[tokio::test]
async fn who_is_no_member_reports_nothing() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let stranger = scene.organization();
    let request = SubmitObservationsRequest {
        definition: Some(heading(&measure, &stranger)),
        observations: vec![value("1", "7")],
        request_id: new_id(),
        ..Default::default()
    };
    let before = scene.stage.everything().await;
    let refused = scene.client(Some(&speaking_for(&[&stranger]))).submit_observations(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("holds no role"), "{}", refused.message());
    assert!(scene.stage.everything().await == before, "nothing is left behind");
}

#[tokio::test]
async fn every_call_is_open_to_whom_it_says_and_to_nobody_else() {
    let scene = Scene::set().await;
    for (name, listed) in TABLE {
        let mut situation = Situation::of(&scene).await;
        for who in [Nobody, Somebody, Own, Elsewhere, Operator].into_iter().chain(ROLES.map(Holding)) {
            let caller = caller(&scene, &situation, who).await;
            let before = scene.stage.everything().await;
            let code = match call(&scene, &situation, name, caller.as_ref()).await {
                Ok(()) => Code::Ok,
                Err(status) => status.code(),
            };
            let expected = match who {
                Nobody => Code::Unauthenticated,
                who if who == Operator || listed.contains(&who) => Code::Ok,
                // Who reports is a partner, and reads what partners read.
                Own if listed.contains(&Holding(Role::Partner)) => Code::Ok,
                _ => Code::PermissionDenied,
            };
            assert_eq!(code, expected, "{name} by {who:?}");
            let written = scene.stage.everything().await != before;
            assert!(code == Code::Ok || !written, "{name} by {who:?} left something behind");
            if written {
                situation = Situation::of(&scene).await;
            }
        }
    }
}

#[test]
fn the_table_has_every_call_of_the_contract() {
    let calls =
        proto::methods().filter_map(|(path, _)| path.strip_prefix("/commonweal.measurement.v1.MeasurementService/"));
    let listed: Vec<&str> = TABLE.iter().map(|(call, _)| *call).collect();
    assert_eq!(calls.collect::<Vec<_>>(), listed);
}

#[tokio::test]
async fn what_is_between_one_partner_and_the_backbone_is_for_those_two_only() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let alpha = some_node();
    let space = format!("backbone/{alpha}");
    let organization = scene.organization();
    let request = SubmitObservationsRequest {
        space: space.clone(),
        ..submission(&measure, &organization, vec![value("1", "7")])
    };
    let between = scene.here().submit_observations(request).await.unwrap().into_inner().submission.unwrap();
    assert_eq!(between.space, space);

    let (staff, partner, of_alpha) = (scene.organization(), scene.organization(), Reference::born_on(&alpha));
    scene.stage.grant(&scene.initiative, &staff, Role::BackboneStaff).await;
    scene.stage.grant(&scene.initiative, &partner, Role::Partner).await;
    scene.stage.grant(&scene.initiative, &of_alpha, Role::Observer).await;
    for (who, may) in [(&staff, true), (&partner, false), (&of_alpha, true)] {
        let mut client = scene.client(Some(&speaking_for(&[who])));
        let initiative = scene.initiative.to_string();
        let list = ListSubmissionsRequest { initiative, space: space.clone(), ..ListSubmissionsRequest::default() };
        assert_eq!(client.list_submissions(list).await.is_ok(), may);
        let get = GetSubmissionRequest { submission: between.reference.clone() };
        assert_eq!(client.get_submission(get).await.is_ok(), may);
        let list =
            ListObservationsRequest { submission: between.reference.clone(), ..ListObservationsRequest::default() };
        assert_eq!(client.list_observations(list).await.is_ok(), may);
        let series = GetSeriesRequest { space: space.clone(), ..series_of(&measure) };
        assert_eq!(client.get_series(series).await.is_ok(), may);
        let rollup = GetRollupRequest { space: space.clone(), ..rollup_of(&measure) };
        assert_eq!(client.get_rollup(rollup).await.is_ok(), may);
        // To the members nothing of it is there.
        assert_eq!(client.get_rollup(rollup_of(&measure)).await.unwrap().into_inner().groups, []);
    }
}

#[tokio::test]
async fn a_submission_says_on_whose_behalf_its_host_submits() {
    let scene = Scene::set().await;
    let measure = scene.measure(enrollment()).await;
    let hosted = scene.organization();
    let submitted = scene.submit(&measure, &hosted, vec![value("1", "7")]).await;
    let log = scene.stage.log().await;
    let told = log.iter().filter(|event| event.resource == reference(&submitted.reference));
    assert!(told.clone().count() == 3 && told.clone().all(|event| event.actor.organization.as_ref() == Some(&hosted)));
}
