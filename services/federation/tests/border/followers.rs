//! Followers: nodes that are sent an initiative's public space, and nothing else of it.

use chassis::inbox::Listener;
use chassis::names::{Reference, Space, Within};
use chassis::testing::{self, operator, speaking_for};
use federation::domain::Holder;
use federation::tell::Teller;
use federation::{have, invitation, join, wire};
use prost::{Message, Name};
use proto::common::Delivery;
use proto::federation::link_status::State;
use proto::federation::{Accepted, CreateInvitationRequest, Frame, Invitation, JoinInitiativeRequest, NodeKey};
use proto::membership::{Circle, CircleFormed};
use tonic::Code;

use crate::acceptances::Pretender;
use crate::bad_input::wanted;
use crate::coalition::Coalition;
use crate::forge::{Forge, down, sealed, send, up};
use crate::hub::Hub;
use crate::node::{Home, Node, SAID, soon};

const OPEN: &str = "what we learned, for everybody";
const CLOSED: &str = "what members say to one another";

/// A coalition whose initiative another node follows.
struct Followed {
    coalition: Coalition,
    gamma: Node,
    public: Space,
}

impl Followed {
    async fn new() -> Self {
        let coalition = Coalition::new().await;
        let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
        let invitation = coalition.backbone.invite_as(&coalition.initiative, true).await;
        soon(async || gamma.join(&invitation).await.ok()).await;
        Self { public: coalition.public(), coalition, gamma }
    }

    /// A circle of the backbone's that names these nodes.
    async fn circle(&self, nodes: &[&Node]) -> Space {
        let Coalition { backbone, initiative, .. } = &self.coalition;
        let circle = Reference::born_on(backbone.id());
        let space = Space::Of(initiative.clone(), Within::Circle(circle.clone()));
        let nodes = nodes.iter().map(|node| node.id().to_string()).collect();
        let formed =
            CircleFormed { circle: Some(Circle { display_name: "Finances".to_owned(), nodes, ..Circle::default() }) };
        let formed = backbone.event(&space, &circle, &CircleFormed::full_name(), formed.encode_to_vec());
        backbone.tell(&space, &[formed]).await;
        space
    }

    fn follower(&self) -> Holder<'_> {
        Holder { node: self.gamma.id(), follower: true }
    }
}

/// The tables of a node in which words stand.
async fn tables_with(node: &Node, words: &str) -> Vec<String> {
    testing::tables_with(&mut node.border.pool.acquire().await.unwrap(), words).await
}

#[tokio::test]
async fn a_follower_gets_what_is_public_and_nothing_else() {
    let followed = Followed::new().await;
    let Followed { coalition, gamma, public } = &followed;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = coalition;
    // A circle that names it lets it in no further.
    let circle = followed.circle(&[alpha, gamma]).await;
    let spaces = [
        members.clone(),
        coalition.between(alpha),
        circle,
        Space::Of(initiative.clone(), Within::Backbone(gamma.id().clone())),
    ];
    for space in &spaces {
        backbone.say(space, &[CLOSED]).await;
    }
    alpha.say(members, &[CLOSED]).await;
    soon(async || (beta.heard(members).await.len() == 2).then_some(())).await;
    alpha.say(public, &[OPEN]).await;
    for node in [backbone, alpha, beta, gamma] {
        node.hears(public, &[OPEN]).await;
    }
    backbone.say(public, &["and from the backbone"]).await;
    let order = backbone.order(public).await;
    for node in [alpha, beta, gamma] {
        node.hears(public, &[OPEN, "and from the backbone"]).await;
        assert_eq!(node.order(public).await, order);
    }

    for table in ["entries", "feeds", "acceptances", "spaces"] {
        let select = format!("select distinct space from federation.{table}");
        let held: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(select)).fetch_all(&gamma.border.pool).await.unwrap();
        assert_eq!(held, [public.to_string()], "{table}");
    }
    for table in ["nodes", "roles", "circles", "quarantine"] {
        let select = format!("select count(*) from federation.{table}");
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(select)).fetch_one(&gamma.border.pool).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    // The search finds what is there to be found.
    assert!(!tables_with(alpha, CLOSED).await.is_empty() && !tables_with(gamma, OPEN).await.is_empty());
    assert_eq!(tables_with(gamma, CLOSED).await, [""; 0]);
    assert_eq!(tables_with(gamma, beta.id().as_str()).await, [""; 0], "nor who belongs and says nothing in public");

    let mut connection = backbone.border.pool.acquire().await.unwrap();
    let said = have::of(&mut connection, initiative, followed.follower(), false).await.unwrap();
    assert_eq!(said.spaces.iter().map(|head| head.space.as_str()).collect::<Vec<_>>(), ["public"]);
    assert!(said.feeds.is_empty());
    drop(connection);
    // The members are told nothing of it.
    for node in [backbone, alpha, beta] {
        assert!(node.members(initiative).await.iter().all(|(member, _)| member != gamma.id()));
    }
    assert_eq!(tables_with(beta, gamma.id().as_str()).await, [""; 0]);
}

#[tokio::test]
async fn nothing_that_a_follower_sends_is_accepted() {
    let followed = Followed::new().await;
    let Followed { coalition, gamma, public } = &followed;
    let Coalition { backbone, alpha, initiative, members, .. } = coalition;
    alpha.say(public, &[OPEN]).await;
    gamma.hears(public, &[OPEN]).await;
    let own = |space: &Space| {
        let forge = Forge::at_start(gamma, space, 1);
        up(forge.sealed(&[forge.entry("let me in")]))
    };
    let alphas = Forge::of(alpha, public).await;
    let alphas = up(alphas.sealed(&[alphas.entry("in the name of alpha")]));
    let frames = [own(public), own(members), own(&coalition.between(gamma)), alphas, up(Frame::default())];
    let road = gamma.link(backbone, initiative);
    for frame in &frames {
        send(&road, frame).await;
    }
    backbone.refuses(&["NOT_ADMITTED"; 5]).await;
    assert!(backbone.lines().await.iter().all(|line| line.node == gamma.id().to_string()));

    // What its own rooms should tell there becomes no entry.
    let (_, event) = gamma.event(public, &Reference::born_on(gamma.id()), SAID, "from my rooms");
    let delivery = Delivery { sequence: 1, event, ..Delivery::default() };
    let mut transaction = gamma.border.pool.begin().await.unwrap();
    Teller { border: gamma.border.clone() }
        .take(&mut transaction, "a_room", &[delivery], chassis::inbox::Together::All)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(tables_with(gamma, "from my rooms").await, [""; 0]);

    alpha.say(public, &["on"]).await;
    for node in [backbone, alpha, gamma] {
        node.hears(public, &[OPEN, "on"]).await;
    }
}

/// What a backbone sends to a follower, each with the code that it gets for it.
async fn forgeries(followed: &Followed) -> Vec<(&'static str, Accepted)> {
    let Followed { coalition, gamma, public } = followed;
    let Coalition { backbone, alpha, beta, members, .. } = coalition;
    let pretender = Pretender::within(coalition, gamma, public).await;
    let with = |frame: &Frame, keys: Vec<NodeKey>| Accepted { origin_keys: keys, ..pretender.accepted(frame) };
    let forge = Forge::of(alpha, public).await;
    let link = forge.entry("never said");
    let frame = forge.sealed(std::slice::from_ref(&link));
    let by_backbone = sealed(std::slice::from_ref(&link), &backbone.border.keys);
    let grafted = |keys: Vec<NodeKey>| [keys, backbone.border.keys.chain()].concat();
    let of_beta = Forge::of(beta, public).await;
    let of_beta = of_beta.sealed(&[of_beta.entry("never said")]);
    let elsewhere = Forge::of(alpha, members).await;
    let elsewhere = elsewhere.sealed(&[elsewhere.entry("never said")]);
    let mut altered = with(&frame, alpha.border.keys.chain());
    altered.frame.as_mut().unwrap().entries[0].body.as_mut().unwrap().event = bytes::Bytes::from_static(b"altered");
    vec![
        ("FOREIGN_KEY", with(&of_beta, Vec::new())),
        ("FOREIGN_KEY", with(&of_beta, alpha.border.keys.chain())),
        ("FOREIGN_KEY", with(&by_backbone, alpha.border.keys.chain())),
        ("FOREIGN_KEY", with(&by_backbone, grafted(alpha.border.keys.chain()))),
        ("FOREIGN_KEY", with(&by_backbone, backbone.border.keys.chain())),
        ("NOT_ITS_SPACE", with(&elsewhere, alpha.border.keys.chain())),
        ("WRONG_BODY", altered),
    ]
}

#[tokio::test]
async fn a_follower_takes_only_what_its_origin_signed() {
    let followed = Followed::new().await;
    let Followed { coalition, gamma, public } = &followed;
    let Coalition { backbone, alpha, beta, initiative, .. } = coalition;
    alpha.say(public, &[OPEN]).await;
    gamma.hears(public, &[OPEN]).await;
    let before = gamma.order(public).await;
    let forgeries = forgeries(&followed).await;
    let road = backbone.link(gamma, initiative);
    for (_, forged) in &forgeries {
        send(&road, &down(forged.clone())).await;
    }
    let codes: Vec<&str> = forgeries.iter().map(|(code, _)| *code).collect();
    gamma.refuses(&codes).await;
    assert_eq!(gamma.order(public).await, before);
    assert_eq!(
        gamma.count("select count(*) from federation.key_chains").await,
        2,
        "only alpha's and the backbone's hold"
    );

    // Judging is the backbone's; but about another's resource nobody can say anything.
    let pretender = Pretender::within(coalition, gamma, public).await;
    let forge = Forge::of(beta, public).await;
    let (event, bytes) = beta.event(public, &Reference::born_on(alpha.id()), SAID, "about alpha");
    let link = wire::entry(&forge.feed, forge.next, &forge.previous, &event, bytes, [7; 16]);
    let accepted = Accepted { origin_keys: beta.border.keys.chain(), ..pretender.accepted(&forge.sealed(&[link])) };
    send(&road, &down(accepted)).await;
    let codes: Vec<&str> = codes.into_iter().chain(["NO_EVIDENCE"]).collect();
    gamma.refuses(&codes).await;
    assert_eq!(gamma.order(public).await.position, before.position + 1);
    let link = gamma.status().await.links.remove(0);
    assert!(link.alarms == 1 && link.last_alarm.contains("only the home may"), "{link:?}");
    assert_eq!(gamma.count("select count(*) from log where type = 'commonweal.future.v1.Said'").await, 1);
}

#[tokio::test]
async fn a_follower_catches_up_after_whatever_happened() {
    let Followed { mut coalition, gamma, public } = Followed::new().await;
    coalition.alpha.say(&public, &["1"]).await;
    gamma.hears(&public, &["1"]).await;
    let home = gamma.stop().await;
    coalition.alpha.say(&public, &["2"]).await;
    coalition.backbone.hears(&public, &["1", "2"]).await;
    let gamma = home.start().await;
    gamma.hears(&public, &["1", "2"]).await;

    coalition.hub.kill().await;
    coalition.hub.wipe();
    coalition.backbone.say(&public, &["3"]).await;
    coalition.hub.start_again().await;
    gamma.hears(&public, &["1", "2", "3"]).await;
    assert_eq!(gamma.order(&public).await, coalition.backbone.order(&public).await);
    let held = "select count(*) from federation.spaces where space not like '%/public'";
    assert_eq!((gamma.count(held).await, gamma.codes().await.len()), (0, 0));
    soon(async || (coalition.backbone.status().await.links.iter().all(|link| link.lag_entries == 0)).then_some(()))
        .await;
}

#[tokio::test]
async fn a_follower_that_is_revoked_hears_no_more_and_no_member_hears_of_it() {
    let followed = Followed::new().await;
    let Followed { coalition, gamma, public } = &followed;
    let Coalition { backbone, alpha, initiative, members, .. } = coalition;
    alpha.say(public, &["before"]).await;
    gamma.hears(public, &["before"]).await;
    let position = backbone.order(members).await.position;
    backbone.revoke(initiative, gamma.id()).await;
    soon(async || (gamma.status().await.links[0].state() == State::Refused).then_some(())).await;
    let ended = async || {
        let links = backbone.status().await.links;
        links.iter().any(|link| link.node == gamma.id().to_string() && link.state() == State::Ended).then_some(())
    };
    soon(ended).await;
    alpha.say(public, &["after"]).await;
    for node in [backbone, alpha] {
        node.hears(public, &["before", "after"]).await;
    }
    assert_eq!(
        (gamma.heard(public).await, backbone.order(members).await.position),
        (vec!["before".to_owned()], position)
    );
    for follower in [true, false] {
        let refused = gamma.join(&backbone.invite_as(initiative, follower).await).await.unwrap_err();
        assert!(refused.message().contains("was ended before"), "{refused}");
    }
}

#[tokio::test]
async fn who_follows_may_come_to_belong_and_who_belongs_need_not_follow() {
    let followed = Followed::new().await;
    let Followed { coalition, gamma, public } = &followed;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = coalition;
    alpha.say(members, &[CLOSED]).await;
    alpha.say(public, &[OPEN]).await;
    gamma.hears(public, &[OPEN]).await;
    gamma.join(&backbone.invite(initiative).await).await.unwrap();
    gamma.hears(members, &[CLOSED]).await;
    gamma.say(public, &["now I may"]).await;
    for node in [backbone, alpha, beta, gamma] {
        node.hears(public, &[OPEN, "now I may"]).await;
    }
    assert!(backbone.codes().await.is_empty() && gamma.codes().await.is_empty());

    let invitation = backbone.invite_as(initiative, true).await;
    let refused = gamma.join(&invitation).await.unwrap_err();
    assert!(refused.message().contains("belongs to the initiative already"), "{refused}");
    // Nor does the backbone make a member less than it is, whatever its node believes.
    let invitation = invitation::read(&invitation, chassis::clock::now()).unwrap();
    let refused = join::join(&alpha.border.keys, "alpha", &invitation).await.err().unwrap();
    assert!(refused.to_string().contains("belongs to the initiative already"), "{refused}");
    alpha.say(members, &["still here"]).await;
    gamma.hears(members, &[CLOSED, "still here"]).await;
}

#[tokio::test]
async fn an_invitation_to_follow_is_taken_for_no_other() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, initiative, members, .. } = &coalition;
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let line = backbone.invite_as(initiative, true).await;
    let genuine = invitation::read(&line, chassis::clock::now()).unwrap();
    assert!(genuine.follower);
    let position = backbone.order(members).await.position;
    let changed = invitation::write(&Invitation { follower: false, ..genuine });
    let refused = gamma.join(&changed).await.unwrap_err();
    assert!(refused.message().contains("takes the invitation to follow for one to join"), "{refused}");
    gamma.join(&line).await.unwrap();
    assert_eq!(backbone.order(members).await.position, position, "whatever a line says, nobody was admitted");
    assert_eq!(backbone.members(initiative).await.len(), 2);
    let (theirs, ours) = (gamma.status().await.links.remove(0), backbone.status().await.links);
    let ours = ours.into_iter().find(|link| link.node == gamma.id().to_string()).unwrap();
    for (link, words) in [
        (theirs, "this node follows \"Every child\", its public space only; "),
        (ours, "follows \"Every child\", its public space only; "),
    ] {
        assert!(link.follower && link.words.starts_with(words), "{link:?}");
    }
}

#[tokio::test]
async fn two_backbones_follow_one_another_and_pass_nothing_on() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, .. } = &coalition;
    let hub = Hub::start().await;
    let delta = Home::new(&coalition.postgres.0, "delta", Some(hub.side.clone())).await.start().await;
    let theirs = delta.found().await;
    // Beta is a partner of both.
    soon(async || beta.join(&delta.invite(&theirs).await).await.ok()).await;
    let invitation = delta.invite_as(&theirs, true).await;
    soon(async || backbone.join(&invitation).await.ok()).await;
    delta.join(&backbone.invite_as(initiative, true).await).await.unwrap();

    let (public, their_public) = (coalition.public(), Space::Of(theirs.clone(), Within::Public));
    alpha.say(&coalition.members, &[CLOSED]).await;
    delta.say(&Space::members(&theirs), &["closed there"]).await;
    beta.hears(&Space::members(&theirs), &["closed there"]).await;
    alpha.say(&public, &["open here"]).await;
    beta.say(&their_public, &["open there"]).await;
    for node in [backbone, alpha, beta, &delta] {
        node.hears(&public, &["open here"]).await;
    }
    for node in [backbone, beta, &delta] {
        node.hears(&their_public, &["open there"]).await;
    }
    assert_eq!(tables_with(alpha, &theirs.to_string()).await, [""; 0], "what is followed goes no further");
    assert_eq!(tables_with(&delta, CLOSED).await, [""; 0]);
    assert_eq!(tables_with(backbone, "closed there").await, [""; 0]);
    for node in [backbone, alpha, beta, &delta] {
        assert!(node.codes().await.is_empty());
    }
}

#[tokio::test]
async fn to_let_follow_and_to_follow_are_the_operators() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, initiative, .. } = &coalition;
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let invitation = backbone.invite_as(initiative, true).await;
    let organization = Reference::born_on(gamma.id());
    let callers = [
        (None, Code::Unauthenticated),
        (Some(speaking_for(&[])), Code::PermissionDenied),
        (Some(speaking_for(&[&organization])), Code::PermissionDenied),
        (Some(operator()), Code::Ok),
    ];
    for (caller, expected) in &callers {
        let (mut inviting, mut joining) = (backbone.calls_by(caller.as_ref()), gamma.calls_by(caller.as_ref()));
        let request_id = || chassis::clock::new_id().to_string();
        let wanted = CreateInvitationRequest { follower: true, request_id: request_id(), ..wanted(initiative) };
        let given = inviting.create_invitation(wanted).await.map_or_else(|status| status.code(), |_| Code::Ok);
        let join = JoinInitiativeRequest { request_id: request_id(), invitation: invitation.clone() };
        let joined = joining.join_initiative(join).await.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!((given, joined), (*expected, *expected), "{caller:?}");
        let follows = gamma.count("select count(*) from federation.links where follower").await;
        assert_eq!(follows, i64::from(*expected == Code::Ok), "{caller:?}");
    }
    // Nor does a node that is no backbone let anybody follow, whoever asks.
    let wanted = CreateInvitationRequest { follower: true, ..wanted(initiative) };
    let refused = gamma.calls().create_invitation(wanted.clone()).await.unwrap_err();
    assert!(refused.message().contains("not the backbone"), "{refused}");
    let mut calls = backbone.calls_by(callers[3].0.as_ref());
    calls.create_invitation(wanted.clone()).await.unwrap();
    let other = CreateInvitationRequest { follower: false, ..wanted };
    let refused = calls.create_invitation(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "another request under the same id");
}
