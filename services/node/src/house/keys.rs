//! The keys in a node's data directory.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use chassis::clock;
use chassis::identity::NodeKeys;
use chassis::identity::root::{RootKey, verify_appointment};
use chassis::strongbox;
use prost::Message;
use proto::federation::{Appointment, SignedAppointment};

use crate::error::NodeError;

const ROOT: &str = "root.key";
const APPOINTMENT: &str = "appointment";

/// What a node signs with, and what stands behind the initiatives it is the backbone of.
pub struct Keys {
    /// The node's own.
    pub node: Arc<NodeKeys>,
    /// The root's public key, and its word that this node is the backbone of initiatives born here. The root key itself
    /// is not needed any more: it belongs offline.
    pub root: Arc<([u8; 32], SignedAppointment)>,
}

impl Keys {
    /// Opens a node's keys; makes them at its first start.
    ///
    /// # Errors
    /// Where a file cannot be read or written, or is not what it should be.
    pub fn open(data_dir: &Path) -> Result<Self, NodeError> {
        // Others may pass through, as an unprivileged child of root must, and not read.
        let made = DirBuilder::new().recursive(true).mode(0o711).create(data_dir);
        made.map_err(|source| NodeError::DataDir { path: data_dir.to_owned(), source })?;
        let node = NodeKeys::open(data_dir)?;
        let file = data_dir.join(APPOINTMENT);
        let signed = match strongbox::read(&file)? {
            Some(bytes) => SignedAppointment::decode(bytes.as_slice()).map_err(|_| NodeError::Appointment(file))?,
            None => appoint(data_dir, &node)?,
        };
        let appointment = Appointment::decode(signed.appointment.clone())
            .ok()
            .and_then(|appointment| <[u8; 32]>::try_from(appointment.root_key.as_ref()).ok());
        let root = appointment.ok_or_else(|| NodeError::Appointment(data_dir.join(APPOINTMENT)))?;
        verify_appointment(&root, &signed)?;
        Ok(Self { node: Arc::new(node), root: Arc::new((root, signed)) })
    }
}

fn appoint(data_dir: &Path, node: &NodeKeys) -> Result<SignedAppointment, NodeError> {
    let path = data_dir.join(ROOT);
    let root = if path.exists() { RootKey::load(&path)? } else { RootKey::create(&path)? };
    let signed = root.appoint(1, node.id(), clock::now());
    strongbox::make(&data_dir.join(APPOINTMENT), &signed.encode_to_vec())?;
    Ok(signed)
}
