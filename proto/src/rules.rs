//! Reads the rules out of the contract: who may call a method, and who may tell an event.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage};

use crate::common::{Access, Telling};

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(crate::DESCRIPTORS).unwrap_or_else(|_| DescriptorPool::new()));

static ACCESS: LazyLock<BTreeMap<String, Access>> = LazyLock::new(|| {
    let services = POOL.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let rules = services.filter_map(|method| {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        Some((path, option(&method.options(), "commonweal.common.v1.access")?))
    });
    rules.collect()
});

static TELLING: LazyLock<BTreeMap<String, Telling>> = LazyLock::new(|| {
    let rules = POOL.all_messages().filter_map(|message| {
        Some((message.full_name().to_owned(), option(&message.options(), "commonweal.common.v1.telling")?))
    });
    rules.collect()
});

/// Who may call the method at this path (`/package.Service/Method`); `None` if the contract has no such method.
pub fn access(path: &str) -> Option<&'static Access> {
    ACCESS.get(path)
}

/// Who may tell events of this type (full name of the message); `None` if this version of the contract does not know it.
pub fn telling(event_type: &str) -> Option<&'static Telling> {
    TELLING.get(event_type)
}

/// The event types that erase what was told of their resource before: full names of the messages.
pub fn erasing() -> &'static [&'static str] {
    static ERASING: LazyLock<Vec<&'static str>> =
        LazyLock::new(|| TELLING.iter().filter(|(_, rule)| rule.erases).map(|(name, _)| name.as_str()).collect());
    &ERASING
}

/// Whether an event of this type may be erased by another: some event of its package erases, or this version of the
/// contract does not know the type.
pub fn erasable(event_type: &str) -> bool {
    let package = |name: &'_ str| name.rsplit_once('.').map(|(package, _)| package.to_owned());
    telling(event_type).is_none() || erasing().iter().any(|erasing| package(erasing) == package(event_type))
}

/// Whether this version of the contract has a message of this full name.
pub fn knows(message: &str) -> bool {
    POOL.get_message_by_name(message).is_some()
}

/// Every method of the contract with its rule, by path.
pub fn methods() -> impl Iterator<Item = (&'static str, &'static Access)> {
    ACCESS.iter().map(|(path, rule)| (path.as_str(), rule))
}

fn option<M: Message + Default>(options: &DynamicMessage, name: &str) -> Option<M> {
    let extension = options.descriptor().parent_pool().get_extension_by_name(name)?;
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_message()?.transcode_to().ok()
}
