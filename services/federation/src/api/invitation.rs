//! Invitations: one line of text for one node.

use bytes::Bytes;
use chassis::clock;
use chassis::errors::{self, Violations};
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::parse;
use proto::federation::{CreateInvitationRequest, CreateInvitationResponse, Invitation};
use tonic::{Request, Response, Status};

use super::Api;
use super::refusal::failed;
use crate::store::invitations::{self, InvitationRow};
use crate::store::nodes::{self, Initiative};
use crate::{invitation, wire};

const DEFAULT_VALID: u32 = 7 * 24 * 3600;

/// What is asked for, read.
struct Wanted {
    initiative: Reference,
    initiative_name: String,
    display_name: String,
    valid_seconds: u32,
    follower: bool,
}

/// Gives an invitation. What is kept of the answer names it and holds no secret: asked for again, the line is made
/// again, byte for byte.
pub(super) async fn create_invitation(
    api: &Api,
    request: Request<CreateInvitationRequest>,
) -> Result<Response<CreateInvitationResponse>, Status> {
    let (mut work, request) = api.desk.begin(request).await?;
    let wanted = wanted(&request)?;
    work.authorise(Some(&wanted.initiative), None).await?;
    let answered: Option<Response<CreateInvitationResponse>> = work.answered(&request.request_id, &request).await?;
    let mut initiative = api.at_backbone(work.connection(), &wanted.initiative).await?;
    if let Some(kept) = answered {
        let id = kept.into_inner().invitation;
        let row = invitations::read(work.connection(), &id).await.map_err(errors::database)?;
        let row = row.ok_or_else(|| errors::not_found("invitation", &id))?;
        return Ok(Response::new(answer(api, &initiative, &row)?));
    }
    if initiative.name.is_empty() {
        initiative.name = wanted.initiative_name;
        nodes::save_initiative(work.connection(), &initiative).await.map_err(errors::database)?;
    }
    // Whole seconds, as every part of the line has them.
    let now = work.now().replace_nanosecond(0).unwrap_or(work.now());
    let mut row = InvitationRow {
        invitation: clock::new_id().to_string(),
        initiative: wanted.initiative.to_string(),
        display_name: wanted.display_name,
        secret_digest: Vec::new(),
        expires_at: now + time::Duration::seconds(wanted.valid_seconds.into()),
        node: None,
        follower: wanted.follower,
    };
    row.secret_digest = wire::digest(&secret(api, &row)?).to_vec();
    invitations::give(work.connection(), &row).await.map_err(errors::database)?;
    let answer = answer(api, &initiative, &row)?;
    let kept = CreateInvitationResponse { invitation: row.invitation, ..answer.clone() };
    work.reply_without_secret(answer, &kept).await
}

fn secret(api: &Api, row: &InvitationRow) -> Result<[u8; 32], Status> {
    let side = api.links.hub_side().map_err(failed)?;
    side.keys.invitation_secret(&row.invitation).map_err(|error| errors::internal(&error))
}

/// The line, which follows from the hub's keys and what is kept of the invitation.
fn answer(api: &Api, initiative: &Initiative, row: &InvitationRow) -> Result<CreateInvitationResponse, Status> {
    let side = api.links.hub_side().map_err(failed)?;
    let credentials = side.keys.enrolment_credentials(&row.invitation, row.expires_at);
    let credentials = credentials.map_err(|error| errors::internal(&error))?;
    let line = invitation::write(&Invitation {
        invitation: row.invitation.clone(),
        initiative: initiative.initiative.to_string(),
        initiative_name: initiative.name.clone(),
        hub: side.public.as_str().to_owned(),
        authority: Bytes::from(side.reach.ca_der.clone()),
        root_key: Bytes::copy_from_slice(&initiative.root_key),
        enrolment_jwt: credentials.user_token,
        enrolment_seed: credentials.user_seed,
        secret: Bytes::copy_from_slice(&secret(api, row)?),
        expires_at: Some(timestamp(row.expires_at)),
        follower: row.follower,
    });
    Ok(CreateInvitationResponse { invitation: line, expires_at: Some(timestamp(row.expires_at)) })
}

fn wanted(request: &CreateInvitationRequest) -> Result<Wanted, Status> {
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let initiative_name = parse::text(&mut violations, "initiative_name", &request.initiative_name, 200);
    let display_name = parse::text(&mut violations, "display_name", &request.display_name, 200);
    let valid_seconds = if request.valid_seconds == 0 { DEFAULT_VALID } else { request.valid_seconds };
    if !(60..=30 * 24 * 3600).contains(&valid_seconds) {
        violations.add("valid_seconds", "must be between 60 and 2592000 (30 days)");
    }
    violations.finish(|| {
        Some(Wanted {
            initiative: initiative?,
            initiative_name: initiative_name?,
            display_name: display_name?,
            valid_seconds,
            follower: request.follower,
        })
    })
}
