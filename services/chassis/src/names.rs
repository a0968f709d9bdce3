//! Names that mean the same on every node: nodes, resources, spaces.

mod sql;

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;
use uuid::Uuid;

static BASE32_LOWER: LazyLock<Encoding> = LazyLock::new(|| {
    let mut lower = Specification::new();
    lower.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    lower.encoding().unwrap_or(BASE32_NOPAD)
});

/// What a name should have looked like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a node id.
    #[error("\"{0}\" is not a node id: 32 letters a-z and digits 2-7")]
    Node(String),
    /// Not a reference.
    #[error("\"{0}\" is not a reference: <node id>/<uuid>")]
    Reference(String),
    /// Not a space.
    #[error("\"{0}\" is not a space: local, or <initiative>/members, /public, /backbone/<node> or /circle/<reference>")]
    Space(String),
}

/// A node: the hash of its first ed25519 key, as 32 characters. Nobody can claim another's.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId(String);

impl NodeId {
    /// The id of the node whose first public key this is: the first 160 bits of its SHA-256.
    pub fn of_key(public_key: &[u8; 32]) -> Self {
        let digest = Sha256::digest(public_key);
        Self(BASE32_LOWER.encode(digest.get(..20).unwrap_or(&digest)))
    }

    /// The written form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fits = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
        if fits { Ok(Self(text.to_owned())) } else { Err(NameError::Node(text.to_owned())) }
    }
}

/// A resource: the node it was born on and a UUIDv7 made there. Written `<node id>/<uuid>`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    /// The node it was born on, which is its home.
    pub node: NodeId,
    /// Its id there.
    pub id: Uuid,
}

impl Reference {
    /// A name for a resource about to be made on this node.
    pub fn born_on(node: &NodeId) -> Self {
        Self { node: node.clone(), id: crate::clock::new_id() }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.node.0, self.id.hyphenated())
    }
}

impl FromStr for Reference {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refused = || NameError::Reference(text.to_owned());
        let (node, id) = text.split_once('/').ok_or_else(refused)?;
        let reference =
            Self { node: node.parse().map_err(|_| refused())?, id: Uuid::try_parse(id).map_err(|_| refused())? };
        // One written form only: what is compared as text must be equal as text.
        if reference.to_string() == text { Ok(reference) } else { Err(refused()) }
    }
}

/// Who may hold an event. Written `local`, or `<initiative>/` and the space within it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Never leaves the node.
    Local,
    /// A space of an initiative.
    Of(Reference, Within),
}

/// A space within an initiative.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Within {
    /// All member nodes.
    Members,
    /// Everyone who follows.
    Public,
    /// One partner node and the backbone's.
    Backbone(NodeId),
    /// A circle: a named list of nodes.
    Circle(Reference),
}

impl Space {
    /// The members space of an initiative.
    pub fn members(initiative: &Reference) -> Self {
        Self::Of(initiative.clone(), Within::Members)
    }

    /// The initiative it belongs to; `None` for what never leaves the node.
    pub fn initiative(&self) -> Option<&Reference> {
        match self {
            Self::Local => None,
            Self::Of(initiative, _) => Some(initiative),
        }
    }

    /// Puts together again what the wire keeps apart.
    ///
    /// # Errors
    /// Where either part is not in its written form.
    pub fn within(initiative: &str, within: &str) -> Result<Self, NameError> {
        let space: Self = format!("{initiative}/{within}").parse()?;
        // The parts in one form only, too: nothing of one may stand in the other.
        match space.initiative() {
            Some(reference) if reference.to_string() == initiative => Ok(space),
            _ => Err(NameError::Space(format!("{initiative}/{within}"))),
        }
    }

    /// Its kind, as the contract names it.
    pub fn kind(&self) -> proto::common::SpaceKind {
        use proto::common::SpaceKind;
        match self {
            Self::Local => SpaceKind::Local,
            Self::Of(_, Within::Members) => SpaceKind::Members,
            Self::Of(_, Within::Public) => SpaceKind::Public,
            Self::Of(_, Within::Backbone(_)) => SpaceKind::Backbone,
            Self::Of(_, Within::Circle(_)) => SpaceKind::Circle,
        }
    }
}

impl fmt::Display for Within {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Members => formatter.write_str("members"),
            Self::Public => formatter.write_str("public"),
            Self::Backbone(node) => write!(formatter, "backbone/{node}"),
            Self::Circle(circle) => write!(formatter, "circle/{circle}"),
        }
    }
}

impl fmt::Display for Space {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => formatter.write_str("local"),
            Self::Of(initiative, within) => write!(formatter, "{initiative}/{within}"),
        }
    }
}

impl FromStr for Space {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text == "local" {
            return Ok(Self::Local);
        }
        let refused = || NameError::Space(text.to_owned());
        let mut parts = text.splitn(4, '/');
        let (Some(node), Some(id), Some(kind)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refused());
        };
        let initiative = format!("{node}/{id}").parse().map_err(|_| refused())?;
        let within = match (kind, parts.next()) {
            ("members", None) => Within::Members,
            ("public", None) => Within::Public,
            ("backbone", Some(node)) => Within::Backbone(node.parse().map_err(|_| refused())?),
            ("circle", Some(circle)) => Within::Circle(circle.parse().map_err(|_| refused())?),
            _ => return Err(refused()),
        };
        Ok(Self::Of(initiative, within))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

macro_rules! text_form {
    ($name:ty) => {
        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    };
}

text_form!(NodeId);
text_form!(Reference);

impl fmt::Debug for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Whether a text is a short name for programs: 1 to 64 of a-z, 0-9 and -, first a letter.
pub fn is_slug(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase()) && is_code(text)
}

/// Whether a text is a code: 1 to 64 of a-z, 0-9 and -.
pub fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_as_it_was_written() {
        let node = NodeId::of_key(&[7; 32]);
        let initiative = Reference::born_on(&node);
        let circle = Reference::born_on(&node);
        let spaces = [
            Space::Local,
            Space::members(&initiative),
            Space::Of(initiative.clone(), Within::Public),
            Space::Of(initiative.clone(), Within::Backbone(node.clone())),
            Space::Of(initiative, Within::Circle(circle)),
        ];
        for space in spaces {
            assert_eq!(space.to_string().parse(), Ok(space));
        }
    }

    #[test]
    fn the_parts_of_a_space_do_not_run_into_one_another() {
        let node = NodeId::of_key(&[7; 32]);
        let initiative = Reference::born_on(&node);
        assert_eq!(Space::within(&initiative.to_string(), "members"), Ok(Space::members(&initiative)));
        assert!(Space::within(&node.to_string(), &format!("{}/members", initiative.id)).is_err());
        assert!(Space::within(&format!("{initiative}/backbone"), node.as_str()).is_err());
        assert!(Space::within("local", "").is_err());
    }

    #[test]
    fn a_name_has_one_written_form() {
        let node = NodeId::of_key(&[7; 32]);
        let id = crate::clock::new_id();
        assert!(format!("{node}/{}", id.simple()).parse::<Reference>().is_err());
        assert!(format!("{node}/{}", id.hyphenated()).to_uppercase().parse::<Reference>().is_err());
    }
}
