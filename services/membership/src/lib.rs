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
use proto::membership::membership_service_server::MembershipServiceServer;
use sqlx::PgConnection;

pub use api::Api;

/// The room: who takes part in an initiative, in which role, for how long.
pub struct Membership;

impl Room for Membership {
    const NAME: &'static str = "membership";
    const PACKAGE: &'static str = "commonweal.membership.v1";
    const TABLES: &'static [Table] = &[
        Table { name: "membership.initiatives", resource: "reference" },
        Table { name: "membership.organizations", resource: "reference" },
        Table { name: "membership.identifiers", resource: "organization" },
        Table { name: "membership.join_requests", resource: "reference" },
        Table { name: "membership.memberships", resource: "reference" },
        Table { name: "membership.role_terms", resource: "membership" },
        Table { name: "membership.nodes", resource: "resource" },
        Table { name: "membership.working_groups", resource: "reference" },
        Table { name: "membership.circle_profiles", resource: "reference" },
        Table { name: "membership.postings", resource: "reference" },
    ];

    fn migrations() -> sqlx::migrate::Migrator {
        sqlx::migrate!("./migrations")
    }

    async fn apply(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
        events::apply(connection, event).await
    }

    fn hears(type_name: &str) -> bool {
        events::hears(type_name)
    }

    async fn hear(connection: &mut PgConnection, event: &Event) -> Result<Folded, FoldError> {
        events::hear(connection, event).await
    }

    async fn states(connection: &mut PgConnection, space: &Space) -> Result<Vec<(Reference, Bytes)>, sqlx::Error> {
        states::of(connection, space).await
    }
}

impl Answers for Membership {
    type Service = MembershipServiceServer<Api>;

    fn answers(desk: Desk<Self>, message_bytes: usize) -> Self::Service {
        MembershipServiceServer::new(Api::new(desk))
            .max_decoding_message_size(message_bytes)
            .max_encoding_message_size(message_bytes)
    }
}
