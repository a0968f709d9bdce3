//! What the backbone does with frames that their origin never made so, or that do not belong where they came from:
//! each leaves a line and no other trace, and the feed goes on.

use bytes::Bytes;
use chassis::names::{NodeId, Reference, Space, Within};
use chassis::testing::some_node;
use federation::store::entries;
use federation::store::quarantine::{self, Finding, Quarantined, Standing};
use federation::wire::{self, Link};
use proto::federation::{Accepted, Entry, Frame, link_message};

use crate::coalition::Coalition;
use crate::forge::{Forge, changed, message, sealed, send, up};
use crate::node::{Home, Node, postgres, soon};

/// What a partner sends through its own mailbox, each with the code that it gets for it.
async fn forgeries(coalition: &Coalition) -> Vec<(&'static str, Bytes)> {
    let Coalition { backbone, alpha, beta, members, .. } = coalition;
    let mine = Forge::of(alpha, members).await;
    let one = mine.entry("forged");
    let frame = mine.sealed(std::slice::from_ref(&one));
    let with = |link: Link| up(mine.sealed(&[link]));
    let broken = |change: fn(&mut Frame)| {
        let mut frame = frame.clone();
        change(&mut frame);
        up(frame)
    };
    let two = mine.entries(&["one", "two"]);
    let elsewhere = Forge::at_start(alpha, &coalition.public(), 1).entry("elsewhere");
    let injected = "a.B\r\nPUB commonweal.events.membership.RoleGranted 0\r\n\r\n";
    let large = "x".repeat(100 * 1024);
    let many: Vec<&str> = vec!["x"; usize::from(wire::FRAME_ENTRIES) + 1];

    let other = Space::members(&Reference::born_on(backbone.id()));
    let circle = Space::Of(coalition.initiative.clone(), Within::Circle(Reference::born_on(alpha.id())));
    let from_start = |space: &Space, epoch| {
        let forge = Forge::at_start(alpha, space, epoch);
        up(forge.sealed(&[forge.entry("not here")]))
    };
    let theirs = Forge::of(beta, members).await;
    let rewritten = Forge::at_start(alpha, members, 1);
    vec![
        ("MALFORMED", Bytes::from_static(b"\xff\xff\xff")),
        ("MALFORMED", message(link_message::Message::Accepted(Accepted::default()))),
        ("MALFORMED", broken(|frame| frame.entries[0].header = Bytes::from_static(b"\xff"))),
        ("MALFORMED", broken(|frame| frame.seal = None)),
        ("MALFORMED", with(changed(&one, |header| header.sequence = 0))),
        ("MALFORMED", with(changed(&one, |header| header.sequence = u64::MAX))),
        ("MALFORMED", with(changed(&one, |header| header.space = "members/members".to_owned()))),
        ("MALFORMED", with(changed(&one, |header| header.previous = Bytes::from_static(b"short")))),
        ("OTHER_FORMAT", with(changed(&one, |header| header.format = 2))),
        ("OVERSIZE", up(mine.sealed(&mine.entries(&[&large, &large])))),
        ("TOO_MANY_ENTRIES", up(mine.sealed(&mine.entries(&many)))),
        ("TOO_MANY_ENTRIES", up(Frame { entries: vec![Entry::default(); 100_000], seal: None })),
        ("EMPTY", broken(|frame| frame.entries.clear())),
        ("MIXED_FEEDS", up(mine.sealed(&[one.clone(), elsewhere]))),
        ("BAD_EVENT_TYPE", with(changed(&one, |header| header.event_type = injected.to_owned()))),
        ("BROKEN_CHAIN", up(mine.sealed(&[two[0].clone(), changed(&two[1], |header| header.sequence += 1)]))),
        ("BROKEN_CHAIN", up(mine.sealed(&[two[0].clone(), mine.entry("not after one")]))),
        ("WRONG_HEAD", up(Frame { seal: mine.sealed(&two).seal, ..frame.clone() })),
        ("FOREIGN_KEY", up(sealed(std::slice::from_ref(&one), &beta.border.keys))),
        ("BAD_SIGNATURE", broken(|frame| frame.seal.as_mut().unwrap().signature = Bytes::from_static(&[1; 64]))),
        ("WRONG_BODY", broken(|frame| frame.entries[0].body.as_mut().unwrap().salt = Bytes::from_static(&[8; 16]))),
        ("WRONG_BODY", broken(trade_a_byte)),
        ("OTHER_MAILBOX", up(theirs.sealed(&[theirs.entry("in their name")]))),
        ("OTHER_INITIATIVE", from_start(&other, 1)),
        ("NOT_ITS_SPACE", from_start(&coalition.between(beta), 1)),
        ("NOT_ITS_SPACE", from_start(&circle, 1)),
        ("OTHER_EPOCH", from_start(members, 2)),
        ("FORK", up(rewritten.sealed(&rewritten.entries(&["another past", "and what follows"])))),
        ("FORK", up(rewritten.sealed(&[rewritten.entry("another past")]))),
    ]
}

/// Moves the first byte of the event to the end of the salt: the digest of both together stays the same.
fn trade_a_byte(frame: &mut Frame) {
    let body = frame.entries[0].body.as_mut().unwrap();
    let first = body.event.split_to(1);
    body.salt = [body.salt.clone(), first].concat().into();
}

#[tokio::test]
async fn no_forged_frame_leaves_more_than_a_line() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, members, .. } = &coalition;
    alpha.say(members, &["before"]).await;
    coalition.all_hear(&["before"]).await;
    let before = held(backbone).await;
    let forgeries = forgeries(&coalition).await;
    let road = alpha.link(backbone, initiative);
    for (_, forged) in &forgeries {
        send(&road, forged).await;
    }
    let codes: Vec<&str> = forgeries.iter().map(|(code, _)| *code).collect();
    backbone.refuses(&codes).await;
    assert_eq!(held(backbone).await, before);
    for Quarantined { node, code, reason, .. } in backbone.lines().await {
        assert_eq!(node, alpha.id().to_string(), "{code}");
        assert!(!reason.is_empty(), "{code}");
    }
    let fork = backbone.lines().await.pop().unwrap();
    assert_eq!((fork.space, fork.origin, fork.sequence), (members.to_string(), alpha.id().to_string(), 1));

    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["before", "after"]).await;
    coalition.agrees().await;
}

#[tokio::test]
async fn what_comes_too_early_or_again_changes_nothing() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, members, .. } = &coalition;
    alpha.say(members, &["before"]).await;
    coalition.all_hear(&["before"]).await;
    let before = held(backbone).await;
    let again = Forge::of(alpha, members).await;
    let said = entries::range(&mut alpha.border.pool.acquire().await.unwrap(), &again.feed, 1, 1).await.unwrap();
    let early = Forge { next: 9, ..Forge::of(alpha, members).await };
    let unopened = Forge { next: 2, ..Forge::at_start(alpha, &coalition.public(), 1) };
    let road = alpha.link(backbone, initiative);
    send(&road, &up(early.sealed(&[early.entry("too early")]))).await;
    send(&road, &up(unopened.sealed(&[unopened.entry("too early, too")]))).await;
    send(&road, &up(again.sealed(&[said[0].link.clone()]))).await;
    send(&road, &Bytes::from_static(b"\xff")).await;
    backbone.refuses(&["MALFORMED"]).await;
    assert_eq!(held(backbone).await, before);
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["before", "after"]).await;
}

#[tokio::test]
async fn the_same_bad_frame_over_and_over_is_one_line() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, members, .. } = &coalition;
    let road = alpha.link(backbone, initiative);
    for _ in 0..20 {
        send(&road, &up(Frame { entries: vec![Entry::default()], seal: None })).await;
    }
    send(&road, &Bytes::from_static(b"\xff")).await;
    backbone.refuses(&["OTHER_FORMAT", "MALFORMED"]).await;
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["after"]).await;
}

#[tokio::test]
async fn a_flood_of_bad_frames_pushes_out_only_the_floods_own_lines() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    send(&beta.link(backbone, initiative), &Bytes::from_static(b"\xff of beta")).await;
    backbone.refuses(&["MALFORMED"]).await;
    let road = alpha.link(backbone, initiative);
    for number in 0..300 {
        send(&road, &Bytes::from(format!("\u{7f} flood {number}"))).await;
    }
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["after"]).await;
    let lines = backbone.lines().await;
    let of = |node: &Node| lines.iter().filter(|line| line.node == node.id().to_string()).count();
    assert_eq!((of(alpha), of(beta)), (200, 1));
    soon(async || (backbone.status().await.links.len() == 2).then_some(())).await;
}

/// Something to be found, the `nth` of its kind.
pub async fn find(node: &Node, peer: &NodeId, nth: u64, standing: Standing) {
    let finding = Finding {
        node: peer,
        space: String::new(),
        origin: String::new(),
        sequence: nth,
        code: "MALFORMED",
        reason: format!("{nth}\u{1b}[31m{}", "x".repeat(5000)),
        standing,
        bytes: &[7; 100_000],
    };
    quarantine::add(&mut node.border.pool.acquire().await.unwrap(), &finding).await.unwrap();
}

#[tokio::test]
async fn quarantine_has_a_bound_in_lines_bytes_and_time() {
    let (postgres, _folder) = postgres().await;
    let node = Home::new(&postgres, "backbone", None).await.start().await;
    let (one, other) = (some_node(), some_node());
    let sequences = async |peer: &NodeId| -> Vec<i64> {
        let lines = node.lines().await.into_iter();
        lines.filter(|line| line.node == peer.to_string()).map(|line| line.sequence).collect()
    };
    find(&node, &other, 1, Standing::Open).await;
    find(&node, &one, 1, Standing::Alarm).await;
    for nth in 2..=300 {
        find(&node, &one, nth, Standing::Open).await;
    }
    // Within a minute no more are kept than there may be: what a flood costs is bounded, whatever its length.
    assert_eq!(sequences(&one).await, (1..=201).collect::<Vec<_>>());
    sqlx::query("update federation.quarantine set at = at - interval '1 hour'")
        .execute(&node.border.pool)
        .await
        .unwrap();
    for nth in 301..=350 {
        find(&node, &one, nth, Standing::Open).await;
    }
    // The oldest of the same node go: neither another's nor the alarms about this one.
    assert_eq!(sequences(&one).await, [1].into_iter().chain(52..=201).chain(301..=350).collect::<Vec<_>>());
    assert_eq!(sequences(&other).await, [1]);
    let large =
        "select count(*) from federation.quarantine where octet_length(bytes) > 4096 or octet_length(reason) > 1024
                     or reason ~ '[[:cntrl:]]'";
    assert_eq!(node.count(large).await, 0);

    // The same once more is the same line with a later time.
    let latest = "select count(*) from federation.quarantine where at > clock_timestamp() - interval '30 minutes'";
    let before = (node.count(latest).await, sequences(&one).await);
    find(&node, &one, 60, Standing::Open).await;
    assert_eq!((node.count(latest).await, sequences(&one).await), (before.0 + 1, before.1));

    // Each time counts, whether or not it leaves a line; what this version does not know makes no series of its own.
    let page = chassis::telemetry::exposition();
    let of_one =
        page.lines().find(|line| line.starts_with("commonweal_link_refused_total") && line.contains(one.as_str()));
    assert!(of_one.is_some_and(|line| line.contains("code=\"MALFORMED\"") && line.ends_with(" 351")), "{of_one:?}");
    let [_, code] = federation::meters::refused(&one, "MADE_UP");
    assert_eq!(code.value.as_str(), "OTHER");
}

/// Everything that an accepted frame would change.
async fn held(node: &Node) -> Vec<i64> {
    vec![
        node.count("select count(*) from federation.feeds").await,
        node.count("select coalesce(sum(sequence + judged), 0)::bigint from federation.feeds").await,
        node.count("select count(*) from federation.entries").await,
        node.count("select count(*) from federation.spaces").await,
        node.count("select coalesce(sum(position), 0)::bigint from federation.spaces").await,
        node.count("select count(*) from log").await,
    ]
}
