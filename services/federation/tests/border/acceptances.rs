//! What a partner does with steps that the backbone never made so, or should not have made: each leaves a line and no
//! other trace, and the order goes on.

use bytes::Bytes;
use chassis::clock;
use chassis::event::timestamp;
use chassis::identity::NodeKeys;
use chassis::names::{Reference, Space};
use federation::pace::Say;
use federation::wire::{self, Chain, FeedName, Link, Step};
use prost::{Message, Name};
use proto::federation::{Acceptance, Accepted, Frame, Refusal};
use proto::measurement::MeasureDefined;
use time::{Duration, OffsetDateTime};

use crate::coalition::Coalition;
use crate::forge::{Forge, changed, down, sealed, send, up};
use crate::node::{Node, SAID, soon};

/// Whoever has the backbone's keys, and what the next step of a space would be for a partner.
pub struct Pretender<'a> {
    keys: &'a NodeKeys,
    order: federation::store::order::Order,
    governed_by: u64,
}

impl<'a> Pretender<'a> {
    pub async fn of(coalition: &'a Coalition, partner: &Node) -> Self {
        Self::within(coalition, partner, &coalition.members).await
    }

    pub async fn within(coalition: &'a Coalition, partner: &Node, space: &Space) -> Self {
        let order = partner.order(space).await;
        let governed_by = if *space == coalition.members { order.position } else { order.governed_by };
        Self { keys: &coalition.backbone.border.keys, order, governed_by }
    }

    /// The step that accepts a frame.
    pub fn step(&self, frame: &Frame) -> Step {
        let chain: Chain = wire::read(frame).unwrap();
        let (position, digest) = (self.order.position, &self.order.digest);
        wire::accept(&chain, position + 1, digest, self.governed_by, clock::now(), std::iter::empty())
    }

    pub fn sealed(&self, acceptance: Bytes, frame: Option<Frame>) -> Accepted {
        let seal = wire::seal(self.keys, &wire::digest(&acceptance));
        Accepted { acceptance, seal: Some(seal), frame, ..Accepted::default() }
    }

    pub fn accepted(&self, frame: &Frame) -> Accepted {
        self.sealed(self.step(frame).bytes, Some(frame.clone()))
    }

    fn with(&self, frame: &Frame, change: impl FnOnce(&mut Acceptance)) -> Bytes {
        let mut acceptance = self.step(frame).acceptance;
        change(&mut acceptance);
        down(self.sealed(acceptance.encode_to_vec().into(), Some(frame.clone())))
    }
}

/// What a backbone sends to beta, each with the code that it gets for it.
async fn forgeries(coalition: &Coalition) -> Vec<(&'static str, Bytes)> {
    let Coalition { backbone, alpha, beta, members, .. } = coalition;
    let pretender = Pretender::of(coalition, beta).await;
    let forge = Forge::of(alpha, members).await;
    let link = forge.entry("never said");
    let frame = forge.sealed(std::slice::from_ref(&link));
    let good = pretender.accepted(&frame);
    let with = |change: fn(&mut Acceptance)| pretender.with(&frame, change);
    let sealed_by =
        |keys| down(Accepted { seal: Some(wire::seal(keys, &wire::digest(&good.acceptance))), ..good.clone() });
    let broken = |change: &dyn Fn(&mut Accepted)| {
        let mut accepted = good.clone();
        change(&mut accepted);
        down(accepted)
    };
    let elsewhere = |space: &Space| {
        let forge = Forge::at_start(alpha, space, 1);
        down(pretender.accepted(&forge.sealed(&[forge.entry("elsewhere")])))
    };
    let later = Forge { next: forge.next + 1, ..Forge::of(alpha, members).await };
    let own = Forge::of(beta, members).await;
    let own = own.sealed(&[own.entry("never said")]);
    let kept = changed(&link, |header| header.event_type = MeasureDefined::full_name());
    let withheld = forge.sealed(&[Link { body: None, ..kept }]);
    let refusal = |sequence, reason: &str| Refusal { sequence, code: "X".to_owned(), reason: reason.to_owned() };
    vec![
        ("MALFORMED", Bytes::from_static(b"\xff\xff\xff")),
        ("MALFORMED", up(frame.clone())),
        ("MALFORMED", down(pretender.sealed(Bytes::from_static(b"\xff"), None))),
        ("MALFORMED", broken(&|accepted| accepted.seal = None)),
        ("MALFORMED", with(|acceptance| acceptance.position = u64::MAX)),
        ("MALFORMED", with(|acceptance| acceptance.to = acceptance.from + 100_000)),
        ("MALFORMED", with(|acceptance| acceptance.accepted_at = None)),
        ("MALFORMED", pretender.with(&frame, |acceptance| acceptance.refused = vec![refusal(acceptance.to + 1, "")])),
        ("MALFORMED", pretender.with(&frame, |acceptance| acceptance.refused = vec![refusal(acceptance.to, "\0")])),
        ("OTHER_FORMAT", with(|acceptance| acceptance.format = 2)),
        ("WRONG_HEAD", broken(&|accepted| accepted.seal.as_mut().unwrap().head = Bytes::from_static(&[1; 32]))),
        ("FOREIGN_KEY", sealed_by(&alpha.border.keys)),
        ("BAD_SIGNATURE", broken(&|accepted| accepted.seal.as_mut().unwrap().signature = Bytes::from_static(&[1; 64]))),
        ("OTHER_INITIATIVE", elsewhere(&Space::members(&Reference::born_on(backbone.id())))),
        ("NOT_ITS_SPACE", elsewhere(&coalition.between(alpha))),
        ("BROKEN_ORDER", with(|acceptance| acceptance.previous = Bytes::from_static(&[1; 32]))),
        ("BROKEN_ORDER", with(|acceptance| acceptance.governance_position -= 1)),
        // Another step than the one that is held there.
        ("BROKEN_ORDER", with(|acceptance| acceptance.position -= 1)),
        (
            "BROKEN_ORDER",
            with(|acceptance| {
                acceptance.accepted_at = Some(timestamp(OffsetDateTime::UNIX_EPOCH + Duration::DAY));
            }),
        ),
        ("OTHER_FRAME", broken(&|accepted| accepted.frame = None)),
        ("OTHER_FRAME", with(|acceptance| acceptance.to += 1)),
        ("OTHER_FRAME", with(|acceptance| acceptance.head = Bytes::from_static(&[1; 32]))),
        ("NOT_ADMITTED", down(pretender.accepted(&of_a_stranger(alpha, members)))),
        ("FORK", down(pretender.accepted(&later.sealed(&[later.entry("out of turn")])))),
        ("FORK", down(pretender.sealed(pretender.step(&own).bytes, None))),
        ("NOT_ERASABLE", down(pretender.accepted(&withheld))),
        ("FOREIGN_KEY", down(pretender.accepted(&sealed(std::slice::from_ref(&link), pretender.keys)))),
        (
            "WRONG_BODY",
            broken(&|accepted| {
                accepted.frame.as_mut().unwrap().entries[0].body.as_mut().unwrap().event =
                    Bytes::from_static(b"altered");
            }),
        ),
    ]
}

/// A frame of a node that was never admitted.
fn of_a_stranger(told_as: &Node, space: &Space) -> Frame {
    let folder = tempfile::tempdir().unwrap();
    let keys = NodeKeys::create(folder.path()).unwrap();
    let (event, bytes) = told_as.event(space, &Reference::born_on(keys.id()), SAID, "hello");
    let feed = FeedName { space: space.clone(), origin: keys.id().clone(), epoch: 1 };
    sealed(&[wire::entry(&feed, 1, &wire::GENESIS, &event, bytes, [7; 16])], &keys)
}

#[tokio::test]
async fn no_forged_step_leaves_more_than_a_line() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    alpha.say(members, &["before"]).await;
    coalition.all_hear(&["before"]).await;
    coalition.agrees().await;
    let (order, entries, feeds) = held(beta, members).await;
    let forgeries = forgeries(&coalition).await;
    let road = backbone.link(beta, initiative);
    for (_, forged) in &forgeries {
        send(&road, forged).await;
    }
    let codes: Vec<&str> = forgeries.iter().map(|(code, _)| *code).collect();
    beta.refuses(&codes).await;
    assert_eq!(held(beta, members).await, (order, entries, feeds));
    for line in beta.lines().await {
        assert_eq!(line.node, backbone.id().to_string(), "{}", line.code);
    }
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["before", "after"]).await;
    coalition.agrees().await;
}

async fn held(node: &Node, members: &Space) -> (federation::store::order::Order, i64, i64) {
    let entries = node.count("select count(*) from federation.entries").await;
    (node.order(members).await, entries, node.count("select count(*) from federation.feeds").await)
}

#[tokio::test]
async fn what_its_signer_could_not_say_goes_to_no_room_whatever_the_backbone_says() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    coalition.agrees().await;
    let pretender = Pretender::of(&coalition, beta).await;
    let forge = Forge::of(alpha, members).await;
    let (event, bytes) = alpha.event(members, &Reference::born_on(beta.id()), SAID, "about beta");
    let link = wire::entry(&forge.feed, forge.next, &forge.previous, &event, bytes, [7; 16]);
    let position = beta.order(members).await.position;
    send(&backbone.link(beta, initiative), &down(pretender.accepted(&forge.sealed(&[link])))).await;
    beta.refuses(&["NO_EVIDENCE"]).await;
    assert_eq!(beta.order(members).await.position, position + 1);
    let link = beta.status().await.links.remove(0);
    assert!(link.alarms == 1 && link.last_alarm.contains("only the home may"), "{link:?}");
    assert_eq!(beta.count("select count(*) from log where type = 'commonweal.future.v1.Said'").await, 0);

    // Under its own seal beta holds a step that the backbone does not know: for all it can tell it lost that, and takes it
    // back. It tells its rooms no more of it than beta did.
    beta.link(backbone, initiative).pace.say(Say { answer: false, resume: true });
    soon(async || (backbone.order(members).await.position == position + 1).then_some(())).await;
    assert!(backbone.codes().await.contains(&"NO_EVIDENCE".to_owned()));
    assert_eq!(backbone.count("select count(*) from log where type = 'commonweal.future.v1.Said'").await, 0);
}

#[tokio::test]
async fn the_backbones_judgement_is_followed_with_an_alarm() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    coalition.agrees().await;
    let pretender = Pretender::of(&coalition, beta).await;
    let forge = Forge::of(alpha, members).await;
    // Alpha holds no role that may tell it: to say so is the backbone's, and it does not.
    let name = MeasureDefined::full_name();
    let (event, bytes) = alpha.event(members, &Reference::born_on(alpha.id()), &name, "");
    let link = wire::entry(&forge.feed, forge.next, &forge.previous, &event, bytes, [7; 16]);
    let position = beta.order(members).await.position;
    send(&backbone.link(beta, initiative), &down(pretender.accepted(&forge.sealed(&[link])))).await;
    beta.refuses(&["DISAGREEMENT"]).await;
    assert_eq!(beta.order(members).await.position, position + 1);
    let handed_on = "select count(*) from log where type = 'commonweal.measurement.v1.MeasureDefined'";
    assert_eq!(beta.count(handed_on).await, 1);
    let link = beta.status().await.links.remove(0);
    assert!(link.alarms == 1 && link.last_alarm.contains("holds no role"), "{link:?}");
}

#[tokio::test]
async fn a_word_from_within_a_node_does_not_come_from_outside() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    coalition.agrees().await;
    let pretender = Pretender::of(&coalition, beta).await;
    let forge = Forge::of(alpha, members).await;
    let (event, bytes) = alpha.event(members, &Reference::born_on(alpha.id()), &proto::common::Judged::full_name(), "");
    let link = wire::entry(&forge.feed, forge.next, &forge.previous, &event, bytes, [7; 16]);
    let before = beta.count("select count(*) from log").await;
    send(&backbone.link(beta, initiative), &down(pretender.accepted(&forge.sealed(&[link])))).await;
    beta.refuses(&["NO_EVIDENCE"]).await;
    assert_eq!(beta.count("select count(*) from log").await, before);
}

#[tokio::test]
async fn a_body_that_was_changed_on_the_way_is_never_held() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    coalition.agrees().await;
    let pretender = Pretender::of(&coalition, beta).await;
    let forge = Forge::of(alpha, members).await;
    let mut frame = forge.sealed(&[forge.entry("as it was said")]);
    let step = pretender.step(&frame);
    let other = alpha.event(members, &Reference::born_on(alpha.id()), SAID, "as it was never said").1;
    frame.entries[0].body.as_mut().unwrap().event = other;
    send(&backbone.link(beta, initiative), &down(pretender.sealed(step.bytes, Some(frame)))).await;
    beta.refuses(&["WRONG_BODY"]).await;
    assert!(beta.heard(members).await.is_empty());
}
