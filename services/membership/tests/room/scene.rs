//! What these tests begin with: a node that is the backbone of an initiative, and organizations in every standing.

use chassis::authn::Caller;
use chassis::clock;
use chassis::event::Fact;
use chassis::names::{NodeId, Reference, Space};
use chassis::testing::{CalledBy, Stage, operator};
use membership::{Api, Membership as Room};
use proto::common::Role;
use proto::federation::{NodeAdmitted, NodeEnded};
use proto::membership::membership_service_client::MembershipServiceClient;
use proto::membership::membership_service_server::MembershipServiceServer;
use proto::membership::*;
use tonic::Status;
use tonic_types::StatusExt;

pub type Client = MembershipServiceClient<CalledBy<MembershipServiceServer<Api>>>;

pub struct Scene {
    pub stage: Stage<Room>,
    pub operator: Caller,
}

impl Scene {
    pub async fn set() -> Self {
        Self { stage: Stage::set().await, operator: operator() }
    }

    pub fn client(&self, caller: Option<&Caller>) -> Client {
        Client::new(self.stage.called_by(caller))
    }

    /// The client of the node's operator.
    pub fn here(&self) -> Client {
        self.client(Some(&self.operator))
    }

    pub async fn initiative(&self) -> Initiative {
        let initiative = Initiative {
            display_name: "Every student graduates".to_owned(),
            purpose: "Districts that want every student to graduate".to_owned(),
            region: "Connecticut".to_owned(),
            ..Initiative::default()
        };
        let request = CreateInitiativeRequest { initiative: Some(initiative), request_id: new_id() };
        self.here().create_initiative(request).await.unwrap().into_inner().initiative.unwrap()
    }

    pub async fn organization(&self, initiative: &str) -> Organization {
        let request = RegisterOrganizationRequest {
            initiative: initiative.to_owned(),
            organization: Some(district("A district")),
            request_id: new_id(),
        };
        self.here().register_organization(request).await.unwrap().into_inner().organization.unwrap()
    }

    pub async fn request(&self, organization: &Organization) -> JoinRequest {
        let request = CreateJoinRequestRequest {
            initiative: organization.initiative.clone(),
            join_request: Some(asking(&organization.reference)),
            request_id: new_id(),
        };
        self.here().create_join_request(request).await.unwrap().into_inner().join_request.unwrap()
    }

    pub async fn invited(&self, organization: &Organization) -> Membership {
        let request = InviteOrganizationRequest {
            initiative: organization.initiative.clone(),
            organization: organization.reference.clone(),
            request_id: new_id(),
            ..InviteOrganizationRequest::default()
        };
        self.here().invite_organization(request).await.unwrap().into_inner().membership.unwrap()
    }

    pub async fn member(&self, organization: &Organization, roles: &[Role]) -> Membership {
        let invited = self.invited(organization).await;
        let request = AdmitMemberRequest {
            initiative: invited.initiative,
            membership: invited.reference,
            roles: roles.iter().map(|role| open_term(*role)).collect(),
            request_id: new_id(),
            ..AdmitMemberRequest::default()
        };
        self.here().admit_member(request).await.unwrap().into_inner().membership.unwrap()
    }

    pub async fn suspended(&self, organization: &Organization, roles: &[Role]) -> Membership {
        let member = self.member(organization, roles).await;
        let request = SuspendMemberRequest {
            membership: member.reference,
            reason: "No word since May".to_owned(),
            request_id: new_id(),
            ..SuspendMemberRequest::default()
        };
        self.here().suspend_member(request).await.unwrap().into_inner().membership.unwrap()
    }

    /// A working group of these organizations; the first chairs it.
    pub async fn group(&self, initiative: &str, organizations: &[&str]) -> WorkingGroup {
        let request = CreateWorkingGroupRequest {
            initiative: initiative.to_owned(),
            working_group: Some(attendance(organizations)),
            request_id: new_id(),
        };
        self.here().create_working_group(request).await.unwrap().into_inner().working_group.unwrap()
    }

    /// A circle of these nodes, which must belong to the initiative.
    pub async fn circle(&self, initiative: &str, nodes: &[&NodeId]) -> Circle {
        let request =
            CreateCircleRequest { initiative: initiative.to_owned(), circle: Some(talks(nodes)), request_id: new_id() };
        self.here().create_circle(request).await.unwrap().into_inner().circle.unwrap()
    }

    /// An offer of an organization that lives here.
    pub async fn posting(&self, initiative: &str, organization: &str) -> Posting {
        let request = CreatePostingRequest {
            initiative: initiative.to_owned(),
            posting: Some(desks(organization)),
            request_id: new_id(),
        };
        self.here().create_posting(request).await.unwrap().into_inner().posting.unwrap()
    }

    /// Lets the border tell that a node belongs to an initiative.
    pub async fn node(&self, initiative: &str, node: &NodeId, display_name: &str) -> Fact {
        let initiative = reference(initiative);
        let resource = Reference::born_on(&initiative.node);
        let node = node.to_string();
        let admitted = NodeAdmitted { node, keys: Vec::new(), display_name: display_name.to_owned() };
        let fact = Fact::of(&resource, &Space::members(&initiative), &admitted);
        self.stage.hear(&initiative.node, &fact).await;
        fact
    }

    /// Lets the border tell that the node of that fact belongs no more.
    pub async fn node_ended(&self, admitted: &Fact, node: &NodeId, reason: &str) {
        let ended = NodeEnded { node: node.to_string(), reason: reason.to_owned() };
        self.stage.hear(&admitted.resource.node, &Fact::of(&admitted.resource, &admitted.space, &ended)).await;
    }
}

/// An initiative with organizations in every standing.
pub struct Situation {
    pub initiative: Initiative,
    /// Registered and nothing else.
    pub stranger: Organization,
    /// Asks to be admitted.
    pub asking: Organization,
    pub request: JoinRequest,
    /// Invited.
    pub invited: Membership,
    /// A member with the role of a partner.
    pub member: Membership,
    /// Suspended.
    pub suspended: Membership,
    /// Of the member.
    pub group: WorkingGroup,
    /// Of this node.
    pub circle: Circle,
    /// An offer of the member.
    pub posting: Posting,
}

impl Situation {
    pub async fn of(scene: &Scene) -> Self {
        let initiative = scene.initiative().await;
        let stranger = scene.organization(&initiative.reference).await;
        let asking = scene.organization(&initiative.reference).await;
        let request = scene.request(&asking).await;
        let invited = scene.invited(&scene.organization(&initiative.reference).await).await;
        let member = scene.member(&scene.organization(&initiative.reference).await, &[Role::Partner]).await;
        let suspended = scene.suspended(&scene.organization(&initiative.reference).await, &[Role::Partner]).await;
        scene.node(&initiative.reference, &scene.stage.node, "The backbone").await;
        let group = scene.group(&initiative.reference, &[&member.organization]).await;
        let circle = scene.circle(&initiative.reference, &[&scene.stage.node]).await;
        let posting = scene.posting(&initiative.reference, &member.organization).await;
        Self { initiative, stranger, asking, request, invited, member, suspended, group, circle, posting }
    }

    /// Every organization in it.
    pub fn organizations(&self) -> Vec<Reference> {
        let memberships = [&self.invited, &self.member, &self.suspended];
        let organizations = memberships.map(|membership| membership.organization.as_str());
        let others = [self.stranger.reference.as_str(), self.asking.reference.as_str()];
        organizations.into_iter().chain(others).map(reference).collect()
    }
}

pub fn district(display_name: &str) -> Organization {
    Organization {
        display_name: display_name.to_owned(),
        sector: Sector::Institution.into(),
        website: "https://example.org".to_owned(),
        ..Organization::default()
    }
}

pub fn attendance(organizations: &[&str]) -> WorkingGroup {
    WorkingGroup {
        display_name: "Attendance".to_owned(),
        charge: "Find out who stays away, and why".to_owned(),
        chair: organizations.first().copied().unwrap_or_default().to_owned(),
        organizations: organizations.iter().map(ToString::to_string).collect(),
        ..WorkingGroup::default()
    }
}

pub fn talks(nodes: &[&NodeId]) -> Circle {
    Circle {
        display_name: "Talks about a merger".to_owned(),
        purpose: "Not for everybody yet".to_owned(),
        nodes: nodes.iter().map(ToString::to_string).collect(),
        ..Circle::default()
    }
}

pub fn desks(organization: &str) -> Posting {
    Posting {
        organization: organization.to_owned(),
        direction: PostingDirection::Offer.into(),
        kind: PostingKind::Good.into(),
        description: "School desks, used, in good order".to_owned(),
        quantity: "40 desks".to_owned(),
        ..Posting::default()
    }
}

pub fn identifier(scheme: &str, value: &str) -> Identifier {
    Identifier { scheme: scheme.to_owned(), value: value.to_owned() }
}

pub fn asking(organization: &str) -> JoinRequest {
    JoinRequest {
        organization: organization.to_owned(),
        statement: "We bring data".to_owned(),
        ..JoinRequest::default()
    }
}

pub fn open_term(role: Role) -> RoleTerm {
    RoleTerm { role: role.into(), from: None, until: None }
}

pub fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

pub fn new_id() -> String {
    clock::new_id().to_string()
}

/// Fields that a status calls wrong, sorted.
pub fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    let mut fields: Vec<String> = violations.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    fields
}

/// The code of a refusal.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}
