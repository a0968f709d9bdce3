//! What was begun with the hub or with a link and broken off in between is finished by itself.

use std::time::Duration;

use federation::ending;
use proto::federation::link_status::State;

use crate::coalition::Coalition;
use crate::node::{Home, PATIENCE, soon};

#[tokio::test]
async fn a_link_that_does_not_start_after_a_join_starts_once_it_can() {
    let coalition = Coalition::new().await;
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    // What is kept of the mailbox cannot be read when the link would start, as if the process had ended there.
    for statement in [
        "create function federation.broken() returns trigger language plpgsql as
         $$ begin new.mailbox = jsonb_build_object('kept', new.mailbox); return new; end $$",
        "create trigger broken before insert or update of mailbox on federation.links
         for each row execute function federation.broken()",
    ] {
        sqlx::query(statement).execute(&gamma.border.pool).await.unwrap();
    }
    let invitation = coalition.backbone.invite(&coalition.initiative).await;
    soon(async || gamma.join(&invitation).await.ok()).await;
    assert!(gamma.links.get(coalition.backbone.id(), &coalition.initiative).is_none());
    assert_eq!(gamma.status().await.links[0].state(), State::Disconnected);

    for statement in
        ["drop trigger broken on federation.links", "update federation.links set mailbox = mailbox -> 'kept'"]
    {
        sqlx::query(statement).execute(&gamma.border.pool).await.unwrap();
    }
    soon(async || (gamma.status().await.links[0].state() == State::Connected).then_some(())).await;
    coalition.alpha.say(&coalition.members, &["on"]).await;
    gamma.hears(&coalition.members, &["on"]).await;
}

#[tokio::test]
async fn whoever_waits_for_the_hub_holds_no_lock() {
    let mut coalition = Coalition::new().await;
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let invitation = coalition.backbone.invite(&coalition.initiative).await;
    coalition.hub.kill().await;
    // Something that takes the connection and never says a word.
    let address = coalition.hub.side.public.as_str().trim_start_matches("tls://").to_owned();
    let _silent = std::net::TcpListener::bind(address).unwrap();
    let locked = "select count(*) from pg_locks where relation = 'requests'::regclass and pid <> pg_backend_pid()";
    let looking = async {
        // What is read and checked before takes a moment.
        tokio::time::sleep(Duration::from_millis(500)).await;
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(gamma.count(locked).await, 0, "a transaction stays open meanwhile");
        }
    };
    tokio::select! {
        joined = gamma.join(&invitation) => panic!("it did not wait: {joined:?}"),
        () = looking => {}
    }
}

#[tokio::test]
async fn a_node_is_shut_out_although_the_hub_is_away_and_the_hub_is_told_later() {
    let Coalition { backbone, alpha, beta, initiative, members, mut hub, postgres: _postgres } = Coalition::new().await;
    hub.kill().await;
    backbone.revoke(&initiative, alpha.id()).await;
    let ended = backbone.members(&initiative).await;
    assert!(ended.iter().any(|(node, at)| node == alpha.id() && at.is_some()), "{ended:?}");
    let open = "select count(*) from federation.links where ended_at is not null and closed_at is null";
    assert_eq!(backbone.count(open).await, 1);

    hub.start_again().await;
    soon(async || (backbone.count(open).await == 0).then_some(())).await;
    soon(async || (alpha.status().await.links[0].state() == State::Refused).then_some(())).await;
    beta.say(&members, &["on"]).await;
    backbone.hears(&members, &["on"]).await;
}

#[tokio::test]
async fn an_end_that_was_decided_is_carried_out_by_the_next_process() {
    let Coalition { backbone, alpha, beta, initiative, members, hub: _hub, postgres: _postgres } =
        Coalition::new().await;
    alpha.say(&members, &["before"]).await;
    backbone.hears(&members, &["before"]).await;
    // The process ends between the decision and all that follows from it.
    ending::intend(&backbone.links, alpha.id(), &initiative, "laptop stolen").await.unwrap();
    let backbone = backbone.stop().await.start().await;
    soon(async || {
        let known = backbone.members(&initiative).await;
        known.iter().any(|(node, at)| node == alpha.id() && at.is_some()).then_some(())
    })
    .await;
    soon(async || (alpha.status().await.links[0].state() == State::Refused).then_some(())).await;
    let done = "select count(*) from federation.links where closed_at is not null and ending = 'laptop stolen'";
    soon(async || (backbone.count(done).await == 1).then_some(())).await;
    // Asked for again, it is done.
    tokio::time::timeout(PATIENCE, backbone.revoke(&initiative, alpha.id())).await.unwrap();
    beta.say(&members, &["after"]).await;
    backbone.hears(&members, &["before", "after"]).await;
}
