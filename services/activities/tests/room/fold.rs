//! The tables follow from the log: folded again, they are the same, here and on every other node.

use std::collections::BTreeSet;

use chassis::event::Event;
use chassis::names::Reference;
use chassis::testing::Stage;
use prost_types::FieldMask;
use proto::activities::*;
use proto::common::Role;

use crate::scene::{Scene, ask, bus_fares, disbursement, evidence, goods, grant, money, promise, towards, tutoring};

/// Every event type of this room, and the one it hears through the chassis.
const TYPES: [&str; 18] = [
    "commonweal.activities.v1.ActivityBegun",
    "commonweal.activities.v1.ActivityCancelled",
    "commonweal.activities.v1.ActivityCompleted",
    "commonweal.activities.v1.ActivityPlanned",
    "commonweal.activities.v1.ActivityRevised",
    "commonweal.activities.v1.AwardCancelled",
    "commonweal.activities.v1.AwardMade",
    "commonweal.activities.v1.CommitmentMade",
    "commonweal.activities.v1.CommitmentMet",
    "commonweal.activities.v1.CommitmentMissed",
    "commonweal.activities.v1.CommitmentWithdrawn",
    "commonweal.activities.v1.DisbursementRecorded",
    "commonweal.activities.v1.NeedClosed",
    "commonweal.activities.v1.NeedStated",
    "commonweal.activities.v1.PledgeKept",
    "commonweal.activities.v1.PledgeMade",
    "commonweal.activities.v1.PledgeWithdrawn",
    "commonweal.membership.v1.RoleGranted",
];

/// Lets everything happen that can happen in this room.
async fn everything_happens(scene: &Scene, organization: &Reference) {
    let mut here = scene.here();
    let why = || "Because".to_owned();
    let strategy = scene.organization().to_string();
    let done = scene.activity(ActivityDefinition { strategy, ..tutoring(organization) }).await.reference;
    let definition = Some(ActivityDefinition { title: "Evening tutoring".to_owned(), ..tutoring(organization) });
    let update_mask = Some(FieldMask { paths: vec!["title".to_owned()] });
    let update = UpdateActivityRequest { activity: done.clone(), definition, update_mask, ..Default::default() };
    let update = UpdateActivityRequest { request_id: crate::scene::new_id(), ..update };
    here.update_activity(update).await.unwrap();
    ask!(here, begin_activity, BeginActivityRequest { activity: done.clone() }).unwrap();
    ask!(here, complete_activity, CompleteActivityRequest { activity: done.clone() }).unwrap();
    let given_up = scene.activity(tutoring(organization)).await.reference;
    ask!(here, cancel_activity, CancelActivityRequest { activity: given_up, reason: why() }).unwrap();

    let made = [0; 4].map(|_| scene.make_commitment(promise(organization, &done)));
    let mut commitments = Vec::new();
    for request in made {
        commitments.push(here.make_commitment(request).await.unwrap().into_inner().commitment.unwrap().reference);
    }
    let [met, missed, withdrawn, _] = commitments.try_into().unwrap();
    let evidence = Some(evidence());
    ask!(here, meet_commitment, MeetCommitmentRequest { commitment: met, evidence: evidence }).unwrap();
    ask!(here, miss_commitment, MissCommitmentRequest { commitment: missed, reason: why() }).unwrap();
    ask!(here, withdraw_commitment, WithdrawCommitmentRequest { commitment: withdrawn, reason: why() }).unwrap();

    let need = scene.need(NeedDefinition { activity: done.clone(), ..bus_fares(organization) }).await.reference;
    let kept = scene.pledge(towards(organization, &need, money("10.50", "GBP"))).await.reference;
    let back = scene.pledge(towards(organization, &need, goods("3", "Desks", "pieces"))).await.reference;
    ask!(here, keep_pledge, KeepPledgeRequest { pledge: kept }).unwrap();
    ask!(here, withdraw_pledge, WithdrawPledgeRequest { pledge: back, reason: why() }).unwrap();
    ask!(here, close_need, CloseNeedRequest { need: need.clone(), reason: why() }).unwrap();

    let definition =
        AwardDefinition { activity: done, recipient: scene.organization().to_string(), ..grant(organization) };
    let award = scene.award(definition).await.reference;
    for (number, state) in [(0, DisbursementState::Planned), (0, DisbursementState::Paid), (1, DisbursementState::Paid)]
    {
        let disbursement = disbursement(number, state, "12.30");
        let request = RecordDisbursementRequest { award: award.clone(), disbursement, ..Default::default() };
        let request = RecordDisbursementRequest { request_id: crate::scene::new_id(), ..request };
        here.record_disbursement(request).await.unwrap();
    }
    ask!(here, cancel_award, CancelAwardRequest { award, reason: why() }).unwrap();
}

#[tokio::test]
async fn the_log_folded_again_gives_the_same_rows() {
    let scene = Scene::set().await;
    everything_happens(&scene, &scene.organization()).await;
    let log = scene.stage.log().await;
    let types: BTreeSet<&str> = log.iter().map(|event| event.type_name.as_str()).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), TYPES, "every event type took place");
    let before = scene.stage.rows().await;
    assert!(before.values().all(|rows| !rows.is_empty()), "every table has rows");
    scene.stage.replay().await;
    assert_eq!(scene.stage.rows().await, before);
}

#[tokio::test]
async fn one_resource_folded_again_gives_the_same_rows() {
    let scene = Scene::set().await;
    everything_happens(&scene, &scene.organization()).await;
    let before = scene.stage.rows().await;
    let resources: BTreeSet<Reference> = scene.stage.log().await.into_iter().map(|event| event.resource).collect();
    for resource in resources {
        scene.stage.refold(&resource).await;
        assert_eq!(scene.stage.rows().await, before, "{resource}");
    }
}

#[tokio::test]
async fn what_was_told_here_is_the_same_state_on_another_node() {
    let backbone = Scene::set().await;
    everything_happens(&backbone, &backbone.organization()).await;
    let alpha = Scene::of(Stage::set().await, backbone.initiative.clone()).await;
    let states = backbone.stage.states(&backbone.initiative).await;
    assert_eq!(states.len(), 2 + 4 + 1 + 2 + 1, "activities, commitments, need, pledges, award");
    assert!(states.is_sorted_by_key(|(resource, _)| resource.clone()));
    for event in backbone.stage.log().await {
        alpha.stage.take(event).await;
    }
    assert_eq!(alpha.stage.states(&backbone.initiative).await, states);
    assert_eq!(alpha.coverage(alpha.everywhere()).await, backbone.coverage(backbone.everywhere()).await);
    assert_eq!(backbone.stage.states(&Reference::born_on(&alpha.stage.node)).await, []);
}

/// Three homes, each with an activity of its own and promises, pledges and an award to that of another.
async fn three_homes() -> (Reference, Vec<Vec<Event>>) {
    let backbone = Scene::set().await;
    let initiative = backbone.initiative.clone();
    let alpha = Scene::of(Stage::set().await, initiative.clone()).await;
    let beta = Scene::of(Stage::set().await, initiative.clone()).await;
    let homes = [backbone, alpha, beta];
    let (strategy, mut activities, mut needs, mut partners) = (homes[0].organization(), vec![], vec![], vec![]);
    for home in &homes {
        let partner = home.partner().await;
        let strategy = strategy.to_string();
        let supporting = partners.iter().map(Reference::to_string).collect();
        let definition = ActivityDefinition { strategy, supporting, ..tutoring(&partner) };
        activities.push(home.activity(definition).await.reference);
        needs.push(home.need(bus_fares(&partner)).await.reference);
        partners.push(partner);
    }
    let mut logs = Vec::new();
    for (nth, home) in homes.iter().enumerate() {
        let next = (nth + 1) % homes.len();
        // None of these has arrived at the home that refers to it.
        home.commitment(promise(&partners[nth], &activities[next])).await;
        home.pledge(towards(&partners[nth], &needs[next], money("5", "GBP"))).await;
        let award = AwardDefinition { need: needs[next].clone(), ..grant(&partners[nth]) };
        home.award(award).await;
        logs.push(home.stage.log().await.into_iter().filter(|event| event.home == home.stage.node).collect());
    }
    (initiative, logs)
}

#[tokio::test]
async fn events_of_several_homes_may_come_in_any_order_between_them() {
    let (initiative, logs) = three_homes().await;
    let mut outcomes = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let node = Scene::of(Stage::set().await, initiative.clone()).await;
        for home in order {
            for event in logs[home].clone() {
                node.stage.take(event).await;
            }
        }
        let reader = node.organization();
        node.stage.grant(&initiative, &reader, Role::Observer).await;
        outcomes.push((node.stage.states(&initiative).await, node.coverage(node.everywhere()).await));
    }
    assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]));
    let (states, cells) = &outcomes[0];
    assert_eq!((states.len(), cells.len()), (3 * 5, 1));
    assert_eq!((cells[0].partners, cells[0].leading, cells[0].supporting, cells[0].planned), (3, 3, 2, 3));
}
