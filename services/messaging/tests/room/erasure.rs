//! What is taken back is erased: from the tables at once, from the log when the backbone has accepted it.

use chassis::testing::Stage;
use messaging::Messaging as Room;
use proto::messaging::*;
use sqlx::AssertSqlSafe;

use crate::scene::Scene;

const SECRET: &str = "Xylophon";

/// Tables of the room's database in which a word stands, as text or as bytes.
async fn tables_with(stage: &Stage<Room>, word: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name from information_schema.tables where table_schema = 'messaging' order by 1",
    )
    .fetch_all(&stage.pool)
    .await
    .unwrap();
    let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut found = Vec::new();
    for table in tables {
        let select = format!(
            "select exists (select from messaging.{table} t where t::text ilike '%' || $1 || '%' or t::text like '%' || $2 || '%')"
        );
        let has: bool =
            sqlx::query_scalar(AssertSqlSafe(select)).bind(word).bind(&hex).fetch_one(&stage.pool).await.unwrap();
        if has {
            found.push(table);
        }
    }
    found
}

#[tokio::test]
async fn nothing_of_a_withdrawn_message_is_left_anywhere() {
    let scene = Scene::set().await;
    let alpha = scene.elsewhere().await;
    let channel = scene.discussion().await;
    let posted = scene.post(&channel, &format!("The {SECRET}")).await;
    scene.accept(&posted.reference).await;
    scene.edit(&posted, &format!("A {SECRET}")).await;
    scene.accept(&posted.reference).await;
    for event in scene.stage.log().await {
        alpha.stage.take(event).await;
    }
    assert_eq!(tables_with(&scene.stage, SECRET).await, ["log", "messages"], "and no answer that is kept");
    assert_eq!(tables_with(&alpha.stage, SECRET).await, ["log", "messages"]);

    let withdrawn = scene.withdraw(&posted).await;
    assert_eq!((withdrawn.state(), withdrawn.etag.as_str()), (MessageState::Withdrawn, "3"));
    // The border may still have to send what was told, and the backbone may say no: the log waits.
    assert_eq!(tables_with(&scene.stage, SECRET).await, ["log"]);
    let before = scene.stage.rows().await;
    scene.accept(&posted.reference).await;
    assert_eq!(tables_with(&scene.stage, SECRET).await, [""; 0]);
    let mut after = scene.stage.rows().await;
    let entries = |rows: &mut std::collections::BTreeMap<String, Vec<String>>| rows.remove("messaging.entries");
    assert_ne!(entries(&mut after), entries(&mut before.clone()), "it has its place now");

    let withdrawal = scene.told(&posted.reference).await.pop().unwrap();
    alpha.stage.take(withdrawal.clone()).await;
    assert_eq!(tables_with(&alpha.stage, SECRET).await, [""; 0]);
    assert_eq!(tables_with(&alpha.stage, "Wilhelmina").await, [""; 0], "nor of who signed it");

    // Folding again what is left, and hearing nothing else of it, give the same.
    let (rows, states) = (scene.stage.rows().await, scene.stage.states(&scene.initiative).await);
    scene.stage.replay().await;
    assert_eq!(scene.stage.rows().await, rows);
    alpha.stage.replay().await;
    let late = scene.elsewhere().await;
    late.stage.take(scene.told(&channel.reference).await.remove(0)).await;
    late.stage.take(withdrawal).await;
    for node in [&alpha, &late] {
        assert_eq!(node.stage.states(&scene.initiative).await, states);
        let entries = node.list(&channel, "", 0).await.entries;
        assert_eq!(entries.iter().map(Entry::change).collect::<Vec<_>>(), [Change::Withdrawn]);
        assert_eq!(node.get(&posted).await, scene.get(&posted).await);
    }
}

#[tokio::test]
async fn nothing_of_a_retracted_card_is_left_anywhere() {
    let scene = Scene::set().await;
    let alpha = scene.elsewhere().await;
    let published = scene.published().await;
    scene.accept(&published.reference).await;
    alpha.stage.take(scene.told(&published.reference).await.remove(0)).await;
    let word = "Mentors in ninth grade";
    assert_eq!(tables_with(&scene.stage, word).await, ["log", "practice_cards"], "and no answer that is kept");
    let (practice_card, reason) = (published.reference.clone(), "Not ours to tell".to_owned());
    let retract = RetractPracticeCardRequest { practice_card, reason, request_id: crate::scene::new_id() };
    scene.operated().retract_practice_card(retract).await.unwrap();
    let retracted = scene.told(&published.reference).await.pop().unwrap();
    scene.accept(&published.reference).await;
    alpha.stage.take(retracted.clone()).await;
    let late = scene.elsewhere().await;
    late.stage.take(retracted).await;
    let get = GetPracticeCardRequest { practice_card: published.reference };
    let mut left = Vec::new();
    for node in [&scene, &alpha, &late] {
        assert_eq!(tables_with(&node.stage, word).await, [""; 0]);
        let rows = node.stage.rows().await;
        node.stage.replay().await;
        assert_eq!(node.stage.rows().await, rows);
        left.push(node.operated().get_practice_card(get.clone()).await.unwrap().into_inner().practice_card.unwrap());
    }
    assert!(left.iter().all(|card| *card == left[0] && card.state() == PracticeCardState::Retracted));
    assert_eq!((left[0].etag.as_str(), left[0].reason.as_str()), ("2", "Not ours to tell"));
}

#[tokio::test]
async fn posted_and_withdrawn_in_one_batch_is_erased_too() {
    let scene = Scene::set().await;
    let alpha = scene.elsewhere().await;
    let channel = scene.discussion().await;
    let posted = scene.post(&channel, SECRET).await;
    scene.withdraw(&posted).await;
    let told = scene.told(&posted.reference).await;
    assert_eq!(told.len(), 2, "both still go out");
    scene.stage.judge(&scene.members(), &told.iter().collect::<Vec<_>>(), &[]).await;
    assert_eq!(tables_with(&scene.stage, SECRET).await, [""; 0]);
    for event in told {
        alpha.stage.take(event).await;
    }
    assert_eq!(tables_with(&alpha.stage, SECRET).await, [""; 0]);
}

#[tokio::test]
async fn a_withdrawal_that_the_backbone_refuses_leaves_the_message() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let posted = scene.post(&channel, SECRET).await;
    scene.accept(&posted.reference).await;
    scene.withdraw(&posted).await;
    assert_eq!(scene.get(&posted).await.body, "");
    let withdrawal = scene.told(&posted.reference).await.pop().unwrap();
    scene.stage.judge(&scene.members(), &[], &[&withdrawal]).await;
    assert_eq!(scene.get(&posted).await.body, SECRET);
    assert_eq!(scene.bodies(&channel).await, [SECRET]);
}
