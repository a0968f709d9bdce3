//! How this node and its links stand, in numbers and in words.

use chassis::clock;
use chassis::event::timestamp;
use chassis::names::{NodeId, Space};
use proto::federation::link_status::State;
use proto::federation::{GetStatusResponse, LinkStatus, SpaceStatus};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::border::BorderError;
use crate::hub::Road;
use crate::links::Links;
use crate::store::links::{self, LinkRow};
use crate::store::{nodes, order, quarantine, signed, unsigned};

/// Everything.
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
    Ok(GetStatusResponse { node: works.border().node().to_string(), links: statuses, spaces, hub })
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
    let pending = crate::states::pending(connection, space, node).await?;
    let refused: i64 = sqlx::query_scalar(
        "select count(*) from federation.entries where space = $1 and origin = $2 and refused is not null",
    )
    .bind(space.to_string())
    .bind(node.as_str())
    .fetch_one(connection)
    .await?;
    Ok(SpaceStatus { space: space.to_string(), position, pending, refused: unsigned(refused) })
}

async fn link_status(connection: &mut PgConnection, works: &Links, row: &LinkRow) -> Result<LinkStatus, BorderError> {
    let border = works.border();
    let initiative = nodes::initiative(connection, &row.initiative).await?;
    let is_backbone = initiative.as_ref().is_some_and(|initiative| initiative.backbone == *border.node());
    let known = nodes::nodes(connection, &row.initiative).await?;
    let known = known.into_iter().find(|known| known.node == row.node);
    let display_name = match known {
        Some(node) => node.display_name,
        None => initiative.map(|initiative| initiative.name).unwrap_or_default(),
    };
    let (state, words) = state(works, row);
    let lag = if is_backbone { lag_down(connection, row).await? } else { lag_up(connection, border.node()).await? };
    let (received, confirmed) = counts(connection, row, border.node(), is_backbone).await?;
    let newest = quarantine::newest(connection, Some(row.node.as_str()), 1).await?;
    Ok(LinkStatus {
        node: row.node.to_string(),
        display_name,
        initiative: row.initiative.to_string(),
        is_backbone,
        state: state.into(),
        words,
        last_contact: row.last_contact.map(timestamp),
        lag_entries: unsigned(lag.entries),
        lag_seconds: lag.since.map_or(0.0, |since| (clock::now() - since).as_seconds_f64().max(0.0)),
        received: unsigned(received),
        confirmed: unsigned(confirmed),
        quarantined: unsigned(quarantine::count(connection, row.node.as_str()).await?),
        last_refusal: newest.into_iter().next().map(|line| line.reason).unwrap_or_default(),
    })
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

#[derive(sqlx::FromRow)]
struct Lag {
    entries: i64,
    since: Option<OffsetDateTime>,
}

/// What a partner has not confirmed of the orders it may hold.
async fn lag_down(connection: &mut PgConnection, row: &LinkRow) -> Result<Lag, sqlx::Error> {
    let mut lag = Lag { entries: 0, since: None };
    let cursors = links::cursors(connection, &row.node).await?;
    for (space, order) in order::spaces(connection, &row.initiative.to_string()).await? {
        if !crate::domain::may_hold(&space, &row.node) {
            continue;
        }
        let confirmed = cursors.iter().find(|(confirmed, _)| *confirmed == space).map_or(0, |(_, position)| *position);
        lag.entries += signed(order.position.saturating_sub(confirmed));
        let oldest: Option<OffsetDateTime> =
            sqlx::query_scalar("select accepted_at from federation.acceptances where space = $1 and position = $2")
                .bind(space.to_string())
                .bind(signed(confirmed + 1))
                .fetch_optional(&mut *connection)
                .await?;
        lag.since = [lag.since, oldest].into_iter().flatten().min();
    }
    Ok(lag)
}

/// What the backbone has not judged of this node's own feeds.
async fn lag_up(connection: &mut PgConnection, node: &NodeId) -> Result<Lag, sqlx::Error> {
    sqlx::query_as(
        "select coalesce(sum(f.sequence - f.judged), 0)::bigint as entries,
                (select min(e.written_at) from federation.feeds f join federation.entries e
                     on (e.space, e.origin, e.epoch, e.sequence) = (f.space, f.origin, f.epoch, f.judged + 1)
                  where f.origin = $1) as since
           from federation.feeds f where f.origin = $1",
    )
    .bind(node.as_str())
    .fetch_one(connection)
    .await
}

async fn counts(
    connection: &mut PgConnection,
    row: &LinkRow,
    node: &NodeId,
    is_backbone: bool,
) -> Result<(i64, i64), sqlx::Error> {
    let initiative = row.initiative.to_string();
    let theirs = if is_backbone { Some(row.node.as_str()) } else { None };
    let received: i64 = sqlx::query_scalar(
        "select coalesce(sum(sequence), 0)::bigint from federation.feeds
          where starts_with(space, $1 || '/') and origin <> $2 and ($3::text is null or origin = $3)",
    )
    .bind(&initiative)
    .bind(node.as_str())
    .bind(theirs)
    .fetch_one(&mut *connection)
    .await?;
    let confirmed = if is_backbone {
        sqlx::query_scalar("select coalesce(sum(position), 0)::bigint from federation.cursors where node = $1")
            .bind(row.node.as_str())
            .fetch_one(connection)
            .await?
    } else {
        sqlx::query_scalar(
            "select coalesce(sum(judged), 0)::bigint from federation.feeds
              where starts_with(space, $1 || '/') and origin = $2",
        )
        .bind(&initiative)
        .bind(node.as_str())
        .fetch_one(connection)
        .await?
    };
    Ok((received, confirmed))
}
