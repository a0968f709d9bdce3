//! What the border lets in although the API would refuse it: held with its reason, in no table, alike on every node.

use chassis::event::{Actor, Event, Fact, timestamp};
use chassis::names::{NodeId, Reference, Space, Within};
use chassis::testing::some_node;
use prost::{Message, Name};
use proto::common::Role;
use proto::membership::*;
use time::OffsetDateTime;

use crate::scene::{Scene, asking, attendance, desks, district, identifier, talks};

/// What is wrong with a message, and what is said of it.
type Change<M> = (fn(&mut M), &'static str);

/// An initiative of another node, about which events are told here and on a second node.
struct Coalition {
    here: Scene,
    there: Scene,
    backbone: NodeId,
    initiative: Reference,
}

impl Coalition {
    async fn set() -> Self {
        let backbone = some_node();
        Self {
            here: Scene::set().await,
            there: Scene::set().await,
            initiative: Reference::born_on(&backbone),
            backbone,
        }
    }

    /// Tells a message, which may be about the resource that it is given; says how it stands, the same on both nodes.
    async fn told<M: Message + Name>(&self, resource: &Reference, message: &M) -> (String, String) {
        self.told_in(&Space::members(&self.initiative), resource, message).await
    }

    async fn told_in<M: Message + Name>(&self, space: &Space, resource: &Reference, message: &M) -> (String, String) {
        let fact = Fact::of(resource, space, message);
        let event = Event::told(&fact, &resource.node, &Actor::default());
        let before = self.here.stage.rows().await;
        self.here.stage.take(event.clone()).await;
        self.there.stage.take(event.clone()).await;
        let (here, there) = (standing(&self.here, &event).await, standing(&self.there, &event).await);
        assert_eq!(here, there);
        assert_eq!(self.here.stage.rows().await, self.there.stage.rows().await);
        if here.0 == "held" {
            assert_eq!(self.here.stage.rows().await, before, "{} left something behind", M::NAME);
            self.here.stage.replay().await;
            assert_eq!(standing(&self.here, &event).await, there, "held again when folded again");
        }
        here
    }

    /// Tells a message of a resource of its own, and sees it held for a reason.
    async fn holds<M: Message + Name>(&self, made: impl Fn(&Reference) -> M, because: &str) {
        let resource = Reference::born_on(&self.backbone);
        let (standing, reason) = self.told(&resource, &made(&resource)).await;
        assert_eq!(standing, "held", "{}", M::NAME);
        assert!(reason.contains(because), "{}: {reason}", M::NAME);
    }

    async fn takes<M: Message + Name>(&self, made: impl Fn(&Reference) -> M) -> Reference {
        let resource = Reference::born_on(&self.backbone);
        let (standing, reason) = self.told(&resource, &made(&resource)).await;
        assert_eq!((standing.as_str(), reason.as_str()), ("folded", ""), "{}", M::NAME);
        resource
    }

    fn organization(&self, resource: &Reference) -> Organization {
        Organization { reference: resource.to_string(), initiative: self.initiative.to_string(), ..district("A") }
    }

    fn group(&self, resource: &Reference) -> WorkingGroup {
        let (chair, initiative) = (Reference::born_on(&some_node()).to_string(), self.initiative.to_string());
        WorkingGroup { reference: resource.to_string(), initiative, ..attendance(&[&chair]) }
    }

    fn posting(&self, resource: &Reference) -> Posting {
        let organization = Reference::born_on(&resource.node).to_string();
        let initiative = self.initiative.to_string();
        Posting { reference: resource.to_string(), initiative, ..desks(&organization) }
    }

    fn granted(&self, resource: &Reference) -> RoleGranted {
        let organization = Reference::born_on(&some_node());
        RoleGranted {
            initiative: self.initiative.to_string(),
            membership: resource.to_string(),
            organization: organization.to_string(),
            node: organization.node.to_string(),
            role: Role::Partner.into(),
            from: Some(timestamp(OffsetDateTime::UNIX_EPOCH)),
            until: None,
        }
    }
}

async fn standing(scene: &Scene, event: &Event) -> (String, String) {
    sqlx::query_as("select standing, coalesce(reason, '') from log where event_id = $1")
        .bind(event.id)
        .fetch_one(&scene.stage.pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_initiative_says_of_itself_what_its_api_would_take() {
    let coalition = Coalition::set().await;
    let whole = Initiative {
        reference: coalition.initiative.to_string(),
        display_name: "Graduation".to_owned(),
        state: InitiativeState::Active.into(),
        ..Initiative::default()
    };
    let itself = coalition.initiative.clone();
    let bad = [
        Initiative { display_name: "x".repeat(201), ..whole.clone() },
        Initiative { purpose: "\u{7}".to_owned(), ..whole.clone() },
        Initiative { state: InitiativeState::Closed.into(), ..whole.clone() },
        Initiative { state: 99, ..whole.clone() },
    ];
    for initiative in bad {
        let coalition =
            Coalition { initiative: itself.clone(), backbone: itself.node.clone(), ..Coalition::set().await };
        let created = InitiativeCreated { initiative: Some(initiative) };
        let (standing, reason) = coalition.told(&itself, &created).await;
        assert_eq!((standing.as_str(), reason.contains("initiative")), ("held", true));
    }
    let another = |resource: &Reference| InitiativeCreated {
        initiative: Some(Initiative { reference: resource.to_string(), ..whole.clone() }),
    };
    coalition.holds(another, "as its space has it").await;
    let created = InitiativeCreated { initiative: Some(whole.clone()) };
    assert_eq!(coalition.told(&itself, &created).await.0, "folded");
}

#[tokio::test]
async fn an_organization_is_what_its_api_would_take() {
    let coalition = Coalition::set().await;
    let registered = |change: fn(&mut Organization)| {
        let coalition = &coalition;
        move |resource: &Reference| {
            let mut organization = coalition.organization(resource);
            change(&mut organization);
            OrganizationRegistered { organization: Some(organization) }
        }
    };
    coalition.holds(|_| OrganizationRegistered { organization: None }, "organization").await;
    let changes: [Change<Organization>; 7] = [
        (|organization| organization.display_name = "x".repeat(201), "organization"),
        (|organization| organization.display_name = " ".to_owned(), "organization"),
        (|organization| organization.sector = 99, "organization"),
        (|organization| organization.website = "javascript:alert(1)".to_owned(), "organization"),
        (|organization| organization.identifiers = vec![identifier("US EIN", "7")], "organization"),
        (|organization| organization.reference = Reference::born_on(&some_node()).to_string(), "resource"),
        (|organization| organization.initiative = Reference::born_on(&some_node()).to_string(), "initiative"),
    ];
    for (change, because) in changes {
        coalition.holds(registered(change), because).await;
    }
    let known = coalition.takes(registered(|_| {})).await;
    let revised = OrganizationRevised {
        organization: Some(Organization { display_name: "x".repeat(201), ..coalition.organization(&known) }),
    };
    assert_eq!(coalition.told(&known, &revised).await.0, "held");
}

#[tokio::test]
async fn who_asks_asks_for_itself_and_in_measure() {
    let coalition = Coalition::set().await;
    let asks = |organization: &Reference, statement: &str, resource: &Reference| JoinRequested {
        join_request: Some(JoinRequest {
            reference: resource.to_string(),
            initiative: coalition.initiative.to_string(),
            statement: statement.to_owned(),
            ..asking(&organization.to_string())
        }),
    };
    let own = Reference::born_on(&coalition.backbone);
    coalition.holds(|request| asks(&Reference::born_on(&some_node()), "Us", request), "must live on the node").await;
    coalition.holds(|request| asks(&own, &"x".repeat(4001), request), "join_request").await;
    let request = coalition.takes(|request| asks(&own, "Us", request)).await;
    let of_another = JoinRequestWithdrawn {
        initiative: coalition.initiative.to_string(),
        join_request: Reference::born_on(&coalition.backbone).to_string(),
    };
    assert_eq!(coalition.told(&request, &of_another).await.0, "held");
}

#[tokio::test]
async fn a_membership_is_told_of_in_words_that_its_api_would_take() {
    let coalition = Coalition::set().await;
    let initiative = coalition.initiative.to_string();
    let invited = |organization: &str, invitee: &str, membership: &Reference| MemberInvited {
        initiative: initiative.clone(),
        membership: membership.to_string(),
        organization: organization.to_owned(),
        invitee: invitee.to_owned(),
    };
    let registered = Reference::born_on(&some_node());
    coalition.holds(|membership| invited("", "", membership), "organization or invitee").await;
    coalition.holds(|membership| invited("", &"x".repeat(201), membership), "organization or invitee").await;
    coalition.holds(|membership| invited(&registered.to_string(), "And more", membership), "organization or").await;
    let admitted = |node: &NodeId, membership: &Reference| MemberAdmitted {
        initiative: initiative.clone(),
        membership: membership.to_string(),
        organization: registered.to_string(),
        node: node.to_string(),
        join_request: String::new(),
    };
    coalition.holds(|membership| admitted(&some_node(), membership), "organization, node").await;
    let membership = coalition.takes(|membership| admitted(&registered.node, membership)).await;
    let suspended = MemberSuspended { initiative, membership: membership.to_string(), reason: String::new() };
    assert_eq!(coalition.told(&membership, &suspended).await, ("held".to_owned(), said("reason")));
}

fn said(part: &str) -> String {
    format!("the event's {part} is missing or out of range")
}

#[tokio::test]
async fn a_role_is_granted_to_whom_and_for_a_term_that_can_be() {
    let coalition = Coalition::set().await;
    let granted = |change: fn(&mut RoleGranted)| {
        let coalition = &coalition;
        move |membership: &Reference| {
            let mut granted = coalition.granted(membership);
            change(&mut granted);
            granted
        }
    };
    let changes: [Change<RoleGranted>; 6] = [
        (|granted| granted.role = 0, "role"),
        (|granted| granted.role = 99, "role"),
        (|granted| granted.from = None, "term"),
        (|granted| granted.until = granted.from, "term"),
        (|granted| granted.node = some_node().to_string(), "node"),
        (|granted| granted.membership = granted.organization.clone(), "resource"),
    ];
    for (change, because) in changes {
        coalition.holds(granted(change), because).await;
    }
    let membership = coalition.takes(granted(|_| {})).await;
    let initiative = coalition.initiative.to_string();
    let ended = RoleEnded { initiative, membership: membership.to_string(), role: 99 };
    assert_eq!(coalition.told(&membership, &ended).await, ("held".to_owned(), said("role")));
}

#[tokio::test]
async fn a_group_has_its_chair_and_a_posting_its_own_organization() {
    let coalition = Coalition::set().await;
    let outside = |resource: &Reference| WorkingGroupFormed {
        working_group: Some(WorkingGroup {
            chair: Reference::born_on(&some_node()).to_string(),
            ..coalition.group(resource)
        }),
    };
    coalition.holds(outside, "chair").await;
    let long = |resource: &Reference| WorkingGroupFormed {
        working_group: Some(WorkingGroup { charge: "x".repeat(4001), ..coalition.group(resource) }),
    };
    coalition.holds(long, "working_group").await;
    let of_another = |resource: &Reference| PostingMade {
        posting: Some(Posting {
            organization: Reference::born_on(&some_node()).to_string(),
            ..coalition.posting(resource)
        }),
    };
    coalition.holds(of_another, "post for itself").await;
    let nothing =
        |resource: &Reference| PostingMade { posting: Some(Posting { kind: 0, ..coalition.posting(resource) }) };
    coalition.holds(nothing, "posting").await;

    // What comes once it is over is counted and changes nothing, and keeps whose it is.
    let posting = coalition.takes(|resource| PostingMade { posting: Some(coalition.posting(resource)) }).await;
    for told in [
        coalition.told(&posting, &PostingMet { reason: "Met".to_owned() }).await,
        coalition.told(&posting, &PostingWithdrawn { reason: "Sold".to_owned() }).await,
        coalition.told(&posting, &PostingRevised { posting: Some(coalition.posting(&posting)) }).await,
    ] {
        assert_eq!(told.0, "folded");
    }
    let get = GetPostingRequest { posting: posting.to_string() };
    let posting = coalition.here.here().get_posting(get).await.unwrap().into_inner().posting.unwrap();
    assert_eq!((posting.state(), posting.reason.as_str(), posting.etag.as_str()), (PostingState::Met, "Met", "4"));
}

#[tokio::test]
async fn a_circle_is_told_of_in_its_own_space_or_not_at_all() {
    let coalition = Coalition::set().await;
    let initiative = coalition.initiative.to_string();
    let circle = |resource: &Reference| Circle {
        reference: resource.to_string(),
        initiative: initiative.clone(),
        ..talks(&[&some_node()])
    };
    let formed = |resource: &Reference| CircleFormed { circle: Some(circle(resource)) };
    coalition.holds(formed, "circle, as its space has it").await;
    let resource = Reference::born_on(&coalition.backbone);
    let other = Reference::born_on(&coalition.backbone);
    let space = |circle: &Reference| Space::Of(coalition.initiative.clone(), Within::Circle(circle.clone()));
    assert_eq!(coalition.told_in(&space(&other), &resource, &formed(&resource)).await.0, "held");
    let long = Circle { display_name: "x".repeat(201), ..circle(&other) };
    assert_eq!(coalition.told_in(&space(&other), &other, &CircleFormed { circle: Some(long) }).await.0, "held");
    let third = Reference::born_on(&coalition.backbone);
    assert_eq!(coalition.told_in(&space(&third), &third, &formed(&third)).await.0, "folded");
}
