//! Erasure: an accepted event takes the words back that were told of its resource before, on every node and for whoever
//! comes later; and a body that nobody erased is missed.
//!
//! What counts: a partner or a backbone that erases, or withholds, what is not its to take. What does not: words that
//! somebody copied out of a node, and what the disks under a database still hold.

use bytes::Bytes;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use federation::wire::{self, Link, Runs};
use federation::{erasure, have};
use prost::Name;
use proto::federation::entry_header::Run;
use proto::messaging::{MessageEdited, MessagePosted, MessageWithdrawn};
use sqlx::AssertSqlSafe;

use crate::acceptances::Pretender;
use crate::coalition::Coalition;
use crate::forge::{Forge, changed, down, sealed, send, up};
use crate::node::{Home, Node, SAID, soon};

pub const WORDS: &str = "Xylophon";

/// In which tables of a node's border the words stand, as text or as bytes.
pub async fn tables_with(node: &Node, word: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name from information_schema.tables where table_schema = 'federation' order by 1",
    )
    .fetch_all(&node.border.pool)
    .await
    .unwrap();
    let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut found = Vec::new();
    for table in tables {
        let select = format!(
            "select exists (select from federation.{table} t
                             where t::text like '%' || $1 || '%' or t::text like '%' || $2 || '%')"
        );
        let select = sqlx::query_scalar(AssertSqlSafe(select)).bind(word).bind(&hex);
        if select.fetch_one(&node.border.pool).await.unwrap() {
            found.push(table);
        }
    }
    found
}

pub fn said(node: &Node, space: &Space, about: &Reference, words: &str) -> (Event, Bytes) {
    node.event(space, about, SAID, words.to_owned())
}

pub fn taken_back(node: &Node, space: &Space, about: &Reference) -> (Event, Bytes) {
    node.event(space, about, &MessageWithdrawn::full_name(), "")
}

/// Everything of every feed of a space but the bodies: who said how much, and the digest of the last header.
async fn chains(node: &Node) -> Vec<(String, String, i64, Vec<u8>)> {
    sqlx::query_as("select space, origin, sequence, digest from federation.feeds order by space, origin")
        .fetch_all(&node.border.pool)
        .await
        .unwrap()
}

/// What a partner finds when the backbone tells it how far it is.
async fn looks(coalition: &Coalition, partner: &Node) {
    looks_with(coalition, partner, 0).await;
}

/// The same, where the backbone's order goes on for so many steps.
async fn looks_with(coalition: &Coalition, partner: &Node, more: u64) {
    let mut connection = coalition.backbone.border.pool.acquire().await.unwrap();
    let mut have = have::of(&mut connection, &coalition.initiative, partner.holder(), false).await.unwrap();
    have.spaces.iter_mut().for_each(|head| head.position += more);
    let link = partner.link(&coalition.backbone, &coalition.initiative);
    let mut connection = partner.border.pool.acquire().await.unwrap();
    erasure::look(&mut connection, &link.initiative, &have).await.unwrap();
}

/// A newcomer that is as far as the backbone, with what it found amiss.
async fn newcomer(coalition: &Coalition) -> (Node, Vec<String>) {
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let invitation = coalition.backbone.invite(&coalition.initiative).await;
    soon(async || gamma.join(&invitation).await.ok()).await;
    let order = async || coalition.backbone.order(&coalition.members).await;
    soon(async || (gamma.order(&coalition.members).await == order().await).then_some(())).await;
    looks(coalition, &gamma).await;
    let codes = gamma.codes().await;
    (gamma, codes)
}

#[tokio::test]
async fn what_is_taken_back_is_on_no_node_and_none_that_comes_later_gets_it() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    let (mine, other) = (Reference::born_on(alpha.id()), Reference::born_on(alpha.id()));
    // What was not accepted is kept, too: the beginning of it.
    let forge = Forge::of(alpha, members).await;
    let unsigned = up(sealed(&forge.entries(&[WORDS]), &beta.border.keys));
    send(&alpha.link(backbone, initiative), &unsigned).await;
    send(&alpha.link(backbone, initiative), &Bytes::from(format!("\u{ff}{WORDS}"))).await;
    backbone.refuses(&["FOREIGN_KEY", "MALFORMED"]).await;
    let large = format!("{WORDS}{}", "x".repeat(wire::EVENT_BYTES));
    let events = [
        said(alpha, members, &mine, WORDS),
        said(alpha, members, &other, "stays"),
        said(alpha, members, &mine, &large),
        said(alpha, members, &mine, &format!("Not {WORDS}")),
    ];
    alpha.tell(members, &events).await;
    let all = [WORDS, "stays", &format!("Not {WORDS}")];
    coalition.all_hear(&all).await;
    soon(async || (alpha.heard(members).await == all).then_some(())).await;
    assert_eq!(tables_with(alpha, WORDS).await, ["entries"]);
    assert_eq!(tables_with(backbone, WORDS).await, ["entries", "log", "quarantine"]);
    assert_eq!(tables_with(beta, WORDS).await, ["entries", "log"]);

    alpha.tell(members, &[taken_back(alpha, members, &mine)]).await;
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["stays", "after"]).await;
    coalition.agrees().await;
    let (gamma, amiss) = newcomer(&coalition).await;
    assert_eq!(amiss, [""; 0]);
    gamma.hears(members, &["stays", "after"]).await;
    for node in [backbone, alpha, beta, &gamma] {
        assert_eq!(tables_with(node, WORDS).await, [""; 0]);
        assert!(tables_with(node, "stays").await.contains(&"entries".to_owned()), "the search finds what is there");
        assert_eq!(chains(node).await, chains(backbone).await, "headers are all there");
    }
    looks(&coalition, beta).await;
    // The rooms of a newcomer get what is left, with places in the same order.
    let places = "select string_agg(type || accepted_position, ' ' order by position) from log
                   where accepted_position is not null and bytes is not null and type not like '%federation%'";
    let of = async |node: &Node| -> Option<String> {
        sqlx::query_scalar(places).fetch_one(&node.border.pool).await.unwrap()
    };
    assert_eq!(of(beta).await, of(&gamma).await);
    assert_eq!(beta.codes().await, [""; 0]);
}

#[tokio::test]
async fn what_is_said_and_taken_back_at_once_reaches_nobody() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    for node in [alpha, backbone] {
        let mine = Reference::born_on(node.id());
        let events = [said(node, members, &mine, WORDS), taken_back(node, members, &mine)];
        node.tell(members, &events).await;
        node.say(members, &[node.id().as_str()]).await;
    }
    soon(async || (beta.heard(members).await.len() == 2).then_some(())).await;
    coalition.agrees().await;
    looks(&coalition, beta).await;
    for node in coalition.nodes() {
        assert_eq!(tables_with(node, WORDS).await, [""; 0]);
        assert_eq!(node.codes().await, [""; 0]);
    }
}

#[tokio::test]
async fn what_waits_for_its_verdict_erases_nothing() {
    let mut coalition = Coalition::new().await;
    let mine = Reference::born_on(coalition.alpha.id());
    coalition.alpha.tell(&coalition.members, &[said(&coalition.alpha, &coalition.members, &mine, WORDS)]).await;
    coalition.all_hear(&[WORDS]).await;
    coalition.agrees().await;
    coalition.hub.kill().await;
    coalition.alpha.tell(&coalition.members, &[taken_back(&coalition.alpha, &coalition.members, &mine)]).await;
    assert_eq!(tables_with(&coalition.alpha, WORDS).await, ["entries"]);
    coalition.hub.start_again().await;
    coalition.all_hear(&[]).await;
    for node in coalition.nodes() {
        assert_eq!(tables_with(node, WORDS).await, [""; 0]);
    }
}

#[tokio::test]
async fn nobody_takes_back_what_is_not_its_own_to_take() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    let (mine, public) = (Reference::born_on(alpha.id()), coalition.public());
    alpha.tell(members, &[said(alpha, members, &mine, WORDS)]).await;
    alpha.tell(&public, &[said(alpha, &public, &mine, WORDS)]).await;
    coalition.all_hear(&[WORDS]).await;
    for node in coalition.nodes() {
        node.hears(&public, &[WORDS]).await;
    }
    // Not in such a space, and not by another.
    alpha.tell(&public, &[taken_back(alpha, &public, &mine)]).await;
    backbone.refuses(&["SPACE_FORBIDDEN"]).await;
    beta.tell(members, &[taken_back(beta, members, &mine)]).await;
    backbone.refuses(&["SPACE_FORBIDDEN", "NOT_ITS_HOME"]).await;
    backbone.tell(members, &[taken_back(backbone, members, &mine)]).await;

    // A header that names other words than its event's, and one whose event erases nothing.
    let forge = Forge::of(alpha, members).await;
    let (event, bytes) = taken_back(alpha, members, &Reference::born_on(alpha.id()));
    let named = Runs::from([(1, vec![forge.next - 1])]);
    let other = wire::erasing_entry(&forge.feed, forge.next, &forge.previous, &event, bytes, [7; 16], named.clone());
    let (event, bytes) = alpha.event(members, &mine, &MessageEdited::full_name(), "");
    let none = wire::erasing_entry(&forge.feed, forge.next + 1, &other.digest, &event, bytes, [7; 16], named);
    send(&alpha.link(backbone, initiative), &up(forge.sealed(&[other, none]))).await;
    backbone.say(members, &["after"]).await;
    beta.hears(members, &[WORDS, "after"]).await;
    soon(async || (backbone.order(members).await == beta.order(members).await).then_some(())).await;
    for node in coalition.nodes() {
        assert_eq!(node.heard(members).await.first().unwrap(), WORDS);
        node.hears(&public, &[WORDS]).await;
    }
    assert_eq!(backbone.count("select count(*) from federation.entries where erased_by is not null").await, 0);
    let accepted = "select count(*) from federation.entries where refused is null and event is null";
    assert_eq!((backbone.count(accepted).await, beta.count(accepted).await), (0, 0));
}

#[tokio::test]
async fn a_header_names_what_it_erases_in_order_and_before_it() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, members, .. } = &coalition;
    alpha.say(members, &["one", "two"]).await;
    coalition.all_hear(&["one", "two"]).await;
    let forge = Forge::of(alpha, members).await;
    let naming = |erases: Vec<u64>| changed(&forge.entry("forged"), |header| header.erases = erases);
    let bad = [vec![0], vec![2, 1], vec![1, 1], vec![forge.next], vec![1, u64::MAX]];
    let run = |epoch, sequences: &[u64]| Run { epoch, sequences: sequences.to_vec() };
    let earlier = |runs: Vec<Run>| changed(&forge.entry("forged"), |header| header.erases_earlier = runs);
    let bad_runs = [vec![run(0, &[1])], vec![run(1, &[1])], vec![run(1, &[])], vec![run(1, &[2, 1])]];
    let codes = vec!["MALFORMED"; bad.len() + bad_runs.len()];
    for link in bad.into_iter().map(naming).chain(bad_runs.into_iter().map(earlier)) {
        send(&alpha.link(backbone, initiative), &up(forge.sealed(&[link]))).await;
    }
    backbone.refuses(&codes).await;
}

#[tokio::test]
async fn a_body_that_nobody_erased_is_missed() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    coalition.agrees().await;
    let mine = Reference::born_on(alpha.id());
    let forge = Forge::of(alpha, members).await;
    let (event, bytes) = said(alpha, members, &mine, WORDS);
    let link = wire::entry(&forge.feed, forge.next, &forge.previous, &event, bytes, [7; 16]);
    let bare = Link { body: None, ..link.clone() };
    // The backbone itself neither hears nor says anything to beta any more: it would take back what has its seal.
    let road = backbone.link(beta, initiative);
    let ended = "update federation.links set ended_at = clock_timestamp() where node = $1";
    sqlx::query(ended).bind(beta.id().as_str()).execute(&backbone.border.pool).await.unwrap();
    backbone.links.end(beta.id(), initiative);
    let give = async |link: &Link| {
        let pretender = Pretender::of(&coalition, beta).await;
        let position = beta.order(members).await.position + 1;
        let accepted = pretender.accepted(&forge.sealed(std::slice::from_ref(link)));
        send(&road, &down(accepted)).await;
        soon(async || (beta.order(members).await.position == position).then_some(())).await;
    };
    give(&bare).await;
    looks_with(&coalition, beta, 2).await;
    assert_eq!(beta.codes().await, [""; 0], "it may still turn out to be erased");
    // The backbone's own word is that it goes no further: so nothing comes that erases it.
    looks(&coalition, beta).await;
    looks(&coalition, beta).await;
    assert_eq!(beta.codes().await, ["WITHHELD"]);
    let status = beta.status().await.links.remove(0);
    assert!(status.alarms == 1 && status.last_alarm.contains("did not come along"), "{status:?}");

    let (event, bytes) = taken_back(alpha, members, &mine);
    let erases = Runs::from([(1, vec![link.sequence])]);
    give(&wire::erasing_entry(&forge.feed, link.sequence + 1, &link.digest, &event, bytes, [7; 16], erases)).await;
    looks(&coalition, beta).await;
    assert_eq!(beta.codes().await, [""; 0], "so it was erased");
}

#[tokio::test]
async fn what_was_held_before_is_found_again() {
    let coalition = Coalition::new().await;
    let Coalition { alpha, members, .. } = &coalition;
    let mine = Reference::born_on(alpha.id());
    alpha.tell(members, &[alpha.event(members, &mine, &MessagePosted::full_name(), WORDS)]).await;
    let migration = include_str!("../../migrations/0005_erasure.sql");
    let fills = migration.split(';').find(|statement| statement.contains("update federation.entries")).unwrap();
    let resources = "select string_agg(resource, ' ') from federation.entries where event is not null";
    let forget = "update federation.entries set resource = ''";
    sqlx::query(forget).execute(&alpha.border.pool).await.unwrap();
    sqlx::query(AssertSqlSafe(fills)).execute(&alpha.border.pool).await.unwrap();
    let found: String = sqlx::query_scalar(resources).fetch_one(&alpha.border.pool).await.unwrap();
    assert_eq!(found.trim(), mine.to_string());
}
