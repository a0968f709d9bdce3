//! The room that tells: a note has a text, and may be stamped by versions that know how.

use bytes::Bytes;
use chassis::event::{Event, Fact};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded, Room, Table};
use prost::{Message, Name};
use sqlx::PgConnection;

/// A note was written, or written anew.
#[derive(Clone, PartialEq, Message)]
pub struct Noted {
    #[prost(string, tag = "1")]
    pub text: String,
}

/// A note was stamped.
#[derive(Clone, PartialEq, Message)]
pub struct Stamped {
    #[prost(uint32, tag = "1")]
    pub times: u32,
}

impl Name for Noted {
    const PACKAGE: &'static str = "test.notes.v1";
    const NAME: &'static str = "Noted";
}

impl Name for Stamped {
    const PACKAGE: &'static str = "test.notes.v1";
    const NAME: &'static str = "Stamped";
}

/// The room, in the version of which `KNOWS_STAMPS` says whether it knows `Stamped`.
pub struct Notes<const KNOWS_STAMPS: bool>;

impl<const KNOWS_STAMPS: bool> Room for Notes<KNOWS_STAMPS> {
    const NAME: &'static str = "notes";
    const PACKAGE: &'static str = "test.notes.v1";
    const TABLES: &'static [Table] = &[Table { name: "notes.note", resource: "note" }];

    fn migrations() -> sqlx::migrate::Migrator {
        sqlx::migrate!("tests/rooms/notes")
    }

    async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
        if event.type_name == Noted::full_name() {
            write(connection, event, &event.message::<Noted>()?.text).await?;
        } else if KNOWS_STAMPS && event.type_name == Stamped::full_name() {
            stamp(connection, event, event.message::<Stamped>()?.times).await?;
        } else {
            return Ok(Folded::Unknown);
        }
        Ok(Folded::Applied)
    }

    async fn states(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
        let rows: Vec<(Reference, String)> =
            sqlx::query_as("select note, text from notes.note where space = $1 order by note")
                .bind(space.to_string())
                .fetch_all(connection)
                .await?;
        Ok(rows.into_iter().map(|(note, text)| (note, Bytes::from(Noted { text }.encode_to_vec()))).collect())
    }
}

async fn write(connection: &mut PgConnection, event: &Event, text: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into notes.note (note, space, text, version) values ($1, $2, $3, 1)
         on conflict (note) do update set text = excluded.text, version = note.version + 1",
    )
    .bind(event.resource.to_string())
    .bind(event.space.to_string())
    .bind(text)
    .execute(connection)
    .await?;
    Ok(())
}

async fn stamp(connection: &mut PgConnection, event: &Event, times: u32) -> Result<(), sqlx::Error> {
    sqlx::query("update notes.note set stamps = stamps + $2, version = version + 1 where note = $1")
        .bind(event.resource.to_string())
        .bind(i64::from(times))
        .execute(connection)
        .await?;
    Ok(())
}

/// The fact that a note says this.
pub fn noted(note: &Reference, text: &str) -> Fact {
    Fact::of(note, &Space::Local, &Noted { text: text.to_owned() })
}

/// The fact that a note was stamped.
pub fn stamped(note: &Reference, times: u32) -> Fact {
    Fact::of(note, &Space::Local, &Stamped { times })
}
