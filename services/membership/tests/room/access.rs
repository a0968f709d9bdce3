//! Who may call what: every call by everybody, against a table that stands here and not in the contract.

use chassis::authn::Caller;
use chassis::testing::{operator, speaking_for};
use proto::common::Role;
use proto::membership::*;
use tonic::{Code, Status};

use crate::scene::{Scene, Situation, asking, attendance, desks, district, new_id, open_term, reference, talks};

/// Whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Without a token.
    Nobody,
    /// With a token, and nothing more.
    Somebody,
    /// Speaks for the organization that the call is about.
    Own,
    /// Speaks for an organization that is a partner in another initiative.
    Elsewhere,
    /// Speaks for an organization whose role here has ended with its suspension.
    Suspended,
    /// Operates the node.
    Operator,
    /// Speaks for another organization, which holds this role here.
    Holding(Role),
}
use Who::{Elsewhere, Holding, Nobody, Operator, Own, Somebody, Suspended};

const ROLES: [Role; 6] =
    [Role::BackboneStaff, Role::SteeringCommittee, Role::Partner, Role::DataLead, Role::Funder, Role::Observer];

/// Sets of callers that calls are open to, beside the operator, who may do everything.
const STAFF: &[Who] = &[Holding(Role::BackboneStaff)];
const STAFF_AND_OWN: &[Who] = &[Holding(Role::BackboneStaff), Own];
const OWN: &[Who] = &[Own];
const MEMBERS: &[Who] = &[
    Holding(Role::BackboneStaff),
    Holding(Role::SteeringCommittee),
    Holding(Role::Partner),
    Holding(Role::DataLead),
    Holding(Role::Funder),
    Holding(Role::Observer),
];
const NONE: &[Who] = &[];

/// Calls, each with whom it is open to.
type Table = &'static [(&'static str, &'static [Who])];

const OF_INITIATIVES_AND_ORGANIZATIONS: Table = &[
    ("CreateInitiative", NONE),
    ("GetInitiative", MEMBERS),
    ("ListInitiatives", &[Somebody, Own, Elsewhere, Suspended]),
    ("UpdateInitiative", STAFF),
    ("RegisterOrganization", STAFF),
    ("GetOrganization", MEMBERS),
    ("ListOrganizations", MEMBERS),
    ("UpdateOrganization", STAFF_AND_OWN),
];
const OF_ADMISSION: Table = &[
    ("CreateJoinRequest", OWN),
    ("GetJoinRequest", MEMBERS),
    ("ListJoinRequests", MEMBERS),
    ("WithdrawJoinRequest", OWN),
    ("InviteOrganization", STAFF),
    ("AdmitMember", STAFF),
];
const OF_MEMBERSHIPS_AND_NODES: Table = &[
    ("GrantRole", STAFF),
    ("EndRole", STAFF),
    ("SuspendMember", STAFF),
    ("ReinstateMember", STAFF),
    ("EndMembership", STAFF_AND_OWN),
    ("GetMembership", MEMBERS),
    ("ListMembers", MEMBERS),
    ("GetNode", MEMBERS),
    ("ListNodes", MEMBERS),
];
const OF_GROUPS: Table = &[
    ("CreateWorkingGroup", STAFF),
    ("GetWorkingGroup", MEMBERS),
    ("ListWorkingGroups", MEMBERS),
    ("UpdateWorkingGroup", STAFF),
    ("DissolveWorkingGroup", STAFF),
];
const OF_CIRCLES: Table = &[
    ("CreateCircle", STAFF),
    ("GetCircle", MEMBERS),
    ("ListCircles", MEMBERS),
    ("UpdateCircle", STAFF),
    ("EndCircle", STAFF),
];
const OF_POSTINGS: Table = &[
    ("CreatePosting", OWN),
    ("GetPosting", MEMBERS),
    ("ListPostings", MEMBERS),
    ("UpdatePosting", OWN),
    ("MeetPosting", OWN),
    ("WithdrawPosting", OWN),
];

const ALL: [Table; 6] =
    [OF_INITIATIVES_AND_ORGANIZATIONS, OF_ADMISSION, OF_MEMBERSHIPS_AND_NODES, OF_GROUPS, OF_CIRCLES, OF_POSTINGS];

/// Calls that one's own organization may make although it holds no role: what is about itself.
const ABOUT_ITSELF: [&str; 4] = ["GetOrganization", "GetJoinRequest", "GetMembership", "GetPosting"];

/// Calls for which the member needs its role: without one an organization may not tell what they tell.
const WITH_ITS_ROLE: [&str; 5] = ["EndRole", "CreatePosting", "UpdatePosting", "MeetPosting", "WithdrawPosting"];

fn expected(call: &str, listed: &[Who], who: Who) -> Code {
    let open = who == Operator
        || listed.contains(&who)
        || (who == Own && ABOUT_ITSELF.contains(&call))
        || (call == "ListInitiatives" && who != Nobody);
    match who {
        Nobody => Code::Unauthenticated,
        _ if open => Code::Ok,
        _ => Code::PermissionDenied,
    }
}

async fn caller(scene: &Scene, situation: &Situation, who: Who) -> Option<Caller> {
    let initiative = reference(&situation.initiative.reference);
    let another = chassis::names::Reference::born_on(&scene.stage.node);
    match who {
        Nobody => None,
        Somebody => Some(speaking_for(&[])),
        // Its organizations are in every standing, none with a role that would open a call by itself.
        Own => Some(speaking_for(&situation.organizations().iter().collect::<Vec<_>>())),
        Elsewhere => {
            scene.stage.grant(&reference(&scene.initiative().await.reference), &another, Role::BackboneStaff).await;
            Some(speaking_for(&[&another]))
        }
        Suspended => Some(speaking_for(&[&reference(&situation.suspended.organization)])),
        Operator => Some(operator()),
        Holding(role) => {
            scene.stage.grant(&initiative, &another, role).await;
            Some(speaking_for(&[&another]))
        }
    }
}

async fn call(scene: &Scene, situation: &Situation, call: &str, caller: Option<&Caller>) -> Result<(), Status> {
    let mut client = scene.client(caller);
    let Situation { initiative, stranger, asking: asks, request, invited, member, suspended, .. } = situation;
    let Situation { group, circle, posting, .. } = situation;
    let about = initiative.reference.clone();
    let (request_id, etag, reason) = (new_id(), String::new(), "Because".to_owned());
    let masked = |field: &str| Some(prost_types::FieldMask { paths: vec![field.to_owned()] });
    macro_rules! answered {
        ($method:ident($request:expr)) => {
            client.$method($request).await.map(drop)
        };
    }
    match call {
        "CreateInitiative" => {
            let initiative = Some(Initiative { display_name: "Another".to_owned(), ..Initiative::default() });
            answered!(create_initiative(CreateInitiativeRequest { initiative, request_id }))
        }
        "GetInitiative" => answered!(get_initiative(GetInitiativeRequest { initiative: about })),
        "ListInitiatives" => answered!(list_initiatives(ListInitiativesRequest::default())),
        "UpdateInitiative" => answered!(update_initiative(UpdateInitiativeRequest {
            initiative: Some(Initiative { region: "Elsewhere".to_owned(), ..initiative.clone() }),
            update_mask: masked("region"),
            request_id,
        })),
        "RegisterOrganization" => answered!(register_organization(RegisterOrganizationRequest {
            initiative: about,
            organization: Some(district("New")),
            request_id,
        })),
        "GetOrganization" => {
            answered!(get_organization(GetOrganizationRequest { organization: stranger.reference.clone() }))
        }
        "ListOrganizations" => answered!(list_organizations(ListOrganizationsRequest {
            initiative: about,
            ..ListOrganizationsRequest::default()
        })),
        "UpdateOrganization" => answered!(update_organization(UpdateOrganizationRequest {
            organization: Some(Organization { display_name: "Renamed".to_owned(), etag, ..stranger.clone() }),
            update_mask: masked("display_name"),
            request_id,
        })),
        "CreateJoinRequest" => answered!(create_join_request(CreateJoinRequestRequest {
            initiative: about,
            join_request: Some(asking(&stranger.reference)),
            request_id,
        })),
        "GetJoinRequest" => {
            answered!(get_join_request(GetJoinRequestRequest { join_request: request.reference.clone() }))
        }
        "ListJoinRequests" => answered!(list_join_requests(ListJoinRequestsRequest {
            initiative: about,
            ..ListJoinRequestsRequest::default()
        })),
        "WithdrawJoinRequest" => answered!(withdraw_join_request(WithdrawJoinRequestRequest {
            join_request: request.reference.clone(),
            request_id,
        })),
        "InviteOrganization" => answered!(invite_organization(InviteOrganizationRequest {
            initiative: about,
            organization: asks.reference.clone(),
            request_id,
            ..InviteOrganizationRequest::default()
        })),
        "AdmitMember" => answered!(admit_member(AdmitMemberRequest {
            initiative: about,
            membership: invited.reference.clone(),
            roles: vec![open_term(Role::Observer)],
            request_id,
            ..AdmitMemberRequest::default()
        })),
        "GrantRole" => answered!(grant_role(GrantRoleRequest {
            membership: member.reference.clone(),
            role: Some(open_term(Role::Funder)),
            etag,
            request_id,
        })),
        "EndRole" => answered!(end_role(EndRoleRequest {
            membership: member.reference.clone(),
            role: Role::Partner.into(),
            etag,
            request_id,
        })),
        "SuspendMember" => answered!(suspend_member(SuspendMemberRequest {
            membership: member.reference.clone(),
            reason,
            etag,
            request_id,
        })),
        "ReinstateMember" => answered!(reinstate_member(ReinstateMemberRequest {
            membership: suspended.reference.clone(),
            etag,
            request_id,
        })),
        "EndMembership" => answered!(end_membership(EndMembershipRequest {
            membership: invited.reference.clone(),
            reason,
            etag,
            request_id,
        })),
        "GetMembership" => answered!(get_membership(GetMembershipRequest { membership: invited.reference.clone() })),
        "ListMembers" => {
            answered!(list_members(ListMembersRequest { initiative: about, ..ListMembersRequest::default() }))
        }
        "GetNode" => {
            answered!(get_node(GetNodeRequest { initiative: about, node: scene.stage.node.to_string() }))
        }
        "ListNodes" => {
            answered!(list_nodes(ListNodesRequest { initiative: about, ..ListNodesRequest::default() }))
        }
        "CreateWorkingGroup" => answered!(create_working_group(CreateWorkingGroupRequest {
            initiative: about,
            working_group: Some(attendance(&[&member.organization])),
            request_id,
        })),
        "GetWorkingGroup" => {
            answered!(get_working_group(GetWorkingGroupRequest { working_group: group.reference.clone() }))
        }
        "ListWorkingGroups" => answered!(list_working_groups(ListWorkingGroupsRequest {
            initiative: about,
            ..ListWorkingGroupsRequest::default()
        })),
        "UpdateWorkingGroup" => answered!(update_working_group(UpdateWorkingGroupRequest {
            working_group: Some(WorkingGroup { charge: "Another".to_owned(), etag, ..group.clone() }),
            update_mask: masked("charge"),
            request_id,
        })),
        "DissolveWorkingGroup" => answered!(dissolve_working_group(DissolveWorkingGroupRequest {
            working_group: group.reference.clone(),
            reason,
            etag,
            request_id,
        })),
        "CreateCircle" => answered!(create_circle(CreateCircleRequest {
            initiative: about,
            circle: Some(talks(&[&scene.stage.node])),
            request_id,
        })),
        "GetCircle" => {
            answered!(get_circle(GetCircleRequest { initiative: about, circle: circle.reference.clone() }))
        }
        "ListCircles" => {
            answered!(list_circles(ListCirclesRequest { initiative: about, ..ListCirclesRequest::default() }))
        }
        "UpdateCircle" => answered!(update_circle(UpdateCircleRequest {
            circle: Some(Circle { purpose: "Another".to_owned(), etag, ..circle.clone() }),
            update_mask: masked("purpose"),
            request_id,
        })),
        "EndCircle" => {
            answered!(end_circle(EndCircleRequest { circle: circle.reference.clone(), reason, etag, request_id }))
        }
        "CreatePosting" => answered!(create_posting(CreatePostingRequest {
            initiative: about,
            posting: Some(desks(&member.organization)),
            request_id,
        })),
        "GetPosting" => answered!(get_posting(GetPostingRequest { posting: posting.reference.clone() })),
        "ListPostings" => {
            answered!(list_postings(ListPostingsRequest { initiative: about, ..ListPostingsRequest::default() }))
        }
        "UpdatePosting" => answered!(update_posting(UpdatePostingRequest {
            posting: Some(Posting { quantity: "30 desks".to_owned(), etag, ..posting.clone() }),
            update_mask: masked("quantity"),
            request_id,
        })),
        "MeetPosting" => {
            answered!(meet_posting(MeetPostingRequest { posting: posting.reference.clone(), reason, etag, request_id }))
        }
        "WithdrawPosting" => answered!(withdraw_posting(WithdrawPostingRequest {
            posting: posting.reference.clone(),
            reason,
            etag,
            request_id,
        })),
        other => panic!("{other} is not in this test"),
    }
}

macro_rules! open_to_whom_they_say_and_to_nobody_else {
    ($($calls:ident: $table:ident,)+) => {
        $(#[tokio::test]
        async fn $calls() {
            hold($table).await;
        })+
    };
}

open_to_whom_they_say_and_to_nobody_else! {
    calls_about_initiatives_and_organizations_are_open_to_whom_they_say: OF_INITIATIVES_AND_ORGANIZATIONS,
    calls_about_admission_are_open_to_whom_they_say: OF_ADMISSION,
    calls_about_memberships_and_nodes_are_open_to_whom_they_say: OF_MEMBERSHIPS_AND_NODES,
    calls_about_working_groups_are_open_to_whom_they_say: OF_GROUPS,
    calls_about_circles_are_open_to_whom_they_say: OF_CIRCLES,
    calls_about_postings_are_open_to_whom_they_say: OF_POSTINGS,
}

/// Each call of a table is open to whom it says and to nobody else, who leaves nothing behind.
async fn hold(table: Table) {
    let scene = Scene::set().await;
    for (name, listed) in table {
        let mut situation = Situation::of(&scene).await;
        // The member's role of a partner is for the others to see; here its organization has none.
        end_roles(&scene, &mut situation, name).await;
        for who in [Nobody, Somebody, Own, Elsewhere, Suspended, Operator].into_iter().chain(ROLES.map(Holding)) {
            let caller = caller(&scene, &situation, who).await;
            let before = scene.stage.everything().await;
            let code = match call(&scene, &situation, name, caller.as_ref()).await {
                Ok(()) => Code::Ok,
                Err(status) => status.code(),
            };
            assert_eq!(code, expected(name, listed, who), "{name} by {who:?}");
            if code != Code::Ok {
                assert_eq!(scene.stage.everything().await, before, "{name} by {who:?} left something behind");
            } else if before != scene.stage.everything().await {
                situation = Situation::of(&scene).await;
                end_roles(&scene, &mut situation, name).await;
            }
        }
    }
}

/// Own organizations are to be let in for being themselves, not for a role.
async fn end_roles(scene: &Scene, situation: &mut Situation, call: &str) {
    if WITH_ITS_ROLE.contains(&call) {
        return;
    }
    let end = EndRoleRequest {
        membership: situation.member.reference.clone(),
        role: Role::Partner.into(),
        request_id: new_id(),
        ..EndRoleRequest::default()
    };
    scene.here().end_role(end).await.unwrap();
}

#[test]
fn the_table_has_every_call_of_the_contract() {
    let calls =
        proto::methods().filter_map(|(path, _)| path.strip_prefix("/commonweal.membership.v1.MembershipService/"));
    let mut listed: Vec<&str> = ALL.into_iter().flatten().map(|(call, _)| *call).collect();
    listed.sort_unstable();
    assert_eq!(calls.collect::<Vec<_>>(), listed);
}

#[tokio::test]
async fn initiatives_are_listed_to_those_who_belong() {
    let scene = Scene::set().await;
    let (ours, theirs) = (scene.initiative().await, scene.initiative().await);
    let organization = scene.organization(&ours.reference).await;
    scene.member(&organization, &[Role::Observer]).await;
    let caller = speaking_for(&[&reference(&organization.reference)]);
    let listed = |caller: Caller| {
        let mut client = scene.client(Some(&caller));
        async move { client.list_initiatives(ListInitiativesRequest::default()).await.unwrap().into_inner().initiatives }
    };
    assert_eq!(listed(caller).await, std::slice::from_ref(&ours));
    assert_eq!(listed(speaking_for(&[])).await, []);
    assert_eq!(listed(operator()).await, [ours, theirs]);
}
