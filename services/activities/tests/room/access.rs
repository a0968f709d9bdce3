//! Who may call what: every call by everybody, against a table that stands here and not in the contract.

use chassis::authn::Caller;
use chassis::names::Reference;
use chassis::testing::{operator, some_node, speaking_for};
use prost_types::FieldMask;
use proto::activities::*;
use proto::common::Role;
use tonic::{Code, Status};

use crate::scene::{Scene, ask, bus_fares, disbursement, evidence, grant, money, new_id, promise, towards, tutoring};

/// Whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Without a token.
    Nobody,
    /// With a token, and nothing more.
    Somebody,
    /// Speaks for the organization whose resource it is.
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
const OWN: &[Who] = &[Own];
const MEMBERS: &[Who] = &[
    Holding(Role::BackboneStaff),
    Holding(Role::SteeringCommittee),
    Holding(Role::Partner),
    Holding(Role::DataLead),
    Holding(Role::Funder),
    Holding(Role::Observer),
];

const TABLE: [(&str, &[Who]); 28] = [
    ("BeginActivity", OWN),
    ("CancelActivity", OWN),
    ("CancelAward", OWN),
    ("CloseNeed", OWN),
    ("CompleteActivity", OWN),
    ("CreateActivity", OWN),
    ("CreateAward", OWN),
    ("CreateNeed", OWN),
    ("GetActivity", MEMBERS),
    ("GetAward", MEMBERS),
    ("GetCommitment", MEMBERS),
    ("GetCoverage", MEMBERS),
    ("GetNeed", MEMBERS),
    ("GetPledge", MEMBERS),
    ("KeepPledge", OWN),
    ("ListActivities", MEMBERS),
    ("ListAwards", MEMBERS),
    ("ListCommitments", MEMBERS),
    ("ListNeeds", MEMBERS),
    ("ListPledges", MEMBERS),
    ("MakeCommitment", OWN),
    ("MakePledge", OWN),
    ("MeetCommitment", OWN),
    ("MissCommitment", OWN),
    ("RecordDisbursement", OWN),
    ("UpdateActivity", OWN),
    ("WithdrawCommitment", OWN),
    ("WithdrawPledge", OWN),
];

/// One of everything, each in the state in which every call can be made on it.
struct Situation {
    organization: Reference,
    planned: String,
    under_way: String,
    commitment: String,
    need: String,
    pledge: String,
    award: String,
}

impl Situation {
    async fn of(scene: &Scene) -> Self {
        let organization = scene.partner().await;
        let planned = scene.activity(tutoring(&organization)).await.reference;
        let under_way = scene.activity(tutoring(&organization)).await.reference;
        ask!(scene.here(), begin_activity, BeginActivityRequest { activity: under_way.clone() }).unwrap();
        let commitment = scene.commitment(promise(&organization, &planned)).await.reference;
        let need = scene.need(bus_fares(&organization)).await.reference;
        let pledge = scene.pledge(towards(&organization, &need, money("1", "GBP"))).await.reference;
        let award = scene.award(grant(&organization)).await.reference;
        Self { organization, planned, under_way, commitment, need, pledge, award }
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
    let Situation { organization, .. } = situation;
    let initiative = scene.initiative.to_string();
    let (activity, under_way, commitment) =
        (situation.planned.clone(), situation.under_way.clone(), situation.commitment.clone());
    let (need, pledge, award) = (situation.need.clone(), situation.pledge.clone(), situation.award.clone());
    let reason = "Because".to_owned();
    macro_rules! read {
        ($method:ident($request:ident { $($field:ident),* })) => {
            client.$method($request { $($field,)* ..Default::default() }).await.map(drop)
        };
    }
    match call {
        "CreateActivity" => client.create_activity(scene.create_activity(tutoring(organization))).await.map(drop),
        "GetActivity" => client.get_activity(GetActivityRequest { activity }).await.map(drop),
        "ListActivities" => read!(list_activities(ListActivitiesRequest { initiative })),
        "UpdateActivity" => {
            let definition = Some(ActivityDefinition { title: new_id(), ..ActivityDefinition::default() });
            let update_mask = Some(FieldMask { paths: vec!["title".to_owned()] });
            ask!(client, update_activity, UpdateActivityRequest { activity, definition, update_mask }).map(drop)
        }
        "BeginActivity" => ask!(client, begin_activity, BeginActivityRequest { activity }).map(drop),
        "CompleteActivity" => {
            ask!(client, complete_activity, CompleteActivityRequest { activity: under_way }).map(drop)
        }
        "CancelActivity" => ask!(client, cancel_activity, CancelActivityRequest { activity, reason }).map(drop),
        "MakeCommitment" => {
            client.make_commitment(scene.make_commitment(promise(organization, &activity))).await.map(drop)
        }
        "GetCommitment" => client.get_commitment(GetCommitmentRequest { commitment }).await.map(drop),
        "ListCommitments" => read!(list_commitments(ListCommitmentsRequest { initiative })),
        "MeetCommitment" => {
            let evidence = Some(evidence());
            ask!(client, meet_commitment, MeetCommitmentRequest { commitment, evidence }).map(drop)
        }
        "MissCommitment" => ask!(client, miss_commitment, MissCommitmentRequest { commitment, reason }).map(drop),
        "WithdrawCommitment" => {
            ask!(client, withdraw_commitment, WithdrawCommitmentRequest { commitment, reason }).map(drop)
        }
        "CreateNeed" => client.create_need(scene.create_need(bus_fares(organization))).await.map(drop),
        "GetNeed" => client.get_need(GetNeedRequest { need }).await.map(drop),
        "ListNeeds" => read!(list_needs(ListNeedsRequest { initiative })),
        "CloseNeed" => ask!(client, close_need, CloseNeedRequest { need, reason }).map(drop),
        "MakePledge" => {
            let definition = towards(organization, &need, money("2", "GBP"));
            client.make_pledge(scene.make_pledge(definition)).await.map(drop)
        }
        "GetPledge" => client.get_pledge(GetPledgeRequest { pledge }).await.map(drop),
        "ListPledges" => read!(list_pledges(ListPledgesRequest { initiative })),
        "KeepPledge" => ask!(client, keep_pledge, KeepPledgeRequest { pledge }).map(drop),
        "WithdrawPledge" => ask!(client, withdraw_pledge, WithdrawPledgeRequest { pledge, reason }).map(drop),
        "CreateAward" => client.create_award(scene.create_award(grant(organization))).await.map(drop),
        "GetAward" => client.get_award(GetAwardRequest { award }).await.map(drop),
        "ListAwards" => read!(list_awards(ListAwardsRequest { initiative })),
        "RecordDisbursement" => {
            let disbursement = disbursement(0, DisbursementState::Paid, "1");
            ask!(client, record_disbursement, RecordDisbursementRequest { award, disbursement }).map(drop)
        }
        "CancelAward" => ask!(client, cancel_award, CancelAwardRequest { award, reason }).map(drop),
        "GetCoverage" => read!(get_coverage(GetCoverageRequest { initiative })),
        other => panic!("{other} is not in this test"),
    }
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
                // Whose resource it is, is a partner, and reads what partners read.
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
        proto::methods().filter_map(|(path, _)| path.strip_prefix("/commonweal.activities.v1.ActivitiesService/"));
    let listed: Vec<&str> = TABLE.iter().map(|(call, _)| *call).collect();
    assert_eq!(calls.collect::<Vec<_>>(), listed);
}

#[tokio::test]
async fn who_is_no_member_or_only_an_observer_begins_nothing() {
    let scene = Scene::set().await;
    let (stranger, observer) = (scene.organization(), scene.organization());
    scene.stage.grant(&scene.initiative, &observer, Role::Observer).await;
    for organization in [stranger, observer] {
        let before = scene.stage.everything().await;
        let mut client = scene.client(Some(&speaking_for(&[&organization])));
        let refused = client.create_activity(scene.create_activity(tutoring(&organization))).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains("holds no role"), "{}", refused.message());
        assert!(scene.stage.everything().await == before, "nothing is left behind");
    }
}

#[tokio::test]
async fn what_is_written_says_on_whose_behalf_its_host_writes() {
    let scene = Scene::set().await;
    let hosted = scene.organization();
    scene.activity(tutoring(&hosted)).await;
    let log = scene.stage.log().await;
    let told: Vec<_> = log.iter().filter(|event| event.type_name.ends_with("ActivityPlanned")).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].actor.organization.as_ref(), Some(&hosted));
}
