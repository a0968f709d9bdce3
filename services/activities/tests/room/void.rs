//! What the border lets in although it breaks a rule of this room: kept, void or without effect, alike on every node.

use chassis::event::{Actor, Event, Fact};
use chassis::names::{NodeId, Reference, Space};
use chassis::testing::some_node;
use prost::{Message, Name};
use proto::activities::*;

use crate::scene::{Scene, ask, bus_fares, disbursement, evidence, grant, money, promise, reason, towards, tutoring};

/// Another node's resource, told event by event.
struct Foreign<'a> {
    scene: &'a Scene,
    node: NodeId,
    resource: Reference,
}

impl<'a> Foreign<'a> {
    fn of(scene: &'a Scene) -> Self {
        let node = some_node();
        Self { scene, resource: Reference::born_on(&node), node }
    }

    fn organization(&self) -> Reference {
        Reference::born_on(&self.node)
    }

    fn name(&self) -> String {
        self.resource.to_string()
    }

    async fn tell<M: Message + Name>(&self, message: &M) {
        let space = Space::members(&self.scene.initiative);
        self.scene.stage.hear(&self.node, &Fact::of(&self.resource, &space, message)).await;
    }

    async fn activity(&self) -> Activity {
        let get = GetActivityRequest { activity: self.name() };
        self.scene.here().get_activity(get).await.unwrap().into_inner().activity.unwrap()
    }

    async fn award(&self) -> Award {
        let get = GetAwardRequest { award: self.name() };
        self.scene.here().get_award(get).await.unwrap().into_inner().award.unwrap()
    }
}

#[tokio::test]
async fn what_is_told_for_an_organization_of_another_node_is_void() {
    let scene = Scene::set().await;
    let (victim, some) = (scene.organization(), scene.organization().to_string());
    let foreign = [0; 5].map(|_| Foreign::of(&scene));
    foreign[0].tell(&ActivityPlanned { definition: Some(tutoring(&victim)) }).await;
    foreign[1].tell(&CommitmentMade { definition: Some(promise(&victim, &some)) }).await;
    foreign[2].tell(&NeedStated { definition: Some(bus_fares(&victim)) }).await;
    foreign[3].tell(&PledgeMade { definition: Some(towards(&victim, &some, money("1", "GBP"))) }).await;
    foreign[4].tell(&AwardMade { definition: Some(grant(&victim)) }).await;
    let states: Vec<i32> = sqlx::query_scalar(
        "select state from activities.activities union all select state from activities.commitments
         union all select state from activities.needs union all select state from activities.pledges
         union all select state from activities.awards",
    )
    .fetch_all(&scene.stage.pool)
    .await
    .unwrap();
    assert_eq!(states, [5, 5, 3, 4, 3], "void, each by its own number");
    let activity = foreign[0].activity().await;
    assert_eq!(activity.state(), ActivityState::Void);
    assert!(activity.state_reason.contains("does not live on the node"), "{}", activity.state_reason);
    assert_eq!(scene.coverage(scene.everywhere()).await, []);
    foreign[0].tell(&ActivityBegun {}).await;
    let activity = foreign[0].activity().await;
    assert_eq!((activity.state(), activity.etag.as_str()), (ActivityState::Void, "2"));
    let before = scene.stage.rows().await;
    scene.stage.replay().await;
    assert_eq!(scene.stage.rows().await, before, "void again when folded again");
}

#[tokio::test]
async fn what_was_signed_for_another_organization_is_void() {
    let scene = Scene::set().await;
    let foreign = Foreign::of(&scene);
    let space = Space::members(&scene.initiative);
    let planned = ActivityPlanned { definition: Some(tutoring(&foreign.organization())) };
    let actor = Actor { organization: Some(foreign.organization()), person: None };
    let event = Event::told(&Fact::of(&foreign.resource, &space, &planned), &foreign.node, &actor);
    scene.stage.take(event).await;
    let activity = foreign.activity().await;
    assert_eq!(activity.state(), ActivityState::Void);
    assert!(activity.state_reason.contains("not for the one whose it is"), "{}", activity.state_reason);
}

#[tokio::test]
async fn a_step_that_does_not_fit_the_state_is_counted_and_changes_nothing() {
    let scene = Scene::set().await;
    let foreign = Foreign::of(&scene);
    let lead = foreign.organization();
    foreign.tell(&ActivityPlanned { definition: Some(tutoring(&lead)) }).await;
    foreign.tell(&ActivityCompleted {}).await;
    let activity = foreign.activity().await;
    assert_eq!((activity.state(), activity.etag.as_str()), (ActivityState::Planned, "2"));
    // Another lead would move it to another organization.
    foreign.tell(&ActivityRevised { definition: Some(tutoring(&foreign.organization())) }).await;
    let activity = foreign.activity().await;
    assert_eq!((activity.definition.unwrap().lead, activity.etag.as_str()), (lead.to_string(), "3"));
    foreign.tell(&ActivityCancelled { reason: "No room".to_owned() }).await;
    foreign.tell(&ActivityBegun {}).await;
    let activity = foreign.activity().await;
    assert_eq!((activity.state(), activity.state_reason.as_str()), (ActivityState::Cancelled, "No room"));
}

#[tokio::test]
async fn a_foreign_award_never_pays_out_more_than_it_awards() {
    let scene = Scene::set().await;
    let foreign = Foreign::of(&scene);
    foreign.tell(&AwardMade { definition: Some(grant(&foreign.organization())) }).await;
    for (number, amount) in [(1, "700"), (2, "300.01"), (2, "300"), (9, "1"), (0, "1")] {
        let disbursement = disbursement(number, DisbursementState::Paid, amount);
        foreign.tell(&DisbursementRecorded { disbursement }).await;
    }
    let award = foreign.award().await;
    assert_eq!((award.paid.as_str(), award.disbursements.len(), award.etag.as_str()), ("1000", 2, "6"));
}

#[tokio::test]
async fn the_fold_takes_nothing_that_a_call_would_refuse() {
    let scene = Scene::set().await;
    let held = async || -> i64 {
        let held = sqlx::query_scalar("select count(*) from log where standing = 'held'");
        held.fetch_one(&scene.stage.pool).await.unwrap()
    };
    let foreign = [0; 6].map(|_| Foreign::of(&scene));
    let organization = foreign[0].organization();
    let untitled = ActivityDefinition { title: String::new(), ..tutoring(&organization) };
    foreign[0].tell(&ActivityPlanned { definition: Some(untitled) }).await;
    foreign[1]
        .tell(&NeedStated {
            definition: Some(NeedDefinition { means: money("-5", "GBP"), ..bus_fares(&foreign[1].organization()) }),
        })
        .await;
    foreign[2].tell(&AwardMade { definition: None }).await;
    assert_eq!(held().await, 3);
    let some = scene.organization().to_string();
    foreign[3].tell(&CommitmentMade { definition: Some(promise(&foreign[3].organization(), &some)) }).await;
    let evidence = Some(Evidence { link: "javascript:alert(1)".to_owned(), ..evidence() });
    foreign[3].tell(&CommitmentMet { evidence }).await;
    assert_eq!(held().await, 4);
    foreign[4]
        .tell(&PledgeMade { definition: Some(towards(&foreign[4].organization(), &some, money("1", "GBP"))) })
        .await;
    foreign[4].tell(&PledgeWithdrawn { reason: "x".repeat(1001) }).await;
    assert_eq!(held().await, 5);
    // A step of what is not here is followed by nothing.
    foreign[5].tell(&NeedClosed { reason: "Gone".to_owned() }).await;
    assert_eq!(held().await, 5);
    let states = scene.stage.states(&scene.initiative).await;
    assert_eq!(states.len(), 2, "the commitment and the pledge as they were made");
}

#[tokio::test]
async fn what_lives_elsewhere_is_not_changed_here() {
    let scene = Scene::set().await;
    let mut here = scene.here();
    let some = scene.organization().to_string();
    let foreign = [0; 5].map(|_| Foreign::of(&scene));
    foreign[0].tell(&ActivityPlanned { definition: Some(tutoring(&foreign[0].organization())) }).await;
    foreign[1].tell(&CommitmentMade { definition: Some(promise(&foreign[1].organization(), &some)) }).await;
    foreign[2].tell(&NeedStated { definition: Some(bus_fares(&foreign[2].organization())) }).await;
    foreign[3]
        .tell(&PledgeMade { definition: Some(towards(&foreign[3].organization(), &some, money("1", "GBP"))) })
        .await;
    foreign[4].tell(&AwardMade { definition: Some(grant(&foreign[4].organization())) }).await;
    let before = scene.stage.everything().await;
    let names = foreign.each_ref().map(Foreign::name);
    let [activity, commitment, need, pledge, award] = names;
    let why = || "Mine".to_owned();
    for status in [
        ask!(here, begin_activity, BeginActivityRequest { activity: activity.clone() }).unwrap_err(),
        ask!(here, withdraw_commitment, WithdrawCommitmentRequest { commitment: commitment.clone(), reason: why() })
            .unwrap_err(),
        ask!(here, close_need, CloseNeedRequest { need: need.clone(), reason: why() }).unwrap_err(),
        ask!(here, keep_pledge, KeepPledgeRequest { pledge: pledge.clone() }).unwrap_err(),
        ask!(here, cancel_award, CancelAwardRequest { award: award.clone(), reason: why() }).unwrap_err(),
    ] {
        assert_eq!(reason(&status), "LIVES_ELSEWHERE");
    }
    assert_eq!(scene.stage.everything().await, before);
}
