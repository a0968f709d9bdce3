//! Who may call what: the rule stands in the contract as a method option, and is judged here, without a clock or a
//! database.

use std::fmt;

use proto::common::{Access, Role};
use tonic::Status;

use crate::authn::Caller;
use crate::errors;

/// What is known of a caller when a rule is judged.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Whoever calls; `None` without a token.
    pub caller: Option<&'a Caller>,
    /// Roles that the caller's organizations hold now in the initiative the request is about.
    pub held: &'a [Role],
    /// The caller speaks for the organization that the request writes as.
    pub own: bool,
}

/// No alternative of the rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    alternatives: Vec<String>,
    roles: Vec<&'static str>,
}

/// Judges a rule: its fields are alternatives, and any one that holds is enough. A rule without any is closed to all.
///
/// # Errors
/// Where none holds; the error names those that would.
pub fn judge(rule: &Access, standing: Standing<'_>) -> Result<(), Denied> {
    let Some(caller) = standing.caller else {
        return if rule.open { Ok(()) } else { Err(denied(rule)) };
    };
    let holds = rule.open
        || rule.signed_in
        || (rule.node_operator && caller.operator)
        || (rule.own_organization && standing.own)
        || rule.roles().filter(|role| *role != Role::Unspecified).any(|role| standing.held.contains(&role));
    if holds { Ok(()) } else { Err(denied(rule)) }
}

/// Whether the rule holds whatever the roles: nobody needs to look them up then.
pub(crate) fn settled(rule: &Access, caller: &Caller, own: bool) -> bool {
    judge(rule, Standing { caller: Some(caller), held: &[], own }).is_ok() || rule.roles.is_empty()
}

fn denied(rule: &Access) -> Denied {
    let roles: Vec<Role> = rule.roles().filter(|role| *role != Role::Unspecified).collect();
    let mut alternatives: Vec<String> =
        roles.iter().map(|role| format!("the role {} in the initiative", spoken(*role))).collect();
    if rule.own_organization {
        alternatives.push("to speak for the organization it writes as".to_owned());
    }
    if rule.node_operator {
        alternatives.push("to operate this node".to_owned());
    }
    if rule.signed_in {
        alternatives.push("a valid token".to_owned());
    }
    Denied { alternatives, roles: roles.iter().map(Role::as_str_name).collect() }
}

/// A role as people say it, by its number in the contract: `ROLE_DATA_LEAD` is "data lead".
pub fn spoken(role: impl Into<i32>) -> String {
    let role = Role::try_from(role.into()).unwrap_or_default();
    role.as_str_name().trim_start_matches("ROLE_").to_lowercase().replace('_', " ")
}

impl fmt::Display for Denied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.alternatives.as_slice() {
            [] => formatter.write_str("what nobody has: it is closed to all"),
            alternatives => formatter.write_str(&alternatives.join(", or ")),
        }
    }
}

impl From<Denied> for Status {
    fn from(denied: Denied) -> Self {
        errors::permission_denied(&denied, &denied.roles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule, signed in, operator, roles held, own organization, allowed.
    type Row<'a> = (&'a Access, bool, bool, &'a [Role], bool, bool);

    fn rule(roles: &[Role]) -> Access {
        Access { roles: roles.iter().map(|role| i32::from(*role)).collect(), ..Access::default() }
    }

    fn somebody(operator: bool) -> Caller {
        Caller { subject: "somebody".to_owned(), organizations: Vec::new(), operator, person: "p".to_owned() }
    }

    #[test]
    fn any_alternative_that_holds_is_enough_and_no_other() {
        let roles = rule(&[Role::Partner, Role::DataLead]);
        let own = Access { own_organization: true, ..Access::default() };
        let operator = Access { node_operator: true, ..Access::default() };
        let signed_in = Access { signed_in: true, ..Access::default() };
        let open = Access { open: true, ..Access::default() };
        let either = Access { own_organization: true, node_operator: true, ..rule(&[Role::Partner]) };
        let nobody = Access::default();
        let unspecified = rule(&[Role::Unspecified]);
        let table: &[Row<'_>] = &[
            (&roles, true, false, &[Role::Partner], false, true),
            (&roles, true, false, &[Role::Observer, Role::DataLead], false, true),
            (&roles, true, true, &[Role::Observer], true, false),
            (&roles, true, true, &[], true, false),
            (&roles, false, false, &[Role::Partner], true, false),
            (&own, true, false, &[], true, true),
            (&own, true, true, &[Role::BackboneStaff], false, false),
            (&own, false, false, &[], true, false),
            (&operator, true, true, &[], false, true),
            (&operator, true, false, &[Role::BackboneStaff], true, false),
            (&signed_in, true, false, &[], false, true),
            (&signed_in, false, false, &[], false, false),
            (&open, false, false, &[], false, true),
            (&open, true, false, &[], false, true),
            (&either, true, false, &[Role::Partner], false, true),
            (&either, true, false, &[], true, true),
            (&either, true, true, &[], false, true),
            (&either, true, false, &[Role::Observer], false, false),
            (&nobody, true, true, &[Role::BackboneStaff], true, false),
            (&unspecified, true, false, &[Role::Unspecified], false, false),
        ];
        for (number, (rule, signed_in, operator, held, own, allowed)) in table.iter().enumerate() {
            let caller = signed_in.then(|| somebody(*operator));
            let standing = Standing { caller: caller.as_ref(), held, own: *own };
            assert_eq!(judge(rule, standing).is_ok(), *allowed, "row {number}");
        }
    }

    #[test]
    fn a_denial_names_what_would_do() {
        let rule = Access { node_operator: true, ..rule(&[Role::BackboneStaff]) };
        let caller = somebody(false);
        let denied = judge(&rule, Standing { caller: Some(&caller), held: &[], own: false }).unwrap_err();
        let status = Status::from(denied);
        assert_eq!(status.code(), tonic::Code::PermissionDenied);
        assert_eq!(
            status.message(),
            "this call needs the role backbone staff in the initiative, or to operate this node"
        );
    }
}
