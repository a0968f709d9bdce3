//! The contract: every message and call of Commonweal, generated from the `.proto` files beside this crate, and the
//! rules that stand in them as options.

mod rules;

pub use rules::{access, erasable, erasing, knows, methods, telling};

/// Generated code, one module per protobuf package.
#[expect(
    missing_docs,
    reason = "generated; the documentation stands in the .proto files and is carried over where it exists"
)]
#[expect(clippy::all, clippy::allow_attributes, clippy::allow_attributes_without_reason, reason = "generated")]
mod contract {
    include!(concat!(env!("OUT_DIR"), "/contract.rs"));
}

pub use contract::{commonweal, io};

pub use commonweal::activities::v1 as activities;
pub use commonweal::agenda::v1 as agenda;
pub use commonweal::common::v1 as common;
pub use commonweal::federation::v1 as federation;
pub use commonweal::measurement::v1 as measurement;
pub use commonweal::membership::v1 as membership;
pub use commonweal::messaging::v1 as messaging;
pub use io::cloudevents::v1 as cloudevents;

/// The whole contract as an encoded `google.protobuf.FileDescriptorSet`, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contract.binpb"));
