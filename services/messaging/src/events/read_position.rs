//! How far people have read, as the events of this node make it.

use chassis::event::Event;
use chassis::names::Reference;
use chassis::room::FoldError;
use proto::messaging as wire;
use sqlx::PgConnection;

use crate::store::read_position as store;

pub(super) async fn moved(
    connection: &mut PgConnection,
    event: &Event,
    told: &wire::ReadPositionMoved,
) -> Result<(), FoldError> {
    let channel: Reference = told.channel.parse()?;
    let person = event.actor.person.as_deref().ok_or(FoldError::Missing("person"))?;
    Ok(store::save(connection, &event.resource, (person, &channel), &told.cursor, event.made_at).await?)
}
