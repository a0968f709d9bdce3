//! Watching: entries come as they happen, and the call ends when it should.

use std::time::Duration;

use proto::messaging::*;
use tokio::time::timeout;
use tonic::{Code, Streaming};

use crate::scene::Scene;

/// Well below the time after which a watcher looks by itself: what comes sooner was told to it.
const SOON: Duration = Duration::from_secs(4);

async fn watch(scene: &Scene, channel: &Channel, cursor: &str) -> Streaming<WatchMessagesResponse> {
    let request = WatchMessagesRequest {
        channel: channel.reference.clone(),
        cursor: cursor.to_owned(),
        ..WatchMessagesRequest::default()
    };
    scene.operated().watch_messages(request).await.unwrap().into_inner()
}

async fn next(watched: &mut Streaming<WatchMessagesResponse>) -> Entry {
    timeout(SOON, watched.message()).await.unwrap().unwrap().unwrap().entry.unwrap()
}

#[tokio::test]
async fn what_is_told_and_heard_reaches_the_watcher_at_once() {
    let scene = Scene::set().await;
    let alpha = scene.elsewhere().await;
    let channel = scene.discussion().await;
    alpha.stage.take(scene.told(&channel.reference).await.remove(0)).await;
    scene.post(&channel, "Before").await;
    let mut watched = watch(&scene, &channel, "").await;
    assert_eq!(next(&mut watched).await.message.unwrap().body, "Before");
    let own = scene.post(&channel, "Own").await;
    assert_eq!(next(&mut watched).await.message.unwrap().body, "Own");
    let theirs = alpha.post(&channel, "Of alpha").await;
    scene.stage.take(alpha.told(&theirs.reference).await.remove(0)).await;
    assert_eq!(next(&mut watched).await.message.unwrap().body, "Of alpha");
    scene.accept(&own.reference).await;
    scene.withdraw(&own).await;
    let gone = next(&mut watched).await;
    assert_eq!((gone.change(), gone.message.unwrap().body.as_str()), (Change::Withdrawn, ""));
    drop(watched);

    // Another call goes on where this one was.
    scene.post(&channel, "Later").await;
    let mut watched = watch(&scene, &channel, &gone.cursor).await;
    assert_eq!(next(&mut watched).await.message.unwrap().body, "Later");
}

#[tokio::test]
async fn watching_ends_when_the_node_drains() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let mut watched = watch(&scene, &channel, "").await;
    scene.stage.desk.ledger().pulse().end();
    assert!(timeout(SOON, watched.message()).await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn watching_ends_when_the_caller_has_waited_long_enough() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let request = WatchMessagesRequest { channel: channel.reference, ..WatchMessagesRequest::default() };
    let mut request = tonic::Request::new(request);
    let until = tokio::time::Instant::now() + Duration::from_millis(50);
    request.extensions_mut().insert(chassis::server::Deadline(until));
    let mut watched = scene.operated().watch_messages(request).await.unwrap().into_inner();
    assert!(timeout(SOON, watched.message()).await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn who_loses_the_right_to_read_watches_no_longer() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let reader = scene.organization();
    let granted = scene.initiative.clone();
    scene.stage.grant(&granted, &reader, proto::common::Role::Observer).await;
    let request = WatchMessagesRequest { channel: channel.reference.clone(), ..WatchMessagesRequest::default() };
    let mut client = scene.client(Some(&chassis::testing::speaking_for(&[&reader])));
    let mut watched = client.watch_messages(request).await.unwrap().into_inner();
    let ended = "update roles set ended = true where organization = $1";
    sqlx::query(ended).bind(reader.to_string()).execute(&scene.stage.pool).await.unwrap();
    scene.post(&channel, "Not for you").await;
    let status = timeout(SOON, watched.message()).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}
