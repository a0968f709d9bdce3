//! Calls by which an organization becomes a member.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::names::{Reference, Space};
use chassis::parse;
use chassis::revision::Read;
use proto::membership::*;
use sqlx::PgConnection;
use tonic::{Request, Status};

use super::initiative::known as initiative_known;
use super::join_request::known as request_known;
use super::membership::{known, message};
use super::organization::known as organization_known;
use super::{Answer, Room};
use crate::contract::membership as contract;
use crate::domain::admission::{self, Admission};
use crate::domain::{self, Invitee};
use crate::events;
use crate::store::{self, initiative as initiatives, join_request as requests, membership as rows, organization};

pub(super) async fn invite_organization(
    desk: &Desk<Room>,
    request: Request<InviteOrganizationRequest>,
) -> Answer<InviteOrganizationResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let invitee = contract::read_invitee(&mut violations, &request.organization, &request.invitee);
    let (initiative, invitee) = violations.finish(|| Some((initiative?, invitee?)))?;

    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let connection = work.connection();
    let initiative = initiative_known(initiatives::unchanging(connection, &initiative).await, &initiative)?;
    let (organization, standing) = match &invitee {
        Invitee::Registered(reference) => {
            store::alone(connection, vec![reference.to_string()]).await.map_err(errors::database)?;
            let found = organization_known(organization::load(connection, reference).await, reference)?;
            let standing = rows::standing(connection, &initiative.reference, reference).await;
            (Some(found), standing.map_err(errors::database)?)
        }
        Invitee::ToCome(_) => (None, None),
    };
    let known = admission::Invitation {
        initiative: &initiative,
        organization: organization.as_ref(),
        standing: standing.as_ref(),
    };
    let facts = admission::invite(&known, work.node(), invitee)?;
    let reference = Reference::born_on(work.node());
    work.record(&events::told(&reference, &Space::members(&initiative.reference), facts)).await?;
    let membership = Some(message(work.connection(), &reference).await?);
    work.reply(InviteOrganizationResponse { membership }).await
}

pub(super) async fn admit_member(
    desk: &Desk<Room>,
    request: Request<AdmitMemberRequest>,
) -> Answer<AdmitMemberResponse> {
    let (mut work, request) = desk.begin(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let invitation = parse::optional_reference(&mut violations, "membership", &request.membership);
    let asked = parse::optional_reference(&mut violations, "join_request", &request.join_request);
    if request.membership.is_empty() && request.join_request.is_empty() {
        violations.add("membership", "is required, or join_request, or both");
    }
    let roles = contract::read_terms(&mut violations, &request.roles, work.now());
    let read = Read::asked(&mut violations, "etag", &request.etag);
    if !request.etag.is_empty() && request.membership.is_empty() {
        violations.add("etag", "is that of membership, which is empty");
    }
    let (initiative, roles, read) = violations.finish(|| Some((initiative?, roles?, read?)))?;

    work.authorise(Some(&initiative), None).await?;
    if let Some(reply) = work.answered(&request.request_id, &request).await? {
        return Ok(reply);
    }
    let connection = work.connection();
    let initiative = initiative_known(initiatives::unchanging(connection, &initiative).await, &initiative)?;
    let deciding_on = organizations(connection, invitation.as_ref(), asked.as_ref()).await.map_err(errors::database)?;
    store::alone(connection, deciding_on).await.map_err(errors::database)?;
    let invitation = match &invitation {
        Some(reference) => {
            let found = known(rows::load_locked(connection, reference).await, reference)?;
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
    let facts = admission::admit(&known, work.node(), roles, work.now())?;
    let invited = known.invited().map(|membership| membership.reference.clone());
    let reference = invited.unwrap_or_else(|| Reference::born_on(work.node()));
    work.record(&events::told(&reference, &Space::members(&initiative.reference), facts)).await?;
    let membership = Some(message(work.connection(), &reference).await?);
    work.reply(AdmitMemberResponse { membership }).await
}

/// The organizations that an admission may be about: the one invited and the one that asks.
async fn organizations(
    connection: &mut PgConnection,
    invitation: Option<&Reference>,
    request: Option<&Reference>,
) -> Result<Vec<String>, sqlx::Error> {
    let mut found = Vec::new();
    if let Some(invitation) = invitation {
        found.extend(rows::load(connection, invitation).await?.and_then(|known| known.organization));
    }
    if let Some(request) = request {
        found.extend(requests::load(connection, request).await?.map(|known| known.asked.organization));
    }
    Ok(found.iter().map(Reference::to_string).collect())
}

/// A request, and what is known of the one who asks.
#[derive(Default)]
struct Asked {
    request: Option<domain::JoinRequest>,
    organization: Option<domain::Organization>,
    standing: Option<domain::Membership>,
}

impl Asked {
    async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Self, Status> {
        let request = request_known(requests::load_locked(connection, reference).await, reference)?;
        let organization = organization::load(connection, &request.asked.organization).await;
        let standing = rows::standing(connection, &request.initiative, &request.asked.organization).await;
        Ok(Self {
            organization: organization.map_err(errors::database)?,
            standing: standing.map_err(errors::database)?,
            request: Some(request),
        })
    }
}
