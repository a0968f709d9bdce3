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
use proto::activities::activities_service_server::ActivitiesServiceServer;
use sqlx::PgConnection;

pub use api::Api;

/// The room: who does what, what was promised, and money and goods from asked-for to spent.
pub struct Activities;

impl Room for Activities {
    const NAME: &'static str = "activities";
    const PACKAGE: &'static str = "commonweal.activities.v1";
    const TABLES: &'static [Table] = &[
        Table { name: "activities.activities", resource: "reference" },
        Table { name: "activities.commitments", resource: "reference" },
        Table { name: "activities.needs", resource: "reference" },
        Table { name: "activities.pledges", resource: "reference" },
        Table { name: "activities.awards", resource: "reference" },
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

impl Answers for Activities {
    type Service = ActivitiesServiceServer<Api>;

    fn answers(desk: Desk<Self>, message_bytes: usize) -> Self::Service {
        ActivitiesServiceServer::new(Api::new(desk))
            .max_decoding_message_size(message_bytes)
            .max_encoding_message_size(message_bytes)
    }
}
