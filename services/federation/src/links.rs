//! The links of this node at work: started, ended and looked at without a restart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chassis::clock;
use chassis::names::{NodeId, Reference};
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::border::{Border, BorderError};
use crate::ending;
use crate::hello::Hello;
use crate::hub::{
    BackboneMailbox, HubAdmin, HubError, HubReach, MailboxKeys, MailboxSize, NodeCredentials, NodeMailbox,
};
use crate::link::{Link, Mailbox};
use crate::outgoing::Outgoing;
use crate::pace::Pace;
use crate::store::links::{self, LinkRow};
use crate::store::nodes::{self, Initiative};
use crate::tending::{self, MailboxOf};

type Name = (NodeId, Reference);
type Running = BTreeMap<Name, Work>;

/// A link at work.
struct Work {
    link: Arc<Link>,
    stop: CancellationToken,
    /// What it was started with.
    mailbox: serde_json::Value,
    follower: bool,
}

/// The hub as the backbone's border sees it.
#[derive(Clone)]
pub struct HubSide {
    /// Where this node itself reaches the hub.
    pub reach: HubReach,
    /// The address that goes into invitations.
    pub public: crate::hub::HubAddress,
    /// How much each mailbox may hold.
    pub size: MailboxSize,
    /// The hub's keys.
    pub keys: Arc<crate::hub::HubKeys>,
    /// Where the hub is told what to believe; `None` until it was reached first.
    pub admin: Arc<tokio::sync::RwLock<Option<HubAdmin>>>,
}

/// The links at work.
#[derive(Clone)]
pub struct Links {
    border: Border,
    hub: Option<HubSide>,
    running: Arc<Mutex<Running>>,
    turn: Arc<tokio::sync::Mutex<()>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Links {
    /// No links yet.
    pub fn new(border: Border, hub: Option<HubSide>, stop: CancellationToken) -> Self {
        Self { border, hub, running: Arc::default(), turn: Arc::default(), tasks: TaskTracker::new(), stop }
    }

    /// Starts a link; one that runs already is replaced.
    ///
    /// # Errors
    /// Where what is kept of its mailbox cannot be read.
    async fn start(&self, row: &LinkRow, initiative: Initiative) -> Result<(), BorderError> {
        let unreadable = |error: serde_json::Error| BorderError::Hub(format!("mailbox of {}: {error}", row.node));
        let hub = |error: crate::hub::HubError| BorderError::Hub(error.to_string());
        let mailbox = if initiative.backbone == *self.border.node() {
            let keys: MailboxKeys = serde_json::from_value(row.mailbox.clone()).map_err(unreadable)?;
            let Some(side) = &self.hub else {
                return Err(BorderError::Hub("this node runs no hub: set hub.enabled".to_owned()));
            };
            Mailbox::Backbone(BackboneMailbox::connect(&side.reach, &keys, clock::now()).await.map_err(hub)?)
        } else {
            let credentials: NodeCredentials = serde_json::from_value(row.mailbox.clone()).map_err(unreadable)?;
            Mailbox::Node(NodeMailbox::connect(&credentials).await.map_err(hub)?)
        };
        let (border, peer, follower) = (self.border.clone(), row.node.clone(), row.follower);
        let (pace, outgoing, hello) = (Pace::default(), Outgoing::default(), Hello::default());
        let link = Arc::new(Link { border, initiative, peer, follower, mailbox, pace, outgoing, hello });
        let stop = self.stop.child_token();
        self.tasks.spawn(run(self.clone(), link.clone(), stop.clone()));
        let work = Work { link, stop, mailbox: row.mailbox.clone(), follower };
        if let Some(before) = self.with(|running| running.insert(name(row), work)) {
            before.stop.cancel();
        }
        Ok(())
    }

    /// Starts every link that is to work and does not, and carries on ending those that are to end. One that fails
    /// stops no other, and is tried again.
    pub async fn follow(&self) {
        // One at a time: two would start a link twice.
        let _turn = self.turn.lock().await;
        if let Err(error) = self.follow_rows().await {
            tracing::warn!(%error, "links not looked after; tried again");
        }
    }

    async fn follow_rows(&self) -> Result<(), BorderError> {
        let rows = links::all(&mut *self.border.pool.acquire().await?).await?;
        for row in rows.iter().filter(|row| row.ending.is_none() && row.ended_at.is_none() && !self.works(row)) {
            let initiative = nodes::initiative(&mut *self.border.pool.acquire().await?, &row.initiative).await?;
            let Some(initiative) = initiative else { continue };
            if let Err(error) = self.start(row, initiative).await {
                tracing::error!(peer = %row.node, %error, "link not started; tried again");
            }
        }
        for row in rows.iter().filter(|row| row.ended_at.is_some()) {
            self.end(&row.node, &row.initiative);
        }
        for row in rows.iter().filter(|row| row.ending.is_some() && row.closed_at.is_none()) {
            ending::carry_out(self, &row.node, &row.initiative).await?;
        }
        Ok(())
    }

    /// Whether a link works with what is kept of its mailbox and its standing.
    fn works(&self, row: &LinkRow) -> bool {
        self.with(|running| {
            running.get(&name(row)).is_some_and(|work| work.mailbox == row.mailbox && work.follower == row.follower)
        })
    }

    /// Follows what is kept of the links, for as long as this node runs.
    pub async fn follow_for_ever(&self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            self.follow().await;
        }
    }

    /// Ends a link's work; until what comes back is dropped no link starts.
    pub async fn rest(&self, node: &NodeId, initiative: &Reference) -> OwnedMutexGuard<()> {
        let turn = self.turn.clone().lock_owned().await;
        self.end(node, initiative);
        turn
    }

    /// Ends a link's work.
    pub fn end(&self, node: &NodeId, initiative: &Reference) {
        if let Some(work) = self.with(|running| running.remove(&(node.clone(), initiative.clone()))) {
            work.stop.cancel();
        }
    }

    /// A link at work.
    pub fn get(&self, node: &NodeId, initiative: &Reference) -> Option<Arc<Link>> {
        self.with(|running| running.get(&(node.clone(), initiative.clone())).map(|work| work.link.clone()))
    }

    /// The links at work to a node, in whichever initiatives.
    pub fn to(&self, node: &str) -> Vec<Arc<Link>> {
        let works = |running: &mut Running| {
            let links = running.values().filter(|work| work.link.peer.as_str() == node);
            links.map(|work| work.link.clone()).collect()
        };
        self.with(works)
    }

    /// Waits until every link has ended, after `stop`.
    pub async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Makes a mailbox at the hub, or whatever of it is missing.
    ///
    /// # Errors
    /// Where this node runs no hub, or the hub cannot be reached.
    pub async fn open_mailbox(&self, keys: &MailboxKeys) -> Result<(), BorderError> {
        self.told(async |admin, side| admin.open_mailbox(keys, side.size, clock::now()).await).await
    }

    /// Makes the account at the hub where invited parties knock, or whatever of it is missing.
    ///
    /// # Errors
    /// Where this node runs no hub, or the hub cannot be reached.
    pub async fn open_enrolment(&self) -> Result<(), BorderError> {
        self.told(async |admin, _| admin.open_enrolment(clock::now()).await).await
    }

    /// Shuts a node out of its mailbox, at once.
    ///
    /// # Errors
    /// Where this node runs no hub, or the hub cannot be reached.
    pub async fn revoke(&self, keys: &MailboxKeys) -> Result<(), BorderError> {
        self.told(async |admin, side| admin.revoke(keys, side.size, clock::now()).await).await
    }

    /// Takes a mailbox down, with all that still lies in it.
    ///
    /// # Errors
    /// Where this node runs no hub, or the hub cannot be reached.
    pub async fn close_mailbox(&self, keys: &MailboxKeys) -> Result<(), BorderError> {
        self.told(async |admin, side| admin.close_mailbox(keys, side.size, clock::now()).await).await
    }

    async fn told(
        &self,
        what: impl AsyncFnOnce(&HubAdmin, &HubSide) -> Result<(), HubError>,
    ) -> Result<(), BorderError> {
        let side = self.hub_side()?;
        let admin = side.admin.read().await;
        let admin = admin.as_ref().ok_or_else(|| BorderError::Hub("not reached yet".to_owned()))?;
        what(admin, side).await.map_err(|error| BorderError::Hub(error.to_string()))
    }

    /// The hub that this node runs.
    ///
    /// # Errors
    /// Where it runs none.
    pub fn hub_side(&self) -> Result<&HubSide, BorderError> {
        self.hub.as_ref().ok_or_else(|| BorderError::Hub("this node runs no hub: set hub.enabled".to_owned()))
    }

    /// The hub that this node runs, if it does.
    pub fn hub(&self) -> Option<&HubSide> {
        self.hub.as_ref()
    }

    /// The border.
    pub fn border(&self) -> &Border {
        &self.border
    }

    fn with<T>(&self, action: impl FnOnce(&mut Running) -> T) -> T {
        action(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Works until `stop`.
async fn run(works: Links, link: Arc<Link>, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = link.work() => {}
        () = tend(&works, &link) => {}
    }
}

/// At the backbone: keeps the mailbox whole.
async fn tend(works: &Links, link: &Link) {
    let Mailbox::Backbone(mailbox) = &link.mailbox else { return std::future::pending().await };
    let what = format!("mailbox of {}", link.peer);
    tending::tend(&what, MailboxOf { works, link, mailbox }, mailbox.road(), &mailbox.dialler()).await;
}

fn name(row: &LinkRow) -> Name {
    (row.node.clone(), row.initiative.clone())
}
