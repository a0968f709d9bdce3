//! Channels, as their events make them.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::messaging as wire;
use sqlx::PgConnection;

use crate::contract::channel::read_definition;
use crate::store::channel as store;

pub(super) async fn opened(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::ChannelOpened,
) -> Result<(), FoldError> {
    let mut violations = Violations::default();
    let definition = read_definition(&mut violations, told.definition.as_ref());
    let definition = sound(&violations, definition, "definition")?;
    Ok(store::insert(connection, &event.resource, &event.space, &definition, event.made_at).await?)
}

pub(super) async fn closed(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::ChannelClosed,
) -> Result<(), FoldError> {
    let reason = super::reason(&told.reason)?;
    let position = event.accepted.map(|place| place.position);
    Ok(store::close(connection, &event.resource, &reason, (event.id, position), event.made_at).await?)
}
