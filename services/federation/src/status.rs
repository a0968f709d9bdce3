//! How this node and its links stand, in numbers and in words.

use chassis::clock;
use chassis::event::timestamp;
use chassis::names::{NodeId, Space};
use proto::federation::get_status_response::Restored;
use proto::federation::link_status::State;
use proto::federation::{GetStatusResponse, LinkStatus, SpaceStatus};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::border::BorderError;
use crate::domain::Holder;
use crate::findings;
use crate::holding;
use crate::hub::Road;
use crate::links::Links;
use crate::store::links::{self, LinkRow};
use crate::store::{self, entries, feeds, nodes, order, quarantine, reissues};

/// The links, the spaces and the hub; the rooms are asked in [`crate::standing`].
///
/// # Errors
/// Where the database fails.
pub async fn of(connection: &mut PgConnection, works: &Links) -> Result<GetStatusResponse, BorderError> {
    let mut spaces = Vec::new();
    for initiative in nodes::initiatives(connection).await? {
        for (space, order) in order::spaces(connection, &initiative.initiative.to_string()).await? {
            spaces.push(space_status(connection, &space, order.position, works.border().node()).await?);
        }
    }
    let mut statuses = Vec::new();
    for row in links::all(connection).await? {
        statuses.push(link_status(connection, works, &row).await?);
    }
    let hub = match works.hub() {
        Some(side) => hub_in_words(side).await,
        None => String::new(),
    };
    let node = works.border().node().to_string();
    let restored = restored(connection, works).await?;
    let reissues = reissues::count(connection).await?;
    Ok(GetStatusResponse { node, links: statuses, spaces, hub, rooms: Vec::new(), restored, reissues })
}

/// What a node waits for that was restored.
async fn restored(connection: &mut PgConnection, works: &Links) -> Result<Option<Restored>, BorderError> {
    let restored = &works.border().restored;
    if !restored.is() {
        return Ok(None);
    }
    let standing = store::restored::read(connection).await?;
    let (since, reason) = (standing.since.map(timestamp), standing.reason);
    Ok(Some(Restored { since, reason, waits_for: restored.waits_for() }))
}

async fn hub_in_words(side: &crate::links::HubSide) -> String {
    match side.admin.read().await.as_ref().map(|admin| admin.road().borrow().clone()) {
        Some(Road::Connected) => format!("listening at {}", side.public.as_str()),
        Some(_) | None => format!("not reached at {}: partners wait and catch up later", side.reach.address.as_str()),
    }
}

async fn space_status(
    connection: &mut PgConnection,
    space: &Space,
    position: u64,
    node: &NodeId,
) -> Result<SpaceStatus, BorderError> {
    let pending = feeds::pending(connection, space, node).await?;
    let refused = entries::refused(connection, space, node).await?;
    Ok(SpaceStatus { space: space.to_string(), position, pending, refused })
}

async fn link_status(connection: &mut PgConnection, works: &Links, row: &LinkRow) -> Result<LinkStatus, BorderError> {
    let border = works.border();
    let initiative = nodes::initiative(connection, &row.initiative).await?;
    let is_backbone = initiative.as_ref().is_some_and(|initiative| initiative.backbone == *border.node());
    let known = nodes::nodes(connection, &row.initiative).await?;
    let known = known.into_iter().find(|known| known.node == row.node);
    let initiative_name = initiative.map(|initiative| initiative.name).unwrap_or_default();
    let (state, words) = state(works, row);
    let words = match (row.follower, is_backbone) {
        (false, _) => words,
        (true, true) => format!("follows \"{initiative_name}\", its public space only; {words}"),
        (true, false) => format!("this node follows \"{initiative_name}\", its public space only; {words}"),
    };
    let display_name = match known {
        Some(node) => node.display_name,
        None if row.display_name.is_empty() => initiative_name,
        None => row.display_name.clone(),
    };
    let (lag, since) = match is_backbone {
        true => lag_down(connection, row).await?,
        false => feeds::lag(connection, &row.initiative, border.node()).await?,
    };
    let theirs = is_backbone.then_some(&row.node);
    let received = links::received(connection, &row.initiative, border.node(), theirs).await?;
    let confirmed = match is_backbone {
        true => links::confirmed_by(connection, &row.initiative, &row.node).await?,
        false => feeds::judged(connection, &row.initiative, border.node()).await?,
    };
    let sent = sent(connection, works, row, is_backbone).await?.max(confirmed);
    let (alarms, last_alarm) = quarantine::alarms(connection, row.node.as_str()).await?;
    let newest = quarantine::newest(connection, Some(row.node.as_str()), None, 1).await?;
    let newest = findings::items(connection, border.node(), newest).await?.into_iter().next();
    Ok(LinkStatus {
        node: row.node.to_string(),
        display_name,
        initiative: row.initiative.to_string(),
        is_backbone,
        state: state.into(),
        words,
        last_contact: row.last_contact.map(timestamp),
        lag_entries: lag,
        lag_seconds: since.map_or(0.0, |since| (clock::now() - since).as_seconds_f64().max(0.0)),
        received,
        confirmed,
        quarantined: quarantine::count(connection, row.node.as_str()).await?,
        alarms,
        last_alarm,
        follower: row.follower,
        last_refusal: newest.as_ref().map(|line| line.reason.clone()).unwrap_or_default(),
        sent,
        held: quarantine::held_of(connection, row.node.as_str()).await?,
        newest,
    })
}

/// How many entries, or at the backbone steps, were put on the road to the other side. A link that does not work has sent
/// what was confirmed.
async fn sent(
    connection: &mut PgConnection,
    works: &Links,
    row: &LinkRow,
    is_backbone: bool,
) -> Result<u64, sqlx::Error> {
    let Some(link) = works.get(&row.node, &row.initiative) else { return Ok(0) };
    let initiative = row.initiative.to_string();
    if !is_backbone {
        let feeds = feeds::of_origin(connection, &initiative, works.border().node()).await?;
        return Ok(feeds.iter().map(|(name, feed)| link.pace.feed_on_the_road(name, feed.judged)).sum());
    }
    let cursors = links::cursors(connection, &row.node).await?;
    let confirmed =
        |space: &Space| cursors.iter().find(|(known, _)| known == space).map_or(0, |(_, position)| *position);
    let spaces = order::spaces(connection, &initiative).await?;
    Ok(spaces.iter().map(|(space, _)| link.pace.space_on_the_road(space, confirmed(space))).sum())
}

fn state(works: &Links, row: &LinkRow) -> (State, String) {
    if row.ended_at.is_some() {
        return (State::Ended, "ended by the backbone; what was signed before stays".to_owned());
    }
    let Some(link) = works.get(&row.node, &row.initiative) else {
        return (State::Disconnected, "not started: see the log of this node".to_owned());
    };
    let road = link.mailbox.road().borrow().clone();
    match road {
        Road::Connecting => (State::Connecting, "on its way to the hub".to_owned()),
        Road::Connected => (State::Connected, "connected".to_owned()),
        Road::Refused(reason) => (State::Refused, format!("the hub does not let this node in: {reason}")),
        Road::Disconnected(reason) => {
            (State::Disconnected, format!("away, and tried again by itself; nothing is lost meanwhile: {reason}"))
        }
    }
}

/// What a partner has not confirmed of the orders it may hold, in steps, and since when the oldest waits.
async fn lag_down(connection: &mut PgConnection, row: &LinkRow) -> Result<(u64, Option<OffsetDateTime>), sqlx::Error> {
    let (mut steps, mut since) = (0, None);
    let holder = Holder { node: &row.node, follower: row.follower };
    let cursors = links::cursors(connection, &row.node).await?;
    for (space, order) in order::spaces(connection, &row.initiative.to_string()).await? {
        let Some(last) = holding::up_to(connection, &space, holder).await? else { continue };
        let confirmed = cursors.iter().find(|(confirmed, _)| *confirmed == space).map_or(0, |(_, position)| *position);
        let waiting = order.position.min(last).saturating_sub(confirmed);
        if waiting == 0 {
            continue;
        }
        steps += waiting;
        let oldest = order::accepted_at(connection, &space, confirmed + 1).await?;
        since = [since, oldest].into_iter().flatten().min();
    }
    Ok((steps, since))
}
