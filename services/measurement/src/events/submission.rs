//! Submissions and their observations, as their events make them.
//!
//! What the border lets in may still be void by this room's own rules: a submission for an organization that does not
//! live on its home, observations that cannot be read or stand there twice, a seal that is not that of what was
//! recorded. It is kept, and marked void with its reason, alike on every node.

use chassis::errors::{Flaw, Violations};
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::measurement as message;
use sqlx::PgConnection;

use super::reason;
use crate::contract::observation::read_all;
use crate::contract::submission::{read_heading, read_revision_reason};
use crate::domain::observation::digest_after;
use crate::domain::submission::reporter_elsewhere;
use crate::domain::{Observation, State, Submission};
use crate::store::{observation as rows, submission as store};

pub(super) async fn opened(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::SubmissionOpened,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let heading = read_heading(&mut violations, told.definition.as_ref());
    let heading = sound(&violations, heading, "definition")?;
    let elsewhere = reporter_elsewhere(&event.resource.node, &heading)
        .map(|organization| format!("organization {organization} does not live on the node that submitted for it"))
        .or_else(|| {
            let other = event.actor.organization.as_ref().filter(|other| **other != heading.organization)?;
            Some(format!("it was signed for organization {other}, not for the one that reports"))
        });
    let state = match &elsewhere {
        None => (State::Open, ""),
        Some(reason) => (State::Void, reason.as_str()),
    };
    Ok(store::insert(connection, &event.resource, &event.space, &heading, state, event.made_at).await?)
}

pub(super) async fn recorded(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::ObservationsRecorded,
) -> Result<(), FoldError> {
    let Some(submission) = open(connection, event).await? else { return Ok(()) };
    match read_all(&told.observations) {
        Err(flaws) => void(connection, event, &unreadable(&flaws)).await,
        Ok(observations) => add(connection, event, &submission, &observations).await,
    }
}

async fn add(
    connection: &mut PgConnection,
    event: &Event,
    submission: &Submission,
    observations: &[Observation],
) -> Result<(), FoldError> {
    let inserted = rows::insert(connection, submission, observations).await?;
    let twice = observations.len() as u64 - inserted;
    if twice > 0 {
        return void(
            connection,
            event,
            &format!("{twice} of its observations are about cells it had recorded already"),
        )
        .await;
    }
    let count = i64::try_from(submission.count + inserted).map_err(|_| FoldError::Missing("count"))?;
    let digest = digest_after(submission.digest, observations);
    Ok(store::grow(connection, &event.resource, count, &digest, event.made_at).await?)
}

pub(super) async fn sealed(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::SubmissionSealed,
) -> Result<(), FoldError> {
    let Some(submission) = open(connection, event).await? else { return Ok(()) };
    let (count, digest) = (submission.count, submission.digest);
    if told.count != count {
        let reason = format!("its seal says {} observations, and {count} were recorded", told.count);
        return void(connection, event, &reason).await;
    }
    if told.digest != digest {
        return void(connection, event, "its seal is not that of the observations recorded").await;
    }
    let mut violations = Violations::default();
    let reason = read_revision_reason(&mut violations, &told.revision_reason);
    let Ok(reason) = sound(&violations, reason, "revision_reason") else {
        return void(connection, event, "the reason for its revision cannot be read").await;
    };
    Ok(store::seal(connection, &event.resource, event.id, &reason, event.made_at).await?)
}

pub(super) async fn withdrawn(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::SubmissionWithdrawn,
) -> Result<(), FoldError> {
    match store::load_locked(connection, &event.resource).await?.map(|submission| submission.state) {
        Some(State::Open | State::Sealed) => {
            let reason = reason(&told.reason)?;
            let end = (State::Withdrawn, reason.as_str());
            Ok(store::end(connection, &event.resource, end, event.made_at).await?)
        }
        _ => Ok(store::touch(connection, &event.resource, event.made_at).await?),
    }
}

/// The submission, if it is here and open; otherwise what comes is counted and changes nothing.
async fn open(connection: &mut PgConnection, event: &Event) -> Result<Option<Submission>, FoldError> {
    let submission = store::load_locked(connection, &event.resource).await?;
    let open = submission.filter(|submission| submission.state == State::Open);
    if open.is_none() {
        store::touch(connection, &event.resource, event.made_at).await?;
    }
    Ok(open)
}

async fn void(connection: &mut PgConnection, event: &Event, reason: &str) -> Result<(), FoldError> {
    tracing::warn!(submission.reference = %event.resource, reason, "submission is void");
    Ok(store::end(connection, &event.resource, (State::Void, reason), event.made_at).await?)
}

fn unreadable(flaws: &[Flaw]) -> String {
    let first = flaws.first().map_or_else(String::new, |flaw| format!("{}: {}", flaw.field, flaw.words));
    format!("{} of its fields cannot be read, the first is {first}", flaws.len())
}
