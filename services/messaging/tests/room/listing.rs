//! Going on from cursor to cursor misses nothing and gives nothing twice, however own and others' messages, and the
//! backbone's word on them, come in between.

use std::collections::BTreeMap;

use chassis::event::Event;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use proto::messaging::*;

use crate::scene::{Scene, bodies};

/// What can happen between two looks.
#[derive(Clone, Debug)]
enum Step {
    /// This node posts.
    Post,
    /// Another node's message arrives, accepted.
    Hear,
    /// The backbone accepts the oldest message of this node that waits.
    Accept,
    /// The backbone refuses the oldest message of this node that waits.
    Refuse,
    /// The reader goes on, with pages of this size.
    Read(i32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Post),
        3 => Just(Step::Hear),
        3 => Just(Step::Accept),
        1 => Just(Step::Refuse),
        3 => (1..4).prop_map(Step::Read),
    ];
    prop::collection::vec(step, 1..40)
}

/// One reader of a channel.
struct Reader<'a> {
    scene: &'a Scene,
    channel: &'a Channel,
    cursor: String,
    /// How often each message was given.
    given: BTreeMap<String, u32>,
}

impl<'a> Reader<'a> {
    fn new(scene: &'a Scene, channel: &'a Channel) -> Self {
        Self { scene, channel, cursor: String::new(), given: BTreeMap::new() }
    }

    async fn page(&mut self, size: i32) -> usize {
        let page = self.scene.list(self.channel, &self.cursor, size).await;
        let Some(last) = page.entries.last() else {
            self.cursor = page.next_cursor;
            return 0;
        };
        // The cursor of the last entry and that of the page go on alike: take one, then the other.
        let even = self.given.len().is_multiple_of(2);
        self.cursor = if even { last.cursor.clone() } else { page.next_cursor };
        for entry in &page.entries {
            *self.given.entry(entry.message.clone().unwrap().body).or_default() += 1;
        }
        page.entries.len()
    }

    async fn everything(&mut self) {
        while self.page(3).await > 0 {}
    }
}

async fn holds(scene: &Scene, alpha: &Scene, steps: &[Step]) -> Result<(), TestCaseError> {
    let channel = scene.discussion().await;
    scene.accept(&channel.reference).await;
    for event in scene.told(&channel.reference).await {
        alpha.stage.take(event).await;
    }
    let mut reader = Reader::new(scene, &channel);
    let mut waiting: Vec<(String, Event)> = Vec::new();
    let (mut stands, mut refused) = (Vec::new(), Vec::new());
    for (nth, step) in steps.iter().enumerate() {
        match step {
            Step::Post => {
                let body = format!("own {nth}");
                let posted = scene.post(&channel, &body).await;
                waiting.push((body, scene.told(&posted.reference).await.remove(0)));
            }
            Step::Hear => {
                let body = format!("of alpha {nth}");
                let posted = alpha.post(&channel, &body).await;
                scene.stage.take(alpha.told(&posted.reference).await.remove(0)).await;
                stands.push(body);
            }
            Step::Accept if !waiting.is_empty() => {
                let (body, event) = waiting.remove(0);
                scene.stage.judge(&event.space, &[&event], &[]).await;
                stands.push(body);
            }
            Step::Refuse if !waiting.is_empty() => {
                let (body, event) = waiting.remove(0);
                scene.stage.judge(&event.space, &[], &[&event]).await;
                refused.push(body);
            }
            Step::Accept | Step::Refuse => {}
            Step::Read(size) => {
                reader.page(*size).await;
            }
        }
    }
    reader.everything().await;
    stands.extend(waiting.into_iter().map(|(body, _)| body));
    for body in &stands {
        prop_assert_eq!(reader.given.remove(body), Some(1), "{} of {:?}", body, steps);
    }
    // What was refused may have been given while it waited, once.
    for body in &refused {
        prop_assert!(reader.given.remove(body).unwrap_or(1) == 1);
    }
    prop_assert!(reader.given.is_empty(), "{:?}", reader.given);
    let afresh = bodies(&scene.list(&channel, "", 500).await.entries);
    prop_assert_eq!(afresh, stands, "from the beginning it is the order of acceptance, pending ones last");
    Ok(())
}

#[test]
fn nothing_is_missed_and_nothing_given_twice() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let scene = runtime.block_on(Scene::set());
    let alpha = runtime.block_on(scene.elsewhere());
    runner.run(&steps(), |steps| runtime.block_on(holds(&scene, &alpha, &steps))).unwrap();
}

#[tokio::test]
async fn every_node_lists_in_the_same_order() {
    let scene = Scene::set().await;
    let (alpha, beta) = (scene.elsewhere().await, scene.elsewhere().await);
    let channel = scene.discussion().await;
    scene.accept(&channel.reference).await;
    let mut order = scene.told(&channel.reference).await;
    alpha.stage.take(order[0].clone()).await;
    let (own, theirs) = (scene.post(&channel, "Of the backbone").await, alpha.post(&channel, "Of alpha").await);
    // The backbone's own waits while alpha's is accepted.
    order.push(alpha.told(&theirs.reference).await.remove(0));
    scene.stage.take(order[1].clone()).await;
    assert_eq!(scene.bodies(&channel).await, ["Of alpha", "Of the backbone"], "what waits comes last");
    scene.accept(&own.reference).await;
    order.push(scene.told(&own.reference).await.remove(0));
    alpha.stage.judge(&scene.members(), &[&order[1]], &[]).await;
    alpha.stage.take(order[2].clone()).await;
    for event in order {
        beta.stage.take(event).await;
    }
    for node in [&scene, &alpha, &beta] {
        assert_eq!(node.bodies(&channel).await, ["Of alpha", "Of the backbone"]);
    }
    let entries = beta.list(&channel, "", 0).await.entries;
    assert!(entries.iter().all(|entry| !entry.pending));
}

#[tokio::test]
async fn several_accepted_at_once_share_a_place_and_none_is_missed_between_them() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let mut events = Vec::new();
    for body in ["a", "b", "c", "d"] {
        let posted = scene.post(&channel, body).await;
        events.push(scene.told(&posted.reference).await.remove(0));
    }
    let all: Vec<&Event> = events.iter().collect();
    scene.stage.judge(&scene.members(), &all, &[]).await;
    let mut reader = Reader::new(&scene, &channel);
    assert_eq!(reader.page(3).await, 3);
    assert_eq!(reader.page(3).await, 1);
    assert_eq!(reader.page(3).await, 0);
    assert_eq!(reader.given.into_keys().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_reader_goes_on_however_many_were_given_while_they_waited() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let mut reader = Reader::new(&scene, &channel);
    let mut events = Vec::new();
    for nth in 0..510 {
        let posted = scene.post(&channel, &format!("{nth:03}")).await;
        events.push(posted.reference);
    }
    let (mut given, mut pages) = (0, 0);
    while pages < 4 {
        given += reader.page(500).await;
        pages += 1;
    }
    assert_eq!(given, 500, "a cursor carries so many and no more");
    let told: Vec<Event> = scene.stage.log().await.into_iter().filter(|e| e.type_name.ends_with("Posted")).collect();
    scene.stage.judge(&scene.members(), &told.iter().take(505).collect::<Vec<_>>(), &[]).await;
    reader.everything().await;
    assert_eq!(reader.given.len(), 510);
    assert!(reader.given.values().all(|times| *times == 1));
    assert!(reader.cursor.len() < 200, "what has its place is carried no more");
}
