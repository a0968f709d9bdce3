//! Calls about how far somebody has read.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::event::timestamp;
use chassis::names::{Reference, Space};
use chassis::{parse, spaces};
use proto::messaging::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Answer;
use super::channel::known as known_channel;
use crate::contract::cursor;
use crate::domain::{self, Fact};
use crate::store::{channel as channels, entry, read_position as rows};
use crate::{Messaging, events};

/// How many unread messages are counted.
const MOST_COUNTED: i64 = 1000;

pub(super) async fn get_read_position(
    desk: &Desk<Messaging>,
    request: Request<GetReadPositionRequest>,
) -> Answer<GetReadPositionResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let channel = parse::reference(&mut violations, "channel", &request.channel);
    let channel = violations.finish(|| channel)?;
    let channel = super::channel::readable(&mut look, &channel).await?;
    let person = look.caller().map(|caller| caller.person.clone()).unwrap_or_default();
    let position = Some(message(look.connection(), &person, &channel).await?);
    Ok(Response::new(GetReadPositionResponse { position }))
}

pub(super) async fn move_read_position(
    desk: &Desk<Messaging>,
    request: Request<MoveReadPositionRequest>,
) -> Answer<MoveReadPositionResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let channel = parse::reference(&mut violations, "channel", &request.channel);
    parse::required(&mut violations, "cursor", &request.cursor);
    if let Some(channel) = channel.as_ref().filter(|_| !request.cursor.is_empty()) {
        cursor::read(&mut violations, "cursor", &request.cursor, channel, None);
    }
    let channel = violations.finish(|| channel)?;

    let channel = known_channel(channels::load(work.connection(), &channel).await, &channel)?;
    work.authorise(Some(&channel.initiative), None).await?;
    spaces::may_know(&mut work, &channel.space).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let (person, about) = (work.caller().person.clone(), channel.reference.clone());
    let before = rows::load_locked(work.connection(), &person, &about).await.map_err(errors::database)?;
    let reference = before.map_or_else(|| Reference::born_on(work.node()), |before| before.reference);
    let moved = Fact::ReadPositionMoved { channel: about, cursor: request.cursor };
    work.record(&events::told(&reference, &Space::Local, vec![moved])).await?;
    let position = Some(message(work.connection(), &person, &channel).await?);
    work.reply(MoveReadPositionResponse { position }).await
}

async fn message(
    connection: &mut PgConnection,
    person: &str,
    channel: &domain::Channel,
) -> Result<ReadPosition, Status> {
    let position = rows::load(connection, person, &channel.reference).await.map_err(errors::database)?;
    let text = position.as_ref().map(|position| position.cursor.as_str()).unwrap_or_default();
    let mut violations = Violations::default();
    let cursor = cursor::read(&mut violations, "cursor", text, &channel.reference, None).unwrap_or_default();
    let question = entry::Question { channel, thread: None };
    let unread = entry::posted_after(connection, &question, &cursor.pending, cursor.after(), MOST_COUNTED).await;
    let unread = unread.map_err(errors::database)?;
    Ok(ReadPosition {
        channel: channel.reference.to_string(),
        cursor: text.to_owned(),
        unread: u32::try_from(unread).unwrap_or(u32::MAX),
        update_time: position.map(|position| timestamp(position.updated_at)),
    })
}
