//! The sending half of a link: reads what the other side does not have from Postgres and puts it on the road.

use bytes::Bytes;
use prost::Message;
use proto::federation::{Frame, LinkMessage, link_message};
use sqlx::PgConnection;

use crate::border::BorderError;
use crate::domain;
use crate::link::Link;
use crate::meters::{link_meters, peer};
use crate::pace::{ENTRIES_ON_THE_ROAD, STEPS_ON_THE_ROAD};
use crate::store::feeds::{self, Feed};
use crate::store::{entries, order};
use crate::wire::{self, FeedName};
use crate::{governance, have};

/// How many steps of an order are read at once.
const STEPS: i64 = 32;

/// Sends what there is to send. Comes back when there is nothing more, or as much as may be on the road.
///
/// # Errors
/// Where the database or the hub fails; what was not sent is sent later.
pub async fn pending(link: &Link) -> Result<(), BorderError> {
    let mut connection = link.border.pool.acquire().await?;
    if let Some(say) = link.pace.to_say() {
        let writer = if link.is_backbone() { &link.peer } else { link.border.node() };
        let mut have = have::of(&mut connection, &link.initiative.initiative, writer).await?;
        (have.answer, have.resume) = (say.answer, say.resume);
        send(link, link_message::Message::Have(have)).await?;
    }
    if link.is_backbone() { send_orders(link, &mut connection).await } else { send_feeds(link, &mut connection).await }
}

/// Puts one message on the road.
async fn send(link: &Link, message: link_message::Message) -> Result<(), BorderError> {
    let message = LinkMessage { message: Some(message), traceparent: link.border.trace() };
    link.mailbox.send(Bytes::from(message.encode_to_vec())).await
}

async fn send_feeds(link: &Link, connection: &mut PgConnection) -> Result<(), BorderError> {
    let initiative = link.initiative.initiative.to_string();
    for (name, feed) in feeds::of_origin(connection, &initiative, link.border.node()).await? {
        while let Some((frame, last)) = next_frame(link, connection, &name, &feed).await? {
            send(link, link_message::Message::Frame(frame)).await?;
            link_meters().sent.add(last - link.pace.feed(&name, feed.judged), &peer(&link.peer));
            link.pace.feed_sent(&name, last);
        }
    }
    Ok(())
}

async fn next_frame(
    link: &Link,
    connection: &mut PgConnection,
    name: &FeedName,
    feed: &Feed,
) -> Result<Option<(Frame, u64)>, BorderError> {
    let sent = link.pace.feed(name, feed.judged);
    if sent >= feed.sequence || sent.saturating_sub(feed.judged) >= ENTRIES_ON_THE_ROAD {
        return Ok(None);
    }
    let links = entries::next(connection, name, sent, wire::FRAME_BYTES - 4096, wire::EVENT_BYTES).await?;
    let Some(last) = links.last() else { return Ok(None) };
    let (sequence, seal) = (last.sequence, wire::seal(&link.border.keys, &last.digest));
    Ok(Some((wire::frame(&links, seal), sequence)))
}

async fn send_orders(link: &Link, connection: &mut PgConnection) -> Result<(), BorderError> {
    let reference = &link.initiative.initiative;
    let members = chassis::names::Space::members(reference);
    let position = order::read(connection, &members).await?.position;
    if !governance::of(connection, &link.initiative, &link.peer, position, chassis::clock::now()).await?.admitted {
        return Ok(());
    }
    for (space, order) in order::spaces(connection, &reference.to_string()).await? {
        if !domain::may_hold(&space, &link.peer) {
            continue;
        }
        loop {
            let (sent, confirmed) = link.pace.space(&space);
            if sent >= order.position || sent.saturating_sub(confirmed) >= STEPS_ON_THE_ROAD {
                break;
            }
            let steps = order::steps(connection, &space, sent, STEPS, Some(&link.peer)).await?;
            if steps.is_empty() {
                break;
            }
            for (step, position) in steps.into_iter().zip(sent + 1..) {
                send(link, link_message::Message::Accepted(step)).await?;
                link_meters().sent.add(1, &peer(&link.peer));
                link.pace.space_sent(&space, position);
            }
        }
    }
    Ok(())
}
