//! Events of three homes in any order of arrival between them: the places that the backbone gave decide alone.

use chassis::event::{Actor, Event, Fact, Place, timestamp};
use chassis::names::{NodeId, Reference, Space};
use chassis::testing::{Stage, operator, some_node};
use proptest::collection;
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::TestRunner;
use prost::{Message, Name};
use proto::agenda::decision_rule::Quorum;
use proto::agenda::*;
use proto::common::Role;
use proto::membership::RoleGranted;
use time::OffsetDateTime;

use crate::scene::{Scene, consent, later, new_id, tree};

/// What was accepted, in the order of its places.
struct Accepted {
    initiative: Reference,
    events: Vec<Event>,
}

impl Accepted {
    fn add<M: Message + Name>(&mut self, resource: &Reference, message: &M, at: OffsetDateTime) {
        let fact = Fact::of(resource, &Space::members(&self.initiative), message);
        let position = i64::try_from(self.events.len()).unwrap() + 1;
        let event = Event::told(&fact, &resource.node, &Actor::default());
        self.events.push(Event { accepted: Some(Place { position, at }), ..event });
    }

    fn grants(&mut self, organization: &Reference, at: OffsetDateTime) {
        let membership = Reference::born_on(&self.initiative.node);
        let granted = RoleGranted {
            initiative: self.initiative.to_string(),
            membership: membership.to_string(),
            organization: organization.to_string(),
            node: organization.node.to_string(),
            role: Role::Partner.into(),
            from: Some(timestamp(OffsetDateTime::UNIX_EPOCH)),
            until: None,
        };
        self.add(&membership, &granted, at);
    }

    fn takes(
        &mut self,
        proposal: &Reference,
        revision: u32,
        who: &Reference,
        stance: Stance,
        at: OffsetDateTime,
    ) -> Reference {
        let position = Reference::born_on(&who.node);
        let definition = PositionDefinition {
            proposal: proposal.to_string(),
            revision,
            organization: who.to_string(),
            stance: stance.into(),
            reason: "Because".to_owned(),
        };
        self.add(&position, &PositionTaken { definition: Some(definition) }, at);
        position
    }

    fn decides(&mut self, proposal: &Reference, outcome: Outcome, at: OffsetDateTime) {
        let decision = Reference::born_on(&self.initiative.node);
        let tally = Tally { revision: 2, outcome: outcome.into(), ..Tally::default() };
        let definition = DecisionDefinition { proposal: proposal.to_string(), tally: Some(tally) };
        self.add(&decision, &ProposalDecided { definition: Some(definition) }, at);
    }
}

/// A proposal of alpha's that is objected to, amended and decided, with much that does not count.
fn story() -> (Accepted, Reference) {
    let (backbone, alpha, beta) = (some_node(), some_node(), some_node());
    let of = |node: &NodeId| Reference::born_on(node);
    let mut said = Accepted { initiative: of(&backbone), events: Vec::new() };
    let (one, two, three, four) = (of(&backbone), of(&alpha), of(&beta), of(&beta));
    let (now, late) = (later(0), later(2 * 3600));
    for organization in [&one, &two, &three] {
        said.grants(organization, now);
    }
    let proposal = of(&alpha);
    let version = of(&backbone).to_string();
    let rule = DecisionRule {
        method: DecisionMethod::Majority.into(),
        threshold_percent: 50,
        quorum: Some(Quorum::QuorumPercent(50)),
    };
    let revision = Some(ProposalRevision { rule: Some(rule), ..consent() });
    said.add(&proposal, &ProposalMade { version, organization: two.to_string(), revision: revision.clone() }, now);
    said.takes(&proposal, 1, &three, Stance::Object, now);
    said.takes(&proposal, 1, &two, Stance::Agree, now);
    said.add(&proposal, &ProposalAmended { revision: revision.clone() }, now);
    said.takes(&proposal, 2, &three, Stance::Object, now);
    said.takes(&proposal, 2, &two, Stance::Agree, now);
    let unsure = said.takes(&proposal, 2, &one, Stance::Object, now);
    said.add(&unsure, &PositionWithdrawn { reason: "Persuaded".to_owned() }, now);
    said.grants(&four, now);
    said.takes(&proposal, 2, &four, Stance::Agree, now);
    said.takes(&proposal, 2, &three, Stance::Abstain, now);
    said.decides(&proposal, Outcome::Adopted, now);
    said.takes(&proposal, 2, &one, Stance::Object, late);
    said.add(&proposal, &ProposalAmended { revision }, late);
    said.decides(&proposal, Outcome::NotAdopted, late);
    said.decides(&proposal, Outcome::Adopted, late);
    said.takes(&proposal, 2, &four, Stance::Object, late);
    (said, proposal)
}

/// Everything that can be asked of a node about a proposal.
type Answers = (Proposal, GetTallyResponse, Vec<Position>, Vec<(Reference, bytes::Bytes)>);

async fn answers(events: &[Event], initiative: &Reference, proposal: &Reference) -> Answers {
    let backbone = Reference::born_on(&initiative.node);
    let scene = Scene { stage: Stage::set().await, operator: operator(), initiative: initiative.clone(), backbone };
    for event in events {
        scene.stage.take(event.clone()).await;
    }
    let asked = Proposal { reference: proposal.to_string(), ..Proposal::default() };
    let states = scene.stage.states(initiative).await;
    (scene.proposal(&asked).await, scene.tally(&asked).await, scene.positions(&asked).await, states)
}

/// The same events in another order, in which those of one home keep theirs.
fn interleaved(events: &[Event], order: &[usize]) -> Vec<Event> {
    let mut homes: Vec<(&NodeId, Vec<&Event>)> = Vec::new();
    for event in events {
        match homes.iter_mut().find(|(home, _)| *home == &event.home) {
            Some((_, told)) => told.push(event),
            None => homes.push((&event.home, vec![event])),
        }
    }
    homes.iter_mut().for_each(|(_, told)| told.reverse());
    let mut mixed = Vec::new();
    for pick in order.iter().cycle() {
        let rest: Vec<usize> = (0..homes.len()).filter(|nth| !homes[*nth].1.is_empty()).collect();
        let Some(nth) = rest.get(pick % rest.len().max(1)) else { return mixed };
        mixed.push(homes[*nth].1.pop().unwrap().clone());
    }
    mixed
}

#[tokio::test]
async fn every_order_of_arrival_gives_the_same_tally_and_the_same_decision() {
    let (said, proposal) = story();
    let expected = answers(&said.events, &said.initiative, &proposal).await;
    let (decided, tally, positions, states) = &expected;
    let tally = tally.tally.unwrap();
    assert_eq!([tally.eligible, tally.agree, tally.abstain, tally.object], [4, 2, 1, 0]);
    assert_eq!((decided.state(), decided.revision.as_ref().unwrap().number), (ProposalState::Adopted, 2));
    let verdicts: Vec<DecisionState> = decided.decisions.iter().map(Decision::state).collect();
    assert_eq!(verdicts, [DecisionState::Void, DecisionState::Void, DecisionState::Stands]);
    assert_eq!((positions.len(), states.len()), (9, 1 + 9 + 3));

    let mut runner = TestRunner::deterministic();
    let orders = collection::vec(0..3_usize, 24);
    for _ in 0..12 {
        let order = orders.new_tree(&mut runner).unwrap().current();
        let mixed = interleaved(&said.events, &order);
        assert_eq!(mixed.len(), said.events.len());
        assert!(answers(&mixed, &said.initiative, &proposal).await == expected, "{order:?}");
    }
}

#[tokio::test]
async fn a_version_is_known_by_its_number_and_name_wherever_it_arrives() {
    let backbone = Scene::set().await;
    let version = backbone.version().await;
    let partner = backbone.partner().await;
    backbone.endorse(&version, &partner).await;
    let changed = AgendaTree { vision: "All thrive".to_owned(), ..tree() };
    let update = UpdateAgendaRequest {
        agenda: version.agenda.clone(),
        tree: Some(changed),
        update_mask: Some(prost_types::FieldMask { paths: vec!["vision".to_owned()] }),
        etag: String::new(),
        request_id: new_id(),
    };
    let updated = backbone.here().update_agenda(update).await.unwrap().into_inner().agenda.unwrap();
    backbone.publish(&updated).await;
    backbone.accept().await;
    let alpha = Scene::of(Stage::set().await, backbone.initiative.clone()).await;
    for event in backbone.stage.accepted().await {
        alpha.stage.take(event).await;
    }
    let list = || ListAgendaVersionsRequest { agenda: version.agenda.clone(), ..Default::default() };
    let there = alpha.here().list_agenda_versions(list()).await.unwrap().into_inner().versions;
    assert_eq!(there, backbone.here().list_agenda_versions(list()).await.unwrap().into_inner().versions);
    assert_eq!(there.iter().map(|version| version.number).collect::<Vec<_>>(), [1, 2]);
    assert!(there.iter().all(|version| version.accepted_position > 0));
}
