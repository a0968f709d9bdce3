//! The rooms of a node: which there are, and what a node does with each. A new room is one line here.

use activities::Activities;
use agenda::Agenda;
use chassis::room::Room;
use chassis::serve::Answers;
use chassis::server::Server;
use federation::service::Federation;
use futures_util::future::BoxFuture;
use measurement::Measurement;
use membership::Membership;
use messaging::Messaging;
use proto::federation::federation_service_server::SERVICE_NAME;
use sqlx::migrate::Migrator;
use tonic::server::NamedService;

use super::opening::Opening;
use crate::error::NodeError;
use crate::verify::{Check, Stop, ToldEvents, Verifier};

/// The rooms.
pub const ROOMS: &[RoomEntry] = &[
    RoomEntry::of::<Membership>(),
    RoomEntry::of::<Agenda>(),
    RoomEntry::of::<Measurement>(),
    RoomEntry::of::<Activities>(),
    RoomEntry::of::<Messaging>(),
];

/// A service, as far as its schema goes.
#[derive(Clone, Copy)]
pub struct Schema {
    /// Name of the service and of its schema.
    pub name: &'static str,
    /// Its migrations.
    pub migrations: fn() -> Migrator,
}

/// A room, as a node sees it.
pub struct RoomEntry {
    /// Name of the service and of its schema.
    pub name: &'static str,
    /// Full name of its gRPC service.
    pub full_name: &'static str,
    /// Its schema.
    pub schema: Schema,
    /// Opens it and adds its calls to a server.
    pub(super) open: for<'a, 'b> fn(&'a mut Opening<'b>, Server) -> BoxFuture<'a, Result<Server, NodeError>>,
    /// Folds its log again.
    pub(crate) fold: for<'a, 'b> fn(&'a Verifier<'b>, &'a ToldEvents) -> BoxFuture<'a, Result<Check, Stop>>,
}

impl RoomEntry {
    const fn of<R: Answers>() -> Self {
        Self {
            name: R::NAME,
            full_name: <R::Service as NamedService>::NAME,
            schema: Schema::of::<R>(),
            open: |opening, server| Box::pin(opening.room::<R>(server)),
            fold: |verifier, told| Box::pin(verifier.fold::<R>(told)),
        }
    }
}

impl Schema {
    const fn of<R: Room>() -> Self {
        Self { name: R::NAME, migrations: R::migrations }
    }
}

/// The schemas of every service of a node: the rooms' and the border's.
pub fn schemas() -> impl Iterator<Item = Schema> {
    ROOMS.iter().map(|room| room.schema).chain([Schema::of::<Federation>()])
}

/// The services of a node by the name under which they can be run alone, with the full names of their gRPC services.
pub fn services() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROOMS.iter().map(|room| (room.name, room.full_name)).chain([(federation::NAME, SERVICE_NAME)])
}
