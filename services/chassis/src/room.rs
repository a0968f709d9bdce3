//! What the chassis asks of a service: how its tables follow from events.

use std::future::Future;

use bytes::Bytes;
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::errors::Violations;
use crate::event::{Event, Place};
use crate::names::{Reference, Space};

/// One table of a service, and the column that holds the reference of the resource a row belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Schema-qualified name.
    pub name: &'static str,
    /// Column with the resource's reference.
    pub resource: &'static str,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// The tables follow it now.
    Applied,
    /// None of this service's business: not kept.
    Ignored,
    /// Of this service's own package, but of a type it does not know yet: kept until it does.
    Unknown,
}

/// Why an event could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// Its bytes are not what its type says: it is held, and the rest goes on.
    #[error("the event's message cannot be read: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// Something it names is not in its written form: it is held, and the rest goes on.
    #[error("the event's message cannot be read: {0}")]
    Name(#[from] crate::names::NameError),
    /// Something it must have is missing: it is held, and the rest goes on.
    #[error("the event's {0} is missing or out of range")]
    Missing(&'static str),
    /// It has more bytes than an event may have.
    #[error("the event has {0} bytes; at most {max} are allowed: send it in smaller parts", max = crate::ledger::MAX_EVENT_BYTES)]
    TooLarge(usize),
    /// One of several cannot be folded: the whole is taken back, and each is folded by itself.
    #[error("one of several events cannot be folded")]
    Apart,
    /// It is not its time yet: the whole is tried again.
    #[error("{0}")]
    Waits(&'static str),
    /// The database failed: the whole is tried again.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A service: tables that follow from events.
///
/// `apply` and `hear` are total, touch only rows that belong to the event's own resource, and ask no clock: the same
/// events in the same order give the same tables, whenever and wherever.
pub trait Room: Send + Sync + 'static {
    /// Name of the service, of its schema and of what it tells.
    const NAME: &'static str;
    /// The protobuf package of its own events.
    const PACKAGE: &'static str;
    /// Every table that follows from events.
    const TABLES: &'static [Table];

    /// This service's migrations, in its own schema.
    fn migrations() -> sqlx::migrate::Migrator;

    /// Changes the tables as one of this service's own events says.
    fn apply(connection: &mut PgConnection, event: &Event) -> impl Future<Output = Result<Folded, FoldError>> + Send;

    /// Whether it has projections of others' events of this type. What is none of its business it only counts.
    fn hears(_type_name: &str) -> bool {
        false
    }

    /// Changes this service's projections of others' events, of a type that it hears.
    fn hear(_connection: &mut PgConnection, _event: &Event) -> impl Future<Output = Result<Folded, FoldError>> + Send {
        std::future::ready(Ok(Folded::Ignored))
    }

    /// Notes in the tables where this node's own events came to stand in their space's order. `apply` saw them before
    /// they had a place; in a replay they have one from the start, so the rows must come out the same either way.
    fn placed(
        _connection: &mut PgConnection,
        _events: &[Uuid],
        _place: Place,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// Event types that erase what was told of their resource before, as the contract has them.
    fn erasing() -> &'static [&'static str] {
        proto::erasing()
    }

    /// The canonical states of the resources in a space, sorted by reference: the same on every node that holds the
    /// same events. No local columns, projections or arrival times.
    fn states(
        connection: &mut PgConnection,
        space: &Space,
    ) -> impl Future<Output = Result<Vec<(Reference, Bytes)>, sqlx::Error>> + Send;
}

/// What was read of an event's message, if nothing is wrong with it.
///
/// # Errors
/// Where something is: the event is held under the name of the `part`.
pub fn sound<T>(violations: &Violations, read: Option<T>, part: &'static str) -> Result<T, FoldError> {
    match read {
        Some(read) if violations.is_empty() => Ok(read),
        _ => Err(FoldError::Missing(part)),
    }
}

/// The canonical encoding of a resource, of which the state digest is made.
pub fn canonical(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// Folds an event by the function for its message's type, one line for each type: `async fn(&mut PgConnection, &Event,
/// &Message) -> Result<(), FoldError>`. An event of no type that is listed is what stands after `else`.
#[macro_export]
macro_rules! fold_by_type {
    ($connection:expr, $event:expr, else $otherwise:expr, { $($message:ty => $fold:path,)+ }) => {{
        match $event.type_name.as_str() {
            $(name if name == <$message as ::prost::Name>::full_name() => {
                $fold($connection, $event, &$event.message::<$message>()?).await?;
            })+
            _ => return Ok($otherwise),
        }
        Ok($crate::room::Folded::Applied)
    }};
}
