//! Who calls: a bearer token of the configured issuer becomes a [`Caller`], and every call carries it.

mod fetch;
mod gate;
mod keys;
mod local;
#[cfg(test)]
mod tests;
mod verify;

use proto::common::Access;

pub use gate::gate;
pub use keys::{KeySource, KeysError};
pub use local::{LocalIssuer, LocalIssuerError};
pub use verify::{Authenticator, Denied, Issuer};

use crate::names::Reference;

/// Whoever a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject: a person, or a service.
    pub subject: String,
    /// Organizations the caller speaks for.
    pub organizations: Vec<Reference>,
    /// Operates this node.
    pub operator: bool,
    /// A pseudonym: stable on this node, meaningless elsewhere. What events name instead of the subject.
    pub person: String,
}

impl Caller {
    /// Whether it speaks for an organization.
    pub fn speaks_for(&self, organization: &Reference) -> bool {
        self.organizations.contains(organization)
    }

    /// The organization it speaks for, if that is one and no more.
    pub fn only_organization(&self) -> Option<&Reference> {
        match self.organizations.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// One call on its way to a service: stands in the request's extensions.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whoever calls; `None` only for methods that are open to anyone.
    pub caller: Option<Caller>,
    /// Path of the method: `/package.Service/Method`.
    pub method: String,
    /// The method's rule, from the contract.
    pub rule: &'static Access,
}

impl Call {
    /// A call of a method; `None` if the contract has no such method.
    pub fn of(method: &str, caller: Option<Caller>) -> Option<Self> {
        Some(Self { caller, method: method.to_owned(), rule: proto::access(method)? })
    }
}
