//! Calls about commitments.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::parse;
use chassis::revision::Read;
use proto::activities::*;
use time::Date;
use tonic::{Request, Response, Status};

use super::{belongs_here, initiative_known, state};
use crate::contract::{commitment as words, read_reason};
use crate::domain::{self, Content as _, commitment::Step};
use crate::store::{Filter, commitment as rows};
use crate::{Activities, events};

type Answer<T> = Result<Response<T>, Status>;

pub(super) async fn make_commitment(
    desk: &Desk<Activities>,
    request: Request<MakeCommitmentRequest>,
) -> Answer<MakeCommitmentResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let definition = words::read_definition(&mut violations, request.definition.as_ref());
    let (initiative, definition) = violations.finish(|| Some((initiative?, definition?)))?;

    work.authorise(Some(&initiative), Some(&definition.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    initiative_known(&mut work, &initiative).await?;
    belongs_here(&work, &definition.organization)?;
    let (reference, space) = (Reference::born_on(work.node()), Space::members(&initiative));
    super::activity::takes(work.connection(), Some(&definition.activity), &space).await?;
    work.record(&[events::commitment_made(&reference, &space, &definition)]).await?;
    let commitment = Some(message(&mut work, &reference).await?);
    work.reply(MakeCommitmentResponse { commitment }).await
}

pub(super) async fn meet_commitment(
    desk: &Desk<Activities>,
    request: Request<MeetCommitmentRequest>,
) -> Answer<MeetCommitmentResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "commitment", &request.commitment);
    let evidence = words::read_evidence(&mut violations, request.evidence.as_ref());
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, evidence, read) = violations.finish(|| Some((reference?, evidence?, read?)))?;

    let commitment = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(commitment.stamp.version)?;
    let commitment = Some(go(&mut work, commitment, Step::Met(evidence)).await?);
    work.reply(MeetCommitmentResponse { commitment }).await
}

pub(super) async fn miss_commitment(
    desk: &Desk<Activities>,
    request: Request<MissCommitmentRequest>,
) -> Answer<MissCommitmentResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "commitment", &request.commitment);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let commitment = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(commitment.stamp.version)?;
    let commitment = Some(go(&mut work, commitment, Step::Missed(reason)).await?);
    work.reply(MissCommitmentResponse { commitment }).await
}

pub(super) async fn withdraw_commitment(
    desk: &Desk<Activities>,
    request: Request<WithdrawCommitmentRequest>,
) -> Answer<WithdrawCommitmentResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "commitment", &request.commitment);
    let reason = read_reason(&mut violations, &request.reason);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let commitment = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(commitment.stamp.version)?;
    let commitment = Some(go(&mut work, commitment, Step::Withdrawn(reason)).await?);
    work.reply(WithdrawCommitmentResponse { commitment }).await
}

pub(super) async fn get_commitment(
    desk: &Desk<Activities>,
    request: Request<GetCommitmentRequest>,
) -> Answer<GetCommitmentResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "commitment", &request.commitment);
    let reference = violations.finish(|| reference)?;
    let commitment = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(commitment.initiative(), None).await?;
    let today = look.now().date();
    Ok(Response::new(GetCommitmentResponse { commitment: Some(seen(&commitment, today)) }))
}

pub(super) async fn list_commitments(
    desk: &Desk<Activities>,
    request: Request<ListCommitmentsRequest>,
) -> Answer<ListCommitmentsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let activity = parse::optional_reference(&mut violations, "activity", &request.activity);
    let organization = parse::optional_reference(&mut violations, "organization", &request.organization);
    let state = state::<CommitmentState>(&mut violations, request.state);
    let list = ListCommitmentsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, state, page) = violations.finish(|| Some((initiative?, state?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let (space, filter) = (Space::members(&initiative), Filter::of([activity, organization], state));
    let commitments = rows::list(look.connection(), &space, &filter, page.after.as_deref(), page.limit()).await;
    let mut commitments = commitments.map_err(errors::database)?;
    let next_page_token = page.cut(&mut commitments, |commitment| commitment.reference.to_string());
    let today = look.now().date();
    let commitments = commitments.iter().map(|commitment| seen(commitment, today)).collect();
    Ok(Response::new(ListCommitmentsResponse { commitments, next_page_token }))
}

/// A commitment that was looked for, or `NOT_FOUND`.
fn known(
    found: Result<Option<domain::Commitment>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Commitment, Status> {
    errors::found(found, "commitment", reference)
}

/// The commitment, once the caller is found to be allowed to go on with it.
async fn going_on(work: &mut Work<Activities>, reference: &Reference) -> Result<domain::Commitment, Status> {
    let commitment = known(rows::load_locked(work.connection(), reference).await, reference)?;
    work.authorise(commitment.initiative(), Some(commitment.content.organization())).await?;
    Ok(commitment)
}

/// Takes a step and tells it, where it may be taken; gives the commitment as it stands then.
async fn go(work: &mut Work<Activities>, mut commitment: domain::Commitment, step: Step) -> Result<Commitment, Status> {
    commitment.lives_on(work.node())?;
    let told = events::commitment_told(&commitment.reference, &commitment.space, &step);
    commitment.take(step)?;
    work.record(&[told]).await?;
    message(work, &commitment.reference).await
}

async fn message(work: &mut Work<Activities>, reference: &Reference) -> Result<Commitment, Status> {
    let today = work.now().date();
    Ok(seen(&known(rows::load(work.connection(), reference).await, reference)?, today))
}

/// A commitment as it is seen on a day.
fn seen(commitment: &domain::Commitment, today: Date) -> Commitment {
    Commitment { overdue: commitment.overdue(today), ..words::write(commitment) }
}
