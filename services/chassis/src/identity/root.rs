//! The root key of an initiative, which says who its backbone is.

use std::path::Path;

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer, SigningKey};
use prost::Message;
use proto::federation::{Appointment, SignedAppointment};
use time::OffsetDateTime;

use super::{KeyError, fresh, verify};
use crate::event::timestamp;
use crate::names::NodeId;
use crate::strongbox::{self, BoxError};

/// What a root signs an appointment over, before its bytes.
pub const APPOINTMENT: &[u8] = b"commonweal-appointment-1";

/// The root key of an initiative. It belongs offline: it only ever says who the backbone is.
pub struct RootKey(SigningKey);

impl RootKey {
    /// Makes a root key in a file of its own.
    ///
    /// # Errors
    /// Where the file is there already, or cannot be written.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let key = fresh()?;
        strongbox::make(path, format!("{}\n", HEXLOWER.encode(key.as_bytes())).as_bytes())?;
        Ok(Self(key))
    }

    /// Reads a root key.
    ///
    /// # Errors
    /// Where the file is missing or is not one.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let malformed = || BoxError::Malformed { path: path.to_owned(), what: "an initiative's root key" };
        let content = strongbox::read(path)?.ok_or_else(malformed)?;
        let bytes = HEXLOWER.decode(content.trim_ascii()).map_err(|_| malformed())?;
        let secret: [u8; 32] = bytes.try_into().map_err(|_| malformed())?;
        Ok(Self(SigningKey::from_bytes(&secret)))
    }

    /// Its public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Names the node that is the backbone. Of all appointments under a root the one with the highest number counts.
    pub fn appoint(&self, number: u64, backbone: &NodeId, at: OffsetDateTime) -> SignedAppointment {
        let appointment = Appointment {
            format: 1,
            root_key: self.public().to_vec().into(),
            number,
            backbone: backbone.to_string(),
            made_at: Some(timestamp(at)),
        };
        let bytes = appointment.encode_to_vec();
        let signature = self.0.sign(&[APPOINTMENT, bytes.as_slice()].concat());
        SignedAppointment { appointment: bytes.into(), signature: signature.to_vec().into() }
    }
}

/// Verifies an appointment under a root.
///
/// # Errors
/// Where the signature does not hold, or it is of another root or format.
pub fn verify_appointment(root: &[u8; 32], signed: &SignedAppointment) -> Result<Appointment, KeyError> {
    verify(root, &[APPOINTMENT, &signed.appointment].concat(), &signed.signature)?;
    let appointment =
        Appointment::decode(signed.appointment.as_ref()).map_err(|_| KeyError::Malformed("an appointment"))?;
    if appointment.format != 1 {
        return Err(KeyError::Appointment("of a format this version does not know"));
    }
    if appointment.root_key.as_ref() != root.as_slice() {
        return Err(KeyError::Appointment("of another root"));
    }
    if appointment.number == 0 || appointment.backbone.parse::<NodeId>().is_err() {
        return Err(KeyError::Appointment("without a number or a node"));
    }
    Ok(appointment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn only_the_root_appoints_the_backbone() {
        let folder = tempfile::tempdir().unwrap();
        let root = RootKey::create(&folder.path().join("root.key")).unwrap();
        let other = RootKey::create(&folder.path().join("other.key")).unwrap();
        let node = NodeId::of_key(&[3; 32]);
        let signed = root.appoint(1, &node, clock::now());
        let again = RootKey::load(&folder.path().join("root.key")).unwrap();
        assert_eq!(verify_appointment(&again.public(), &signed).unwrap().backbone, node.to_string());
        assert!(verify_appointment(&other.public(), &signed).is_err());
        let mut altered = signed;
        let mut appointment = Appointment::decode(altered.appointment.as_ref()).unwrap();
        appointment.number = 2;
        altered.appointment = appointment.encode_to_vec().into();
        assert!(matches!(verify_appointment(&root.public(), &altered), Err(KeyError::Signature)));
    }
}
