//! The hub's own certificate authority and the server certificate it issues.
//!
//! The authority's certificate is the pin in every invitation, so it lives long; the server's is
//! renewed from it, which no partner notices.

use std::path::{Path, PathBuf};

use chassis::strongbox;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::error::{HubError, unusable};

const AUTHORITY_LIFE: Duration = Duration::days(30 * 365);
const SERVER_LIFE: Duration = Duration::days(365);
/// A server certificate with less life than this is renewed.
const RENEW_BEFORE: Duration = Duration::days(30);
/// Clocks of partners may be behind.
const CLOCK_SKEW: Duration = Duration::days(1);
/// The backbone dials its own hub.
const OWN_NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// Certificates of a hub, on disk.
#[derive(Debug, Clone)]
pub struct HubTls {
    /// The authority's certificate, which goes whole into invitations.
    pub ca_der: Vec<u8>,
    /// The server's certificate, PEM.
    pub cert_file: PathBuf,
    /// The server's private key, PEM.
    pub key_file: PathBuf,
    /// A new server certificate was written; a running server has to reload
    /// ([`super::HubAdmin::reload`]).
    pub renewed: bool,
}

/// What the server certificate on disk is good for; kept beside it, so that nothing here has to
/// parse certificates.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issued {
    names: Vec<String>,
    #[serde(with = "time::serde::timestamp")]
    not_after: OffsetDateTime,
}

impl HubTls {
    /// Loads the certificates in `folder`, making what is missing: the authority once, the server
    /// certificate when it is near its end or does not bear all of `names` (host names or
    /// addresses by which partners dial the hub; `localhost` and `127.0.0.1` come by themselves).
    pub fn load_or_create(folder: &Path, names: &[String], now: OffsetDateTime) -> Result<Self, HubError> {
        let ca_der = authority(folder, now)?;
        let cert_file = folder.join("server.crt");
        let key_file = folder.join("server.key");
        let names = all_names(names);
        let renewed = !is_good(folder, &names, now)? || !cert_file.exists() || !key_file.exists();
        if renewed {
            issue(folder, &names, now)?;
        }
        Ok(Self { ca_der, cert_file, key_file, renewed })
    }
}

fn all_names(names: &[String]) -> Vec<String> {
    let own = OWN_NAMES.iter().map(|name| (*name).to_owned());
    let mut all: Vec<String> = own.chain(names.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

fn is_good(folder: &Path, names: &[String], now: OffsetDateTime) -> Result<bool, HubError> {
    let Some(text) = strongbox::read(&folder.join("server.json"))? else { return Ok(false) };
    // Unreadable is as good as absent: a new certificate does no harm.
    let Ok(issued) = serde_json::from_slice::<Issued>(&text) else { return Ok(false) };
    Ok(issued.names == names && now + RENEW_BEFORE < issued.not_after)
}

/// Certificate (DER) of the authority, made when absent.
fn authority(folder: &Path, now: OffsetDateTime) -> Result<Vec<u8>, HubError> {
    let path = folder.join("ca.crt");
    if path.exists() {
        let certificate = CertificateDer::from_pem_file(&path).map_err(|error| unusable(&path, &error))?;
        return Ok(certificate.to_vec());
    }
    let key = KeyPair::generate()?;
    let certificate = authority_params(now)?.self_signed(&key)?;
    // The certificate last: it is what says that there is an authority.
    strongbox::replace(&folder.join("ca.key"), key.serialize_pem().as_bytes())?;
    strongbox::replace(&path, certificate.pem().as_bytes())?;
    Ok(certificate.der().to_vec())
}

/// The authority as issuer needs only its name and key, which do not depend on `now`.
fn authority_params(now: OffsetDateTime) -> Result<CertificateParams, HubError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Commonweal hub authority");
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + AUTHORITY_LIFE;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn issue(folder: &Path, names: &[String], now: OffsetDateTime) -> Result<(), HubError> {
    let authority_key = folder.join("ca.key");
    let pem = strongbox::read(&authority_key)?
        .ok_or_else(|| unusable(&authority_key, &"needed to renew the hub's certificate"))?;
    let pem = String::from_utf8(pem).map_err(|error| unusable(&authority_key, &error))?;
    let authority = Issuer::new(authority_params(now)?, KeyPair::from_pem(&pem)?);

    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Commonweal hub");
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + SERVER_LIFE;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority)?;

    let issued = folder.join("server.json");
    let note = Issued { names: names.to_vec(), not_after: now + SERVER_LIFE };
    let note = serde_json::to_vec(&note).map_err(|error| unusable(&issued, &error))?;
    strongbox::replace(&folder.join("server.key"), key.serialize_pem().as_bytes())?;
    strongbox::replace(&folder.join("server.crt"), certificate.pem().as_bytes())?;
    // Last, so that a crash in between leads to a new pair and never to a key beside another's
    // certificate.
    Ok(strongbox::replace(&issued, &note)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_authority_stays_and_the_server_certificate_is_renewed_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let start = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let hub = names(&["hub.example", "192.0.2.7"]);
        let load = |names: &[String], now| HubTls::load_or_create(folder.path(), names, now);

        let first = load(&hub, start).unwrap();
        assert!(first.renewed);
        let again = load(&hub, start + Duration::days(300)).unwrap();
        assert!(!again.renewed);
        let late = load(&hub, start + Duration::days(336)).unwrap();
        assert!(late.renewed);
        let moved = load(&names(&["new.example"]), start + Duration::days(337)).unwrap();
        assert!(moved.renewed);
        assert_eq!(first.ca_der, moved.ca_der);
    }

    #[test]
    fn every_file_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        HubTls::load_or_create(folder.path(), &[], OffsetDateTime::UNIX_EPOCH + Duration::days(2)).unwrap();
        let mut seen = 0;
        for entry in fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            seen += 1;
        }
        assert_eq!(seen, 5);
    }

    #[test]
    fn a_server_half_written_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        HubTls::load_or_create(folder.path(), &[], now).unwrap();
        fs::remove_file(folder.path().join("server.json")).unwrap();
        assert!(HubTls::load_or_create(folder.path(), &[], now).unwrap().renewed);
    }
}
