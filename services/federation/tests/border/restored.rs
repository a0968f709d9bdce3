//! Nodes that were restored: from a dump of their database, from a copy of which nobody knows, and by a Postgres that is
//! less far than it was. Failures that count: all of these, with the key at hand. Failures that do not: a key that is lost,
//! and what was never shared since the backup.

use std::time::Duration;

use chassis::clock;
use chassis::names::{NodeId, Reference, Space};
use federation::border::BorderError;
use federation::store::reissues;
use federation::{own, tell};
use proto::federation::CreateInvitationRequest;
use tonic::Code;

use crate::coalition::Coalition;
use crate::erasure;
use crate::forge::{Forge, send, up};
use crate::node::{Home, Node, SAID, soon};

/// Stops alpha, copies its database, and starts it again.
async fn backed_up(mut coalition: Coalition) -> Coalition {
    let home = coalition.alpha.stop().await;
    home.back_up(&coalition.postgres.0).await;
    coalition.alpha = home.start().await;
    coalition
}

/// Alpha's copy in the place of its database; it does not run yet.
async fn copy_back(alpha: Node, coalition_postgres: &chassis::testing::Postgres) -> Home {
    let home = alpha.stop().await;
    home.put_back(coalition_postgres).await;
    home
}

/// Which runs of its feed of a space a node holds of another, each with how far.
async fn runs(node: &Node, space: &Space, origin: &NodeId) -> Vec<(i32, i64)> {
    sqlx::query_as("select epoch, sequence from federation.feeds where space = $1 and origin = $2 order by epoch")
        .bind(space.to_string())
        .bind(origin.as_str())
        .fetch_all(&node.border.pool)
        .await
        .unwrap()
}

async fn found_again(node: &Node) {
    soon(async || (!node.border.restored.is()).then_some(())).await;
}

#[tokio::test]
async fn a_restored_partner_takes_back_what_it_lost_and_goes_on_in_a_new_run() {
    let mut coalition = Coalition::new().await;
    coalition.alpha.say(&coalition.members, &["a1"]).await;
    coalition.all_hear(&["a1"]).await;
    coalition = backed_up(coalition).await;
    let private = coalition.between(&coalition.alpha);
    coalition.alpha.say(&coalition.members, &["a2"]).await;
    coalition.alpha.say(&private, &["secret"]).await;
    coalition.beta.say(&coalition.members, &["b1"]).await;
    coalition.backbone.hears(&private, &["secret"]).await;
    let order = [&["a1", "a2", "b1"][..], &["a1", "b1", "a2"]];
    soon(async || {
        order
            .contains(
                &coalition
                    .backbone
                    .heard(&coalition.members)
                    .await
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .as_slice(),
            )
            .then_some(())
    })
    .await;
    let all = coalition.backbone.heard(&coalition.members).await;
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    coalition.all_hear(&all).await;

    let home = copy_back(coalition.alpha, &coalition.postgres.0).await;
    coalition.alpha = home.start().await;
    coalition.all_hear(&all).await;
    coalition.alpha.hears(&private, &["secret"]).await;
    found_again(&coalition.alpha).await;
    coalition.agrees().await;
    assert!(coalition.alpha.codes().await.is_empty(), "{:?}", coalition.alpha.lines().await);
    // Its rooms are told of what they lost, and of the place of what they may know still.
    let told = "select count(*) from log where type = 'commonweal.future.v1.Said' and accepted_position is not null";
    assert_eq!(coalition.alpha.count(told).await, 3);

    coalition.alpha.say(&coalition.members, &["a3"]).await;
    coalition.all_hear(&[all.as_slice(), &["a3"]].concat()).await;
    for node in coalition.nodes() {
        assert_eq!(runs(node, &coalition.members, coalition.alpha.id()).await, [(1, 2), (2, 1)]);
    }
    coalition.agrees().await;
    assert!(coalition.backbone.codes().await.is_empty());

    // What was on the road in the lost time, and comes now, cannot be mistaken.
    let mut forge = Forge::at_start(&coalition.alpha, &coalition.members, 1);
    let mut connection = coalition.alpha.border.pool.acquire().await.unwrap();
    let (held, _) = federation::store::feeds::held(&mut connection, &forge.feed, &[]).await.unwrap();
    (forge.next, forge.previous) = (held.sequence + 1, held.digest);
    let late = forge.sealed(&forge.entries(&["late"]));
    drop(connection);
    send(&coalition.alpha.link(&coalition.backbone, &coalition.initiative), &up(late)).await;
    coalition.backbone.refuses(&["OTHER_EPOCH"]).await;
    // It is restored once, and not with each start.
    coalition.alpha = coalition.alpha.stop().await.start().await;
    assert!(!coalition.alpha.border.restored.is());
}

#[tokio::test]
async fn a_restored_node_writes_nothing_until_the_others_have_answered() {
    let mut coalition = backed_up(Coalition::new().await).await;
    coalition.alpha.say(&coalition.members, &["lost"]).await;
    coalition.all_hear(&["lost"]).await;
    coalition.hub.kill().await;
    let home = copy_back(coalition.alpha, &coalition.postgres.0).await;
    coalition.alpha = home.start().await;
    let Coalition { alpha, members, .. } = &coalition;
    let request =
        CreateInvitationRequest { request_id: clock::new_id().to_string(), ..CreateInvitationRequest::default() };
    let refused = alpha.calls().create_invitation(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("restored"), "{refused}");
    let mut transaction = alpha.border.pool.begin().await.unwrap();
    let initiative = tell::initiative(&alpha.border, &mut transaction, &coalition.initiative).await.unwrap().unwrap();
    let about = Reference::born_on(alpha.id());
    let events = [alpha.event(members, &about, SAID, "too early")];
    let by = own::By::Room("a_room", 1);
    let told = own::tell(&alpha.border, &mut transaction, &initiative, members, &events, by).await;
    assert!(matches!(told, Err(BorderError::Restored)), "{told:?}");
    drop(transaction);
    let status = alpha.status().await.restored.unwrap();
    soon(async || alpha.status().await.restored.filter(|restored| restored.waits_for.len() == 1)).await;
    assert!(status.since.is_some() && !status.reason.is_empty(), "{status:?}");

    coalition.hub.start_again().await;
    found_again(&coalition.alpha).await;
    assert_eq!(coalition.alpha.status().await.restored, None);
    coalition.alpha.say(&coalition.members, &["in time"]).await;
    coalition.all_hear(&["lost", "in time"]).await;
    coalition.agrees().await;
}

#[tokio::test]
async fn a_copy_that_nobody_knows_of_is_found_out_though_it_is_further_and_what_it_told_is_put_aside() {
    let mut coalition = Coalition::new().await;
    coalition.alpha.say(&coalition.members, &["a1"]).await;
    coalition.all_hear(&["a1"]).await;
    coalition = backed_up(coalition).await;
    coalition.alpha.say(&coalition.members, &["a2"]).await;
    coalition.all_hear(&["a1", "a2"]).await;

    // The marker came back with the copy: nothing shows by itself that it is one.
    let home = copy_back(coalition.alpha, &coalition.postgres.0).await;
    home.forget_marker().await;
    coalition.hub.kill().await;
    coalition.alpha = home.start().await;
    assert!(!coalition.alpha.border.restored.is());
    coalition.alpha.say(&coalition.members, &["b2", "b3", "b4"]).await;
    coalition.hub.start_again().await;
    coalition.all_hear(&["a1", "a2"]).await;
    let waiting = async || {
        let mut connection = coalition.alpha.border.pool.acquire().await.unwrap();
        let list = reissues::list(&mut connection, 0, 100).await.unwrap();
        (list.len() == 3).then_some(list)
    };
    let waiting = soon(waiting).await;
    found_again(&coalition.alpha).await;
    coalition.alpha.refuses(&[]).await;
    // The rooms are told that these count no more.
    let judged = coalition.alpha.judged().await;
    let refused: Vec<_> =
        judged.iter().flat_map(|judged| &judged.refused).map(|refused| refused.event_id.len()).collect();
    assert_eq!(refused, [16; 3]);

    coalition.alpha.reissue(waiting[1].id).await;
    coalition.alpha.drop_reissue(waiting[0].id).await;
    coalition.all_hear(&["a1", "a2", "b3"]).await;
    coalition.alpha.say(&coalition.members, &["a5"]).await;
    coalition.all_hear(&["a1", "a2", "b3", "a5"]).await;
    coalition.agrees().await;
    let mut connection = coalition.alpha.border.pool.acquire().await.unwrap();
    assert_eq!(reissues::count(&mut connection).await.unwrap(), 1);
    assert_eq!(runs(&coalition.beta, &coalition.members, coalition.alpha.id()).await, [(1, 2), (2, 2)]);
}

#[tokio::test]
async fn a_restored_backbone_is_told_its_own_order_by_its_partners() {
    let mut coalition = Coalition::new().await;
    let private = coalition.between(&coalition.alpha);
    coalition.alpha.say(&coalition.members, &["a1"]).await;
    coalition.all_hear(&["a1"]).await;
    let home = coalition.backbone.stop().await;
    home.back_up(&coalition.postgres.0).await;
    coalition.backbone = home.start().await;
    coalition.backbone.say(&coalition.members, &["c1"]).await;
    coalition.all_hear(&["a1", "c1"]).await;
    coalition.alpha.say(&coalition.members, &["a2"]).await;
    coalition.all_hear(&["a1", "c1", "a2"]).await;
    coalition.alpha.say(&private, &["secret"]).await;
    coalition.alpha.hears(&private, &["secret"]).await;
    let lost = coalition.backbone.order(&coalition.members).await;

    let home = coalition.backbone.stop().await;
    home.put_back(&coalition.postgres.0).await;
    // What is told while the backbone only reads gets its place after what was lost, though nothing before it is missing.
    coalition.beta.say(&coalition.members, &["b1"]).await;
    coalition.backbone = home.start().await;
    coalition.all_hear(&["a1", "c1", "a2", "b1"]).await;
    coalition.backbone.hears(&private, &["secret"]).await;
    found_again(&coalition.backbone).await;
    let steps = "select count(*) from federation.acceptances where space like '%/members'";
    assert_eq!(coalition.backbone.count(steps).await, i64::try_from(lost.position).unwrap() + 1);

    coalition.backbone.say(&coalition.members, &["c2"]).await;
    coalition.all_hear(&["a1", "c1", "a2", "b1", "c2"]).await;
    coalition.agrees().await;
    for node in coalition.nodes() {
        let runs = runs(node, &coalition.members, coalition.backbone.id()).await;
        assert_eq!(runs.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), [1, 2]);
        assert!(node.codes().await.is_empty(), "{:?}", node.lines().await);
    }
}

#[tokio::test]
async fn a_partner_that_stays_away_does_not_keep_a_restored_backbone_from_writing_for_ever() {
    let mut coalition = Coalition::new().await;
    let home = coalition.backbone.stop().await;
    home.back_up(&coalition.postgres.0).await;
    coalition.backbone = home.start().await;
    coalition.alpha.say(&coalition.members, &["a1"]).await;
    coalition.all_hear(&["a1"]).await;
    let Coalition { backbone, alpha, beta, members, hub: _hub, postgres, .. } = coalition;
    let _away = beta.stop().await;
    let home = backbone.stop().await.patient_for(Duration::from_secs(1));
    home.put_back(&postgres.0).await;
    let backbone = home.start().await;
    found_again(&backbone).await;
    backbone.hears(&members, &["a1"]).await;
    alpha.say(&members, &["a2"]).await;
    backbone.hears(&members, &["a1", "a2"]).await;
}

#[tokio::test]
async fn what_is_withdrawn_after_a_restore_is_erased_in_the_run_before_it() {
    let mut coalition = Coalition::new().await;
    let mine = Reference::born_on(coalition.alpha.id());
    let words = erasure::said(&coalition.alpha, &coalition.members, &mine, erasure::WORDS);
    coalition.alpha.tell(&coalition.members, &[words]).await;
    coalition.all_hear(&[erasure::WORDS]).await;
    coalition = backed_up(coalition).await;
    let home = copy_back(coalition.alpha, &coalition.postgres.0).await;
    coalition.alpha = home.start().await;
    found_again(&coalition.alpha).await;
    let withdrawn = erasure::taken_back(&coalition.alpha, &coalition.members, &mine);
    coalition.alpha.tell(&coalition.members, &[withdrawn]).await;
    for node in coalition.nodes() {
        let name = node.id().to_string();
        soon(async || erasure::tables_with(node, erasure::WORDS).await.is_empty().then_some(())).await;
        assert_eq!(runs(node, &coalition.members, coalition.alpha.id()).await, [(1, 1), (2, 1)], "{name}");
    }
    coalition.agrees().await;
}
