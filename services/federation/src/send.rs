//! The sending half of a link: reads what the other side does not have from Postgres and puts it on the road.

use bytes::Bytes;
use chassis::crash;
use chassis::names::Space;
use prost::Message;
use proto::federation::{Frame, Have, LinkMessage, link_message};
use sqlx::PgConnection;

use crate::border::BorderError;
use crate::link::Link;
use crate::meters::{link_meters, peer};
use crate::pace::{ENTRIES_ON_THE_ROAD, STEPS_ON_THE_ROAD, Say};
use crate::store::entries;
use crate::store::feeds::{self, Feed};
use crate::store::order::{self, Order};
use crate::store::signed;
use crate::wire::{self, FeedName};
use crate::{have, holding, keys};

/// How many steps of an order are read at once.
const STEPS: i64 = 32;

/// Sends what there is to send. Comes back when there is nothing more, or as much as may be on the road.
///
/// # Errors
/// Where the database or the hub fails; what was not sent is sent later.
pub async fn pending(link: &Link) -> Result<(), BorderError> {
    if let Some(say) = link.pace.to_say()
        && let Err(error) = speak(link, say).await
    {
        link.pace.say(say);
        return Err(error);
    }
    match link.is_backbone() {
        true => send_orders(link).await,
        // A follower writes nothing.
        false if link.follower => Ok(()),
        false => {
            send_feeds(link).await?;
            // A backbone that was restored is sent its own orders.
            if link.hello.is_asked() { send_orders(link).await } else { Ok(()) }
        }
    }
}

async fn speak(link: &Link, say: Say) -> Result<(), BorderError> {
    let mut connection = link.border.pool.acquire().await?;
    let have = have::of(&mut connection, &link.initiative.initiative, link.partner(), !link.is_backbone()).await?;
    drop(connection);
    // Two that wait for each other's answer would wait for ever: a backbone answers once it has its own.
    let answers = !(link.is_backbone() && link.border.restored.is());
    let have = link.hello.in_words(answers, Have { answer: say.answer, resume: say.resume, ..have });
    start(link, link_message::Message::Have(have)).await?;
    crash::point("confirmer.said");
    Ok(())
}

/// Puts one message on the road. Whoever is on the road holds no connection to the database.
async fn start(link: &Link, message: link_message::Message) -> Result<(), BorderError> {
    let message = LinkMessage { message: Some(message), traceparent: link.border.trace() };
    link.outgoing.add(link.mailbox.send(Bytes::from(message.encode_to_vec())).await?);
    Ok(())
}

async fn send_feeds(link: &Link) -> Result<(), BorderError> {
    let initiative = link.initiative.initiative.to_string();
    let feeds = feeds::of_origin(&mut *link.border.pool.acquire().await?, &initiative, link.border.node()).await?;
    for (name, feed) in feeds {
        loop {
            let turn = link.pace.turn();
            let Some((frame, last)) = next_frame(link, &name, &feed).await? else { break };
            let entries = u64::try_from(frame.entries.len()).unwrap_or(0);
            start(link, link_message::Message::Frame(frame)).await?;
            crash::point("sender.sent");
            link_meters().sent.add(entries, &peer(&link.peer));
            link.pace.feed_sent(turn, &name, last);
        }
    }
    Ok(())
}

async fn next_frame(link: &Link, name: &FeedName, feed: &Feed) -> Result<Option<(Frame, u64)>, BorderError> {
    let sent = link.pace.feed(name, feed.judged);
    if sent >= feed.sequence || sent.saturating_sub(feed.judged) >= ENTRIES_ON_THE_ROAD {
        return Ok(None);
    }
    let mut connection = link.border.pool.acquire().await?;
    let sealing = keys::sealing(&mut connection, &link.border, &link.initiative, name).await?;
    let Some(sealing) = sealing.filter(|sealing| sent < sealing.most) else { return Ok(None) };
    let mut links = entries::next(&mut connection, name, sent, wire::FRAME_BYTES - 4096, wire::EVENT_BYTES).await?;
    links.retain(|link| link.sequence <= sealing.most);
    let Some(last) = links.last() else { return Ok(None) };
    // More are gathered: a verdict on what is on the road, or so many that a frame is full, sends them.
    let filled = last.sequence < feed.sequence || links.len() >= usize::from(wire::FRAME_ENTRIES);
    if !filled && link.pace.gathers(name, feed.judged) {
        return Ok(None);
    }
    let (sequence, seal) = (last.sequence, wire::seal_with(&link.border.keys, &sealing.key, &last.digest));
    Ok(Some((wire::frame(&links, seal), sequence)))
}

async fn send_orders(link: &Link) -> Result<(), BorderError> {
    for (space, order) in holdable(link).await? {
        loop {
            let turn = link.pace.turn();
            let (sent, confirmed_to) = link.pace.space(&space);
            if sent >= order.position || sent.saturating_sub(confirmed_to) >= STEPS_ON_THE_ROAD {
                break;
            }
            let mut connection = link.border.pool.acquire().await?;
            let most = STEPS.min(signed(order.position - sent));
            // Whoever was restored is sent its own entries, too.
            let reader = (!link.hello.is_asked()).then(|| link.partner());
            let steps = order::steps(&mut connection, &space, sent, most, reader).await?;
            drop(connection);
            let Some(last) = u64::try_from(steps.len()).ok().filter(|steps| *steps > 0) else { break };
            for step in steps {
                start(link, link_message::Message::Accepted(step)).await?;
            }
            crash::point("sender.sent");
            link_meters().sent.add(last, &peer(&link.peer));
            link.pace.space_sent(turn, &space, sent + last);
        }
    }
    Ok(())
}

/// The orders that are sent: those that the partner may hold, each as far as it may, the members space first; none where it does not belong.
async fn holdable(link: &Link) -> Result<Vec<(Space, Order)>, BorderError> {
    let reference = &link.initiative.initiative;
    let mut connection = link.border.pool.acquire().await?;
    let orders = order::spaces(&mut connection, &reference.to_string()).await?;
    // Of followers the members space says nothing: there the link itself does.
    if link.is_backbone() && !link.follower && !belongs(&mut connection, link, &orders).await? {
        return Ok(Vec::new());
    }
    let mut spaces = Vec::new();
    for (space, order) in orders {
        if let Some(last) = holding::up_to(&mut connection, &space, link.partner()).await? {
            spaces.push((space, Order { position: order.position.min(last), ..order }));
        }
    }
    Ok(spaces)
}

/// Whether the partner belongs to the initiative at present.
async fn belongs(connection: &mut PgConnection, link: &Link, orders: &[(Space, Order)]) -> Result<bool, BorderError> {
    let initiative = &link.initiative.initiative;
    let members = Space::members(initiative);
    let Some((_, members)) = orders.iter().find(|(space, _)| *space == members) else { return Ok(false) };
    let standing = (initiative, members);
    let belonging = link.border.belongings.at(connection, standing, &link.peer, members.position).await?;
    Ok(belonging.keys().is_some())
}
