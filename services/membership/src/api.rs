//! The calls: each parses, authorises, loads, lets the domain decide, records and replies.

mod admission;
mod initiative;
mod join_request;
mod membership;
mod node;
mod organization;
mod role_term;

use chassis::authn::Caller;
use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::parse;
use proto::membership::membership_service_server::MembershipService;
use proto::membership::*;
use tonic::{Request, Response, Status};

use crate::Membership as Room;
use crate::domain::Refusal;

/// Answers the calls of this room.
pub struct Api {
    desk: Desk<Room>,
}

impl Api {
    /// Answers them at a desk.
    pub(crate) fn new(desk: Desk<Room>) -> Self {
        Self { desk }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        errors::refused(refusal.code(), refusal.to_string())
    }
}

/// The organization that a call is about, if the caller speaks for it: for others the call is not written in its name.
fn own(caller: &Caller, organization: Option<&Reference>) -> Option<Reference> {
    organization.filter(|organization| caller.speaks_for(organization)).cloned()
}

/// A filter by a word; unspecified filters nothing.
fn filter<E: TryFrom<i32>>(violations: &mut Violations, field: &str, value: i32) -> Option<E> {
    if value == 0 { None } else { parse::choice(violations, field, value) }
}

type Reply<A> = Result<Response<A>, Status>;

/// One line for each call of the contract; what it does stands in the module of its resource.
macro_rules! calls {
    ($($call:ident($request:ty) -> $answer:ty = $module:ident::$function:ident;)+) => {
        #[tonic::async_trait]
        impl MembershipService for Api {
            $(async fn $call(&self, request: Request<$request>) -> Reply<$answer> {
                $module::$function(&self.desk, request).await
            })+
        }
    };
}

calls! {
    create_initiative(CreateInitiativeRequest) -> CreateInitiativeResponse = initiative::create;
    get_initiative(GetInitiativeRequest) -> GetInitiativeResponse = initiative::get;
    list_initiatives(ListInitiativesRequest) -> ListInitiativesResponse = initiative::list;
    update_initiative(UpdateInitiativeRequest) -> UpdateInitiativeResponse = initiative::update;
    register_organization(RegisterOrganizationRequest) -> RegisterOrganizationResponse = organization::register;
    get_organization(GetOrganizationRequest) -> GetOrganizationResponse = organization::get;
    list_organizations(ListOrganizationsRequest) -> ListOrganizationsResponse = organization::list;
    update_organization(UpdateOrganizationRequest) -> UpdateOrganizationResponse = organization::update;
    create_join_request(CreateJoinRequestRequest) -> CreateJoinRequestResponse = join_request::create;
    get_join_request(GetJoinRequestRequest) -> GetJoinRequestResponse = join_request::get;
    list_join_requests(ListJoinRequestsRequest) -> ListJoinRequestsResponse = join_request::list;
    withdraw_join_request(WithdrawJoinRequestRequest) -> WithdrawJoinRequestResponse = join_request::withdraw;
    invite_organization(InviteOrganizationRequest) -> InviteOrganizationResponse = admission::invite;
    admit_member(AdmitMemberRequest) -> AdmitMemberResponse = admission::admit;
    grant_role(GrantRoleRequest) -> GrantRoleResponse = membership::grant_role;
    end_role(EndRoleRequest) -> EndRoleResponse = membership::end_role;
    suspend_member(SuspendMemberRequest) -> SuspendMemberResponse = membership::suspend;
    reinstate_member(ReinstateMemberRequest) -> ReinstateMemberResponse = membership::reinstate;
    end_membership(EndMembershipRequest) -> EndMembershipResponse = membership::end;
    get_membership(GetMembershipRequest) -> GetMembershipResponse = membership::get;
    list_members(ListMembersRequest) -> ListMembersResponse = membership::list;
    get_node(GetNodeRequest) -> GetNodeResponse = node::get;
    list_nodes(ListNodesRequest) -> ListNodesResponse = node::list;
}
