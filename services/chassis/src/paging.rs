//! Pages of a list: sorted by one text key, each going on after the last key of the one before.
//!
//! A token holds that key and a digest of what was asked and of which call, so that it goes on with the list it came
//! from and no other.

use data_encoding::BASE64URL_NOPAD;
use prost::{Message, Name};
use sha2::{Digest, Sha256};

use crate::errors::Violations;

/// Items on a page where the caller does not say.
const USUAL: i32 = 50;
/// Items on a page at the most.
const MOST: i32 = 500;
const DIGEST_BYTES: usize = 8;

/// Which page of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    size: i32,
    /// The key after which it begins; `None` for the first. In SQL: `$1::text is null or key > $1`.
    pub after: Option<String>,
    digest: [u8; DIGEST_BYTES],
}

impl Page {
    /// Reads `page_size` and `page_token`. `list` tells one list from others: the request without these two fields. Each
    /// call has a request message of its own, so the message's name says which call it is.
    pub fn asked<M: Message + Name>(violations: &mut Violations, size: i32, token: &str, list: &M) -> Option<Self> {
        let digest = digest(list);
        let after = match token {
            "" => None,
            token => match after(token, &digest) {
                Some(key) => Some(key),
                None => {
                    violations.add("page_token", "is not the next_page_token of a list with the same filters");
                    return None;
                }
            },
        };
        match size {
            0 => Some(Self { size: USUAL, after, digest }),
            1.. => Some(Self { size: size.min(MOST), after, digest }),
            _ => {
                violations.add("page_size", "must not be negative");
                None
            }
        }
    }

    /// How many rows to read: one more than the page holds, which tells whether another follows.
    pub fn limit(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// Cuts the rows read to the page, and gives the token of the next; empty after the last.
    pub fn cut<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> String) -> String {
        let size = usize::try_from(self.size).unwrap_or(0);
        if rows.len() <= size {
            return String::new();
        }
        rows.truncate(size);
        let key = rows.last().map(key).unwrap_or_default();
        BASE64URL_NOPAD.encode(&[self.digest.as_slice(), key.as_bytes()].concat())
    }
}

fn digest<M: Message + Name>(list: &M) -> [u8; DIGEST_BYTES] {
    let asked = [M::full_name().as_bytes(), b"\0", &list.encode_to_vec()].concat();
    let whole: [u8; 32] = Sha256::digest(asked).into();
    let mut digest = [0; DIGEST_BYTES];
    digest.iter_mut().zip(whole).for_each(|(short, long)| *short = long);
    digest
}

fn after(token: &str, digest: &[u8]) -> Option<String> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    String::from_utf8(bytes.strip_prefix(digest)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::common::AskDigest;

    fn list(space: &str) -> AskDigest {
        AskDigest { space: space.to_owned() }
    }

    fn page(size: i32, token: &str, space: &str) -> Result<Page, String> {
        let mut violations = Violations::default();
        let page = Page::asked(&mut violations, size, token, &list(space));
        violations.finish(|| page).map_err(|status| status.message().to_owned())
    }

    #[test]
    fn a_page_goes_on_where_the_one_before_ended() {
        let first = page(2, "", "a").unwrap();
        assert_eq!((first.limit(), first.after.as_deref()), (3, None));
        let mut rows = vec!["x", "y", "z"];
        let token = first.cut(&mut rows, ToString::to_string);
        assert_eq!(rows, ["x", "y"]);
        let second = page(2, &token, "a").unwrap();
        assert_eq!(second.after.as_deref(), Some("y"));
        assert_eq!(second.cut(&mut vec!["z"], ToString::to_string), "");
    }

    #[test]
    fn a_token_fits_its_own_list_only() {
        let token = page(1, "", "a").unwrap().cut(&mut vec!["x", "y"], ToString::to_string);
        assert!(page(1, &token, "b").unwrap_err().starts_with("page_token: is not"));
        assert!(page(1, "no token", "a").unwrap_err().starts_with("page_token: is not"));
    }

    #[test]
    fn a_token_fits_the_call_it_came_from_only() {
        let token = page(1, "", "a").unwrap().cut(&mut vec!["x", "y"], ToString::to_string);
        let same_bytes = proto::membership::ListNodesRequest { initiative: "a".to_owned(), ..Default::default() };
        assert_eq!(same_bytes.encode_to_vec(), list("a").encode_to_vec());
        let mut violations = Violations::default();
        assert_eq!(Page::asked(&mut violations, 1, &token, &same_bytes), None);
        assert!(!violations.is_empty());
    }

    #[test]
    fn a_page_has_a_size_within_bounds() {
        assert_eq!(page(0, "", "a").unwrap().limit(), 51);
        assert_eq!(page(i32::MAX, "", "a").unwrap().limit(), 501);
        assert_eq!(page(-1, "", "a").unwrap_err(), "page_size: must not be negative");
    }
}
