#![doc = include_str!("../README.md")]

mod api;
mod contract;
mod domain;
mod events;
mod states;
mod store;

use bytes::Bytes;
use chassis::desk::Desk;
use chassis::event::{Event, Place};
use chassis::names::{Reference, Space};
use chassis::room::{FoldError, Folded, Room, Table};
use chassis::serve::Answers;
use proto::messaging::messaging_service_server::MessagingServiceServer;
use sqlx::PgConnection;
use uuid::Uuid;

pub use api::Api;

/// The room: what people say to one another, when they meet, and what others can learn of it.
pub struct Messaging;

impl Room for Messaging {
    const NAME: &'static str = "messaging";
    const PACKAGE: &'static str = "commonweal.messaging.v1";
    const TABLES: &'static [Table] = &[
        Table { name: "messaging.channels", resource: "reference" },
        Table { name: "messaging.messages", resource: "reference" },
        Table { name: "messaging.entries", resource: "message" },
        Table { name: "messaging.read_positions", resource: "reference" },
        Table { name: "messaging.meetings", resource: "reference" },
        Table { name: "messaging.practice_cards", resource: "reference" },
    ];

    fn migrations() -> sqlx::migrate::Migrator {
        sqlx::migrate!("./migrations")
    }

    async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
        events::apply(connection, event).await
    }

    async fn placed(connection: &mut PgConnection, events: &[Uuid], place: Place) -> Result<(), sqlx::Error> {
        events::placed(connection, events, place).await
    }

    async fn states(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
        states::of(connection, space).await
    }
}

impl Answers for Messaging {
    type Service = MessagingServiceServer<Api>;

    fn answers(desk: Desk<Self>, message_bytes: usize) -> Self::Service {
        MessagingServiceServer::new(Api::new(desk))
            .max_decoding_message_size(message_bytes)
            .max_encoding_message_size(message_bytes)
    }
}
