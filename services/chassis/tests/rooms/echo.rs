//! The room that hears.

use bytes::Bytes;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded, Room, Table};
use prost::Name;
use sqlx::PgConnection;

use crate::notes::Noted;

/// The room.
pub struct Echo;

impl Room for Echo {
    const NAME: &'static str = "echo";
    const PACKAGE: &'static str = "test.echo.v1";
    const TABLES: &'static [Table] = &[Table { name: "echo.heard_note", resource: "note" }];

    fn migrations() -> sqlx::migrate::Migrator {
        sqlx::migrate!("tests/rooms/echo")
    }

    async fn apply(_: &mut PgConnection, _: &Event) -> Result<Folded, FoldError> {
        Ok(Folded::Unknown)
    }

    fn hears(type_name: &str) -> bool {
        type_name == Noted::full_name()
    }

    async fn hear(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
        sqlx::query(
            "insert into echo.heard_note (note, text, times) values ($1, $2, 1)
             on conflict (note) do update set text = excluded.text, times = heard_note.times + 1",
        )
        .bind(event.resource.to_string())
        .bind(event.message::<Noted>()?.text)
        .execute(connection)
        .await?;
        Ok(Folded::Applied)
    }

    async fn states(_: &mut PgConnection, _: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
        Ok(Vec::new())
    }
}
