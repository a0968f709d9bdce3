//! The border as a service among the others: what the chassis asks of it. It has no tables that follow from events of
//! its own package; what it folds, it folds from the order, in `governance`.

use bytes::Bytes;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded, Room, Table};
use sqlx::PgConnection;

/// The border.
pub struct Federation;

impl Room for Federation {
    const NAME: &'static str = crate::NAME;
    const PACKAGE: &'static str = "commonweal.federation.v1";
    const TABLES: &'static [Table] = &[];

    fn migrations() -> sqlx::migrate::Migrator {
        sqlx::migrate!("./migrations")
    }

    async fn apply(_: &mut PgConnection, _: &Event) -> Result<Folded, FoldError> {
        Ok(Folded::Unknown)
    }

    async fn states(_: &mut PgConnection, _: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
        Ok(Vec::new())
    }
}
