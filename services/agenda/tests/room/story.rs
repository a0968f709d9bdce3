//! The life of agendas and proposals, as callers see it.

use std::time::Duration;

use chassis::testing::speaking_for;
use prost_types::FieldMask;
use proto::agenda::*;
use proto::common::Role;
use tonic::Code;

use crate::scene::{Scene, consent, endorsement, later, majority, new_id, position, proposal, reason, reference, tree};

#[tokio::test]
async fn an_agenda_is_drafted_published_and_superseded() {
    let scene = Scene::set().await;
    let mut here = scene.here();
    let draft = scene.draft(tree()).await;
    assert_eq!((draft.current.as_ref(), draft.version_count, draft.etag.as_str()), (None, 0, ""));
    let first = scene.publish(&draft).await.current.unwrap();
    assert_eq!((first.number, first.state()), (1, AgendaVersionState::Current));
    let published = first.tree.clone().unwrap();
    assert_eq!(Some(&published), draft.draft.unwrap().tree.as_ref());
    let strategy = published.results[0].strategies[0].reference.clone();
    assert_eq!(reference(&strategy).node, scene.stage.node);

    // What stays keeps its reference, what is new gets one.
    let mut next = published.clone();
    next.results[0].strategies.remove(1);
    next.results[0].strategies.push(Strategy { title: "Summer schools".to_owned(), ..Strategy::default() });
    next.results[1].measures.push(scene.backbone.to_string());
    let update = UpdateAgendaRequest {
        agenda: draft.reference.clone(),
        tree: Some(next),
        update_mask: Some(FieldMask { paths: vec!["results".to_owned()] }),
        etag: "1".to_owned(),
        request_id: new_id(),
    };
    let updated = here.update_agenda(update.clone()).await.unwrap().into_inner().agenda.unwrap();
    assert_eq!(updated.current.as_ref(), Some(&first), "a draft changes nothing that is published");
    assert_eq!(updated.draft.as_ref().unwrap().etag, "2");
    let stale = UpdateAgendaRequest { request_id: new_id(), ..update };
    assert_eq!(here.update_agenda(stale).await.unwrap_err().code(), Code::Aborted);
    let second = scene.publish(&updated).await;
    let current = second.current.clone().unwrap();
    assert_eq!((current.number, second.version_count, second.etag.as_str()), (2, 2, "2"));
    let strategies = current.tree.unwrap().results[0].strategies.clone();
    assert_eq!(strategies[0].reference, strategy);
    assert!(!published.results[0].strategies.iter().any(|old| old.reference == strategies[1].reference));

    let get = GetAgendaVersionRequest { version: first.reference.clone() };
    let old = here.get_agenda_version(get).await.unwrap().into_inner().version.unwrap();
    assert_eq!((old.state(), old.tree.clone()), (AgendaVersionState::Superseded, Some(published)));
    let mut list = ListAgendaVersionsRequest { agenda: draft.reference.clone(), page_size: 1, ..Default::default() };
    let page = here.list_agenda_versions(list.clone()).await.unwrap().into_inner();
    assert_eq!(page.versions, [old]);
    list.page_token = page.next_page_token;
    let page = here.list_agenda_versions(list).await.unwrap().into_inner();
    assert_eq!((page.versions[0].number, page.next_page_token.as_str()), (2, ""));
    let again = PublishAgendaRequest { agenda: draft.reference, request_id: new_id(), ..Default::default() };
    assert_eq!(reason(&here.publish_agenda(again).await.unwrap_err()), "NOTHING_NEW");
}

#[tokio::test]
async fn a_draft_never_leaves_the_node_and_is_seen_by_those_who_may_change_it() {
    let scene = Scene::set().await;
    let draft = scene.draft(tree()).await;
    for event in scene.stage.log().await.iter().filter(|event| event.resource == reference(&draft.reference)) {
        assert_eq!(event.space, chassis::names::Space::Local);
    }
    let partner = scene.partner().await;
    let mut theirs = scene.client(Some(&speaking_for(&[&partner])));
    let get = GetAgendaRequest { agenda: draft.reference.clone() };
    assert_eq!(theirs.get_agenda(get.clone()).await.unwrap_err().code(), Code::NotFound);
    let list = ListAgendasRequest { initiative: scene.initiative.to_string(), ..Default::default() };
    assert_eq!(theirs.list_agendas(list.clone()).await.unwrap().into_inner().agendas, []);
    let all = scene.here().list_agendas(list.clone()).await.unwrap().into_inner().agendas;
    assert_eq!(all, std::slice::from_ref(&draft));

    let published = scene.publish(&draft).await;
    assert!(published.draft.is_some());
    let seen = theirs.get_agenda(get).await.unwrap().into_inner().agenda.unwrap();
    assert_eq!(seen, Agenda { draft: None, ..published });
    assert_eq!(theirs.list_agendas(list).await.unwrap().into_inner().agendas, [seen]);
}

#[tokio::test]
async fn a_version_is_endorsed_once_by_an_organization_until_it_is_taken_back() {
    let scene = Scene::set().await;
    let mut here = scene.here();
    let (version, partner) = (scene.version().await, scene.partner().await);
    let given = scene.endorse(&version, &partner).await;
    assert_eq!((given.state(), given.version.as_str()), (EndorsementState::Given, version.reference.as_str()));
    let again = here.endorse_agenda_version(endorsement(&version, &partner)).await.unwrap_err();
    assert_eq!(reason(&again), "ALREADY_ENDORSED");
    let withdraw = WithdrawEndorsementRequest {
        endorsement: given.reference.clone(),
        reason: "The budget".to_owned(),
        request_id: new_id(),
    };
    let withdrawn = here.withdraw_endorsement(withdraw.clone()).await.unwrap().into_inner().endorsement.unwrap();
    assert_eq!((withdrawn.state(), withdrawn.state_reason.as_str()), (EndorsementState::Withdrawn, "The budget"));
    let again = WithdrawEndorsementRequest { request_id: new_id(), ..withdraw };
    assert_eq!(reason(&here.withdraw_endorsement(again).await.unwrap_err()), "NOTHING_TO_WITHDRAW");
    let second = scene.endorse(&version, &partner).await;
    let list = ListEndorsementsRequest {
        initiative: scene.initiative.to_string(),
        version: version.reference.clone(),
        state: EndorsementState::Given.into(),
        ..Default::default()
    };
    assert_eq!(here.list_endorsements(list).await.unwrap().into_inner().endorsements, [second]);
}

#[tokio::test]
async fn a_proposal_meets_an_objection_is_amended_and_adopted() {
    let scene = Scene::set().await;
    let version = scene.version().await;
    let (alpha, beta) = (scene.partner().await, scene.partner().await);
    let proposed = scene.propose(&version, &alpha, consent()).await;
    assert_eq!((proposed.state(), proposed.revision.as_ref().unwrap().accepted_position), (ProposalState::Open, 0));
    scene.accept().await;
    scene.take(&proposed, &alpha, Stance::Agree).await;
    let objection = scene.take(&proposed, &beta, Stance::Object).await;
    assert_eq!(objection.state(), PositionState::Pending);
    assert_eq!(scene.counts(&proposed).await, [0, 0, 0], "only what is accepted counts");
    scene.accept().await;
    assert_eq!(scene.counts(&proposed).await, [1, 0, 1]);
    let told = scene.tally(&proposed).await;
    let tally = told.tally.unwrap();
    assert_eq!((tally.eligible, tally.quorum_met, tally.outcome()), (3, true, Outcome::NotAdopted));
    assert_eq!(told.outstanding_organizations, [scene.backbone.to_string()]);
    assert_eq!(reason(&scene.decide(&proposed).await.unwrap_err()), "TOO_EARLY");

    let amended = ProposalRevision { amendment: "School begins at half past eight".to_owned(), ..consent() };
    let amended = scene.amend(&proposed, amended).await;
    let old = scene.here().take_position(position(&amended, 1, &beta, Stance::Object)).await.unwrap_err();
    assert_eq!(reason(&old), "OTHER_REVISION");
    for organization in [&alpha, &beta, &scene.backbone] {
        scene.take(&amended, organization, Stance::Agree).await;
    }
    scene.accept().await;
    let states: Vec<PositionState> = scene.positions(&proposed).await.iter().map(Position::state).collect();
    assert_eq!(states, [[PositionState::Outdated; 2].as_slice(), &[PositionState::Counts; 3]].concat());
    assert_eq!(scene.counts(&proposed).await, [3, 0, 0]);

    // Nobody's position is outstanding: nothing is gained by waiting for the close.
    let decided = scene.decide(&proposed).await.unwrap();
    assert_eq!((decided.state(), decided.decisions[0].state()), (ProposalState::Open, DecisionState::Pending));
    assert_eq!(reason(&scene.decide(&proposed).await.unwrap_err()), "NOT_OPEN");
    scene.accept().await;
    let decided = scene.proposal(&proposed).await;
    assert_eq!((decided.state(), decided.decisions[0].state()), (ProposalState::Adopted, DecisionState::Stands));
    let decision = decided.decisions[0].clone();
    assert_eq!(decision.definition.unwrap().tally, decision.tally, "both say the same");
    let late = scene.here().take_position(position(&amended, 2, &beta, Stance::Object)).await.unwrap_err();
    assert_eq!(reason(&late), "NOT_OPEN");
}

#[tokio::test]
async fn after_the_close_a_majority_of_those_who_spoke_decides() {
    let scene = Scene::set().await;
    let version = scene.version().await;
    let partners = [scene.partner().await, scene.partner().await, scene.partner().await];
    let revision = ProposalRevision { close_time: Some(chassis::event::timestamp(later(2))), ..majority() };
    let proposed = scene.propose(&version, &partners[0], revision).await;
    scene.accept().await;
    for (organization, stance) in partners.iter().zip([Stance::Agree, Stance::Agree, Stance::Object]) {
        scene.take(&proposed, organization, stance).await;
    }
    scene.accept().await;
    assert_eq!(reason(&scene.decide(&proposed).await.unwrap_err()), "TOO_EARLY");
    let deadline = later(20);
    while reason(&scene.decide(&proposed).await.err().unwrap_or_else(|| tonic::Status::ok(""))) == "TOO_EARLY" {
        assert!(later(0) < deadline, "it never closes");
        tokio::task::yield_now().await;
    }
    scene.accept().await;
    let decided = scene.proposal(&proposed).await;
    assert_eq!(decided.state(), ProposalState::Adopted);
    let tally = decided.decisions[0].tally.unwrap();
    assert_eq!((tally.eligible, tally.agree, tally.object, tally.quorum_met), (4, 2, 1, true));
}

#[tokio::test]
async fn a_later_position_replaces_an_earlier_one_and_one_taken_back_leaves_none() {
    let scene = Scene::set().await;
    let (version, alpha) = (scene.version().await, scene.partner().await);
    let proposed = scene.propose(&version, &alpha, consent()).await;
    scene.accept().await;
    scene.take(&proposed, &alpha, Stance::Object).await;
    scene.accept().await;
    let second = scene.take(&proposed, &alpha, Stance::Agree).await;
    assert_eq!(scene.counts(&proposed).await, [0, 0, 1]);
    scene.accept().await;
    assert_eq!(scene.counts(&proposed).await, [1, 0, 0]);
    let states = |positions: Vec<Position>| positions.iter().map(Position::state).collect::<Vec<_>>();
    assert_eq!(states(scene.positions(&proposed).await), [PositionState::Replaced, PositionState::Counts]);

    let withdraw =
        WithdrawPositionRequest { position: second.reference, reason: "Unsure".to_owned(), request_id: new_id() };
    scene.here().withdraw_position(withdraw.clone()).await.unwrap();
    assert_eq!(scene.counts(&proposed).await, [1, 0, 0], "until it is accepted");
    scene.accept().await;
    assert_eq!(scene.counts(&proposed).await, [0, 0, 0]);
    assert_eq!(states(scene.positions(&proposed).await), [PositionState::Replaced, PositionState::Withdrawn]);
    let again = WithdrawPositionRequest { request_id: new_id(), ..withdraw };
    assert_eq!(reason(&scene.here().withdraw_position(again).await.unwrap_err()), "NOTHING_TO_WITHDRAW");
}

#[tokio::test]
async fn a_withdrawn_proposal_takes_no_positions_and_no_decision() {
    let scene = Scene::set().await;
    let (version, alpha) = (scene.version().await, scene.partner().await);
    let proposed = scene.propose(&version, &alpha, consent()).await;
    scene.accept().await;
    let withdraw = WithdrawProposalRequest {
        proposal: proposed.reference.clone(),
        reason: "Not now".to_owned(),
        etag: proposed.etag.clone(),
        request_id: new_id(),
    };
    scene.here().withdraw_proposal(withdraw.clone()).await.unwrap();
    let late = position(&proposed, 1, &alpha, Stance::Agree);
    assert_eq!(reason(&scene.here().take_position(late).await.unwrap_err()), "NOT_OPEN");
    scene.accept().await;
    let withdrawn = scene.proposal(&proposed).await;
    assert_eq!((withdrawn.state(), withdrawn.state_reason.as_str()), (ProposalState::Withdrawn, "Not now"));
    assert_eq!(reason(&scene.decide(&proposed).await.unwrap_err()), "NOT_OPEN");
    let again = WithdrawProposalRequest { etag: String::new(), request_id: new_id(), ..withdraw };
    assert_eq!(reason(&scene.here().withdraw_proposal(again).await.unwrap_err()), "NOT_OPEN");
}

#[tokio::test]
async fn what_is_superseded_is_neither_endorsed_nor_changed() {
    let scene = Scene::set().await;
    let (first, alpha) = (scene.version().await, scene.partner().await);
    let update = UpdateAgendaRequest {
        agenda: first.agenda.clone(),
        tree: Some(AgendaTree { vision: "All thrive".to_owned(), ..AgendaTree::default() }),
        update_mask: Some(FieldMask { paths: vec!["vision".to_owned()] }),
        etag: String::new(),
        request_id: new_id(),
    };
    let updated = scene.here().update_agenda(update).await.unwrap().into_inner().agenda.unwrap();
    scene.publish(&updated).await;
    let endorse = endorsement(&first, &alpha);
    assert_eq!(reason(&scene.here().endorse_agenda_version(endorse).await.unwrap_err()), "SUPERSEDED");
    let propose = proposal(&first, &alpha, consent());
    assert_eq!(reason(&scene.here().create_proposal(propose).await.unwrap_err()), "SUPERSEDED");
}

#[tokio::test]
async fn the_same_request_has_one_effect_and_the_same_answer() {
    let scene = Scene::set().await;
    let (version, alpha) = (scene.version().await, scene.partner().await);
    let request = proposal(&version, &alpha, consent());
    let answer = scene.here().create_proposal(request.clone()).await.unwrap().into_inner();
    let before = scene.stage.everything().await;
    assert_eq!(scene.here().create_proposal(request.clone()).await.unwrap().into_inner(), answer);
    let another = CreateProposalRequest { revision: Some(majority()), ..request };
    assert_eq!(scene.here().create_proposal(another).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(scene.stage.everything().await, before);
}

#[tokio::test]
async fn who_may_only_observe_takes_no_position_and_is_not_counted() {
    let scene = Scene::set().await;
    let (version, alpha) = (scene.version().await, scene.partner().await);
    let observer = chassis::names::Reference::born_on(&scene.stage.node);
    scene.stage.grant(&scene.initiative, &observer, Role::Observer).await;
    let proposed = scene.propose(&version, &alpha, consent()).await;
    scene.accept().await;
    let request = position(&proposed, 1, &observer, Stance::Agree);
    let mut theirs = scene.client(Some(&speaking_for(&[&observer])));
    assert_eq!(reason(&theirs.take_position(request).await.unwrap_err()), "ROLE_MISSING");
    assert_eq!(scene.tally(&proposed).await.tally.unwrap().eligible, 2);
}

#[tokio::test]
async fn organizations_take_positions_without_waiting_for_one_another() {
    let scene = Scene::set().await;
    let version = scene.version().await;
    let proposer = scene.partner().await;
    let proposal = scene.propose(&version, &proposer, consent()).await;
    scene.accept().await;
    // As somebody would whose position is just being taken.
    let mut other = scene.stage.pool.begin().await.unwrap();
    sqlx::query("select from agenda.proposals where reference = $1 for update")
        .bind(&proposal.reference)
        .execute(&mut *other)
        .await
        .unwrap();
    let taken = tokio::time::timeout(Duration::from_secs(30), scene.take(&proposal, &proposer, Stance::Agree)).await;
    assert_eq!(taken.unwrap().state(), PositionState::Pending);
    other.rollback().await.unwrap();
}
