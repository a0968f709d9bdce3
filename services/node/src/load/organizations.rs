//! Who reports: organizations of an initiative by the identifier that their register gave them, found on this node or
//! hosted by it.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use proto::common::Role;
use proto::measurement::Geography;
use proto::membership::*;

use super::id_of;
use crate::client::Client;
use crate::error::NodeError;

/// How many organizations are registered at once.
const AT_ONCE: usize = 8;

/// Level and code of a place, or scheme and value of an identifier.
pub(super) type Place = (String, String);

/// Who reports for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// An organization on this node, by its reference.
    Here(String),
    /// An organization that lives on another node, by its id: its figures are submitted there.
    Elsewhere(String),
    /// Nobody that this node knows.
    Nobody,
}

/// Who reports for each place.
#[derive(Clone, Debug, Default)]
pub struct Reporters(BTreeMap<Place, Who>);

impl Reporters {
    /// Who reports for a place.
    pub fn of(&self, place: &Geography) -> &Who {
        self.0.get(&(place.level.clone(), place.code.clone())).unwrap_or(&Who::Nobody)
    }
}

/// Finds who reports for places. `wanted` says as what each is registered. With `host`, those who live nowhere yet are
/// registered on this node and admitted as partners, which only the backbone can do.
///
/// # Errors
/// Where the node does not answer, or refuses.
pub async fn reporters(
    client: &Client,
    initiative: &str,
    here: &str,
    wanted: Vec<(Geography, Organization)>,
    host: bool,
) -> Result<Reporters, NodeError> {
    let known = known(client, initiative).await?;
    let members = if host { members(client, initiative).await? } else { BTreeMap::new() };
    let found = wanted.into_iter().map(async |(place, organization)| {
        let mut who = who(&known, &organization, here);
        if host && !matches!(who, Who::Elsewhere(_)) {
            who = Who::Here(hosted(client, initiative, who, organization, &members).await?);
        }
        Ok::<_, NodeError>(((place.level, place.code), who))
    });
    let found: Vec<(Place, Who)> = stream::iter(found).buffered(AT_ONCE).try_collect().await?;
    Ok(Reporters(found.into_iter().collect()))
}

/// Where an organization lives that a register knows by one of these identifiers.
pub(super) fn who(known: &BTreeMap<Place, Vec<String>>, organization: &Organization, here: &str) -> Who {
    let mut references = organization
        .identifiers
        .iter()
        .filter_map(|identifier| known.get(&(identifier.scheme.clone(), identifier.value.clone())))
        .flatten();
    let home = |reference: &String| reference.split('/').next().unwrap_or_default().to_owned();
    match references.clone().find(|reference| home(reference) == here) {
        Some(reference) => Who::Here(reference.clone()),
        None => references.next().map_or(Who::Nobody, |reference| Who::Elsewhere(home(reference))),
    }
}

/// Every organization's references by the identifier that others write, scheme and value with a hyphen between them,
/// such as `GB-CHC-327114`.
///
/// # Errors
/// Where the node does not answer.
pub async fn by_identifier(client: &Client, initiative: &str) -> Result<BTreeMap<String, Vec<String>>, NodeError> {
    let known = known(client, initiative).await?;
    Ok(known.into_iter().map(|((scheme, value), references)| (format!("{scheme}-{value}"), references)).collect())
}

/// Every organization's reference by scheme and value of its identifiers.
pub(super) async fn known(client: &Client, initiative: &str) -> Result<BTreeMap<Place, Vec<String>>, NodeError> {
    let wanted = ListOrganizationsRequest { initiative: initiative.to_owned(), ..ListOrganizationsRequest::default() };
    let mut known = BTreeMap::<Place, Vec<String>>::new();
    for organization in client.organizations(wanted).await? {
        for identifier in organization.identifiers {
            known.entry((identifier.scheme, identifier.value)).or_default().push(organization.reference.clone());
        }
    }
    Ok(known)
}

/// Every organization's membership that has not ended.
async fn members(client: &Client, initiative: &str) -> Result<BTreeMap<String, Membership>, NodeError> {
    let wanted = ListMembersRequest { initiative: initiative.to_owned(), ..ListMembersRequest::default() };
    let memberships = client.members(wanted).await?.into_iter().filter_map(|member| member.membership);
    let standing = memberships.filter(|membership| membership.state() != MembershipState::Ended);
    Ok(standing.map(|membership| (membership.organization.clone(), membership)).collect())
}

async fn hosted(
    client: &Client,
    initiative: &str,
    who: Who,
    organization: Organization,
    members: &BTreeMap<String, Membership>,
) -> Result<String, NodeError> {
    let reference = match who {
        Who::Here(reference) => reference,
        _ => register(client, initiative, organization).await?,
    };
    match members.get(&reference) {
        Some(membership) if membership.state() != MembershipState::Invited => {}
        _ => admit_hosted(client, initiative, &reference, &[Role::Partner]).await?,
    }
    Ok(reference)
}

/// Registers an organization on this node and gives its reference.
///
/// # Errors
/// Where the node refuses.
pub async fn register(client: &Client, initiative: &str, wanted: Organization) -> Result<String, NodeError> {
    let request = RegisterOrganizationRequest {
        initiative: initiative.to_owned(),
        organization: Some(wanted),
        request_id: String::new(),
    };
    let request = RegisterOrganizationRequest { request_id: id_of("register", &request), ..request };
    let made = client.membership().register_organization(request).await?.into_inner().organization;
    Ok(made.unwrap_or_default().reference)
}

/// Invites an organization that lives on the backbone's own node, and admits it with these roles.
///
/// # Errors
/// Where the node refuses.
pub async fn admit_hosted(
    client: &Client,
    initiative: &str,
    organization: &str,
    roles: &[Role],
) -> Result<(), NodeError> {
    let request = InviteOrganizationRequest {
        initiative: initiative.to_owned(),
        organization: organization.to_owned(),
        ..InviteOrganizationRequest::default()
    };
    let request = InviteOrganizationRequest { request_id: id_of("invite", &request), ..request };
    let invited = client.membership().invite_organization(request).await?.into_inner().membership;
    let request = AdmitMemberRequest {
        initiative: initiative.to_owned(),
        membership: invited.unwrap_or_default().reference,
        roles: roles.iter().map(|role| RoleTerm { role: (*role).into(), from: None, until: None }).collect(),
        ..AdmitMemberRequest::default()
    };
    let request = AdmitMemberRequest { request_id: id_of("admit", &request), ..request };
    client.membership().admit_member(request).await?;
    Ok(())
}
