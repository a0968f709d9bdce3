//! What the nodes of the scene say.

use node::client::Client;
use proto::common::Role;
use proto::federation::{CreateInvitationRequest, JoinInitiativeRequest};
use proto::measurement::*;
use proto::membership::*;
use proto::messaging::{
    ChannelDefinition, ChannelKind, CreateChannelRequest, EditMessageRequest, PostMessageRequest,
    WithdrawMessageRequest,
};

use super::{Node, soon};

fn request_id() -> String {
    chassis::clock::new_id().to_string()
}

pub(super) async fn found(backbone: &Client) -> String {
    let wanted = Initiative {
        display_name: "Every child".to_owned(),
        purpose: "Every child reads".to_owned(),
        region: "Here".to_owned(),
        state: InitiativeState::Active.into(),
        ..Initiative::default()
    };
    let request = CreateInitiativeRequest { initiative: Some(wanted), request_id: request_id() };
    backbone.membership().create_initiative(request).await.unwrap().into_inner().initiative.unwrap().reference
}

/// Two messages, one of which is edited and taken back before anybody else is there.
pub(super) async fn talk(node: &Node, initiative: &str, organization: &str) {
    let mut messaging = node.client.messaging();
    let definition = ChannelDefinition {
        organization: organization.to_owned(),
        name: "Readers".to_owned(),
        subject: initiative.to_owned(),
        kind: ChannelKind::Discussion.into(),
        ..ChannelDefinition::default()
    };
    let request = CreateChannelRequest {
        initiative: initiative.to_owned(),
        space: "members".to_owned(),
        definition: Some(definition),
        request_id: request_id(),
    };
    let channel = soon(async || node.client.messaging().create_channel(request.clone()).await.ok()).await;
    let channel = channel.into_inner().channel.unwrap().reference;
    let post = |body: &str| PostMessageRequest {
        channel: channel.clone(),
        organization: organization.to_owned(),
        body: body.to_owned(),
        request_id: request_id(),
        ..PostMessageRequest::default()
    };
    messaging.post_message(post("It stays")).await.unwrap();
    let posted = messaging.post_message(post("It goes")).await.unwrap().into_inner().message.unwrap();
    let edit = EditMessageRequest {
        message: posted.reference.clone(),
        body: "It goes as well".to_owned(),
        etag: posted.etag,
        request_id: request_id(),
    };
    messaging.edit_message(edit).await.unwrap();
    let withdraw = WithdrawMessageRequest { message: posted.reference, request_id: request_id() };
    messaging.withdraw_message(withdraw).await.unwrap();
    let pool = node.superuser().await;
    soon(async || {
        let erased = "select count(*) from federation.entries where erased_by is not null";
        let erased: i64 = sqlx::query_scalar(erased).fetch_one(&pool).await.unwrap();
        (erased == 2).then_some(())
    })
    .await;
}

pub(super) async fn join(backbone: &Client, alpha: &Client, initiative: &str) {
    let request = CreateInvitationRequest {
        request_id: request_id(),
        initiative: initiative.to_owned(),
        initiative_name: "Every child".to_owned(),
        display_name: "alpha".to_owned(),
        valid_seconds: 3600,
        follower: false,
    };
    let invitation = soon(async || backbone.federation().create_invitation(request.clone()).await.ok()).await;
    let request = JoinInitiativeRequest { request_id: request_id(), invitation: invitation.into_inner().invitation };
    soon(async || alpha.federation().join_initiative(request.clone()).await.ok()).await;
    let request = GetInitiativeRequest { initiative: initiative.to_owned() };
    soon(async || alpha.membership().get_initiative(request.clone()).await.ok()).await;
}

async fn register(node: &Client, initiative: &str, name: &str) -> String {
    let organization = Organization {
        display_name: name.to_owned(),
        sector: Sector::Institution.into(),
        identifiers: vec![Identifier { scheme: "EIN".to_owned(), value: name.to_owned() }],
        ..Organization::default()
    };
    let request = RegisterOrganizationRequest {
        initiative: initiative.to_owned(),
        organization: Some(organization),
        request_id: request_id(),
    };
    node.membership().register_organization(request).await.unwrap().into_inner().organization.unwrap().reference
}

fn roles(held: &[Role]) -> Vec<RoleTerm> {
    held.iter().map(|role| RoleTerm { role: (*role).into(), from: None, until: None }).collect()
}

/// An organisation without a node of its own, one of whose roles ends.
pub(super) async fn admit_hosted(backbone: &Client, initiative: &str) -> String {
    let organization = register(backbone, initiative, "Hosted").await;
    let request = InviteOrganizationRequest {
        initiative: initiative.to_owned(),
        organization: organization.clone(),
        invitee: String::new(),
        request_id: request_id(),
    };
    let invited = backbone.membership().invite_organization(request).await.unwrap().into_inner().membership.unwrap();
    let request = AdmitMemberRequest {
        initiative: initiative.to_owned(),
        membership: invited.reference.clone(),
        roles: roles(&[Role::Partner, Role::DataLead]),
        request_id: request_id(),
        ..AdmitMemberRequest::default()
    };
    backbone.membership().admit_member(request).await.unwrap();
    let end = EndRoleRequest {
        membership: invited.reference,
        role: Role::DataLead.into(),
        request_id: request_id(),
        ..EndRoleRequest::default()
    };
    backbone.membership().end_role(end).await.unwrap();
    organization
}

pub(super) async fn ask_and_admit(backbone: &Client, alpha: &Client, initiative: &str) -> String {
    let organization = register(alpha, initiative, "Partner").await;
    let wish = JoinRequest {
        organization: organization.clone(),
        statement: "We want to help".to_owned(),
        ..JoinRequest::default()
    };
    let request = CreateJoinRequestRequest {
        initiative: initiative.to_owned(),
        join_request: Some(wish),
        request_id: request_id(),
    };
    let asked = alpha.membership().create_join_request(request).await.unwrap().into_inner().join_request.unwrap();
    let heard = GetJoinRequestRequest { join_request: asked.reference.clone() };
    soon(async || backbone.membership().get_join_request(heard.clone()).await.ok()).await;
    let request = AdmitMemberRequest {
        initiative: initiative.to_owned(),
        join_request: asked.reference,
        roles: roles(&[Role::Partner]),
        request_id: request_id(),
        ..AdmitMemberRequest::default()
    };
    backbone.membership().admit_member(request).await.unwrap();
    let request = || ListMembersRequest { initiative: initiative.to_owned(), ..ListMembersRequest::default() };
    soon(async || {
        let members = alpha.membership().list_members(request()).await.ok()?.into_inner().members;
        let found = members.iter().filter_map(|member| member.membership.as_ref());
        found.into_iter().any(|membership| membership.organization == organization).then_some(())
    })
    .await;
    organization
}

pub(super) async fn define(backbone: &Client, initiative: &str) -> String {
    let definition = MeasureDefinition {
        code: "readers".to_owned(),
        name: "Children who read".to_owned(),
        kind: MeasureKind::Indicator.into(),
        unit: "children".to_owned(),
        direction: Direction::Up.into(),
        aggregation: Aggregation::Sum.into(),
        per: 1,
        ..MeasureDefinition::default()
    };
    let request = CreateMeasureRequest {
        initiative: initiative.to_owned(),
        definition: Some(definition),
        request_id: request_id(),
    };
    backbone.measurement().create_measure(request).await.unwrap().into_inner().measure.unwrap().reference
}

pub(super) async fn report(node: &Client, measure: &str, organization: &str, prefix: &str, places: u32) {
    let observation = |place: u32| Observation {
        geography: Some(Geography { level: "town".to_owned(), code: format!("{prefix}{place}"), name: String::new() }),
        period: "2024-01-01/2024-12-31".to_owned(),
        value: Some(Part { state: ValueState::Reported.into(), amount: (100 + place).to_string() }),
        ..Observation::default()
    };
    let request = SubmitObservationsRequest {
        definition: Some(SubmissionDefinition {
            measure: measure.to_owned(),
            organization: organization.to_owned(),
            basis: Basis::Component.into(),
            source: "A count".to_owned(),
        }),
        observations: (0..places).map(observation).collect(),
        request_id: request_id(),
        ..SubmitObservationsRequest::default()
    };
    node.measurement().submit_observations(request).await.unwrap();
}

/// Alpha's border tells something of the backbone's: refused, and kept as refused.
pub(super) async fn forge(alpha: &Node, initiative: &str) {
    use chassis::event::{Actor, Event, Fact};
    let reference: chassis::names::Reference = initiative.parse().unwrap();
    let fact = Fact::of(&reference, &chassis::names::Space::members(&reference), &InitiativeRevised::default());
    let event = Event::told(&fact, alpha.keys.id(), &Actor::default());
    let pool = alpha.superuser().await;
    sqlx::query(
        "with line as (
             insert into membership.log (event_id, source, type, space, resource, bytes)
             values ($1, 'membership', $2, $3, $4, $5) returning position)
         insert into membership.unsequenced select position from line",
    )
    .bind(event.id)
    .bind(&event.type_name)
    .bind(event.space.to_string())
    .bind(event.resource.to_string())
    .bind(event.encode())
    .execute(&pool)
    .await
    .unwrap();
    soon(async || {
        let refused: i64 = sqlx::query_scalar("select count(*) from membership.log where standing = 'refused'")
            .fetch_one(&pool)
            .await
            .unwrap();
        (refused == 1).then_some(())
    })
    .await;
}
