//! Calls about channels.

use chassis::desk::{Desk, Look};
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::paging::Page;
use chassis::revision::Read;
use chassis::{parse, roles, spaces};
use proto::messaging::*;
use sqlx::PgConnection;
use tonic::{Code, Request, Response, Status};

use super::Answer;
use crate::contract::{channel as contract, read_space};
use crate::domain::{self, channel};
use crate::store::channel as rows;
use crate::{Messaging, events};

pub(super) async fn create_channel(
    desk: &Desk<Messaging>,
    request: Request<CreateChannelRequest>,
) -> Answer<CreateChannelResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let space = initiative.as_ref().and_then(|initiative| read_space(&mut violations, initiative, &request.space));
    let definition = contract::read_definition(&mut violations, request.definition.as_ref());
    let (initiative, space, definition) = violations.finish(|| Some((initiative?, space?, definition?)))?;

    work.authorise(Some(&initiative), Some(&definition.organization)).await?;
    spaces::may_know(&mut work, &space).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    if !roles::initiative_known(work.connection(), &initiative).await.map_err(errors::database)? {
        return Err(errors::not_found("initiative", &initiative));
    }
    let facts = channel::open(work.node(), &initiative, definition)?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &space, facts)).await?;
    let channel = Some(message(work.connection(), &reference).await?);
    work.reply(CreateChannelResponse { channel }).await
}

pub(super) async fn close_channel(
    desk: &Desk<Messaging>,
    request: Request<CloseChannelRequest>,
) -> Answer<CloseChannelResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "channel", &request.channel);
    let reason = parse::text(&mut violations, "reason", &request.reason, 1000);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    let (reference, reason, read) = violations.finish(|| Some((reference?, reason?, read?)))?;

    let channel = known(rows::load_locked(work.connection(), &reference).await, &reference)?;
    work.authorise(Some(&channel.initiative), Some(&channel.definition.organization)).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    read.still(channel.stamp.version)?;
    let facts = channel::close(work.node(), &channel, reason)?;
    work.record(&events::told(&reference, &channel.space, facts)).await?;
    let channel = Some(message(work.connection(), &reference).await?);
    work.reply(CloseChannelResponse { channel }).await
}

pub(super) async fn get_channel(
    desk: &Desk<Messaging>,
    request: Request<GetChannelRequest>,
) -> Answer<GetChannelResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "channel", &request.channel);
    let reference = violations.finish(|| reference)?;
    let channel = readable(&mut look, &reference).await?;
    Ok(Response::new(GetChannelResponse { channel: Some(contract::write(&channel)) }))
}

pub(super) async fn list_channels(
    desk: &Desk<Messaging>,
    request: Request<ListChannelsRequest>,
) -> Answer<ListChannelsResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let space = match (&initiative, request.space.as_str()) {
        (_, "") => Some(None),
        (Some(initiative), text) => read_space(&mut violations, initiative, text).map(Some),
        (None, _) => None,
    };
    let subject = parse::optional_reference(&mut violations, "subject", &request.subject);
    let state = match request.state {
        0 => None,
        state => parse::choice(&mut violations, "state", state),
    };
    let list = ListChannelsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, space, page) = violations.finish(|| Some((initiative?, space?, page?)))?;

    let spaces = match space {
        None => readable_spaces(&mut look, &initiative).await?,
        Some(space) => {
            spaces::may_read(&mut look, &space).await?;
            vec![space.to_string()]
        }
    };
    let filter = rows::Filter { spaces, subject, state };
    let channels = rows::list(look.connection(), &filter, page.after.as_deref(), page.limit()).await;
    let mut channels = channels.map_err(errors::database)?;
    let next_page_token = page.cut(&mut channels, |channel| channel.reference.to_string());
    let channels = channels.iter().map(contract::write).collect();
    Ok(Response::new(ListChannelsResponse { channels, next_page_token }))
}

/// The spaces of an initiative with channels that the caller may read.
pub(super) async fn readable_spaces(look: &mut Look, initiative: &Reference) -> Result<Vec<String>, Status> {
    let spaces = rows::spaces(look.connection(), initiative).await.map_err(errors::database)?;
    readable_of(look, initiative, spaces).await
}

/// Those of some spaces of an initiative that the caller may read; the members' in any case, or the call is refused.
pub(super) async fn readable_of(
    look: &mut Look,
    initiative: &Reference,
    spaces: Vec<Space>,
) -> Result<Vec<String>, Status> {
    let members = Space::members(initiative);
    spaces::may_read(look, &members).await?;
    let mut readable = vec![members.to_string()];
    for space in spaces {
        if space == members {
            continue;
        }
        match spaces::may_read(look, &space).await {
            Ok(()) => readable.push(space.to_string()),
            Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => {}
            Err(status) => return Err(status),
        }
    }
    Ok(readable)
}

/// A channel that the caller may read.
pub(super) async fn readable(look: &mut Look, reference: &Reference) -> Result<domain::Channel, Status> {
    let channel = known(rows::load(look.connection(), reference).await, reference)?;
    spaces::may_read(look, &channel.space).await?;
    Ok(channel)
}

/// A channel that was looked for, or `NOT_FOUND`.
pub(super) fn known(
    found: Result<Option<domain::Channel>, sqlx::Error>,
    reference: &Reference,
) -> Result<domain::Channel, Status> {
    errors::found(found, "channel", reference)
}

async fn message(connection: &mut PgConnection, reference: &Reference) -> Result<Channel, Status> {
    Ok(contract::write(&known(rows::load(connection, reference).await, reference)?))
}
