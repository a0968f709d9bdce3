#![doc = include_str!("../README.md")]

mod api;
pub mod domain;
mod events;
mod store;
mod wire;

use bytes::Bytes;
use chassis::desk::Desk;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded, Room, Table};
use proto::measurement::measurement_service_server::MeasurementServiceServer;
use sqlx::PgConnection;
use sqlx::migrate::Migrator;

pub use api::Api;

/// Shared measurement: what is counted, what was reported, and what it adds up to.
pub struct Measurement;

impl Room for Measurement {
    const NAME: &'static str = "measurement";
    const PACKAGE: &'static str = "commonweal.measurement.v1";
    /// The rows of observations go with those of their submission.
    const TABLES: &'static [Table] = &[
        Table { name: "measurement.measures", resource: "reference" },
        Table { name: "measurement.submissions", resource: "reference" },
    ];

    fn migrations() -> Migrator {
        sqlx::migrate!("./migrations")
    }

    async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
        events::apply(connection, event).await
    }

    async fn hear(_: &mut PgConnection, _: &Event) -> Result<Folded, FoldError> {
        Ok(Folded::Ignored)
    }

    async fn states(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
        store::states(connection, space).await
    }
}

/// The gRPC service before a desk.
pub fn service(desk: Desk<Measurement>) -> MeasurementServiceServer<Api> {
    MeasurementServiceServer::new(Api::new(desk))
}
