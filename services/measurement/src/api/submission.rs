//! Calls that submit observations.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space, Within};
use chassis::parse;
use proto::measurement::*;
use sqlx::PgConnection;
use tonic::{Request, Status};

use super::Answer;
use super::measure::known;
use crate::contract::{observation::read_all, read_reason, submission as words};
use crate::domain::submission::{self, Seal};
use crate::domain::{self, Heading};
use crate::store::{measure as measures, observation as cells, submission as rows};
use crate::{Measurement, events};

/// How many observations a call may bring.
const MOST: usize = 2000;

pub(super) async fn submit_observations(
    desk: &Desk<Measurement>,
    request: Request<SubmitObservationsRequest>,
) -> Answer<SubmitObservationsResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let heading = words::read_heading(&mut violations, request.definition.as_ref());
    let within = words::read_space(&mut violations, &request.space);
    let observations = observations(&mut violations, &request.observations);
    let reason = words::read_revision_reason(&mut violations, &request.revision_reason);
    let (heading, within, observations, reason) =
        violations.finish(|| Some((heading?, within?, observations?, reason?)))?;

    let (measure, space) = reporting(&mut work, &heading, within).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let replaced = cells::sealed_before(work.connection(), &space, &heading, &observations).await;
    let replaced = replaced.map_err(errors::database)?;
    let facts = submission::submit(work.node(), &measure, heading, observations, reason, replaced)?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &space, facts)).await?;
    let submission = Some(message(work.connection(), &reference).await?);
    work.reply(SubmitObservationsResponse { submission }).await
}

pub(super) async fn open_submission(
    desk: &Desk<Measurement>,
    request: Request<OpenSubmissionRequest>,
) -> Answer<OpenSubmissionResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let heading = words::read_heading(&mut violations, request.definition.as_ref());
    let within = words::read_space(&mut violations, &request.space);
    let (heading, within) = violations.finish(|| Some((heading?, within?)))?;

    let (measure, space) = reporting(&mut work, &heading, within).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let facts = submission::open(work.node(), &measure, heading)?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &space, facts)).await?;
    let submission = Some(message(work.connection(), &reference).await?);
    work.reply(OpenSubmissionResponse { submission }).await
}

pub(super) async fn record_observations(
    desk: &Desk<Measurement>,
    request: Request<RecordObservationsRequest>,
) -> Answer<RecordObservationsResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "submission", &request.submission);
    let observations = observations(&mut violations, &request.observations);
    let (reference, observations) = violations.finish(|| Some((reference?, observations?)))?;

    let submission = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let measure = &submission.heading.measure;
    let measure = known(measures::load(work.connection(), measure).await, measure)?;
    let before = cells::recorded_already(work.connection(), &submission, &observations).await;
    let before = before.map_err(errors::database)?;
    let facts = submission::record(work.node(), &submission, &measure, observations, before)?;
    work.record(&events::told(&reference, &submission.space, facts)).await?;
    let submission = Some(message(work.connection(), &reference).await?);
    work.reply(RecordObservationsResponse { submission }).await
}

pub(super) async fn seal_submission(
    desk: &Desk<Measurement>,
    request: Request<SealSubmissionRequest>,
) -> Answer<SealSubmissionResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "submission", &request.submission);
    let digest = <[u8; 32]>::try_from(request.digest.as_slice());
    if digest.is_err() {
        violations.add("digest", format!("has {} bytes, must have 32", request.digest.len()));
    }
    let reason = words::read_revision_reason(&mut violations, &request.revision_reason);
    let (reference, seal) = violations
        .finish(|| Some((reference?, Seal { count: request.count, digest: digest.ok()?, revision_reason: reason? })))?;

    let submission = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let replaced = cells::replaced_by(work.connection(), &submission).await.map_err(errors::database)?;
    let facts = submission::seal(work.node(), &submission, seal, replaced)?;
    work.record(&events::told(&reference, &submission.space, facts)).await?;
    let submission = Some(message(work.connection(), &reference).await?);
    work.reply(SealSubmissionResponse { submission }).await
}

pub(super) async fn withdraw_submission(
    desk: &Desk<Measurement>,
    request: Request<WithdrawSubmissionRequest>,
) -> Answer<WithdrawSubmissionResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "submission", &request.submission);
    let reason = read_reason(&mut violations, &request.reason);
    let (reference, reason) = violations.finish(|| Some((reference?, reason?)))?;

    let submission = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let facts = submission::withdraw(work.node(), &submission, reason)?;
    work.record(&events::told(&reference, &submission.space, facts)).await?;
    let submission = Some(message(work.connection(), &reference).await?);
    work.reply(WithdrawSubmissionResponse { submission }).await
}

fn observations(violations: &mut Violations, messages: &[Observation]) -> Option<Vec<domain::Observation>> {
    if !(1..=MOST).contains(&messages.len()) {
        violations.add("observations", format!("are {}, must be 1 to {MOST} in one call", messages.len()));
        return None;
    }
    read_all(messages).map_err(|flaws| violations.note(flaws)).ok()
}

/// The measure reported on and the space it is reported in, once the caller is found to be allowed to report.
async fn reporting(
    work: &mut Work<Measurement>,
    heading: &Heading,
    within: Within,
) -> Result<(domain::Measure, Space), Status> {
    let measure = known(measures::load(work.connection(), &heading.measure).await, &heading.measure)?;
    work.authorise(Some(&measure.initiative), Some(&heading.organization)).await?;
    let space = Space::Of(measure.initiative.clone(), within);
    Ok((measure, space))
}

/// The submission, once the caller is found to be allowed to go on with it.
async fn going_on(work: &mut Work<Measurement>, reference: &Reference) -> Result<domain::Submission, Status> {
    let submission = rows::load_locked(work.connection(), reference).await;
    let submission = found(submission, reference)?;
    work.authorise(submission.space.initiative(), Some(&submission.heading.organization)).await?;
    Ok(submission)
}

/// A submission that was looked for, or `NOT_FOUND`.
pub(super) fn found(
    found: Result<Option<domain::Submission>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Submission, Status> {
    found.map_err(errors::database)?.ok_or_else(|| errors::not_found("submission", reference))
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Submission, Status> {
    Ok(words::write(&found(rows::load(connection, reference).await, reference)?))
}
