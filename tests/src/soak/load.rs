//! Random load through the gRPC of every node, and the journal of what was acknowledged.
//!
//! Each worker gives one command after the other and repeats each, under one request id, until it is answered: so it
//! never knows what came of a call that broke off, and the node must.

use std::sync::atomic::Ordering;
use std::time::Duration;

use node::error::NodeError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;

use super::command::{Command, Kind, Mark};
use super::dice::Dice;
use super::faults::ends_within;
use super::field::Field;
use super::wrong;

/// How many give commands at each node.
pub const WORKERS: u64 = 2;
/// A call that is not answered by then is given up and made again.
const CALL: Duration = Duration::from_secs(15);
const AGAIN: Duration = Duration::from_millis(200);
/// After the faults are over every command is answered within this.
const ANSWERED_WITHIN: Duration = Duration::from_secs(180);

/// A command that was acknowledged.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// Its mark, which its event carries.
    pub mark: Mark,
    /// What it was.
    pub kind: Kind,
    /// At which node.
    pub node: usize,
    /// The space of its event within the initiative.
    pub within: String,
    /// The resource it is about.
    pub resource: String,
}

/// Gives commands at a node until `over`; what was acknowledged, in order.
pub async fn work(
    field: &Field,
    seed: u64,
    node: usize,
    worker: u64,
    over: watch::Receiver<bool>,
) -> Result<Vec<Acknowledged>, NodeError> {
    let mut dice = Dice::of(seed, 1000 + node as u64 * WORKERS + worker);
    let (mut journal, mut said) = (Vec::new(), Said::default());
    for number in 1.. {
        if ends_within(over.clone(), Duration::from_millis(dice.between(20, 160))).await {
            break;
        }
        let kind = Kind::any(&mut dice, node);
        let (kind, about) = said.pick(kind, &mut dice);
        let mark = Mark { node, worker, number };
        let within = about.as_ref().map_or(kind.within(&field.world), |(_, within)| within).to_owned();
        let command = Command { seed, mark, kind, about: about.map(|(message, _)| message) };
        if let Some(resource) = answered(field, &command, over.clone()).await? {
            said.note(kind, &resource, &within);
            journal.push(Acknowledged { mark, kind, node, within, resource });
        }
    }
    Ok(journal)
}

/// The messages that one worker has said and not taken back, each with its space within the initiative.
#[derive(Default)]
struct Said(Vec<(String, String)>);

impl Said {
    /// Which of them a command is about; without any it says something first.
    fn pick(&mut self, kind: Kind, dice: &mut Dice) -> (Kind, Option<(String, String)>) {
        let at = usize::try_from(dice.below(self.0.len() as u64)).unwrap_or(0);
        match kind {
            Kind::Amend | Kind::TakeBack if self.0.is_empty() => (Kind::Say, None),
            Kind::Amend => (kind, self.0.get(at).cloned()),
            Kind::TakeBack => (kind, Some(self.0.swap_remove(at))),
            _ => (kind, None),
        }
    }

    fn note(&mut self, kind: Kind, message: &str, within: &str) {
        if matches!(kind, Kind::Say | Kind::Whisper(_)) {
            self.0.push((message.to_owned(), within.to_owned()));
        }
    }
}

/// Asks until there is an answer: the resource; `None` where the answer was a refusal, which none should be.
async fn answered(field: &Field, command: &Command, over: watch::Receiver<bool>) -> Result<Option<String>, NodeError> {
    let mut overdue = None;
    loop {
        let said = match once(field, command).await {
            Some((_, Ok(resource))) => return Ok(Some(resource)),
            Some((true, Err(status))) if is_too_early(status.code()) => status.message().to_owned(),
            Some((_, Err(status))) if !may_pass(status.code()) => {
                field.log.finding(&format!("{command:?} was refused: {:?} {}", status.code(), status.message()));
                return Ok(None);
            }
            Some((_, Err(status))) => format!("{:?} {}", status.code(), status.message()),
            None => "no answer".to_owned(),
        };
        if *over.borrow() && overdue.get_or_insert_with(Instant::now).elapsed() > ANSWERED_WITHIN {
            return Err(wrong(format!("{command:?} is not answered: {said}")));
        }
        sleep(AGAIN).await;
    }
}

/// One call, and whether the node's clock was behind; `None` where the node does not run or says nothing.
async fn once(field: &Field, command: &Command) -> Option<(bool, Result<String, tonic::Status>)> {
    let place = field.place(command.mark.node).ok()?;
    let calling = async {
        let organization = field.world.organizations.get(command.mark.node)?;
        let node = place.node.read().await;
        let client = match command.kind.is_operators() {
            true => node.operator(),
            false => node.speaking_for(organization),
        };
        let client = client.ok()?;
        let behind = place.behind.load(Ordering::Relaxed);
        drop(node);
        Some((behind, command.give(&client, &field.world).await))
    };
    timeout(CALL, calling).await.ok().flatten()
}

/// Whether a role may only not be held yet, by a clock that is behind.
fn is_too_early(code: Code) -> bool {
    matches!(code, Code::FailedPrecondition | Code::PermissionDenied)
}

/// Whether the same call may be answered otherwise later.
fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::Internal
            | Code::Unknown
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::ResourceExhausted
    )
}
