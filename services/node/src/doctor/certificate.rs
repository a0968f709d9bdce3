//! Until when a certificate holds: the one thing that is read of it.

use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The `notAfter` of a certificate in DER (RFC 5280, 4.1); `None` where the bytes are none.
pub(super) fn ends(der: &[u8]) -> Option<OffsetDateTime> {
    let (SEQUENCE, certificate, _) = element(der)? else { return None };
    let (SEQUENCE, mut rest, _) = element(certificate)? else { return None };
    if rest.first() == Some(&EXPLICIT_VERSION) {
        rest = element(rest)?.2;
    }
    // Serial number, algorithm and issuer come before.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (SEQUENCE, validity, _) = element(rest)? else { return None };
    let (tag, end, _) = element(element(validity)?.2)?;
    instant(tag, std::str::from_utf8(end).ok()?)
}

/// Tag and content of the first element, and what comes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

fn instant(tag: u8, text: &str) -> Option<OffsetDateTime> {
    let format = format_description!("[year][month][day][hour][minute][second]Z");
    let text = match tag {
        // Two digits of the year: 50 and above are of the last century (RFC 5280, 4.1.2.5.1).
        UTC_TIME => format!("{}{text}", if text.get(..2)? >= "50" { "19" } else { "20" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    Some(PrimitiveDateTime::parse(&text, format).ok()?.assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use federation::hub::HubTls;
    use time::macros::datetime;

    #[test]
    fn the_end_of_a_certificate_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        for (now, end) in [
            (datetime!(2026-05-06 07:08:09 UTC), datetime!(2056-04-28 07:08:09 UTC)),
            (datetime!(2019-12-31 23:59:59 UTC), datetime!(2049-12-23 23:59:59 UTC)),
        ] {
            let folder = folder.path().join(now.year().to_string());
            let tls = HubTls::load_or_create(&folder, &[], now).unwrap();
            assert_eq!(ends(&tls.ca_der), Some(end));
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        assert_eq!(ends(b""), None);
        assert_eq!(ends(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(ends(&[0x30, 0x02, 0x30, 0x00]), None);
    }
}
