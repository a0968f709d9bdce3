//! What waits is tried again by itself, and can be seen meanwhile.

use std::time::{Duration, Instant};

use async_nats::Client;
use chassis::broker;
use chassis::embedded::{NatsConfig, NatsOptions};
use chassis::event::{Actor, Event, Fact, timestamp};
use chassis::hearing::Hearing;
use chassis::inbox::{Listener, Together};
use chassis::names::{Reference, Space};
use chassis::serve::Running;
use chassis::testing::{Nats, Stage};
use chassis::{clock, room::Room};
use prost::Message;
use proto::common::judged::Source;
use proto::common::{AskStanding, Delivery, Judged, Standing};
use sqlx::PgPool;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::echo::Echo;
use crate::notes::{Notes, noted};

type Teller = Notes<true>;

struct Scene {
    _folder: TempDir,
    _nats: Nats,
    client: Client,
    notes: Stage<Teller>,
    echo: Stage<Echo>,
    stop: CancellationToken,
    _running: [Running; 2],
}

impl Scene {
    /// Both rooms at work.
    async fn set() -> Self {
        let folder = TempDir::new().unwrap();
        let options = NatsOptions { dir: folder.path().join("nats"), config: NatsConfig::Local { port: None } };
        let nats = Nats::start(options).await.unwrap();
        let client = broker::connect(nats.url()).await.unwrap();
        let (notes, echo) = (Stage::set().await, Stage::set().await);
        let stop = CancellationToken::new();
        let running = [start(&notes, &client, &stop).await, start(&echo, &client, &stop).await];
        Self { _folder: folder, _nats: nats, client, notes, echo, stop, _running: running }
    }

    async fn write(&self, text: &str) {
        let ledger = self.notes.desk.ledger();
        let mut transaction = self.notes.pool.begin().await.unwrap();
        let fact = noted(&Reference::born_on(&self.notes.node), text);
        ledger.record(&mut transaction, &Actor::default(), &[fact]).await.unwrap();
        transaction.commit().await.unwrap();
        ledger.committed();
    }

    /// How the echo stands.
    async fn standing(&self) -> Option<Standing> {
        let asked = self.client.request(broker::standing_subject(Echo::NAME), AskStanding {}.encode_to_vec().into());
        Standing::decode(asked.await.ok()?.payload).ok()
    }

    async fn stands(&self, what: &str, holds: impl Fn(&Standing) -> bool) -> Standing {
        let started = Instant::now();
        loop {
            if let Some(standing) = self.standing().await.filter(&holds) {
                return standing;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "in vain waited until {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn start<R: Room>(stage: &Stage<R>, client: &Client, stop: &CancellationToken) -> Running {
    Running::start(stage.desk.ledger(), client, stop).await.unwrap()
}

async fn run(pool: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.unwrap();
}

fn heard(standing: &Standing) -> u64 {
    standing.heard.iter().find(|heard| heard.source == "notes").map_or(0, |heard| heard.sequence)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_is_shown_and_folded_by_itself_once_it_can_be() {
    let scene = Scene::set().await;
    run(&scene.echo.pool, "alter table echo.heard_note add constraint no_poison check (text <> 'poison')").await;
    scene.write("poison").await;
    scene.write("fine").await;
    let standing = scene.stands("both are heard", |standing| heard(standing) == 2 && standing.held == 1).await;
    let held = &standing.first_held[0];
    assert_eq!(held.r#type, "test.notes.v1.Noted");
    assert!(held.reason.contains("no_poison") && held.resource.contains('/') && held.since.is_some(), "{held:?}");

    run(&scene.echo.pool, "alter table echo.heard_note drop constraint no_poison").await;
    scene.stands("nothing is held", |standing| standing.held == 0).await;
    let texts: Vec<String> =
        sqlx::query_scalar("select text from echo.heard_note order by text").fetch_all(&scene.echo.pool).await.unwrap();
    assert_eq!(texts, ["fine", "poison"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_is_tried_at_once_when_somebody_asks() {
    let scene = Scene::set().await;
    for statement in [
        "create sequence echo.tries",
        "create function echo.poisoned() returns trigger language plpgsql as
         $$ begin perform nextval('echo.tries'); raise exception 'poison' using errcode = '23514'; end $$",
        "create trigger poison before insert on echo.heard_note for each row execute function echo.poisoned()",
    ] {
        run(&scene.echo.pool, statement).await;
    }
    scene.write("poison").await;
    let held = |standing: &Standing| standing.held_of.iter().map(|of| (of.node.clone(), of.held)).collect::<Vec<_>>();
    let one = vec![(scene.notes.node.to_string(), 1)];
    scene.stands("it is held, and one knows whose it is", |standing| held(standing) == one).await;
    // After some tries the next one by itself is at least eight seconds away.
    let tries = async || sqlx::query_scalar("select last_value from echo.tries").fetch_one(&scene.echo.pool).await;
    let started = Instant::now();
    while tries().await.map_or(0, |tries: i64| tries) < 7 {
        assert!(started.elapsed() < Duration::from_secs(60), "it is not tried by itself");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    run(&scene.echo.pool, "drop trigger poison on echo.heard_note").await;
    let asked = Instant::now();
    scene.client.publish(broker::retry_subject(Echo::NAME), "".into()).await.unwrap();
    scene.stands("nothing is held", |standing| standing.held == 0).await;
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_that_does_not_move_says_why_and_since_when() {
    let scene = Scene::set().await;
    run(
        &scene.echo.pool,
        "create function echo.full() returns trigger language plpgsql as
         $$ begin raise exception 'the disk is full' using errcode = '53100'; end $$",
    )
    .await;
    let trigger = "create trigger full_disk before insert on echo.heard_note
                   for each row execute function echo.full()";
    run(&scene.echo.pool, trigger).await;
    scene.write("waits").await;
    let trouble = |standing: &Standing| standing.heard.iter().find(|heard| !heard.trouble.is_empty()).cloned();
    let standing = scene.stands("the inbox is stuck", |standing| trouble(standing).is_some()).await;
    let stuck = trouble(&standing).unwrap();
    assert!(stuck.source == "notes" && stuck.trouble.contains("the disk is full") && stuck.since.is_some());
    assert_eq!((stuck.sequence, standing.held), (0, 0), "nothing is left out meanwhile");

    run(&scene.echo.pool, "drop trigger full_disk on echo.heard_note").await;
    scene.stands("it moves on", |standing| heard(standing) == 1 && trouble(standing).is_none()).await;
}

/// Hears the backbone's yes on an event that `service` told as its number `sequence`.
async fn judge(stage: &Stage<Teller>, event: &Event, service: &str, sequence: u64) {
    let judged = Judged {
        space: Space::Local.to_string(),
        position: 7,
        accepted_at: Some(timestamp(clock::now())),
        accepted: vec![event.id.as_bytes().to_vec()],
        sources: vec![Source { service: service.to_owned(), sequence }],
        ..Judged::default()
    };
    let fact = Fact::of(&Reference::born_on(&stage.node), &Space::Local, &judged);
    take(stage, "federation", 1, &Event::told(&fact, &stage.node, &Actor::default())).await;
}

async fn take(stage: &Stage<Teller>, source: &str, sequence: u64, event: &Event) {
    let delivery = Delivery { sequence, event: event.encode().into(), ..Delivery::default() };
    let mut connection = stage.pool.acquire().await.unwrap();
    Hearing::<Teller>::default().take(&mut connection, source, &[delivery], Together::OneByOne).await.unwrap();
}

async fn ahead(stage: &Stage<Teller>) -> i64 {
    sqlx::query_scalar("select count(*) from ahead").fetch_one(&stage.pool).await.unwrap()
}

#[tokio::test]
async fn a_place_that_is_heard_before_its_event_is_kept_for_it() {
    let stage = Stage::<Teller>::set().await;
    let told = || Event::told(&noted(&Reference::born_on(&stage.node), "a"), &stage.node, &Actor::default());
    let event = told();
    judge(&stage, &event, "echo", 4).await;
    assert_eq!(ahead(&stage).await, 1);
    take(&stage, "echo", 4, &event).await;
    let places: Vec<Option<i64>> =
        sqlx::query_scalar("select accepted_position from log").fetch_all(&stage.pool).await.unwrap();
    assert_eq!((places, ahead(&stage).await), (vec![Some(7)], 0));

    // One that is no business of this room is heard already, or never comes: nothing is kept of it for ever.
    judge(&stage, &told(), "echo", 5).await;
    take(&stage, "echo", 6, &told()).await;
    assert_eq!(ahead(&stage).await, 0);
    run(&stage.pool, "insert into heard (source, sequence) values ('echo', 6)").await;
    judge(&stage, &told(), "echo", 6).await;
    assert_eq!(ahead(&stage).await, 0);
}
