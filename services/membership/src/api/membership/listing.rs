//! The list of members.

use std::collections::BTreeMap;

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::paging::Page;
use chassis::parse;
use proto::membership::*;
use tonic::{Request, Status};

use crate::api::{Reply, Room, filter};
use crate::domain::{MembershipState, Role, Sector};
use crate::store::Rows;
use crate::{contract, domain, store};

struct Listing {
    initiative: Reference,
    state: Option<MembershipState>,
    sector: Option<Sector>,
    role: Option<Role>,
    page: Page,
}

pub(in crate::api) async fn list(
    desk: &Desk<Room>,
    request: Request<ListMembersRequest>,
) -> Reply<ListMembersResponse> {
    let (mut look, request) = desk.look(request).await?;
    let Listing { initiative, state, sector, role, page } = parse(&request)?;
    look.authorise(Some(&initiative), None).await?;
    let now = look.now();
    let connection = look.connection();
    errors::found(store::initiative::find(connection, &initiative).await, "initiative", &initiative)?;
    let filter = store::membership::Filter { state, sector, role, space: None };
    let found = store::membership::list(connection, &initiative, filter, now, Rows::from(&page)).await;
    let mut found = found.map_err(errors::database)?;
    let next_page_token = page.cut(&mut found, |membership| membership.reference.to_string());
    let about: Vec<Reference> = found.iter().filter_map(|membership| membership.organization.clone()).collect();
    let organizations = store::organization::among(connection, &about).await.map_err(errors::database)?;
    Ok(ListMembersResponse { members: members(&found, organizations), next_page_token }.into())
}

fn members(memberships: &[domain::Membership], organizations: Vec<domain::Organization>) -> Vec<Member> {
    let organizations: BTreeMap<_, _> =
        organizations.iter().map(|organization| (&organization.reference, organization)).collect();
    let member = |membership: &domain::Membership| Member {
        membership: Some(contract::membership(membership)),
        organization: membership
            .organization
            .as_ref()
            .and_then(|reference| organizations.get(reference))
            .map(|organization| contract::organization(organization)),
    };
    memberships.iter().map(member).collect()
}

fn parse(request: &ListMembersRequest) -> Result<Listing, Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let state = filter(&mut violations, "state", request.state);
    let sector = filter(&mut violations, "sector", request.sector);
    let role = filter(&mut violations, "role", request.role);
    let list = ListMembersRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    violations.finish(|| Some(Listing { initiative: initiative?, state, sector, role, page: page? }))
}
