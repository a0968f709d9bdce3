//! Nodes and the hub stop and come back: nothing is lost, and nobody has to do anything.

use std::time::{Duration, Instant};

use crate::coalition::Coalition;
use crate::node::{Home, soon};

#[tokio::test]
async fn a_partner_that_was_away_catches_up_by_itself() {
    let mut coalition = Coalition::new().await;
    coalition.alpha.say(&coalition.members, &["a1"]).await;
    coalition.all_hear(&["a1"]).await;
    let away = coalition.alpha.stop().await;
    let many: Vec<String> = (0..300).map(|number| format!("b{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    coalition.beta.say(&coalition.members, &many).await;
    let expected = [&["a1"], many.as_slice()].concat();
    coalition.backbone.hears(&coalition.members, &expected).await;
    coalition.alpha = away.start().await;
    coalition.all_hear(&expected).await;
    coalition.alpha.say(&coalition.members, &["a2"]).await;
    coalition.all_hear(&[expected.as_slice(), &["a2"]].concat()).await;
    coalition.agrees().await;
}

#[tokio::test]
async fn what_was_said_while_the_backbone_was_away_arrives_when_it_is_back() {
    let mut coalition = Coalition::new().await;
    let away = coalition.backbone.stop().await;
    coalition.alpha.say(&coalition.members, &["a1", "a2"]).await;
    coalition.backbone = away.start().await;
    coalition.all_hear(&["a1", "a2"]).await;
    coalition.beta.say(&coalition.members, &["b1"]).await;
    coalition.all_hear(&["a1", "a2", "b1"]).await;
    coalition.agrees().await;
}

#[tokio::test]
async fn a_hub_that_was_killed_comes_back_at_the_same_address() {
    let mut coalition = Coalition::new().await;
    coalition.hub.kill().await;
    coalition.alpha.say(&coalition.members, &["in the dark"]).await;
    coalition.hub.start_again().await;
    coalition.all_hear(&["in the dark"]).await;
    coalition.backbone.say(&coalition.members, &["in the light"]).await;
    coalition.all_hear(&["in the dark", "in the light"]).await;
}

#[tokio::test]
async fn a_hub_that_lost_its_whole_disk_is_furnished_again() {
    let mut coalition = Coalition::new().await;
    coalition.alpha.say(&coalition.members, &["before"]).await;
    coalition.all_hear(&["before"]).await;
    coalition.hub.kill().await;
    coalition.beta.say(&coalition.members, &["meanwhile"]).await;
    coalition.hub.wipe();
    coalition.hub.start_again().await;
    coalition.all_hear(&["before", "meanwhile"]).await;
    coalition.backbone.say(&coalition.members, &["after"]).await;
    coalition.all_hear(&["before", "meanwhile", "after"]).await;

    // Newcomers find the desk again, too.
    let gamma = Home::new(&coalition.postgres.0, "gamma", None).await.start().await;
    let invitation = coalition.backbone.invite(&coalition.initiative).await;
    soon(async || gamma.join(&invitation).await.ok()).await;
    gamma.hears(&coalition.members, &["before", "meanwhile", "after"]).await;
}

#[tokio::test]
async fn a_hub_that_lost_its_disk_is_in_use_again_soon_after_it_is_back() {
    let mut coalition = Coalition::new().await;
    coalition.hub.kill().await;
    coalition.hub.wipe();
    coalition.beta.say(&coalition.members, &["meanwhile"]).await;
    // Long enough for everybody to lose patience.
    tokio::time::sleep(Duration::from_secs(6)).await;
    coalition.hub.start_again().await;
    let back = Instant::now();
    coalition.all_hear(&["meanwhile"]).await;
    let took = back.elapsed();
    eprintln!("in use again after {took:.1?}");
    // At most the pause before the next try, as long as the hub was away, and little more.
    assert!(took < Duration::from_secs(12), "{took:?}");
}

#[tokio::test]
async fn a_hub_that_lost_only_its_messages_is_furnished_again() {
    let mut coalition = Coalition::new().await;
    coalition.hub.kill().await;
    coalition.hub.lose_messages();
    coalition.alpha.say(&coalition.members, &["a1"]).await;
    coalition.hub.start_again().await;
    coalition.all_hear(&["a1"]).await;
    coalition.backbone.say(&coalition.members, &["c1"]).await;
    coalition.all_hear(&["a1", "c1"]).await;
}
