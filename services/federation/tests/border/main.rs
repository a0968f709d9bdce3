//! Borders of several nodes, linked through a real hub.
//!
//! Failures that count: a partner or a backbone that sends whatever it likes, with its own keys; nodes and the hub that
//! stop at any instant and come back, the hub even with an empty disk; a node that is shut out. Failures that do not: a
//! Postgres that loses what it confirmed, somebody who holds another node's keys.
#![cfg(test)]

mod acceptances;
mod access;
mod bad_input;
mod circles;
mod coalition;
mod erasure;
mod fairness;
mod followers;
mod forge;
mod frames;
mod healing;
mod hub;
mod joining;
mod keys;
mod node;
mod outages;
mod poison;
mod quarantine;
mod restored;
mod verdicts;

use coalition::Coalition;
use node::{Home, soon};

#[tokio::test]
async fn what_one_says_all_hold_in_the_same_order() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    alpha.say(members, &["a1", "a2"]).await;
    coalition.all_hear(&["a1", "a2"]).await;
    beta.say(members, &["b1"]).await;
    coalition.all_hear(&["a1", "a2", "b1"]).await;
    backbone.say(members, &["c1"]).await;
    coalition.all_hear(&["a1", "a2", "b1", "c1"]).await;
    coalition.agrees().await;
}

#[tokio::test]
async fn what_is_between_one_partner_and_the_backbone_no_other_holds() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    let private = coalition.between(alpha);
    alpha.say(&private, &["secret"]).await;
    backbone.hears(&private, &["secret"]).await;
    backbone.say(&private, &["answer"]).await;
    alpha.hears(&private, &["secret", "answer"]).await;
    alpha.say(members, &["open"]).await;
    coalition.all_hear(&["open"]).await;
    // What was sent to beta before this has arrived.
    alpha.say(members, &["open again"]).await;
    coalition.all_hear(&["open", "open again"]).await;
    assert_eq!(beta.order(&private).await.position, 0);
    assert!(beta.codes().await.is_empty(), "it was sent, and only refused");
    for table in ["entries", "feeds", "acceptances", "spaces"] {
        let select = format!("select distinct space from federation.{table}");
        let held: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(select)).fetch_all(&beta.border.pool).await.unwrap();
        assert_eq!(held, [members.to_string()], "{table}");
    }
    let mut connection = backbone.border.pool.acquire().await.unwrap();
    let said = federation::have::of(&mut connection, &coalition.initiative, beta.holder(), false).await.unwrap();
    assert_eq!(said.spaces.iter().map(|head| head.space.as_str()).collect::<Vec<_>>(), ["members"]);
    assert!(said.feeds.is_empty());
}

#[tokio::test]
async fn a_newcomer_is_filled_from_the_first_entry() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, members, .. } = &coalition;
    alpha.say(members, &["early"]).await;
    coalition.all_hear(&["early"]).await;
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let invitation = backbone.invite(initiative).await;
    soon(async || gamma.join(&invitation).await.ok()).await;
    gamma.hears(members, &["early"]).await;
    coalition.agrees().await;
}
