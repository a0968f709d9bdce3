//! What the border lets in although it breaks a rule of this room: kept, void with its reason, counted nowhere.

use chassis::clock;
use chassis::event::{Actor, Event, Fact, Place, timestamp};
use chassis::names::{Reference, Space};
use chassis::testing::some_node;
use prost::{Message, Name};
use proto::agenda::*;
use proto::common::Role;
use time::{Duration, OffsetDateTime};

use crate::scene::{Scene, consent, later, reference};

/// A proposal that is open for an hour, on a node with a partner that lives on another.
struct Vote {
    scene: Scene,
    proposal: Proposal,
    /// Lives here.
    alpha: Reference,
    /// Lives elsewhere.
    beta: Reference,
}

impl Vote {
    async fn open() -> Self {
        let scene = Scene::set().await;
        let (version, alpha) = (scene.version().await, scene.partner().await);
        let beta = Reference::born_on(&some_node());
        scene.stage.grant(&scene.initiative, &beta, Role::Partner).await;
        let proposal = scene.propose(&version, &alpha, consent()).await;
        scene.accept().await;
        Self { scene, proposal, alpha, beta }
    }

    fn opinion(&self, organization: &Reference, stance: Stance) -> PositionTaken {
        let definition = PositionDefinition {
            proposal: self.proposal.reference.clone(),
            revision: 1,
            organization: organization.to_string(),
            stance: stance.into(),
            reason: "Because".to_owned(),
        };
        PositionTaken { definition: Some(definition) }
    }

    /// What is told of a resource of beta's node and accepted at an instant, at the next place.
    async fn accepted<M: Message + Name>(&self, resource: &Reference, message: &M, at: OffsetDateTime) {
        self.signed(resource, message, at, None).await;
    }

    async fn signed<M: Message + Name>(
        &self,
        resource: &Reference,
        message: &M,
        at: OffsetDateTime,
        organization: Option<Reference>,
    ) {
        let fact = Fact::of(resource, &Space::members(&self.scene.initiative), message);
        let event = Event::told(&fact, &resource.node, &Actor { organization, person: None });
        let last = self.scene.stage.accepted().await.last().and_then(|event| event.accepted);
        let position = last.map_or(0, |place| place.position) + 1;
        self.scene.stage.take(Event { accepted: Some(Place { position, at }), ..event }).await;
    }

    /// The position, as it stands; the same when it is folded again.
    async fn state(&self, position: &Reference) -> (PositionState, String) {
        let read = || async {
            let positions = self.scene.positions(&self.proposal).await;
            positions.into_iter().find(|one| reference(&one.reference) == *position).unwrap()
        };
        let found = read().await;
        self.scene.stage.refold(position).await;
        assert_eq!(read().await, found);
        (found.state(), found.state_reason)
    }

    /// Beta takes a position, accepted at an instant.
    async fn beta_takes(&self, stance: Stance, at: OffsetDateTime) -> Reference {
        let position = Reference::born_on(&self.beta.node);
        self.accepted(&position, &self.opinion(&self.beta, stance), at).await;
        position
    }

    async fn is_void(&self, position: &Reference, because: &str) {
        let (state, reason) = self.state(position).await;
        assert_eq!(state, PositionState::Void);
        assert!(reason.contains(because), "{reason}");
        assert_eq!(self.scene.counts(&self.proposal).await, [0, 0, 0]);
    }

    /// The backbone decides with a tally of the given outcome, accepted at an instant.
    async fn decides(&self, outcome: Outcome, at: OffsetDateTime) {
        let tally = self.scene.tally(&self.proposal).await.tally.unwrap();
        let tally = Some(Tally { outcome: outcome.into(), ..tally });
        let definition = Some(DecisionDefinition { proposal: self.proposal.reference.clone(), tally });
        let decision = Reference::born_on(&self.scene.stage.node);
        self.accepted(&decision, &ProposalDecided { definition }, at).await;
    }

    /// State and reasons of the decisions, and the state of the proposal.
    async fn outcome(&self) -> (Vec<(DecisionState, String)>, ProposalState) {
        let proposal = self.scene.proposal(&self.proposal).await;
        let of = |decision: &Decision| (decision.state(), decision.state_reason.clone());
        (proposal.decisions.iter().map(of).collect(), proposal.state())
    }
}

fn after_the_close() -> OffsetDateTime {
    later(2 * 3600)
}

#[tokio::test]
async fn a_position_accepted_after_the_close_is_void() {
    let vote = Vote::open().await;
    let late = vote.beta_takes(Stance::Object, after_the_close()).await;
    vote.is_void(&late, "after the close").await;
}

#[tokio::test]
async fn a_position_for_an_organization_of_another_node_is_void() {
    let vote = Vote::open().await;
    let forged = Reference::born_on(&vote.beta.node);
    vote.accepted(&forged, &vote.opinion(&vote.alpha, Stance::Object), later(0)).await;
    vote.is_void(&forged, "does not live on the node").await;
    let signed_for_another = Reference::born_on(&vote.beta.node);
    let other = Some(Reference::born_on(&vote.beta.node));
    vote.signed(&signed_for_another, &vote.opinion(&vote.beta, Stance::Object), later(0), other).await;
    vote.is_void(&signed_for_another, "signed for organization").await;
}

#[tokio::test]
async fn a_position_of_who_holds_no_voice_is_void() {
    let vote = Vote::open().await;
    let neighbour = Reference::born_on(&vote.beta.node);
    vote.scene.stage.grant(&vote.scene.initiative, &neighbour, Role::Observer).await;
    let position = Reference::born_on(&vote.beta.node);
    vote.accepted(&position, &vote.opinion(&neighbour, Stance::Object), later(0)).await;
    vote.is_void(&position, "holds no role").await;
}

#[tokio::test]
async fn a_withdrawal_after_the_close_changes_nothing() {
    let vote = Vote::open().await;
    let objection = vote.beta_takes(Stance::Object, later(0)).await;
    let withdrawn = PositionWithdrawn { reason: "Persuaded".to_owned() };
    vote.accepted(&objection, &withdrawn, after_the_close()).await;
    assert_eq!(vote.scene.counts(&vote.proposal).await, [0, 0, 1]);
    assert_eq!(vote.state(&objection).await.0, PositionState::Counts);
}

#[tokio::test]
async fn an_amendment_after_the_close_changes_nothing() {
    let vote = Vote::open().await;
    let objection = vote.beta_takes(Stance::Object, later(0)).await;
    let longer = ProposalRevision { close_time: Some(timestamp(later(9 * 3600))), ..consent() };
    vote.accepted(&reference(&vote.proposal.reference), &ProposalAmended { revision: Some(longer) }, after_the_close())
        .await;
    assert_eq!(vote.state(&objection).await.0, PositionState::Counts);
    assert_eq!(vote.scene.proposal(&vote.proposal).await.revision.unwrap().number, 1);
}

#[tokio::test]
async fn a_decision_decides_only_in_time_by_what_is_there_and_once() {
    let vote = Vote::open().await;
    vote.beta_takes(Stance::Agree, later(0)).await;
    vote.decides(Outcome::Adopted, later(0)).await;
    vote.decides(Outcome::NotAdopted, after_the_close()).await;
    vote.decides(Outcome::Adopted, after_the_close()).await;
    vote.decides(Outcome::Adopted, after_the_close()).await;
    let (decisions, state) = vote.outcome().await;
    let states: Vec<DecisionState> = decisions.iter().map(|(state, _)| *state).collect();
    use DecisionState::{Stands, Void};
    assert_eq!((states.as_slice(), state), ([Void, Void, Stands, Void].as_slice(), ProposalState::Adopted));
    for ((_, reason), because) in decisions.iter().zip(["before the close", "something else", "", "decided before"]) {
        assert!(reason.contains(because), "{reason}");
    }
}

#[tokio::test]
async fn a_decision_on_a_withdrawn_proposal_is_void() {
    let vote = Vote::open().await;
    vote.beta_takes(Stance::Agree, later(0)).await;
    let withdrawn = ProposalWithdrawn { reason: "Not now".to_owned() };
    vote.accepted(&reference(&vote.proposal.reference), &withdrawn, later(0)).await;
    vote.decides(Outcome::Adopted, after_the_close()).await;
    let (decisions, state) = vote.outcome().await;
    assert_eq!((decisions[0].0, state), (DecisionState::Void, ProposalState::Withdrawn));
    // What is said after it counts no more.
    let late = vote.beta_takes(Stance::Object, later(0)).await;
    assert_eq!(vote.state(&late).await.0, PositionState::Void);
}

#[tokio::test]
async fn what_is_said_after_a_decision_does_not_count() {
    let vote = Vote::open().await;
    let all = [&vote.alpha, &vote.scene.backbone];
    for organization in all {
        vote.scene.take(&vote.proposal, organization, Stance::Agree).await;
    }
    vote.scene.accept().await;
    vote.beta_takes(Stance::Agree, later(0)).await;
    vote.decides(Outcome::Adopted, later(0)).await;
    assert_eq!(vote.outcome().await.1, ProposalState::Adopted);
    let late = vote.beta_takes(Stance::Object, later(0)).await;
    let (state, reason) = vote.state(&late).await;
    assert_eq!(state, PositionState::Void);
    assert!(reason.contains("decided"), "{reason}");
    assert_eq!(vote.scene.counts(&vote.proposal).await, [3, 0, 0]);
}

#[tokio::test]
async fn whoever_joins_or_leaves_before_the_close_is_counted_as_they_are_then() {
    let vote = Vote::open().await;
    let eligible = || async { vote.scene.tally(&vote.proposal).await.tally.unwrap().eligible };
    assert_eq!(eligible().await, 3);
    let newcomer = vote.scene.partner().await;
    assert_eq!(eligible().await, 4);
    vote.scene.take(&vote.proposal, &newcomer, Stance::Agree).await;
    vote.scene.accept().await;
    assert_eq!(vote.scene.counts(&vote.proposal).await, [1, 0, 0]);
    // A term that is over before the close is no voice at the close.
    let (membership, brief) = (Reference::born_on(&vote.scene.stage.node), Reference::born_on(&vote.beta.node));
    let granted = proto::membership::RoleGranted {
        initiative: vote.scene.initiative.to_string(),
        membership: membership.to_string(),
        organization: brief.to_string(),
        node: brief.node.to_string(),
        role: Role::Partner.into(),
        from: Some(timestamp(OffsetDateTime::UNIX_EPOCH)),
        until: Some(timestamp(clock::now() + Duration::MINUTE)),
    };
    vote.accepted(&membership, &granted, later(0)).await;
    assert_eq!(eligible().await, 4);
}

#[tokio::test]
async fn an_endorsement_for_an_organization_of_another_node_is_void() {
    let scene = Scene::set().await;
    let (version, alpha) = (scene.version().await, scene.partner().await);
    let node = some_node();
    let forged = Reference::born_on(&node);
    let given =
        EndorsementGiven { version: version.reference, organization: alpha.to_string(), statement: String::new() };
    let space = Space::members(&scene.initiative);
    scene.stage.hear(&node, &Fact::of(&forged, &space, &given)).await;
    scene.stage.hear(&node, &Fact::of(&forged, &space, &EndorsementWithdrawn { reason: "Why".to_owned() })).await;
    let list = ListEndorsementsRequest { initiative: scene.initiative.to_string(), ..Default::default() };
    let found = scene.here().list_endorsements(list).await.unwrap().into_inner().endorsements.remove(0);
    assert_eq!((found.state(), found.etag.as_str()), (EndorsementState::Void, "2"));
    assert!(found.state_reason.contains("does not live on the node"));
}

#[tokio::test]
async fn a_version_that_no_call_would_publish_is_held() {
    let scene = Scene::set().await;
    let (node, space) = (some_node(), Space::members(&scene.initiative));
    let agenda = Reference::born_on(&node);
    let tree = Some(crate::scene::tree());
    scene.stage.hear(&node, &Fact::of(&agenda, &space, &AgendaPublished { tree, proposals: Vec::new() })).await;
    let held: i64 = sqlx::query_scalar("select count(*) from log where standing = 'held'")
        .fetch_one(&scene.stage.pool)
        .await
        .unwrap();
    assert_eq!(held, 1, "its results have no references");
    assert_eq!(scene.stage.states(&scene.initiative).await, []);
}
