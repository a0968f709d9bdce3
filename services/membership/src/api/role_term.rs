//! Roles and their terms in requests.

use std::collections::BTreeSet;

use chassis::errors::Violations;
use chassis::parse;
use proto::membership as message;
use time::OffsetDateTime;

use crate::domain::RoleTerm;

/// One role for a term that begins now, unless the caller says otherwise.
pub(super) fn one(
    violations: &mut Violations,
    field: &str,
    given: &message::RoleTerm,
    now: OffsetDateTime,
) -> Option<RoleTerm> {
    let role = parse::choice(violations, &format!("{field}.role"), given.role);
    let from = parse::optional_instant(violations, &format!("{field}.from"), given.from.as_ref()).unwrap_or(now);
    let until = parse::optional_instant(violations, &format!("{field}.until"), given.until.as_ref());
    if until.is_some_and(|until| until <= from) {
        violations.add(format!("{field}.until"), "must be after from; from is now where it is absent");
    }
    Some(RoleTerm { role: role?, from, until })
}

/// At least one role, none twice.
pub(super) fn some(
    violations: &mut Violations,
    given: &[message::RoleTerm],
    now: OffsetDateTime,
) -> Option<Vec<RoleTerm>> {
    if given.is_empty() {
        violations.add("roles", "is required: at least one");
        return None;
    }
    let mut seen = BTreeSet::new();
    let mut terms = Vec::new();
    for (place, given) in given.iter().enumerate() {
        let field = format!("roles[{place}]");
        let Some(term) = one(violations, &field, given, now) else { continue };
        if !seen.insert(term.role) {
            violations.add(field, "names a role that stands in the list already");
        }
        terms.push(term);
    }
    Some(terms)
}
