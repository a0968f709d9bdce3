//! Calls by which an organization becomes a member.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::parse;
use chassis::revision::Read;
use proto::membership::{
    AdmitMemberRequest, AdmitMemberResponse, InviteOrganizationRequest, InviteOrganizationResponse,
};
use sqlx::PgConnection;
use time::OffsetDateTime;
use tonic::{Request, Status};

use super::{Reply, Room, role_term};
use crate::domain::admission::{self, Admission};
use crate::domain::{Invitee, JoinRequest, Membership, Organization, RoleTerm};
use crate::{contract, events, store};

const NAME_LENGTH: usize = 200;

pub(super) async fn invite(
    desk: &Desk<Room>,
    request: Request<InviteOrganizationRequest>,
) -> Reply<InviteOrganizationResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let (initiative, invitee) = parse_invitation(&request)?;
    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let connection = work.connection();
    let initiative =
        errors::found(store::initiative::unchanging(connection, &initiative).await, "initiative", &initiative)?;
    let (organization, standing) = match &invitee {
        Invitee::Registered(reference) => {
            store::alone(connection, vec![reference.to_string()]).await.map_err(errors::database)?;
            let found =
                errors::found(store::organization::find(connection, reference).await, "organization", reference)?;
            let standing = store::membership::standing(connection, &initiative.reference, reference).await;
            (Some(found), standing.map_err(errors::database)?)
        }
        Invitee::ToCome(_) => (None, None),
    };
    let reference = Reference::born_on(work.node());
    let known = admission::Invitation {
        initiative: &initiative,
        organization: organization.as_ref(),
        standing: standing.as_ref(),
    };
    let facts = admission::invite(&known, work.node(), reference.clone(), invitee)?;
    work.record(&events::told(&facts)).await?;
    let found = errors::found(store::membership::find(work.connection(), &reference).await, "membership", &reference)?;
    work.reply(InviteOrganizationResponse { membership: Some(contract::membership(&found)) }).await
}

fn parse_invitation(request: &InviteOrganizationRequest) -> Result<(Reference, Invitee), Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let organization = parse::optional_reference(&mut violations, "organization", &request.organization);
    let invitee = parse::optional_text(&mut violations, "invitee", &request.invitee, NAME_LENGTH);
    match (request.organization.is_empty(), request.invitee.trim().is_empty()) {
        (true, true) => violations.add("organization", "is required, or invitee for one that is not registered yet"),
        (false, false) => violations.add("invitee", "must be empty where organization is given"),
        _ => {}
    }
    violations.finish(|| {
        let invitee = organization.map(Invitee::Registered).or(invitee.map(Invitee::ToCome));
        Some((initiative?, invitee?))
    })
}

struct Admit {
    initiative: Reference,
    invitation: Option<Reference>,
    request: Option<Reference>,
    roles: Vec<RoleTerm>,
    read: Read,
}

pub(super) async fn admit(desk: &Desk<Room>, request: Request<AdmitMemberRequest>) -> Reply<AdmitMemberResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let Admit { initiative, invitation, request: asked, roles, read } = parse_admission(&request, work.now())?;
    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let connection = work.connection();
    let initiative =
        errors::found(store::initiative::unchanging(connection, &initiative).await, "initiative", &initiative)?;
    let deciding_on = organizations(connection, invitation.as_ref(), asked.as_ref()).await.map_err(errors::database)?;
    store::alone(connection, deciding_on).await.map_err(errors::database)?;
    let invitation = match &invitation {
        Some(reference) => {
            let found = errors::found(store::membership::locked(connection, reference).await, "membership", reference)?;
            read.still(found.stamp.version)?;
            Some(found)
        }
        None => None,
    };
    let asked = match &asked {
        Some(reference) => Asked::load(connection, reference).await?,
        None => Asked::default(),
    };
    let known = Admission {
        initiative: &initiative,
        invitation: invitation.as_ref(),
        request: asked.request.as_ref(),
        asking: asked.organization.as_ref(),
        standing: asked.standing.as_ref(),
    };
    let newborn = Reference::born_on(work.node());
    let facts = admission::admit(&known, work.node(), newborn.clone(), roles, work.now())?;
    work.record(&events::told(&facts)).await?;
    let reference = facts.first().map_or(newborn, |fact| fact.resource.clone());
    let found = errors::found(store::membership::find(work.connection(), &reference).await, "membership", &reference)?;
    work.reply(AdmitMemberResponse { membership: Some(contract::membership(&found)) }).await
}

/// The organizations that an admission may be about: the one invited and the one that asks.
async fn organizations(
    connection: &mut PgConnection,
    invitation: Option<&Reference>,
    request: Option<&Reference>,
) -> Result<Vec<String>, sqlx::Error> {
    let mut found = Vec::new();
    if let Some(invitation) = invitation {
        found.extend(store::membership::find(connection, invitation).await?.and_then(|known| known.organization));
    }
    if let Some(request) = request {
        found.extend(store::join_request::find(connection, request).await?.map(|known| known.organization));
    }
    Ok(found.iter().map(Reference::to_string).collect())
}

/// A request, and what is known of the one who asks.
#[derive(Default)]
struct Asked {
    request: Option<JoinRequest>,
    organization: Option<Organization>,
    standing: Option<Membership>,
}

impl Asked {
    async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Self, Status> {
        let request =
            errors::found(store::join_request::locked(connection, reference).await, "join request", reference)?;
        let organization = store::organization::find(connection, &request.organization).await;
        let standing = store::membership::standing(connection, &request.initiative, &request.organization).await;
        Ok(Self {
            organization: organization.map_err(errors::database)?,
            standing: standing.map_err(errors::database)?,
            request: Some(request),
        })
    }
}

fn parse_admission(request: &AdmitMemberRequest, now: OffsetDateTime) -> Result<Admit, Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let invitation = parse::optional_reference(&mut violations, "membership", &request.membership);
    let asked = parse::optional_reference(&mut violations, "join_request", &request.join_request);
    if request.membership.is_empty() && request.join_request.is_empty() {
        violations.add("membership", "is required, or join_request, or both");
    }
    let roles = role_term::some(&mut violations, &request.roles, now);
    let read = Read::asked(&mut violations, "etag", &request.etag);
    if !request.etag.is_empty() && request.membership.is_empty() {
        violations.add("etag", "is that of membership, which is empty");
    }
    violations
        .finish(|| Some(Admit { initiative: initiative?, invitation, request: asked, roles: roles?, read: read? }))
}
