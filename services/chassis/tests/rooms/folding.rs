//! The log and the tables that follow from it.

use chassis::event::{Actor, Event, Fact, timestamp};
use chassis::fold;
use chassis::hearing::Hearing;
use chassis::inbox::{Listener, Together};
use chassis::names::{Reference, Space};
use chassis::testing::{Stage, some_node};
use chassis::{clock, log};
use proto::common::judged::RefusedEvent;
use proto::common::{Delivery, Judged, Role};
use proto::membership::{RoleEnded, RoleGranted};
use sqlx::PgConnection;

use crate::notes::{Notes, noted, stamped};

type Old = Notes<false>;
type New = Notes<true>;

async fn record(stage: &Stage<New>, facts: &[Fact]) -> Vec<Event> {
    let ledger = stage.desk.ledger();
    let mut transaction = stage.pool.begin().await.unwrap();
    let events = ledger.record(&mut transaction, &Actor::default(), facts).await.unwrap();
    transaction.commit().await.unwrap();
    events
}

async fn texts(connection: &mut PgConnection) -> Vec<(String, i64, i64)> {
    sqlx::query_as("select text, stamps, version from notes.note order by text").fetch_all(connection).await.unwrap()
}

async fn standing(stage_pool: &sqlx::PgPool) -> Vec<(String, Option<String>)> {
    sqlx::query_as("select standing, reason from log order by position").fetch_all(stage_pool).await.unwrap()
}

#[tokio::test]
async fn what_is_not_committed_is_neither_in_the_tables_nor_in_the_log() {
    let stage = Stage::<New>::set().await;
    let before = stage.everything().await;
    let mut transaction = stage.pool.begin().await.unwrap();
    let note = Reference::born_on(&stage.node);
    stage.desk.ledger().record(&mut transaction, &Actor::default(), &[noted(&note, "a")]).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(stage.everything().await, before);
    record(&stage, &[noted(&note, "a")]).await;
    assert_ne!(stage.everything().await, before);
}

#[tokio::test]
async fn folding_the_log_again_gives_the_same_tables() {
    let stage = Stage::<New>::set().await;
    let notes: Vec<Reference> = (0..20).map(|_| Reference::born_on(&stage.node)).collect();
    for (number, note) in notes.iter().cycle().take(1100).enumerate() {
        let fact = if number % 3 == 2 { stamped(note, 2) } else { noted(note, &format!("text {number}")) };
        record(&stage, &[fact]).await;
    }
    let rows = stage.rows().await;
    stage.replay().await;
    assert_eq!(stage.rows().await, rows);
    assert_eq!(rows["notes.note"].len(), 20);
}

#[tokio::test]
async fn a_room_records_nothing_that_it_cannot_fold() {
    let stage = Stage::<Old>::set().await;
    let note = Reference::born_on(&stage.node);
    let before = stage.everything().await;
    let mut transaction = stage.pool.begin().await.unwrap();
    let facts = [noted(&note, "a"), stamped(&note, 1)];
    assert!(stage.desk.ledger().record(&mut transaction, &Actor::default(), &facts).await.is_err());
    drop(transaction);
    assert_eq!(stage.everything().await, before);
}

#[tokio::test]
async fn what_an_older_version_did_not_know_is_applied_after_the_upgrade() {
    let stage = Stage::<Old>::set().await;
    let beta = some_node();
    let (one, two) = (Reference::born_on(&beta), Reference::born_on(&beta));
    stage.hear(&beta, &noted(&one, "one")).await;
    stage.hear(&beta, &stamped(&one, 3)).await;
    stage.hear(&beta, &noted(&one, "one, later")).await;
    stage.hear(&beta, &noted(&two, "two")).await;

    let mut connection = stage.pool.acquire().await.unwrap();
    let expected = [("one".to_owned(), 0, 1), ("two".to_owned(), 0, 1)];
    assert_eq!(texts(&mut connection).await, expected, "only the resource of the unknown event waits");
    let held = standing(&stage.pool).await;
    let standings: Vec<&str> = held.iter().map(|(standing, _)| standing.as_str()).collect();
    assert_eq!(standings, ["folded", "held", "held", "folded"]);
    assert!(held[1].1.as_ref().unwrap().contains("test.notes.v1.Stamped"), "{held:?}");

    fold::retry_held::<New>(&mut connection).await.unwrap();
    let expected = [("one, later".to_owned(), 3, 3), ("two".to_owned(), 0, 1)];
    assert_eq!(texts(&mut connection).await, expected, "in the order in which they came");
    assert!(standing(&stage.pool).await.iter().all(|(standing, reason)| standing == "folded" && reason.is_none()));
}

#[tokio::test]
async fn what_the_tables_cannot_take_holds_up_its_own_resource_only() {
    let stage = Stage::<New>::set().await;
    let beta = some_node();
    let (one, two) = (Reference::born_on(&beta), Reference::born_on(&beta));
    stage.hear(&beta, &noted(&one, &"x".repeat(2000))).await;
    stage.hear(&beta, &Fact { data: vec![0xff].into(), ..noted(&one, "") }).await;
    stage.hear(&beta, &noted(&two, "two")).await;
    let mut connection = stage.pool.acquire().await.unwrap();
    assert_eq!(texts(&mut connection).await, [("two".to_owned(), 0, 1)]);
    let standings: Vec<String> = standing(&stage.pool).await.into_iter().map(|(standing, _)| standing).collect();
    assert_eq!(standings, ["held", "held", "folded"]);
}

#[tokio::test]
async fn an_event_that_comes_twice_counts_once() {
    let stage = Stage::<New>::set().await;
    let beta = some_node();
    let note = Reference::born_on(&beta);
    let event = Event::told(&noted(&note, "a"), &beta, &Actor::default());
    let delivery = |sequence| Delivery { sequence, event: event.encode().into(), ..Delivery::default() };
    let hearing = Hearing::<New>::default();
    let mut connection = stage.pool.acquire().await.unwrap();
    hearing.take(&mut connection, "federation", &[delivery(1), delivery(2)], Together::OneByOne).await.unwrap();
    hearing.take(&mut connection, "federation", &[delivery(3)], Together::OneByOne).await.unwrap();
    assert_eq!(texts(&mut connection).await, [("a".to_owned(), 0, 1)]);
    assert_eq!(standing(&stage.pool).await.len(), 1);
}

#[tokio::test]
async fn one_of_many_that_cannot_be_folded_holds_up_its_own_resource_only() {
    let stage = Stage::<New>::set().await;
    let beta = some_node();
    let (one, two) = (Reference::born_on(&beta), Reference::born_on(&beta));
    let facts = [noted(&one, "one"), noted(&two, &"x".repeat(2000)), noted(&two, "waits"), stamped(&one, 1)];
    let deliveries: Vec<Delivery> = facts
        .iter()
        .zip(1..)
        .map(|(fact, sequence)| {
            let event = Event::told(fact, &beta, &Actor::default());
            Delivery { sequence, event: event.encode().into(), ..Delivery::default() }
        })
        .collect();
    let mut connection = stage.pool.acquire().await.unwrap();
    Hearing::<New>::default().take(&mut connection, "federation", &deliveries, Together::OneByOne).await.unwrap();
    assert_eq!(texts(&mut connection).await, [("one".to_owned(), 1, 2)]);
    let standings: Vec<String> = standing(&stage.pool).await.into_iter().map(|(standing, _)| standing).collect();
    assert_eq!(standings, ["folded", "held", "held", "folded"]);
}

async fn judge(stage: &Stage<New>, accepted: &[&Event], refused: &[&Event]) {
    let judged = Judged {
        space: Space::Local.to_string(),
        position: 7,
        accepted_at: Some(timestamp(clock::now())),
        accepted: accepted.iter().map(|event| event.id.as_bytes().to_vec()).collect(),
        refused: refused
            .iter()
            .map(|event| RefusedEvent { event_id: event.id.as_bytes().to_vec(), reason: "not its home".to_owned() })
            .collect(),
        ..Judged::default()
    };
    let fact = Fact::of(&Reference::born_on(&stage.node), &Space::Local, &judged);
    let event = Event::told(&fact, &stage.node, &Actor::default());
    let delivery = Delivery { sequence: 1, event: event.encode().into(), ..Delivery::default() };
    let mut connection = stage.pool.acquire().await.unwrap();
    Hearing::<New>::default().take(&mut connection, "federation", &[delivery], Together::OneByOne).await.unwrap();
}

#[tokio::test]
async fn what_the_backbone_refuses_is_as_if_it_had_not_been() {
    let stage = Stage::<New>::set().await;
    let (one, two) = (Reference::born_on(&stage.node), Reference::born_on(&stage.node));
    record(&stage, &[noted(&two, "another")]).await;
    let first = record(&stage, &[noted(&one, "one")]).await;
    let second = record(&stage, &[noted(&one, "refused"), stamped(&one, 1)]).await;
    judge(&stage, &[&first[0], &second[1]], &[&second[0]]).await;

    let mut connection = stage.pool.acquire().await.unwrap();
    let expected = [("another".to_owned(), 0, 1), ("one".to_owned(), 1, 2)];
    assert_eq!(texts(&mut connection).await, expected);
    let rows: Vec<(String, Option<String>, Option<i64>)> =
        sqlx::query_as("select standing, reason, accepted_position from log order by position")
            .fetch_all(&stage.pool)
            .await
            .unwrap();
    let refused = ("refused".to_owned(), Some("not its home".to_owned()), Some(7));
    let folded = |position| ("folded".to_owned(), None, position);
    assert_eq!(rows, [folded(None), folded(Some(7)), refused, folded(Some(7))]);
    let rows = stage.rows().await;
    stage.replay().await;
    assert_eq!(stage.rows().await, rows, "and stays so");
}

#[tokio::test]
async fn a_refusal_that_is_heard_before_its_event_holds() {
    let stage = Stage::<New>::set().await;
    let note = Reference::born_on(&stage.node);
    let event = Event::told(&noted(&note, "refused"), &stage.node, &Actor::default());
    judge(&stage, &[], &[&event]).await;
    let mut connection = stage.pool.acquire().await.unwrap();
    let delivery = Delivery { sequence: 1, event: event.encode().into(), ..Delivery::default() };
    Hearing::<New>::default().take(&mut connection, "echo", &[delivery], Together::OneByOne).await.unwrap();
    assert_eq!(texts(&mut connection).await, []);
}

#[tokio::test]
async fn a_log_keeps_bytes_as_they_came() {
    let stage = Stage::<New>::set().await;
    let beta = some_node();
    let note = Reference::born_on(&beta);
    let mut data = noted(&note, "a").data.to_vec();
    data.extend([0x7a, 0x01, 0x41]); // field 15, unknown to this version
    let event = Event::told(&Fact { data: data.into(), ..noted(&note, "a") }, &beta, &Actor::default());
    let bytes = event.encode();
    let delivery = Delivery { sequence: 1, event: bytes.clone().into(), ..Delivery::default() };
    let mut connection = stage.pool.acquire().await.unwrap();
    Hearing::<New>::default().take(&mut connection, "federation", &[delivery], Together::OneByOne).await.unwrap();
    let kept: Vec<u8> = sqlx::query_scalar("select bytes from log").fetch_one(&mut *connection).await.unwrap();
    assert_eq!(kept, bytes);
}

#[tokio::test]
async fn a_role_that_ended_here_has_its_place_whenever_it_is_folded() {
    let stage = Stage::<New>::set().await;
    let initiative = Reference::born_on(&stage.node);
    let membership = Reference::born_on(&stage.node);
    let space = Space::members(&initiative);
    let granted = RoleGranted {
        initiative: initiative.to_string(),
        membership: membership.to_string(),
        organization: Reference::born_on(&stage.node).to_string(),
        node: stage.node.to_string(),
        role: Role::Partner.into(),
        from: Some(timestamp(clock::now())),
        until: None,
    };
    let ended = RoleEnded { role: Role::Partner.into(), ..RoleEnded::default() };
    let facts = [Fact::of(&membership, &space, &granted), Fact::of(&membership, &space, &ended)];
    let told = record(&stage, &facts).await;
    judge(&stage, &[&told[0], &told[1]], &[]).await;
    let rows = stage.rows().await;
    assert!(rows["roles"][0].contains(r#""ended_position": 7"#), "{rows:?}");
    stage.replay().await;
    assert_eq!(stage.rows().await, rows);
}

#[tokio::test]
async fn a_logged_event_keeps_its_trace() {
    let stage = Stage::<New>::set().await;
    let event = |text| Event::told(&noted(&Reference::born_on(&stage.node), text), &stage.node, &Actor::default());
    let traced = |event: &Event| log::Line {
        traceparent: Some(format!("trace of {}", event.id)),
        ..log::Line::folded(event, event.encode())
    };
    let (told, heard) = (event("told"), event("heard"));
    let mut connection = stage.pool.acquire().await.unwrap();
    log::append_told(&mut connection, "notes", &[traced(&told)]).await.unwrap();
    log::append_heard(&mut connection, "echo", &[traced(&heard)]).await.unwrap();
    let traces: Vec<Option<String>> =
        sqlx::query_scalar("select traceparent from log order by position").fetch_all(&stage.pool).await.unwrap();
    assert_eq!(traces, [told.id, heard.id].map(|id| Some(format!("trace of {id}"))));
}
