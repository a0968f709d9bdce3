//! The road between two rooms of a node.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chassis::broker;
use chassis::embedded::{NatsConfig, NatsOptions};
use chassis::event::{Actor, Fact};
use chassis::ledger::Ledger;
use chassis::names::Reference;
use chassis::room::Room;
use chassis::serve::Running;
use chassis::testing::{Nats, Stage};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::echo::Echo;
use crate::notes::{Notes, noted, stamped};

type Teller = Notes<true>;

struct Scene {
    folder: TempDir,
    nats: Nats,
    notes: Stage<Teller>,
    echo: Stage<Echo>,
}

/// A room at work, until it is stopped as a crash would: in the middle of whatever it does.
struct Work {
    stop: CancellationToken,
    running: Running,
}

impl Work {
    async fn end(self) {
        self.stop.cancel();
        self.running.stopped().await;
    }
}

impl Scene {
    async fn set() -> Self {
        let folder = TempDir::new().unwrap();
        let nats = start(folder.path().join("nats"), None).await;
        Self { folder, nats, notes: Stage::set().await, echo: Stage::set().await }
    }

    async fn work<R: Room>(&self, stage: &Stage<R>) -> Work {
        self.work_on(stage.desk.ledger()).await
    }

    async fn work_on<R: Room>(&self, ledger: &Ledger<R>) -> Work {
        let client = broker::connect(self.nats.url()).await.unwrap();
        let stop = CancellationToken::new();
        let running = Running::start(ledger, &client, &stop).await.unwrap();
        Work { stop, running }
    }

    async fn write(&self, text: &str) -> Reference {
        let note = Reference::born_on(&self.notes.node);
        self.tell(noted(&note, text)).await;
        note
    }

    async fn tell(&self, fact: Fact) {
        let ledger = self.notes.desk.ledger();
        let mut transaction = self.notes.pool.begin().await.unwrap();
        ledger.record(&mut transaction, &Actor::default(), &[fact]).await.unwrap();
        transaction.commit().await.unwrap();
        ledger.committed();
    }

    async fn until_heard(&self, notes: usize) {
        until("every note is heard", || async { heard(&self.echo.pool).await.len() >= notes }).await;
        let heard = heard(&self.echo.pool).await;
        assert_eq!(heard.len(), notes);
        assert!(heard.iter().all(|(_, times)| *times == 1), "each once: {heard:?}");
    }
}

async fn start(dir: PathBuf, port: Option<u16>) -> Nats {
    Nats::start(NatsOptions { dir, config: NatsConfig::Local { port } }).await.unwrap()
}

async fn heard(pool: &PgPool) -> Vec<(String, i64)> {
    sqlx::query_as("select text, times from echo.heard_note order by text").fetch_all(pool).await.unwrap()
}

async fn sequences(pool: &PgPool) -> Vec<i64> {
    sqlx::query_scalar("select sequence from relayed order by sequence").fetch_all(pool).await.unwrap()
}

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(60), "in vain waited until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_commit_at_once_are_numbered_without_gaps_and_heard_once() {
    let scene = Scene::set().await;
    let (notes, echo) = (scene.work(&scene.notes).await, scene.work(&scene.echo).await);
    let writers = (0..8).map(|writer| {
        let scene = &scene;
        async move {
            for number in 0..25 {
                scene.write(&format!("{writer}-{number}")).await;
            }
        }
    });
    futures_util::future::join_all(writers).await;
    scene.until_heard(200).await;
    assert_eq!(sequences(&scene.notes.pool).await, (1..=200).collect::<Vec<i64>>());
    let order: Vec<(String, i64)> =
        sqlx::query_as("select l.resource, r.sequence from relayed r join log l using (position) order by r.sequence")
            .fetch_all(&scene.notes.pool)
            .await
            .unwrap();
    let logged: Vec<String> =
        sqlx::query_scalar("select resource from log order by position").fetch_all(&scene.echo.pool).await.unwrap();
    assert_eq!(logged, order.into_iter().map(|(resource, _)| resource).collect::<Vec<_>>(), "heard as numbered");
    notes.end().await;
    echo.end().await;
}

#[tokio::test]
async fn what_was_committed_before_a_crash_is_told_after_it() {
    let scene = Scene::set().await;
    let echo = scene.work(&scene.echo).await;
    for number in 0..3 {
        scene.write(&number.to_string()).await;
    }
    assert!(sequences(&scene.notes.pool).await.is_empty(), "nobody numbers");
    let notes = scene.work(&scene.notes).await;
    scene.until_heard(3).await;
    notes.end().await;
    echo.end().await;
}

#[tokio::test]
async fn what_was_published_but_not_noted_before_a_crash_comes_again_and_counts_once() {
    let scene = Scene::set().await;
    let echo = scene.work(&scene.echo).await;
    let notes = scene.work(&scene.notes).await;
    for number in 0..3 {
        scene.write(&number.to_string()).await;
    }
    scene.until_heard(3).await;
    notes.end().await;
    sqlx::query("update published set sequence = 1").execute(&scene.notes.pool).await.unwrap();

    let client = broker::connect(scene.nats.url()).await.unwrap();
    let mut live = client.subscribe(broker::ALL_EVENTS).await.unwrap();
    client.flush().await.unwrap();
    let notes = scene.work(&scene.notes).await;
    for _ in 0..2 {
        use futures_util::StreamExt;
        tokio::time::timeout(Duration::from_secs(30), live.next()).await.unwrap().unwrap();
    }
    scene.write("3").await;
    scene.until_heard(4).await;
    notes.end().await;
    echo.end().await;
}

#[tokio::test]
async fn a_broker_that_is_wiped_costs_time_and_no_data() {
    let mut scene = Scene::set().await;
    let (notes, echo) = (scene.work(&scene.notes).await, scene.work(&scene.echo).await);
    scene.write("before").await;
    scene.until_heard(1).await;
    // What is told while nobody listens is in the broker only, and goes with it.
    echo.end().await;
    scene.write("unheard").await;
    until("it is published", || async {
        let confirmed: i64 =
            sqlx::query_scalar("select sequence from published").fetch_one(&scene.notes.pool).await.unwrap();
        confirmed == 2
    })
    .await;
    let echo = scene.work(&scene.echo).await;

    let (dir, port) = (scene.folder.path().join("nats"), scene.nats.port());
    let old = std::mem::replace(&mut scene.nats, start(scene.folder.path().join("other"), None).await);
    old.kill().await;
    scene.write("while away").await;
    std::fs::remove_dir_all(dir.join("jetstream")).unwrap();
    let wiped = start(dir, Some(port)).await;
    scene.nats = wiped;
    scene.write("after").await;
    scene.until_heard(4).await;
    notes.end().await;
    echo.end().await;
}

#[tokio::test]
async fn a_message_that_is_lost_is_asked_for() {
    let scene = Scene::set().await;
    let notes = scene.work(&scene.notes).await;
    for number in 0..600 {
        scene.write(&number.to_string()).await;
    }
    until("all is published", || async { sequences(&scene.notes.pool).await.len() == 600 }).await;
    // The room that hears comes late: every message so far is gone for it.
    let echo = scene.work(&scene.echo).await;
    scene.write("live").await;
    scene.until_heard(601).await;
    let page = chassis::telemetry::exposition();
    let labels = "{service=\"echo\",source=\"notes\"}";
    for counter in ["commonweal_events_heard_total", "commonweal_gaps_asked_total"] {
        assert!(page.contains(&format!("{counter}{labels}")), "{counter} in {page}");
    }
    notes.end().await;
    echo.end().await;
}

/// What a crash of the database takes back of a room that hears: the last that it took in, which it does not wait for.
async fn lose_the_last(pool: &PgPool) {
    let lose = "with lost as (delete from log where position = (select max(position) from log) returning resource),
         gone as (delete from echo.heard_note where note in (select resource from lost))
         update heard set sequence = sequence - 1 where source = 'notes'";
    sqlx::query(lose).execute(pool).await.unwrap();
}

#[tokio::test]
async fn what_the_database_lost_in_a_crash_is_heard_again_before_what_comes_next() {
    let scene = Scene::set().await;
    let (notes, echo) = (scene.work(&scene.notes).await, scene.work(&scene.echo).await);
    for text in ["one", "two", "three"] {
        scene.write(text).await;
    }
    scene.until_heard(3).await;
    lose_the_last(&scene.echo.pool).await;
    scene.write("four").await;
    scene.until_heard(4).await;
    notes.end().await;
    echo.end().await;
}

#[tokio::test]
async fn what_the_database_lost_in_a_crash_is_not_passed_over_with_what_is_none_of_the_rooms_business() {
    let scene = Scene::set().await;
    let (notes, echo) = (scene.work(&scene.notes).await, scene.work(&scene.echo).await);
    let note = scene.write("one").await;
    scene.write("two").await;
    scene.until_heard(2).await;
    lose_the_last(&scene.echo.pool).await;
    scene.tell(stamped(&note, 1)).await;
    scene.until_heard(2).await;
    notes.end().await;
    echo.end().await;
}

#[tokio::test]
async fn what_the_database_lost_in_a_crash_is_heard_again_where_nothing_more_comes() {
    let scene = Scene::set().await;
    let (notes, echo) = (scene.work(&scene.notes).await, scene.work(&scene.echo).await);
    scene.write("one").await;
    scene.write("two").await;
    scene.until_heard(2).await;
    lose_the_last(&scene.echo.pool).await;
    scene.until_heard(2).await;
    notes.end().await;
    echo.end().await;
}

#[tokio::test]
async fn a_broker_that_is_back_makes_everybody_say_how_far_they_are() {
    let mut scene = Scene::set().await;
    let (notes, echo) = (scene.work(&scene.notes).await, scene.work(&scene.echo).await);
    scene.write("one").await;
    scene.write("two").await;
    scene.until_heard(2).await;
    // As a message that did not get through when the broker ended; nothing more comes that would show it.
    lose_the_last(&scene.echo.pool).await;
    let (dir, port) = (scene.folder.path().join("nats"), scene.nats.port());
    let old = std::mem::replace(&mut scene.nats, start(scene.folder.path().join("other"), None).await);
    old.kill().await;
    scene.nats = start(dir, Some(port)).await;
    let back = Instant::now();
    scene.until_heard(2).await;
    // Well before it would be said in any case, every 30 s.
    assert!(back.elapsed() < Duration::from_secs(12), "{:?}", back.elapsed());
    notes.end().await;
    echo.end().await;
}

#[tokio::test]
async fn one_relay_works_at_a_time_and_another_takes_over() {
    let scene = Scene::set().await;
    let echo = scene.work(&scene.echo).await;
    let first = scene.work(&scene.notes).await;
    scene.write("one").await;
    scene.until_heard(1).await;
    // Another replica has connections of its own; those of the first stay open when its work ends.
    let options = (*scene.notes.pool.connect_options()).clone();
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    let ledger = Ledger::<Teller>::new(pool, scene.notes.node.clone(), Arc::default());
    let second = scene.work_on(&ledger).await;
    first.end().await;
    scene.write("two").await;
    scene.until_heard(2).await;
    assert_eq!(sequences(&scene.notes.pool).await, [1, 2]);
    second.end().await;
    echo.end().await;
}

#[tokio::test]
async fn what_is_none_of_a_rooms_business_is_counted_and_never_asked_for_again() {
    let scene = Scene::set().await;
    let (notes, echo) = (scene.work(&scene.notes).await, scene.work(&scene.echo).await);
    let note = scene.write("first").await;
    scene.until_heard(1).await;
    let asked = gaps_asked();
    for number in 0..20 {
        for _ in 0..5 {
            scene.tell(stamped(&note, 1)).await;
        }
        scene.write(&number.to_string()).await;
    }
    scene.tell(stamped(&note, 1)).await;
    scene.until_heard(21).await;
    assert_eq!(gaps_asked(), asked, "nothing is missing between what it hears");
    let cursor = "select sequence from heard where source = 'notes'";
    until("the last one is counted", || async {
        let heard: i64 = sqlx::query_scalar(cursor).fetch_one(&scene.echo.pool).await.unwrap();
        heard == 122
    })
    .await;
    let logged: i64 = sqlx::query_scalar("select count(*) from log").fetch_one(&scene.echo.pool).await.unwrap();
    assert_eq!(logged, 21);
    notes.end().await;
    echo.end().await;
}

/// How often the room that hears asked for what is missing.
fn gaps_asked() -> Option<String> {
    let page = chassis::telemetry::exposition();
    let counter = "commonweal_gaps_asked_total{service=\"echo\",source=\"notes\"}";
    page.lines().find_map(|line| line.strip_prefix(counter)).map(str::to_owned)
}
