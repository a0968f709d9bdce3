//! Who is in a circle, as every service folds it.

use chassis::clock;
use chassis::event::{Actor, Event, Fact, Place};
use chassis::hearing::Hearing;
use chassis::inbox::{Listener, Together};
use chassis::names::{NodeId, Reference, Space, Within};
use chassis::telling::{self, Teller};
use chassis::testing::{Stage, operator, some_node, speaking_for};
use chassis::{circles, spaces};
use prost::{Message, Name};
use proto::common::{Access, Delivery, Judged, Role};
use proto::membership::{Circle, CircleChanged, CircleEnded, CircleFormed};
use tonic::{Code, Request, Status};

use crate::notes::{Notes, noted};

type Room = Notes<true>;

/// A backbone, and a circle that it tells of; positions in the circle's space are counted from 1.
struct Scene {
    stage: Stage<Room>,
    backbone: NodeId,
    circle: Reference,
    space: Space,
}

impl Scene {
    async fn set() -> Self {
        let (stage, backbone) = (Stage::set().await, some_node());
        let circle = Reference::born_on(&backbone);
        let space = Space::Of(Reference::born_on(&backbone), Within::Circle(circle.clone()));
        Self { stage, backbone, circle, space }
    }

    async fn tell<M: Message + Name>(&self, message: &M) {
        self.stage.hear(&self.backbone, &Fact::of(&self.circle, &self.space, message)).await;
    }

    async fn includes(&self, node: &NodeId) -> bool {
        circles::includes(&mut self.stage.pool.acquire().await.unwrap(), &self.space, node).await.unwrap()
    }

    async fn included_at(&self, node: &NodeId, positions: std::ops::RangeInclusive<i64>) -> Vec<bool> {
        let mut connection = self.stage.pool.acquire().await.unwrap();
        let mut answers = Vec::new();
        for position in positions {
            answers.push(circles::included_at(&mut connection, &self.space, node, position).await.unwrap());
        }
        answers
    }

    async fn held_up_to(&self, node: &NodeId) -> Option<i64> {
        circles::held_up_to(&mut self.stage.pool.acquire().await.unwrap(), &self.space, node).await.unwrap()
    }

    async fn readers(&self) -> Vec<NodeId> {
        circles::readers(&mut self.stage.pool.acquire().await.unwrap(), &self.space).await.unwrap()
    }

    async fn standings(&self) -> Vec<String> {
        sqlx::query_scalar("select standing from log order by position").fetch_all(&self.stage.pool).await.unwrap()
    }
}

fn of(nodes: &[&NodeId]) -> Option<Circle> {
    Some(Circle { nodes: nodes.iter().map(ToString::to_string).collect(), ..Circle::default() })
}

#[tokio::test]
async fn a_node_is_in_a_circle_from_the_event_that_brings_it_in_to_the_one_that_takes_it_out() {
    let scene = Scene::set().await;
    let (alpha, beta) = (some_node(), some_node());
    scene.tell(&CircleFormed { circle: of(&[&alpha]) }).await;
    scene.tell(&CircleChanged { circle: of(&[&alpha, &beta]) }).await;
    scene.tell(&CircleChanged { circle: of(&[&beta]) }).await;
    assert!(!scene.includes(&alpha).await && scene.includes(&beta).await);
    assert_eq!(scene.included_at(&alpha, 0..=4).await, [false, true, true, false, false]);
    assert_eq!(scene.included_at(&beta, 0..=4).await, [false, false, true, true, true]);
    assert_eq!(scene.held_up_to(&alpha).await, Some(3), "it is told that it was taken out");
    assert_eq!((scene.held_up_to(&beta).await, scene.held_up_to(&some_node()).await), (Some(i64::MAX), None));

    scene.tell(&CircleChanged { circle: of(&[&alpha, &beta]) }).await;
    assert_eq!(scene.included_at(&alpha, 3..=5).await, [false, true, true], "back again");
    let rows = scene.stage.rows().await;
    scene.stage.replay().await;
    assert_eq!(scene.stage.rows().await, rows);
    scene.stage.refold(&scene.circle).await;
    assert_eq!(scene.stage.rows().await, rows);
}

#[tokio::test]
async fn a_circle_that_ended_takes_nothing_more_and_is_read_by_whom_it_had() {
    let scene = Scene::set().await;
    let (alpha, beta, gamma) = (some_node(), some_node(), some_node());
    scene.tell(&CircleFormed { circle: of(&[&alpha, &beta]) }).await;
    scene.tell(&CircleChanged { circle: of(&[&alpha]) }).await;
    scene.tell(&CircleEnded { reason: "Done".to_owned() }).await;
    scene.tell(&CircleChanged { circle: of(&[&alpha, &gamma]) }).await;
    assert!(!scene.includes(&alpha).await && !scene.includes(&gamma).await, "what has ended does not begin again");
    assert_eq!(scene.included_at(&alpha, 2..=4).await, [true, false, false]);
    assert_eq!(scene.held_up_to(&alpha).await, Some(3));
    assert_eq!(scene.readers().await, [alpha]);
}

#[tokio::test]
async fn what_is_told_of_a_circle_elsewhere_or_by_another_changes_no_circle() {
    let scene = Scene::set().await;
    let (alpha, mallory) = (some_node(), some_node());
    let Space::Of(initiative, _) = &scene.space else { panic!("a circle is within an initiative") };
    let formed = CircleFormed { circle: of(&[&alpha, &mallory]) };
    let other = Space::Of(initiative.clone(), Within::Circle(Reference::born_on(&scene.backbone)));
    let own = Reference::born_on(&mallory);
    let usurped = Space::Of(initiative.clone(), Within::Circle(own.clone()));
    let hear = async |resource: &Reference, space: &Space| {
        let circle = resource.clone();
        scene.stage.hear(&resource.node, &Fact::of(&circle, space, &formed)).await;
    };
    hear(&scene.circle, &other).await;
    hear(&Reference::born_on(&scene.backbone), &Space::members(initiative)).await;
    hear(&own, &usurped).await;
    let twice = CircleFormed { circle: of(&[&alpha, &alpha]) };
    let nobody = CircleFormed { circle: of(&[]) };
    for odd in [&twice, &nobody] {
        scene.stage.hear(&scene.backbone, &Fact::of(&Reference::born_on(&scene.backbone), &scene.space, odd)).await;
    }
    assert_eq!(scene.standings().await, ["held"; 5]);
    assert!(!scene.stage.rows().await.contains_key("circles"));
}

#[tokio::test]
async fn a_circle_formed_here_has_its_place_whenever_it_is_folded() {
    let scene = Scene::set().await;
    let ledger = scene.stage.desk.ledger();
    let initiative = Reference::born_on(&scene.stage.node);
    let circle = Reference::born_on(&scene.stage.node);
    let space = Space::Of(initiative, Within::Circle(circle.clone()));
    let facts = [
        Fact::of(&circle, &space, &CircleFormed { circle: of(&[&some_node()]) }),
        Fact::of(&circle, &space, &CircleEnded { reason: "Done".to_owned() }),
    ];
    let mut transaction = scene.stage.pool.begin().await.unwrap();
    let told = ledger.record(&mut transaction, &Actor::default(), &facts).await;
    transaction.commit().await.unwrap();
    judge(&scene.stage, &space, &told.unwrap()).await;
    let rows = scene.stage.rows().await;
    let row = &rows["circles"][0];
    assert!(row.contains(r#""since_position": 7"#) && row.contains(r#""until_position": 7"#), "{row}");
    scene.stage.replay().await;
    assert_eq!(scene.stage.rows().await, rows);
}

/// Lets the backbone accept events at position 7.
async fn judge(stage: &Stage<Room>, space: &Space, accepted: &[Event]) {
    let place = Place { position: 7, at: clock::now() };
    let judged = Judged {
        space: space.to_string(),
        position: 7,
        accepted_at: Some(chassis::event::timestamp(place.at)),
        accepted: accepted.iter().map(|event| event.id.as_bytes().to_vec()).collect(),
        ..Judged::default()
    };
    let fact = Fact::of(&Reference::born_on(&stage.node), &Space::Local, &judged);
    let event = Event::told(&fact, &stage.node, &Actor::default());
    let delivery = Delivery { sequence: 1, event: event.encode().into(), ..Delivery::default() };
    let mut connection = stage.pool.acquire().await.unwrap();
    Hearing::<Room>::default().take(&mut connection, "federation", &[delivery], Together::OneByOne).await.unwrap();
}

#[tokio::test]
async fn a_node_tells_nothing_in_a_circle_that_it_is_not_in() {
    let scene = Scene::set().await;
    scene.tell(&CircleFormed { circle: of(&[&some_node()]) }).await;
    let fact = Fact { space: scene.space.clone(), ..noted(&Reference::born_on(&scene.stage.node), "a") };
    let teller = Teller { node: &scene.stage.node, organization: None, operator: true };
    let check = async || {
        let mut connection = scene.stage.pool.acquire().await.unwrap();
        telling::check(&mut connection, &teller, std::slice::from_ref(&fact), clock::now()).await
    };
    let refused = check().await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    scene.tell(&CircleChanged { circle: of(&[&scene.stage.node]) }).await;
    check().await.unwrap();
}

#[tokio::test]
async fn a_circle_is_read_by_organizations_of_its_nodes_the_operator_and_the_backbones_staff() {
    let scene = Scene::set().await;
    let (alpha, beta) = (some_node(), some_node());
    scene.tell(&CircleFormed { circle: of(&[&alpha]) }).await;
    let initiative = scene.space.initiative().unwrap();
    let (inside, outside, staff) =
        (Reference::born_on(&alpha), Reference::born_on(&beta), Reference::born_on(&scene.backbone));
    for organization in [&inside, &outside] {
        scene.stage.grant(initiative, organization, Role::Partner).await;
    }
    scene.stage.grant(initiative, &staff, Role::BackboneStaff).await;
    let read = async |caller| -> Result<(), Status> {
        let rule: &'static Access = Box::leak(Box::new(Access { signed_in: true, ..Access::default() }));
        let mut request = Request::new(());
        let method = "/test.Notes/Read".to_owned();
        request.extensions_mut().insert(chassis::authn::Call { caller: Some(caller), method, rule });
        let (mut look, ()) = scene.stage.desk.look(request).await?;
        spaces::may_read(&mut look, &scene.space).await
    };
    for caller in [operator(), speaking_for(&[&inside]), speaking_for(&[&outside, &staff])] {
        read(caller).await.unwrap();
    }
    let unknown = read(speaking_for(&[&outside])).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound, "who is not in it does not learn that there is one");
}
