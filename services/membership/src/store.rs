//! The SQL of this room: free functions, one module for each resource. Nothing is decided here.

pub mod circle;
pub mod initiative;
pub mod join_request;
pub mod membership;
pub mod node;
pub mod organization;
pub mod posting;
pub mod working_group;

use chassis::names::{Reference, Space};
use chassis::paging::Page;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Which event changes a row: what every save needs of it.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The resource it is about, which owns the row.
    pub resource: &'a Reference,
    /// The initiative of its space.
    pub initiative: &'a Reference,
    /// Its space.
    pub space: &'a Space,
    /// When it was made.
    pub made_at: OffsetDateTime,
}

/// Which rows of a list are read, beside its filters; sorted by reference.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    after: Option<&'a str>,
    limit: i64,
}

impl Rows<'_> {
    /// All of them.
    pub const ALL: Self = Rows { after: None, limit: i64::MAX };
}

impl<'a> From<&'a Page> for Rows<'a> {
    fn from(page: &'a Page) -> Self {
        Self { after: page.after.as_deref(), limit: page.limit() }
    }
}

/// Waits until nobody else decides on any of these things, and keeps them until the transaction ends: what is found out
/// about them afterwards stays true, while others decide on other things. Call it once, before any row is locked; then
/// nobody who keeps things waits for somebody who waits for them.
pub async fn alone(connection: &mut PgConnection, mut things: Vec<String>) -> Result<(), sqlx::Error> {
    things.sort();
    for thing in things {
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended('membership ' || $1, 0))", thing)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
