//! Making things go wrong, and right again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use node::error::NodeError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::field::Field;
use super::meddle;
use super::place::{Broker, Place};
use super::plan::{Fault, Lane};
use super::wrong;
use crate::proxy::{Way, Weather};

/// A node that was told to crash and has nothing to do there is not waited for any longer.
const CRASHES_WITHIN: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Lets one lane of faults happen until `over`; how many there were. The last is made good in any case.
pub async fn run(field: &Field, lane: Lane, over: watch::Receiver<bool>) -> Result<u64, NodeError> {
    let mut happened = 0;
    for planned in lane {
        if ends_within(over.clone(), planned.pause).await {
            break;
        }
        let lasts = planned.fault.lasts(planned.lasts);
        field.log.note(&format!("{:?} for {} ms", planned.fault, lasts.as_millis()));
        let lasting = ends_within(over.clone(), lasts);
        happen(field, planned.fault, async { _ = lasting.await }).await?;
        happened += 1;
    }
    Ok(happened)
}

/// Whether it is over before some time has passed.
pub async fn ends_within(mut over: watch::Receiver<bool>, time: Duration) -> bool {
    timeout(time, over.wait_for(|over| *over)).await.is_ok()
}

async fn happen(field: &Field, fault: Fault, lasts: impl Future<Output = ()>) -> Result<(), NodeError> {
    match fault {
        Fault::KillNode(at) => {
            let place = field.place(at)?;
            place.node.write().await.kill().await;
            lasts.await;
            place.start(&field.program).await
        }
        Fault::CrashNode(at, point, time) => {
            let place = field.place(at)?;
            let point = chassis::crash::POINTS.get(point).copied().unwrap_or_default();
            crash(field, place, &format!("{point}:{time}")).await;
            lasts.await;
            place.start(&field.program).await
        }
        Fault::EndNode(at) => {
            let place = field.place(at)?;
            let ended = place.node.write().await.stop().await;
            if let Err(error) = ended {
                field.log.finding(&format!("a node did not end in good order: {error}"));
            }
            lasts.await;
            place.start(&field.program).await
        }
        Fault::FreezeNode(at) => freeze(field.place(at)?, lasts).await,
        Fault::Skew(at, hours) => skew(field, at, hours, lasts).await,
        Fault::KillBroker(at) => away(&field.place(at)?.ground.broker, false, lasts).await,
        Fault::WipeBroker(at) => away(&field.place(at)?.ground.broker, true, lasts).await,
        Fault::KillHub => away(&field.hub, false, lasts).await,
        Fault::WipeHub => away(&field.hub, true, lasts).await,
        Fault::CrashPostgres(at) | Fault::LosePostgres(at) => {
            let postgres = &field.place(at)?.ground.postgres;
            postgres.crash().await?;
            lasts.await;
            postgres.restart().await
        }
        Fault::FillDisk(at) => field.place(at)?.ground.postgres.without_room(&field.log, lasts).await,
        Fault::Meddle(at, meddling) => meddle::meddle(field, at, meddling, lasts).await,
        Fault::Cut(_) | Fault::HoldUp(_) | Fault::HoldDown(_) | Fault::Delay(_) | Fault::Narrow(_) => {
            weather(field, fault, lasts).await
        }
        Fault::Cheat(trick) => field.cheat.play(trick, field).await,
    }
}

/// Starts a node so that it crashes; where it does not come to that point it is killed after a while.
async fn crash(field: &Field, place: &Place, at: &str) {
    {
        let mut node = place.node.write().await;
        node.kill().await;
        if let Err(error) = node.start_to_crash(&field.program, at).await {
            field.log.note(&format!("at its start: {error}"));
        }
    }
    let begun = Instant::now();
    while begun.elapsed() < CRASHES_WITHIN {
        if place.node.write().await.has_crashed() {
            field.log.note(&format!("crashed at {at}"));
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    place.node.write().await.kill().await;
}

async fn skew(field: &Field, at: usize, hours: i64, lasts: impl Future<Output = ()>) -> Result<(), NodeError> {
    let place = field.place(at)?;
    {
        let mut node = place.node.write().await;
        node.kill().await;
        place.behind.store(hours < 0, Ordering::Relaxed);
        if let Err(error) = node.start_ahead(&field.program, hours * 3600).await {
            field.log.note(&format!("at its start: {error}"));
        }
    }
    lasts.await;
    {
        place.node.write().await.kill().await;
        place.behind.store(false, Ordering::Relaxed);
    }
    place.start(&field.program).await
}

async fn freeze(place: &Place, lasts: impl Future<Output = ()>) -> Result<(), NodeError> {
    // Whoever is frozen is not started or ended meanwhile: the lane of nodes is one after the other.
    let Some(pid) = place.node.read().await.process().and_then(|pid| i32::try_from(pid).ok()) else { return Ok(()) };
    // Fails only where the process has just ended by itself, which is seen elsewhere.
    let _ = kill(Pid::from_raw(pid), Signal::SIGSTOP);
    lasts.await;
    let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
    Ok(())
}

async fn away(broker: &Broker, wiped: bool, lasts: impl Future<Output = ()>) -> Result<(), NodeError> {
    broker.kill().await;
    if wiped {
        broker.wipe().await?;
    }
    lasts.await;
    broker.restart().await
}

async fn weather(field: &Field, fault: Fault, lasts: impl Future<Output = ()>) -> Result<(), NodeError> {
    let clear = Weather::default();
    let held = Way { held: true, ..Way::default() };
    let slow = Way { delay: Duration::from_millis(150), ..Way::default() };
    let narrow = Way { bytes_per_second: 32 * 1024, ..Way::default() };
    let (at, weather) = match fault {
        Fault::Cut(at) => (at, Weather { cut: true, ..clear }),
        Fault::HoldUp(at) => (at, Weather { up: held, ..clear }),
        Fault::HoldDown(at) => (at, Weather { down: held, ..clear }),
        Fault::Delay(at) => (at, Weather { up: slow, down: slow, ..clear }),
        Fault::Narrow(at) => (at, Weather { up: narrow, down: narrow, ..clear }),
        other => return Err(wrong(format!("{other:?} is no weather"))),
    };
    let proxy = &field.place(at)?.ground.proxy;
    proxy.set(weather);
    lasts.await;
    proxy.set(clear);
    Ok(())
}
