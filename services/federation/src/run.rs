//! The border at work: its relay and inbox, its links, and at the backbone the hub's enrolment desk.

use std::sync::Arc;
use std::time::Duration;

use chassis::backoff::Backoff;
use chassis::clock;
use chassis::inbox::Inbox;
use chassis::relay::Relay;
use chassis::standing::Standings;
use opentelemetry::KeyValue;
use proto::federation::link_status::State;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::border::{Border, BorderError};
use crate::enrol;
use crate::hub::{EnrolmentDesk, HubAdmin, HubError};
use crate::keys;
use crate::links::{HubSide, Links};
use crate::meters::link_meters;
use crate::restored;
use crate::status;
use crate::tell::Teller;
use crate::tending::{self, Desk};

const FOLLOW_EVERY: Duration = Duration::from_secs(5);
const LAG_EVERY: Duration = Duration::from_secs(5);
/// How long between two tries to reach the hub, the first time and at the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Starts the border's tasks and every link it has. They end after `stop`.
///
/// # Errors
/// Where the database fails.
pub async fn start(
    border: Border,
    client: async_nats::Client,
    hub: Option<HubSide>,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> Result<Links, BorderError> {
    border.restored.begin(&mut *border.pool.acquire().await?).await?;
    let relay = Relay::new(crate::NAME, border.pool.clone(), client.clone(), border.relay.clone());
    tasks.spawn(relay.run(stop.clone()));
    let teller = Arc::new(Teller { border: border.clone() });
    let inbox = Inbox::new(teller, border.pool.clone(), client.clone());
    let (service, troubles) = (crate::NAME, inbox.troubles());
    tasks.spawn(Standings { service, pool: border.pool.clone(), client, troubles }.run(stop.clone()));
    tasks.spawn(inbox.run(stop.clone()));

    let works = Links::new(border, hub, stop.clone());
    works.follow().await;
    {
        let works = works.clone();
        tasks.spawn(until(stop.clone(), async move { works.follow_for_ever(FOLLOW_EVERY).await }));
    }
    if works.hub().is_some() {
        tasks.spawn(until(stop.clone(), keep_hub(works.clone())));
    }
    tasks.spawn(until(stop.clone(), measure_lag(works.clone())));
    {
        let works = works.clone();
        tasks.spawn(until(stop.clone(), async move { restored::follow_for_ever(&works).await }));
    }
    tasks.spawn(until(stop.clone(), keys::tend(works.border().clone())));
    let ended = works.clone();
    tasks.spawn(async move {
        stop.cancelled().await;
        ended.ended().await;
    });
    Ok(works)
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

/// Shows how far each link is behind, for as long as this node runs.
async fn measure_lag(works: Links) {
    loop {
        tokio::time::sleep(LAG_EVERY).await;
        let Ok(mut connection) = works.border().pool.acquire().await else { continue };
        let Ok(status) = status::of(&mut connection, &works).await else { continue };
        for link in status.links {
            // Nothing goes to an ended link any more: it must not look like one that is far behind.
            let (entries, seconds) = match link.state() {
                State::Ended => (0, 0.0),
                _ => (link.lag_entries, link.lag_seconds),
            };
            let peer = [KeyValue::new("peer", link.node)];
            link_meters().lag_entries.record(entries, &peer);
            link_meters().lag_seconds.record(seconds, &peer);
        }
    }
}

/// Reaches the hub as its administrator, and then answers who knocks.
async fn keep_hub(works: Links) {
    let Some(side) = works.hub().cloned() else { return };
    let (mut patience, mut said) = (Backoff::between(AGAIN.0, AGAIN.1), false);
    while let Err(error) = reach(&side).await {
        if !said {
            said = true;
            tracing::warn!(%error, "hub not reached yet; this node works on without it");
        }
        patience.wait().await;
    }
    loop {
        if let Err(error) = answer_knocks(&works, &side).await {
            tracing::warn!(%error, "enrolment desk not open yet");
        }
        patience.wait().await;
    }
}

async fn reach(side: &HubSide) -> Result<(), HubError> {
    let admin = HubAdmin::connect(&side.reach, &side.keys).await?;
    admin.open_enrolment(clock::now()).await?;
    *side.admin.write().await = Some(admin);
    Ok(())
}

/// Sits at the desk. Its account is made again whenever the hub turns out to have lost it; the desk itself comes back.
async fn answer_knocks(works: &Links, side: &HubSide) -> Result<(), HubError> {
    let mut desk = EnrolmentDesk::open(&side.reach, &side.keys, clock::now()).await?;
    let (road, dialler) = (desk.road(), desk.dialler());
    let knocks = async {
        while let Some(knock) = desk.next().await {
            enrol::answer(works, knock).await;
        }
    };
    tokio::select! {
        () = knocks => {}
        () = tending::tend("enrolment desk", Desk(works), road, &dialler) => {}
    }
    Ok(())
}
