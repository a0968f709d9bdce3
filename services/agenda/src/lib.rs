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
use proto::agenda::agenda_service_server::AgendaServiceServer;
use sqlx::PgConnection;

pub use api::Api;

/// The room: what an initiative agrees to change, who stands behind it, and how it is changed together.
pub struct Agenda;

impl Room for Agenda {
    const NAME: &'static str = "agenda";
    const PACKAGE: &'static str = "commonweal.agenda.v1";
    const TABLES: &'static [Table] = &[
        Table { name: "agenda.drafts", resource: "reference" },
        Table { name: "agenda.versions", resource: "agenda" },
        Table { name: "agenda.agendas", resource: "reference" },
        Table { name: "agenda.endorsements", resource: "reference" },
        Table { name: "agenda.revisions", resource: "proposal" },
        Table { name: "agenda.proposals", resource: "reference" },
        Table { name: "agenda.positions", resource: "reference" },
        Table { name: "agenda.decisions", resource: "reference" },
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

impl Answers for Agenda {
    type Service = AgendaServiceServer<Api>;

    fn answers(desk: Desk<Self>, message_bytes: usize) -> Self::Service {
        AgendaServiceServer::new(Api::new(desk))
            .max_decoding_message_size(message_bytes)
            .max_encoding_message_size(message_bytes)
    }
}
