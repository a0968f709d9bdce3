//! The room's calls: parse, authorise, load, decide, record, reply.

mod admission;
mod circle;
mod initiative;
mod join_request;
mod member;
mod membership;
mod node;
mod organization;
mod posting;
mod refusal;
mod working_group;

use chassis::authn::Caller;
use chassis::desk::Desk;
use chassis::errors::Violations;
use chassis::names::Reference;
use chassis::parse;
use proto::membership::membership_service_server::MembershipService;
use proto::membership::*;
use tonic::{Request, Response, Status};

use crate::Membership as Room;

/// What a call comes to.
type Answer<T> = Result<Response<T>, Status>;

/// Answers the calls of the membership service.
pub struct Api {
    desk: Desk<Room>,
}

impl Api {
    pub(crate) fn new(desk: Desk<Room>) -> Self {
        Self { desk }
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

macro_rules! calls {
    ($($call:ident($request:ty) -> $response:ty: $module:ident;)+) => {
        #[tonic::async_trait]
        impl MembershipService for Api {
            $(async fn $call(&self, request: Request<$request>) -> Answer<$response> {
                $module::$call(&self.desk, request).await
            })+
        }
    };
}

calls! {
    create_initiative(CreateInitiativeRequest) -> CreateInitiativeResponse: initiative;
    get_initiative(GetInitiativeRequest) -> GetInitiativeResponse: initiative;
    list_initiatives(ListInitiativesRequest) -> ListInitiativesResponse: initiative;
    update_initiative(UpdateInitiativeRequest) -> UpdateInitiativeResponse: initiative;
    register_organization(RegisterOrganizationRequest) -> RegisterOrganizationResponse: organization;
    get_organization(GetOrganizationRequest) -> GetOrganizationResponse: organization;
    list_organizations(ListOrganizationsRequest) -> ListOrganizationsResponse: organization;
    update_organization(UpdateOrganizationRequest) -> UpdateOrganizationResponse: organization;
    create_join_request(CreateJoinRequestRequest) -> CreateJoinRequestResponse: join_request;
    get_join_request(GetJoinRequestRequest) -> GetJoinRequestResponse: join_request;
    list_join_requests(ListJoinRequestsRequest) -> ListJoinRequestsResponse: join_request;
    withdraw_join_request(WithdrawJoinRequestRequest) -> WithdrawJoinRequestResponse: join_request;
    invite_organization(InviteOrganizationRequest) -> InviteOrganizationResponse: admission;
    admit_member(AdmitMemberRequest) -> AdmitMemberResponse: admission;
    grant_role(GrantRoleRequest) -> GrantRoleResponse: membership;
    end_role(EndRoleRequest) -> EndRoleResponse: membership;
    suspend_member(SuspendMemberRequest) -> SuspendMemberResponse: membership;
    reinstate_member(ReinstateMemberRequest) -> ReinstateMemberResponse: membership;
    end_membership(EndMembershipRequest) -> EndMembershipResponse: membership;
    get_membership(GetMembershipRequest) -> GetMembershipResponse: member;
    list_members(ListMembersRequest) -> ListMembersResponse: member;
    get_node(GetNodeRequest) -> GetNodeResponse: node;
    list_nodes(ListNodesRequest) -> ListNodesResponse: node;
    create_working_group(CreateWorkingGroupRequest) -> CreateWorkingGroupResponse: working_group;
    get_working_group(GetWorkingGroupRequest) -> GetWorkingGroupResponse: working_group;
    list_working_groups(ListWorkingGroupsRequest) -> ListWorkingGroupsResponse: working_group;
    update_working_group(UpdateWorkingGroupRequest) -> UpdateWorkingGroupResponse: working_group;
    dissolve_working_group(DissolveWorkingGroupRequest) -> DissolveWorkingGroupResponse: working_group;
    create_circle(CreateCircleRequest) -> CreateCircleResponse: circle;
    get_circle(GetCircleRequest) -> GetCircleResponse: circle;
    list_circles(ListCirclesRequest) -> ListCirclesResponse: circle;
    update_circle(UpdateCircleRequest) -> UpdateCircleResponse: circle;
    end_circle(EndCircleRequest) -> EndCircleResponse: circle;
    create_posting(CreatePostingRequest) -> CreatePostingResponse: posting;
    get_posting(GetPostingRequest) -> GetPostingResponse: posting;
    list_postings(ListPostingsRequest) -> ListPostingsResponse: posting;
    update_posting(UpdatePostingRequest) -> UpdatePostingResponse: posting;
    meet_posting(MeetPostingRequest) -> MeetPostingResponse: posting;
    withdraw_posting(WithdrawPostingRequest) -> WithdrawPostingResponse: posting;
}
