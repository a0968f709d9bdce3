//! The tables follow from the log: folded again, they are the same, here and on every other node.

use std::collections::BTreeSet;

use chassis::names::Reference;
use chassis::testing::Stage;
use prost_types::FieldMask;
use proto::agenda::*;

use crate::scene::{Scene, consent, majority, new_id, tree};

/// Every event type of this room, and the one it hears through the chassis.
const TYPES: [&str; 12] = [
    "commonweal.agenda.v1.AgendaDrafted",
    "commonweal.agenda.v1.AgendaPublished",
    "commonweal.agenda.v1.AgendaRevised",
    "commonweal.agenda.v1.EndorsementGiven",
    "commonweal.agenda.v1.EndorsementWithdrawn",
    "commonweal.agenda.v1.PositionTaken",
    "commonweal.agenda.v1.PositionWithdrawn",
    "commonweal.agenda.v1.ProposalAmended",
    "commonweal.agenda.v1.ProposalDecided",
    "commonweal.agenda.v1.ProposalMade",
    "commonweal.agenda.v1.ProposalWithdrawn",
    "commonweal.membership.v1.RoleGranted",
];

/// Lets everything happen that can happen in this room; gives a proposal that was decided.
async fn everything_happens(scene: &Scene) -> Proposal {
    let mut here = scene.here();
    let (alpha, beta) = (scene.partner().await, scene.partner().await);
    let version = scene.version().await;
    let update = UpdateAgendaRequest {
        agenda: version.agenda.clone(),
        tree: Some(AgendaTree { vision: "All thrive".to_owned(), ..AgendaTree::default() }),
        update_mask: Some(FieldMask { paths: vec!["vision".to_owned()] }),
        etag: String::new(),
        request_id: new_id(),
    };
    let agenda = here.update_agenda(update).await.unwrap().into_inner().agenda.unwrap();
    let version = scene.publish(&agenda).await.current.unwrap();
    let endorsement = scene.endorse(&version, &alpha).await.reference;
    scene.endorse(&version, &beta).await;
    let reason = "Because".to_owned();
    let withdraw = WithdrawEndorsementRequest { endorsement, reason: reason.clone(), request_id: new_id() };
    here.withdraw_endorsement(withdraw).await.unwrap();

    let dropped = scene.propose(&version, &beta, majority()).await.reference;
    let withdraw = WithdrawProposalRequest {
        proposal: dropped,
        reason: reason.clone(),
        etag: String::new(),
        request_id: new_id(),
    };
    here.withdraw_proposal(withdraw).await.unwrap();
    let proposed = scene.propose(&version, &alpha, consent()).await;
    scene.accept().await;
    scene.take(&proposed, &beta, Stance::Object).await;
    let amended = scene.amend(&proposed, ProposalRevision { tree: Some(tree()), ..consent() }).await;
    let position = scene.take(&amended, &alpha, Stance::Abstain).await.reference;
    here.withdraw_position(WithdrawPositionRequest { position, reason, request_id: new_id() }).await.unwrap();
    for organization in [&alpha, &beta, &scene.backbone] {
        scene.take(&amended, organization, Stance::Agree).await;
    }
    scene.accept().await;
    scene.decide(&proposed).await.unwrap();
    scene.accept().await;
    scene.proposal(&proposed).await
}

#[tokio::test]
async fn the_log_folded_again_gives_the_same_rows_and_answers() {
    let scene = Scene::set().await;
    let decided = everything_happens(&scene).await;
    assert_eq!(decided.state(), ProposalState::Adopted);
    let log = scene.stage.log().await;
    let types: BTreeSet<&str> = log.iter().map(|event| event.type_name.as_str()).collect();
    assert_eq!(types.into_iter().collect::<Vec<_>>(), TYPES, "every event type took place");
    let before = scene.stage.rows().await;
    assert!(before.values().all(|rows| !rows.is_empty()), "every table has rows");
    scene.stage.replay().await;
    assert_eq!(scene.stage.rows().await, before);
    assert_eq!(scene.proposal(&decided).await, decided);
}

#[tokio::test]
async fn one_resource_folded_again_gives_the_same_rows() {
    let scene = Scene::set().await;
    everything_happens(&scene).await;
    let before = scene.stage.rows().await;
    let resources: BTreeSet<Reference> = scene.stage.log().await.into_iter().map(|event| event.resource).collect();
    for resource in resources {
        scene.stage.refold(&resource).await;
        assert_eq!(scene.stage.rows().await, before, "{resource}");
    }
}

#[tokio::test]
async fn what_was_told_here_is_the_same_state_and_the_same_answer_on_another_node() {
    let backbone = Scene::set().await;
    let decided = everything_happens(&backbone).await;
    let alpha = Scene { stage: Stage::set().await, initiative: backbone.initiative.clone(), ..Scene::set().await };
    let states = backbone.stage.states(&backbone.initiative).await;
    assert_eq!(states.len(), 2 + 2 + 2 + 5 + 1, "versions, endorsements, proposals, positions and decisions");
    assert!(states.is_sorted_by_key(|(resource, _)| resource.clone()));
    for event in backbone.stage.accepted().await {
        alpha.stage.take(event).await;
    }
    assert_eq!(alpha.stage.states(&backbone.initiative).await, states);
    assert_eq!(alpha.proposal(&decided).await, decided);
    assert_eq!(alpha.tally(&decided).await, backbone.tally(&decided).await);
    assert_eq!(alpha.positions(&decided).await, backbone.positions(&decided).await);
    let list = ListAgendasRequest { initiative: backbone.initiative.to_string(), ..Default::default() };
    let there = alpha.here().list_agendas(list.clone()).await.unwrap().into_inner().agendas;
    let here = backbone.here().list_agendas(list).await.unwrap().into_inner().agendas;
    assert_eq!(there, here.into_iter().map(|agenda| Agenda { draft: None, ..agenda }).collect::<Vec<_>>());
    assert_eq!(backbone.stage.states(&Reference::born_on(&alpha.stage.node)).await, []);
}
