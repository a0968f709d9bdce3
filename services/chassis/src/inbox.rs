//! The inbox: takes in what the other services of this node tell, each event once, in order, without gaps.
//!
//! Live messages are the fast way; the truth is the sequence kept in `heard`. A number that is lower was seen and is
//! dropped; one that is higher shows a gap, and the range is asked from the relay that told it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use prost::Message;
use proto::common::{AskRange, Delivery, Range};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::event::timestamp;
use crate::relay::{ACCEPTED_AT, POSITION, SEQUENCE};
use crate::room::FoldError;
use crate::telemetry::{self, SERVICE, SOURCE, TRACEPARENT, meters, of};
use crate::{broker, clock, crash};

const BATCH: usize = 256;
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// A span has at most so many links.
const LINKS: usize = 32;
const RETRY: Duration = Duration::from_millis(500);
/// How often it is noted how far others were heard of whom nothing came that is this service's business.
const NOTE_EVERY: Duration = Duration::from_millis(100);

/// How what came together is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// As one: where something in it cannot be taken in, nothing is, and [`FoldError::Apart`] asks for each by itself.
    All,
    /// Each by itself, so that one leaves no trace in the others.
    OneByOne,
}

/// Who takes in what others tell.
pub trait Listener: Send + Sync + 'static {
    /// Name of the listening service; what it tells itself it does not hear.
    const NAME: &'static str;
    /// Whether what is taken in makes nothing that leaves this database: then its commit need not wait for the disk,
    /// since what a crash takes back goes back with the cursor and is asked for again.
    const REPEATABLE: bool;

    /// Whether a delivery is any of its business. What is not moves the cursor, a moment later, and nothing else.
    fn minds(&self, _delivery: &Delivery) -> bool {
        true
    }

    /// Takes in events of one source, in order, within the transaction that also moves the cursor.
    fn take(
        &self,
        connection: &mut PgConnection,
        source: &str,
        deliveries: &[Delivery],
        together: Together,
    ) -> impl Future<Output = Result<(), FoldError>> + Send;

    /// Called after the commit.
    fn taken(&self) {}
}

#[derive(Debug, thiserror::Error)]
enum InboxError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Fold(#[from] FoldError),
    #[error("broker: {0}")]
    Broker(String),
    #[error("the relay of {0} does not answer")]
    Silent(String),
}

/// Why an inbox does not go on, by source: each since when, and in words.
#[derive(Clone, Debug, Default)]
pub struct Troubles(Arc<Mutex<BTreeMap<String, (OffsetDateTime, String)>>>);

impl Troubles {
    /// What stands in the way of hearing each source, now: only those in whose way something stands.
    pub fn now(&self) -> BTreeMap<String, (OffsetDateTime, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, source: &str, error: Option<&InboxError>) {
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match error {
            None => drop(troubles.remove(source)),
            Some(error) => {
                troubles.entry(source.to_owned()).or_insert_with(|| (clock::now(), String::new())).1 =
                    error.to_string();
            }
        }
    }
}

/// The inbox of one service.
pub struct Inbox<L> {
    listener: Arc<L>,
    pool: PgPool,
    client: async_nats::Client,
    heard: BTreeMap<String, u64>,
    /// What the database confirmed of it. Where it says less later, it lost in a crash what it had not put on disk yet.
    noted: BTreeMap<String, u64>,
    /// Of whom more was heard than is noted.
    passed: BTreeSet<String>,
    troubles: Troubles,
}

enum Arrival {
    Live(String, Vec<Delivery>),
    Head(String, u64),
}

impl<L: Listener> Inbox<L> {
    /// The inbox that feeds `listener`.
    pub fn new(listener: Arc<L>, pool: PgPool, client: async_nats::Client) -> Self {
        let (heard, noted, passed) = Default::default();
        Self { listener, pool, client, heard, noted, passed, troubles: Troubles::default() }
    }

    /// What stands in its way, now and later.
    pub fn troubles(&self) -> Troubles {
        self.troubles.clone()
    }

    /// Works until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.listen_for_ever() => {}
        }
    }

    async fn listen_for_ever(&mut self) {
        let mut failing = false;
        loop {
            match self.listen().await {
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(service = L::NAME, %error, "inbox waits and tries again");
                }
                Err(_) => {}
                Ok(()) => failing = false,
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    async fn listen(&mut self) -> Result<(), InboxError> {
        let broker = |error: async_nats::SubscribeError| InboxError::Broker(error.to_string());
        let live = self.client.subscribe(broker::ALL_EVENTS).await.map_err(broker)?;
        let mut heads = self.client.subscribe(broker::ALL_HEADS).await.map_err(broker)?;
        self.heard = load(&self.pool).await?;
        self.noted = self.heard.clone();
        self.passed.clear();
        let mut live = live.ready_chunks(BATCH);
        let mut roll_call = tokio::time::interval(broker::ROLL_CALL_EVERY);
        let mut noting = tokio::time::interval(NOTE_EVERY);
        noting.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut returns = broker::Returns::of(&self.client);
        loop {
            tokio::select! {
                _ = roll_call.tick() => self.call_roll().await?,
                () = returns.next() => self.call_roll().await?,
                _ = noting.tick(), if !self.passed.is_empty() => self.note().await?,
                messages = live.next() => match messages {
                    Some(messages) => {
                        for (source, deliveries) in by_source(messages) {
                            self.arrived(Arrival::Live(source, deliveries)).await?;
                        }
                    }
                    None => return Ok(()),
                },
                head = heads.next() => match head {
                    Some(message) => {
                        if let Some(arrival) = head_of(&message) {
                            self.arrived(arrival).await?;
                        }
                    }
                    None => return Ok(()),
                },
            }
        }
    }

    async fn call_roll(&mut self) -> Result<(), InboxError> {
        // Where nothing more comes nobody else would see what the database lost.
        let stored = load(&self.pool).await?;
        let known: Vec<String> = self.noted.keys().cloned().collect();
        for source in known {
            self.look_back(&source, stored.get(&source).copied().unwrap_or(0));
        }
        let called = self.client.publish(broker::ROLL_CALL, "".into()).await;
        called.map_err(|error| InboxError::Broker(error.to_string()))
    }

    async fn arrived(&mut self, arrival: Arrival) -> Result<(), InboxError> {
        let source = match &arrival {
            Arrival::Live(source, _) | Arrival::Head(source, _) => source.clone(),
        };
        let outcome = self.take_in(arrival).await;
        self.troubles.note(&source, outcome.as_ref().err());
        outcome
    }

    async fn take_in(&mut self, arrival: Arrival) -> Result<(), InboxError> {
        match arrival {
            Arrival::Live(source, _) | Arrival::Head(source, _) if source == L::NAME => Ok(()),
            Arrival::Live(source, deliveries) => {
                let heard = self.heard(&source);
                let fresh: Vec<Delivery> = deliveries.into_iter().filter(|one| one.sequence > heard).collect();
                let last = fresh.last().map_or(heard, |last| last.sequence);
                if without_gap(heard, &fresh) {
                    self.take(&source, &fresh).await?;
                }
                if self.heard(&source) < last { self.catch_up(&source).await } else { Ok(()) }
            }
            Arrival::Head(source, head) if head > self.heard(&source) => self.catch_up(&source).await,
            Arrival::Head(..) => Ok(()),
        }
    }

    /// Asks the relay for what is missing until there is nothing more.
    async fn catch_up(&mut self, source: &str) -> Result<(), InboxError> {
        loop {
            meters().gaps.add(1, &[of(SERVICE, L::NAME), of(SOURCE, source.to_owned())]);
            let ask = AskRange { after: self.heard(source), limit: 0 };
            let asked = self.client.request(broker::range_subject(source), ask.encode_to_vec().into());
            let silent = || InboxError::Silent(source.to_owned());
            let answer =
                tokio::time::timeout(ANSWER_WITHIN, asked).await.map_err(|_| silent())?.map_err(|_| silent())?;
            let range = Range::decode(answer.payload).map_err(|_| silent())?;
            if range.deliveries.is_empty() || !without_gap(self.heard(source), &range.deliveries) {
                return Ok(());
            }
            self.take(source, &range.deliveries).await?;
            if self.heard(source) >= range.head {
                return Ok(());
            }
        }
    }

    async fn take(&mut self, source: &str, deliveries: &[Delivery]) -> Result<(), InboxError> {
        let Some(last) = deliveries.last().map(|delivery| delivery.sequence) else { return Ok(()) };
        if !deliveries.iter().any(|delivery| self.listener.minds(delivery)) {
            self.heard.insert(source.to_owned(), last);
            self.passed.insert(source.to_owned());
            return Ok(());
        }
        match self.take_together(source, deliveries, last, Together::All).await {
            Err(InboxError::Fold(FoldError::Apart)) => {
                self.take_together(source, deliveries, last, Together::OneByOne).await
            }
            taken => taken,
        }
    }

    async fn take_together(
        &mut self,
        source: &str,
        deliveries: &[Delivery],
        last: u64,
        together: Together,
    ) -> Result<(), InboxError> {
        let mut transaction = self.pool.begin().await?;
        // Another replica of this service may have been here: the row is the lock, and what it says counts. Where it says
        // less than this one knows, what lies between is none of their business.
        let known = (self.noted(source), last);
        if !advance(&mut transaction, source, known, L::REPEATABLE).await? {
            let stored = lock(&mut transaction, source, last, L::REPEATABLE).await?;
            self.look_back(source, stored);
            self.noted.insert(source.to_owned(), stored);
        }
        let heard = self.noted(source).max(self.heard(source));
        let start = deliveries.iter().position(|delivery| delivery.sequence > heard).unwrap_or(deliveries.len());
        let fresh = deliveries.get(start..).unwrap_or_default();
        if without_gap(heard, fresh) && !fresh.is_empty() {
            let span = hearing(source, fresh);
            self.listener.take(&mut transaction, source, fresh, together).instrument(span).await?;
            crash::point("inbox.before_commit");
            transaction.commit().await?;
            crash::point("inbox.after_commit");
            let count = u64::try_from(fresh.len()).unwrap_or(0);
            meters().heard.add(count, &[of(SERVICE, L::NAME), of(SOURCE, source.to_owned())]);
            self.heard.insert(source.to_owned(), last);
            self.noted.insert(source.to_owned(), last);
            self.passed.remove(source);
            self.listener.taken();
        } else {
            self.heard.insert(source.to_owned(), heard);
        }
        Ok(())
    }

    /// Notes how far those were heard of whom nothing came but what is none of this service's business.
    async fn note(&mut self) -> Result<(), InboxError> {
        let (sources, numbers): (Vec<&str>, Vec<(i64, i64)>) = self
            .passed
            .iter()
            .map(|source| (source.as_str(), (signed(self.heard(source)), signed(self.noted(source)))))
            .unzip();
        let stored = note(&self.pool, &sources, &numbers).await?;
        for source in std::mem::take(&mut self.passed) {
            match stored.get(&source).copied().unwrap_or(0) {
                lost if lost < self.noted(&source) => self.look_back(&source, lost),
                _ => drop(self.noted.insert(source.clone(), self.heard(&source))),
            }
        }
        Ok(())
    }

    /// Goes back to what is stored, where that is less than what was confirmed: the rest is to be heard again.
    fn look_back(&mut self, source: &str, stored: u64) {
        if stored < self.noted(source) {
            tracing::warn!(service = L::NAME, source, stored, "the database lost what it had confirmed: heard again");
            self.heard.insert(source.to_owned(), stored);
            self.noted.insert(source.to_owned(), stored);
            self.passed.remove(source);
        }
    }

    fn heard(&self, source: &str) -> u64 {
        self.heard.get(source).copied().unwrap_or(0)
    }

    fn noted(&self, source: &str) -> u64 {
        self.noted.get(source).copied().unwrap_or(0)
    }
}

/// The span of taking in a batch: linked to the works that told its events, of which there can be many.
fn hearing(source: &str, deliveries: &[Delivery]) -> Span {
    let span = tracing::info_span!("hear", source, events = deliveries.len());
    let told: BTreeSet<&str> = deliveries.iter().map(|delivery| delivery.traceparent.as_str()).collect();
    for traceparent in told.into_iter().filter(|traceparent| !traceparent.is_empty()).take(LINKS) {
        telemetry::link(&span, traceparent);
    }
    span
}

/// Whether these are exactly the numbers that follow.
fn without_gap(heard: u64, deliveries: &[Delivery]) -> bool {
    deliveries.iter().zip(heard + 1..).all(|(delivery, expected)| delivery.sequence == expected)
}

fn by_source(messages: Vec<async_nats::Message>) -> BTreeMap<String, Vec<Delivery>> {
    let mut sources = BTreeMap::<String, Vec<Delivery>>::new();
    for message in messages {
        let Some(source) = broker::source_of(&message.subject).map(str::to_owned) else { continue };
        if let Some(delivery) = delivery(message) {
            sources.entry(source).or_default().push(delivery);
        }
    }
    sources
}

fn delivery(message: async_nats::Message) -> Option<Delivery> {
    let headers = message.headers.as_ref()?;
    let number = |name: &str| headers.get(name)?.as_str().parse::<u64>().ok();
    let accepted_at = number(ACCEPTED_AT)
        .and_then(|micros| OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok());
    Some(Delivery {
        sequence: number(SEQUENCE)?,
        position: number(POSITION).unwrap_or(0),
        accepted_at: accepted_at.map(timestamp),
        traceparent: headers.get(TRACEPARENT).map(|value| value.as_str().to_owned()).unwrap_or_default(),
        event: message.payload,
    })
}

fn head_of(message: &async_nats::Message) -> Option<Arrival> {
    let source = broker::source_of(&message.subject)?.to_owned();
    let head = std::str::from_utf8(&message.payload).ok()?.parse().ok()?;
    Some(Arrival::Head(source, head))
}

async fn load(pool: &PgPool) -> Result<BTreeMap<String, u64>, sqlx::Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as("select source, sequence from heard").fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(source, sequence)| (source, u64::try_from(sequence).unwrap_or(0))).collect())
}

/// Moves on from what is known to be stored, and locks it; false, and nothing moved, where something else is stored.
async fn advance(
    connection: &mut PgConnection,
    source: &str,
    (stored, to): (u64, u64),
    repeatable: bool,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "update heard set sequence = $3 where source = $1 and sequence = $2
         returning case when $4 then set_config('synchronous_commit', 'off', true) end",
    )
    .bind(source)
    .bind(signed(stored))
    .bind(signed(to))
    .bind(repeatable)
    .fetch_optional(connection)
    .await?;
    Ok(moved.is_some())
}

/// Moves on from whatever is stored, and locks it; tells what was. Nothing moves back.
async fn lock(connection: &mut PgConnection, source: &str, to: u64, repeatable: bool) -> Result<u64, sqlx::Error> {
    let (stored, _): (i64, Option<String>) = sqlx::query_as(
        "insert into heard (source, sequence) values ($1, 0)
         on conflict (source) do update set sequence = heard.sequence
         returning sequence, case when $2 then set_config('synchronous_commit', 'off', true) end",
    )
    .bind(source)
    .bind(repeatable)
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query("update heard set sequence = greatest(sequence, $2) where source = $1")
        .bind(source)
        .bind(signed(to))
        .execute(connection)
        .await?;
    Ok(u64::try_from(stored).unwrap_or(0))
}

/// Each number with the one that was confirmed before; gives what is stored then. Where the database has lost what it
/// had confirmed nothing is noted: that would pass over what is to be heard again. Not waited for on the disk: what a
/// crash takes back is asked for again.
async fn note(pool: &PgPool, sources: &[&str], numbers: &[(i64, i64)]) -> Result<BTreeMap<String, u64>, sqlx::Error> {
    let (numbers, confirmed): (Vec<i64>, Vec<i64>) = numbers.iter().copied().unzip();
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "with passed as (
             select * from unnest($1::text[], $2::bigint[], $3::bigint[]) as passed(source, sequence, confirmed)
              where set_config('synchronous_commit', 'off', true) is not null
         ), begun as (
             insert into heard (source, sequence) select source, sequence from passed where confirmed = 0
             on conflict (source) do update set sequence = greatest(heard.sequence, excluded.sequence)
             returning source, sequence
         ), moved as (
             update heard set sequence = greatest(heard.sequence, passed.sequence)
               from passed
              where heard.source = passed.source and confirmed > 0 and heard.sequence >= confirmed
             returning heard.source, heard.sequence
         )
         select * from begun union all select * from moved union all
         select source, heard.sequence from heard join passed using (source)
          where confirmed > 0 and heard.sequence < confirmed",
    )
    .bind(sources)
    .bind(numbers)
    .bind(confirmed)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|(source, sequence)| (source, u64::try_from(sequence).unwrap_or(0))).collect())
}

fn signed(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
