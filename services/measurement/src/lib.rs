#![doc = include_str!("../README.md")]

mod api;
mod contract;
mod domain;
mod events;
mod states;
mod store;

use bytes::Bytes;
use chassis::desk::Desk;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded, Room, Table};
use chassis::serve::Answers;
use proto::measurement::measurement_service_server::MeasurementServiceServer;
use sqlx::PgConnection;

pub use api::Api;

/// The room: what is counted, what was reported, and what it adds up to.
pub struct Measurement;

impl Room for Measurement {
    const NAME: &'static str = "measurement";
    const PACKAGE: &'static str = "commonweal.measurement.v1";
    /// The rows of observations go with those of their submission.
    const TABLES: &'static [Table] = &[
        Table { name: "measurement.measures", resource: "reference" },
        Table { name: "measurement.submissions", resource: "reference" },
    ];

    fn migrations() -> sqlx::migrate::Migrator {
        sqlx::migrate!("./migrations")
    }

    async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
        events::apply(connection, event).await
    }

    async fn states(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
        states::of(connection, space).await
    }
}

impl Answers for Measurement {
    type Service = MeasurementServiceServer<Api>;

    fn answers(desk: Desk<Self>, message_bytes: usize) -> Self::Service {
        MeasurementServiceServer::new(Api::new(desk))
            .max_decoding_message_size(message_bytes)
            .max_encoding_message_size(message_bytes)
    }
}
