//! The domain's values as the contract's messages: what callers get, and what events carry.

use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::revision::etag;
use proto::membership as message;

use crate::domain::{
    Identifier, Initiative, InitiativeProfile, JoinRequest, JoinRequestState, Membership, Node, Organization,
    OrganizationProfile, RoleTerm,
};

/// An initiative.
pub fn initiative(initiative: &Initiative) -> message::Initiative {
    message::Initiative {
        create_time: Some(timestamp(initiative.stamp.created_at)),
        update_time: Some(timestamp(initiative.stamp.updated_at)),
        etag: etag(initiative.stamp.version),
        ..initiative_profile(&initiative.reference, &initiative.profile)
    }
}

/// What an initiative says of itself, without times and etag.
pub fn initiative_profile(reference: &Reference, profile: &InitiativeProfile) -> message::Initiative {
    message::Initiative {
        reference: reference.to_string(),
        display_name: profile.display_name.clone(),
        purpose: profile.purpose.clone(),
        region: profile.region.clone(),
        state: profile.state.number(),
        backbone_node: reference.node.to_string(),
        ..message::Initiative::default()
    }
}

/// An organization.
pub fn organization(organization: &Organization) -> message::Organization {
    message::Organization {
        create_time: Some(timestamp(organization.stamp.created_at)),
        update_time: Some(timestamp(organization.stamp.updated_at)),
        etag: etag(organization.stamp.version),
        ..organization_profile(&organization.reference, &organization.initiative, &organization.profile)
    }
}

/// What is known of an organization, without times and etag.
pub fn organization_profile(
    reference: &Reference,
    initiative: &Reference,
    profile: &OrganizationProfile,
) -> message::Organization {
    let identifiers = profile.identifiers.iter();
    message::Organization {
        reference: reference.to_string(),
        initiative: initiative.to_string(),
        node: reference.node.to_string(),
        display_name: profile.display_name.clone(),
        sector: profile.sector.number(),
        identifiers: identifiers.map(identifier).collect(),
        website: profile.website.clone(),
        ..message::Organization::default()
    }
}

fn identifier(identifier: &Identifier) -> message::Identifier {
    message::Identifier { scheme: identifier.scheme.clone(), value: identifier.value.clone() }
}

/// A request.
pub fn join_request(request: &JoinRequest) -> message::JoinRequest {
    message::JoinRequest {
        state: request.state.number(),
        answered_by: written(request.answered_by.as_ref()),
        create_time: Some(timestamp(request.stamp.created_at)),
        update_time: Some(timestamp(request.stamp.updated_at)),
        etag: etag(request.stamp.version),
        ..asked(&request.reference, &request.initiative, &request.organization, &request.statement)
    }
}

/// A request as it is made, without answer, times and etag.
pub fn asked(
    reference: &Reference,
    initiative: &Reference,
    organization: &Reference,
    statement: &str,
) -> message::JoinRequest {
    message::JoinRequest {
        reference: reference.to_string(),
        initiative: initiative.to_string(),
        organization: organization.to_string(),
        statement: statement.to_owned(),
        state: JoinRequestState::Open.number(),
        ..message::JoinRequest::default()
    }
}

/// A membership.
pub fn membership(membership: &Membership) -> message::Membership {
    message::Membership {
        reference: membership.reference.to_string(),
        initiative: membership.initiative.to_string(),
        organization: written(membership.organization.as_ref()),
        node: membership.organization.as_ref().map(|organization| organization.node.to_string()).unwrap_or_default(),
        invitee: membership.invitee.clone(),
        state: membership.state.number(),
        reason: membership.reason.clone(),
        roles: membership.roles.iter().map(role_term).collect(),
        join_request: written(membership.join_request.as_ref()),
        create_time: Some(timestamp(membership.stamp.created_at)),
        update_time: Some(timestamp(membership.stamp.updated_at)),
        etag: etag(membership.stamp.version),
    }
}

fn role_term(term: &RoleTerm) -> message::RoleTerm {
    message::RoleTerm { role: term.role.number(), from: Some(timestamp(term.from)), until: term.until.map(timestamp) }
}

/// A node.
pub fn node(node: &Node) -> message::Node {
    message::Node {
        id: node.id.to_string(),
        initiative: node.initiative.to_string(),
        display_name: node.display_name.clone(),
        state: node.state.number(),
        reason: node.reason.clone(),
        backbone: node.id == node.initiative.node,
        organizations: node.organizations.iter().map(ToString::to_string).collect(),
    }
}

/// A reference that may be absent; the contract writes absence as empty text.
pub fn written(reference: Option<&Reference>) -> String {
    reference.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::domain::{InitiativeState, JoinRequestState, MembershipState, NodeState, Role, Sector};

    /// The domain's words are those of the contract, each under the same number, and none is missing.
    macro_rules! same {
        ($word:ty, $contract:ty, $prefix:literal) => {
            for word in <$word>::ALL {
                let contract = <$contract>::try_from(word.number()).unwrap();
                let name = contract.as_str_name().trim_start_matches($prefix).replace('_', "").to_lowercase();
                assert_eq!(format!("{word:?}").to_lowercase(), name);
                assert_eq!(<$word>::try_from(word.number()), Ok(*word));
            }
            let next = i32::try_from(<$word>::ALL.len()).unwrap() + 1;
            assert!(<$contract>::try_from(next).is_err() && <$word>::try_from(next).is_err());
            assert!(<$word>::try_from(0).is_err());
        };
    }

    #[test]
    fn the_domains_words_are_those_of_the_contract() {
        same!(InitiativeState, proto::membership::InitiativeState, "INITIATIVE_STATE_");
        same!(Sector, proto::membership::Sector, "SECTOR_");
        same!(JoinRequestState, proto::membership::JoinRequestState, "JOIN_REQUEST_STATE_");
        same!(MembershipState, proto::membership::MembershipState, "MEMBERSHIP_STATE_");
        same!(NodeState, proto::membership::NodeState, "NODE_STATE_");
        same!(Role, proto::common::Role, "ROLE_");
    }
}
