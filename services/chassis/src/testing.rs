//! What every room's tests stand on: the room alone on a throw-away database of a real Postgres, and calls by whomever
//! a test needs. Only with the feature `testing`.
#![expect(clippy::unwrap_used, reason = "tests end where their scaffolding breaks")]

mod cluster;
#[cfg(feature = "containers")]
mod containers;
mod search;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use proto::common::judged::RefusedEvent;
use proto::common::{Delivery, Judged, Role};
use proto::membership::{Circle, CircleFormed, RoleGranted};
use sqlx::{AssertSqlSafe, PgPool};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tower::Service;
use uuid::Uuid;

use crate::authn::{Call, Caller};
use crate::config::Limits;
use crate::desk::Desk;
use crate::event::{Actor, Event, Fact, Place, timestamp};
use crate::hearing::Hearing;
use crate::inbox::{Listener, Together};
use crate::ledger::Ledger;
use crate::names::{NodeId, Reference, Space, Within};
use crate::room::Room;
use crate::serve::Answers;
use crate::{clock, database, digest, fold};

pub use cluster::SERVER;
#[cfg(feature = "containers")]
pub use containers::{Nats, Postgres};
pub use search::tables_with;

/// The servers of tests, as containers with the feature `containers`, else as children of the test's process.
#[cfg(not(feature = "containers"))]
pub use crate::embedded::{Nats, Postgres};

use cluster::Cluster;

/// One room of one node, alone: what it tells is kept in its log, and what others tell it is put in by the test.
pub struct Stage<R> {
    /// Where calls come in: `room::service(stage.desk.clone())` answers them.
    pub desk: Desk<R>,
    /// This node.
    pub node: NodeId,
    /// Connections as the room has them.
    pub pool: PgPool,
    heard: AtomicU64,
    _cluster: Arc<Cluster>,
}

impl<R: Room> Stage<R> {
    /// Sets up the room on an empty database.
    pub async fn set() -> Self {
        let cluster = Cluster::shared().await;
        let url = cluster.new_database().await;
        let pool = database::open(&url, R::NAME, R::migrations(), 4).await.unwrap();
        let node = some_node();
        let ledger = Ledger::new(pool.clone(), node.clone(), Arc::new(Notify::new()));
        Self { desk: Desk::new(ledger), node, pool, heard: AtomicU64::new(0), _cluster: cluster }
    }

    /// The room's service as this caller reaches it, with the limits of a node that says nothing of them.
    pub fn called_by(&self, caller: Option<&Caller>) -> CalledBy<R::Service>
    where
        R: Answers,
    {
        CalledBy::new(R::answers(self.desk.clone(), Limits::default().message_bytes), caller)
    }

    /// Takes in a fact as `teller` told it and the backbone accepted it.
    pub async fn hear(&self, teller: &NodeId, fact: &Fact) {
        self.take(Event::told(fact, teller, &Actor::default())).await;
    }

    /// Takes in an event that was told elsewhere, as the border hands it on once it is accepted: at the place it says, or
    /// else at the next one when it was made.
    pub async fn take(&self, event: Event) {
        let sequence = self.heard.fetch_add(1, Ordering::Relaxed) + 1;
        let next = Place { position: i64::try_from(sequence).unwrap(), at: event.made_at };
        let place = event.accepted.unwrap_or(next);
        let delivery = Delivery {
            sequence,
            event: event.encode().into(),
            position: place.position.try_into().unwrap(),
            accepted_at: Some(timestamp(place.at)),
            ..Delivery::default()
        };
        self.deliver(delivery).await;
    }

    /// Lets the backbone accept what this node told and nobody accepted yet: each event at the next place, at this
    /// instant.
    pub async fn accept(&self, at: OffsetDateTime) {
        let select = "select event_id, space from log
                       where accepted_position is null and space <> 'local' and standing = 'folded' order by position";
        let pending: Vec<(Uuid, String)> = sqlx::query_as(select).fetch_all(&self.pool).await.unwrap();
        for (event, space) in pending {
            let sequence = self.heard.fetch_add(1, Ordering::Relaxed) + 1;
            let accepted = vec![event.as_bytes().to_vec()];
            let judged =
                Judged { space, position: sequence, accepted_at: Some(timestamp(at)), accepted, ..Judged::default() };
            let fact = Fact::of(&Reference::born_on(&self.node), &Space::Local, &judged);
            let event = Event::told(&fact, &self.node, &Actor::default());
            self.deliver(Delivery { sequence, event: event.encode().into(), ..Delivery::default() }).await;
        }
    }

    /// Lets the backbone judge events that this node told: accept these, all at one place, and refuse those.
    pub async fn judge(&self, space: &Space, accepted: &[&Event], refused: &[&Event]) {
        let sequence = self.heard.fetch_add(1, Ordering::Relaxed) + 1;
        let refused = refused.iter().map(|event| RefusedEvent {
            event_id: event.id.as_bytes().to_vec(),
            reason: "The backbone says no".to_owned(),
        });
        let judged = Judged {
            space: space.to_string(),
            position: sequence,
            accepted_at: Some(timestamp(clock::now())),
            accepted: accepted.iter().map(|event| event.id.as_bytes().to_vec()).collect(),
            refused: refused.collect(),
            ..Judged::default()
        };
        let fact = Fact::of(&Reference::born_on(&self.node), &Space::Local, &judged);
        let event = Event::told(&fact, &self.node, &Actor::default());
        self.deliver(Delivery { sequence, event: event.encode().into(), ..Delivery::default() }).await;
    }

    async fn deliver(&self, delivery: Delivery) {
        let hearing = Hearing::of(self.desk.ledger());
        let mut transaction = self.pool.begin().await.unwrap();
        hearing.take(&mut transaction, digest::BORDER, &[delivery], Together::OneByOne).await.unwrap();
        transaction.commit().await.unwrap();
        hearing.taken();
    }

    /// Lets the backbone grant an organization a role with an open term.
    pub async fn grant(&self, initiative: &Reference, organization: &Reference, role: Role) {
        let membership = Reference::born_on(&initiative.node);
        let granted = RoleGranted {
            initiative: initiative.to_string(),
            membership: membership.to_string(),
            organization: organization.to_string(),
            node: organization.node.to_string(),
            role: role.into(),
            from: Some(timestamp(OffsetDateTime::UNIX_EPOCH)),
            until: None,
        };
        self.hear(&initiative.node, &Fact::of(&membership, &Space::members(initiative), &granted)).await;
    }

    /// Lets the backbone form a circle of these nodes; gives its space.
    pub async fn circle(&self, initiative: &Reference, nodes: &[&NodeId]) -> Space {
        let circle = Reference::born_on(&initiative.node);
        let space = Space::Of(initiative.clone(), Within::Circle(circle.clone()));
        let nodes = nodes.iter().map(ToString::to_string).collect();
        let formed =
            CircleFormed { circle: Some(Circle { display_name: "A circle".to_owned(), nodes, ..Circle::default() }) };
        self.hear(&initiative.node, &Fact::of(&circle, &space, &formed)).await;
        space
    }

    /// Every row of the room's tables, of the roles and of the circles if there are any, as JSON, by table.
    pub async fn rows(&self) -> BTreeMap<String, Vec<String>> {
        let mut rows = BTreeMap::new();
        for table in self.own_tables().await.into_iter().chain(["roles".to_owned()]) {
            rows.insert(table.clone(), self.rows_of(&table).await);
        }
        let circles = self.rows_of("circles").await;
        if !circles.is_empty() {
            rows.insert("circles".to_owned(), circles);
        }
        rows
    }

    /// As [`Stage::rows`], with the log and the answered requests: equal before and after a call that wrote nothing.
    pub async fn everything(&self) -> BTreeMap<String, Vec<String>> {
        let mut rows = self.rows().await;
        for table in ["log", "unsequenced", "requests"] {
            rows.insert(table.to_owned(), self.rows_of(table).await);
        }
        rows
    }

    async fn rows_of(&self, table: &str) -> Vec<String> {
        let select = format!("select to_jsonb(t)::text from {table} t order by 1");
        sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&self.pool).await.unwrap()
    }

    /// Tables of the room's schema that are not the chassis' and no notes of migrations, sorted.
    async fn own_tables(&self) -> Vec<String> {
        sqlx::query_scalar(
            "select table_schema || '.' || table_name from information_schema.tables
              where table_schema = $1 and table_name not like '\\_%'
                and table_name not in ('log', 'unsequenced', 'relayed', 'published', 'heard', 'requests', 'roles', 'circles',
                                       'ahead')
              order by 1",
        )
        .bind(R::NAME)
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// The events in the log, in local order; erased ones are no more in it.
    pub async fn log(&self) -> Vec<Event> {
        let bytes: Vec<Vec<u8>> = sqlx::query_scalar("select bytes from log where bytes is not null order by position")
            .fetch_all(&self.pool)
            .await
            .unwrap();
        bytes.iter().map(|bytes| Event::decode(bytes).unwrap()).collect()
    }

    /// The events in the log that were accepted, at their places, in the order of these.
    pub async fn accepted(&self) -> Vec<Event> {
        let select = "select bytes, accepted_position, accepted_at from log
                       where accepted_position is not null and bytes is not null order by accepted_position, position";
        let rows: Vec<(Vec<u8>, i64, OffsetDateTime)> = sqlx::query_as(select).fetch_all(&self.pool).await.unwrap();
        let placed = |(bytes, position, at): (Vec<u8>, i64, OffsetDateTime)| Event {
            accepted: Some(Place { position, at }),
            ..Event::decode(&bytes).unwrap()
        };
        rows.into_iter().map(placed).collect()
    }

    /// Empties the room's tables and folds its log again.
    pub async fn replay(&self) {
        self.empties_every_table().await;
        let mut transaction = self.pool.begin().await.unwrap();
        fold::replay::<R>(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// A table that the room forgot to name would keep its rows over a replay, and no comparison would show it.
    async fn empties_every_table(&self) {
        let tables = self.own_tables().await;
        let mut transaction = self.pool.begin().await.unwrap();
        for table in R::TABLES {
            let delete = format!("delete from {}", table.name);
            sqlx::query(AssertSqlSafe(delete)).execute(&mut *transaction).await.unwrap();
        }
        for table in tables {
            let count = format!("select count(*) from {table}");
            let left: i64 = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut *transaction).await.unwrap();
            assert_eq!(left, 0, "{table} is not emptied with the tables that the room names");
        }
        transaction.rollback().await.unwrap();
    }

    /// Forgets one resource and folds its events again.
    pub async fn refold(&self, resource: &Reference) {
        let mut transaction = self.pool.begin().await.unwrap();
        fold::refold::<R>(&mut transaction, &resource.to_string()).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// The canonical states of an initiative's members space.
    pub async fn states(&self, initiative: &Reference) -> Vec<(Reference, bytes::Bytes)> {
        let mut connection = self.pool.acquire().await.unwrap();
        R::states(&mut connection, &Space::members(initiative)).await.unwrap()
    }
}

/// A node of which nothing is known but its name.
pub fn some_node() -> NodeId {
    NodeId::of_key(&clock::random().unwrap())
}

/// Somebody with a token who speaks for these organizations; may be none.
pub fn speaking_for(organizations: &[&Reference]) -> Caller {
    let person = format!("p-{}", clock::new_id().simple());
    let organizations = organizations.iter().copied().cloned().collect();
    Caller { subject: person.clone(), organizations, operator: false, person }
}

/// The operator of the node.
pub fn operator() -> Caller {
    Caller { operator: true, ..speaking_for(&[]) }
}

/// A room's service as one caller reaches it, without a socket between: what a generated client is put before.
/// `MembershipServiceClient::new(CalledBy::new(membership::service(stage.desk.clone()), Some(&caller)))`
#[derive(Clone, Debug)]
pub struct CalledBy<S> {
    service: S,
    caller: Option<Caller>,
}

impl<S> CalledBy<S> {
    /// The service, called by somebody, or by nobody.
    pub fn new(service: S, caller: Option<&Caller>) -> Self {
        Self { service, caller: caller.cloned() }
    }
}

impl<S: Service<http::Request<B>>, B> Service<http::Request<B>> for CalledBy<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> S::Future {
        let call = Call::of(request.uri().path(), self.caller.clone()).unwrap();
        request.extensions_mut().insert(call);
        self.service.call(request)
    }
}
