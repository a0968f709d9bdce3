//! Calls that read memberships.

use std::collections::BTreeMap;

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::paging::Page;
use chassis::parse;
use proto::membership::*;
use tonic::{Request, Response};

use super::initiative::known as initiative_known;
use super::membership::known;
use super::{Answer, Room, filter};
use crate::contract::{membership as contract, organization};
use crate::domain;
use crate::store::{Rows, initiative as initiatives, membership as rows, organization as organizations};

pub(super) async fn get_membership(
    desk: &Desk<Room>,
    request: Request<GetMembershipRequest>,
) -> Answer<GetMembershipResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "membership", &request.membership);
    let reference = violations.finish(|| reference)?;
    let found = known(rows::load(look.connection(), &reference).await, &reference)?;
    look.authorise(Some(&found.initiative), found.organization.as_ref()).await?;
    Ok(Response::new(GetMembershipResponse { membership: Some(contract::write(&found)) }))
}

pub(super) async fn list_members(
    desk: &Desk<Room>,
    request: Request<ListMembersRequest>,
) -> Answer<ListMembersResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let state = filter(&mut violations, "state", request.state);
    let sector = filter(&mut violations, "sector", request.sector);
    let role = filter(&mut violations, "role", request.role);
    let list = ListMembersRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, page) = violations.finish(|| Some((initiative?, page?)))?;

    look.authorise(Some(&initiative), None).await?;
    let now = look.now();
    let connection = look.connection();
    initiative_known(initiatives::load(connection, &initiative).await, &initiative)?;
    let filter = rows::Filter { state, sector, role, space: None };
    let found = rows::list(connection, &initiative, filter, now, Rows::from(&page)).await;
    let mut found = found.map_err(errors::database)?;
    let next_page_token = page.cut(&mut found, |membership| membership.reference.to_string());
    let about: Vec<Reference> = found.iter().filter_map(|membership| membership.organization.clone()).collect();
    let organizations = organizations::among(connection, &about).await.map_err(errors::database)?;
    Ok(Response::new(ListMembersResponse { members: members(&found, &organizations), next_page_token }))
}

fn members(memberships: &[domain::Membership], organizations: &[domain::Organization]) -> Vec<Member> {
    let organizations: BTreeMap<_, _> =
        organizations.iter().map(|organization| (&organization.reference, organization)).collect();
    let member = |membership: &domain::Membership| {
        let known = membership.organization.as_ref().and_then(|reference| organizations.get(reference));
        let organization = known.map(|known| organization::write(known));
        Member { membership: Some(contract::write(membership)), organization }
    };
    memberships.iter().map(member).collect()
}
