//! Personal data kept small: addresses of mail stay out, and who has no other name gets a pseudonym.

use sha2::{Digest, Sha256};

/// What stands where an address stood.
const LEFT_OUT: &str = "[address]";
/// What stands between who and where in an address.
const SIGNS: [&str; 10] = ["@", "%40", "&#64;", " at ", " AT ", "(at)", "[at]", " (at) ", " [at] ", " @ "];
/// Those of them that look like a part of who stands before them.
const ENCODED: [&str; 2] = ["%40", "&#64;"];

/// A text without addresses, written plainly (`ann@example.org`) or not quite (`ann at example.org`), and how many there
/// were.
pub(super) fn without_addresses(text: &str) -> (String, u64) {
    let (mut kept, mut found) = (String::with_capacity(text.len()), 0);
    let mut rest = text;
    while let Some(start) = rest.find(is_local) {
        let (before, from) = rest.split_at(start);
        kept.push_str(before);
        let encoded = ENCODED.iter().filter_map(|sign| from.find(sign).filter(|at| *at > 0));
        let word = encoded.chain(from.find(|one| !is_local(one))).min().unwrap_or(from.len());
        let (local, after) = from.split_at(word);
        match domain(after) {
            Some(length) if local.chars().any(char::is_alphanumeric) => {
                kept.push_str(LEFT_OUT);
                found += 1;
                rest = after.get(length..).unwrap_or_default();
            }
            _ => {
                kept.push_str(local);
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    (kept, found)
}

/// Whether a name is an address, or has one in it.
pub(super) fn is_address(name: &str) -> bool {
    name.contains('@') || without_addresses(name).1 > 0
}

/// A name for somebody who gives none but an address: the same in one channel, another in each.
pub(super) fn pseudonym(channel: &str, address: &str) -> String {
    let address = address.trim().to_lowercase().replace(" at ", "@");
    let digest = Sha256::digest(format!("{channel}\n{address}"));
    let digits: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("Writer {digits}")
}

fn is_local(character: char) -> bool {
    character.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(character)
}

/// How long the rest of an address is that begins here: a sign, and the name of a host.
fn domain(text: &str) -> Option<usize> {
    let sign = SIGNS.iter().find(|sign| text.starts_with(**sign))?;
    let host = text.get(sign.len()..)?;
    let end = host.find(|one: char| !(one.is_alphanumeric() || ".-".contains(one))).unwrap_or(host.len());
    let host = host.get(..end)?.trim_end_matches(['.', '-']);
    let (_, last) = host.rsplit_once('.')?;
    let is_host = last.chars().count() > 1 && last.chars().all(char::is_alphabetic) && !host.contains("..");
    // "Look at www.example.org" names nobody.
    let plain = sign.contains('@') || ENCODED.contains(sign);
    (is_host && (plain || !host.starts_with("www."))).then_some(sign.len() + host.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_out_however_they_are_written() {
        for (text, kept) in [
            ("Write to ann@example.org.", "Write to [address]."),
            ("Ann <ann.b+c@mail.example.org> wrote:", "Ann <[address]> wrote:"),
            ("ann at example.org", "[address]"),
            ("(ann [at] example.org)", "([address])"),
            ("mailto:ann@example.org?x", "mailto:[address]?x"),
            ("Zoë@exämple.org and b@x.org", "[address] and [address]"),
            ("https://lists.example.org/options/r/ann%40x.org", "https:[address]"),
            ("Ann &lt;ann&#64;x.org&gt;", "Ann &lt;[address]&gt;"),
        ] {
            assert_eq!(without_addresses(text).0, kept);
        }
    }

    #[test]
    fn what_is_no_address_is_kept_to_the_letter() {
        for text in [
            "We meet at 10.30 at the town hall. At noon, too.",
            "Look at www.example.org or @ann",
            "x@y, a @ b, @@, -@example.org, f(x) at p.5",
            "=SUM(A1) +1 -2 @home\n\tEnd…",
            "",
        ] {
            assert_eq!(without_addresses(text), (text.to_owned(), 0));
        }
    }

    #[test]
    fn a_pseudonym_is_the_same_in_one_channel_and_tells_nothing_elsewhere() {
        let name = pseudonym("a/1", "Ann@Example.org");
        assert_eq!(name, pseudonym("a/1", "ann at example.org "));
        assert!(name != pseudonym("a/2", "ann@example.org") && !name.contains("ann"), "{name}");
    }
}
