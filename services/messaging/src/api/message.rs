//! Calls about messages.

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::revision::Read;
use chassis::{parse, roles, spaces};
use proto::common::Role;
use proto::messaging::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Answer;
use super::channel::known as known_channel;
use crate::contract::message as contract;
use crate::domain::{self, message};
use crate::store::{channel as channels, message as rows};
use crate::{Messaging, events};

pub(super) async fn post_message(
    desk: &Desk<Messaging>,
    request: Request<PostMessageRequest>,
) -> Answer<PostMessageResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let heading = MessageHeading {
        channel: request.channel.clone(),
        thread: request.thread.clone(),
        organization: request.organization.clone(),
        written_time: request.written_time,
    };
    let heading = contract::read_heading(&mut violations, "", &heading);
    let body = contract::read_body(&mut violations, &request.body);
    let byline = contract::read_byline(&mut violations, &request.byline);
    let (heading, body, byline) = violations.finish(|| Some((heading?, body?, byline?)))?;

    let channel = known_channel(channels::load_open(work.connection(), &heading.channel).await, &heading.channel)?;
    work.authorise(Some(&channel.initiative), Some(&heading.organization)).await?;
    spaces::may_know(&mut work, &channel.space).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let first = match &heading.thread {
        Some(first) => Some(known(rows::load(work.connection(), first).await, first)?),
        None => None,
    };
    let announcing = channel.only_home().is_some() && announces(&mut work, &channel, &heading.organization).await?;
    let facts = message::post(work.node(), &channel, first.as_ref(), announcing, (heading, body, byline))?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &channel.space, facts)).await?;
    let message = Some(outline(work.connection(), &reference).await?);
    work.reply(PostMessageResponse { message }).await
}

/// Whether the caller may speak for the backbone: its node's operator, or an organization on its staff.
async fn announces(
    work: &mut Work<Messaging>,
    channel: &domain::Channel,
    organization: &Reference,
) -> Result<bool, Status> {
    if work.caller().operator {
        return Ok(true);
    }
    let now = work.now();
    let held = roles::held(work.connection(), &channel.initiative, std::slice::from_ref(organization), now).await;
    Ok(held.map_err(errors::database)?.contains(&Role::BackboneStaff))
}

pub(super) async fn edit_message(
    desk: &Desk<Messaging>,
    request: Request<EditMessageRequest>,
) -> Answer<EditMessageResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "message", &request.message);
    let body = contract::read_body(&mut violations, &request.body);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, body, read) = violations.finish(|| Some((reference?, body?, read?)))?;

    let message = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(message.stamp.version)?;
    let facts = message::edit(work.node(), &message, body)?;
    work.record(&events::told(&reference, &message.space, facts)).await?;
    let message = Some(outline(work.connection(), &reference).await?);
    work.reply(EditMessageResponse { message }).await
}

pub(super) async fn withdraw_message(
    desk: &Desk<Messaging>,
    request: Request<WithdrawMessageRequest>,
) -> Answer<WithdrawMessageResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "message", &request.message);
    let reference = violations.finish(|| reference)?;

    let message = going_on(&mut work, &reference).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let facts = message::withdraw(work.node(), &message)?;
    work.record(&events::told(&reference, &message.space, facts)).await?;
    let message = Some(outline(work.connection(), &reference).await?);
    work.reply(WithdrawMessageResponse { message }).await
}

pub(super) async fn get_message(
    desk: &Desk<Messaging>,
    request: Request<GetMessageRequest>,
) -> Answer<GetMessageResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "message", &request.message);
    let reference = violations.finish(|| reference)?;
    let message = known(rows::load(look.connection(), &reference).await, &reference)?;
    spaces::may_read(&mut look, &message.space).await?;
    let channel = channels::load(look.connection(), &message.heading.channel).await.map_err(errors::database)?;
    let void = channel.and_then(|channel| message::void_in(&channel, &message));
    Ok(Response::new(GetMessageResponse { message: Some(contract::write_in(&message, void)) }))
}

/// The message, once the caller is found to be allowed to go on with it.
async fn going_on(work: &mut Work<Messaging>, reference: &Reference) -> Result<domain::Message, Status> {
    let message = known(rows::load_locked(work.connection(), reference).await, reference)?;
    work.authorise(message.space.initiative(), Some(&message.heading.organization)).await?;
    Ok(message)
}

/// A message that was looked for, or `NOT_FOUND`.
fn known(
    found: Result<Option<domain::Message>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Message, Status> {
    errors::found(found, "message", reference)
}

/// The message without what it says: the answer is kept for a while, and a withdrawal would not find it there.
async fn outline(connection: &mut PgConnection, reference: &Reference) -> Result<Message, Status> {
    Ok(contract::write_outline(&known(rows::load(connection, reference).await, reference)?))
}
