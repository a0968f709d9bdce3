//! The calls of the border.

use std::time::Duration;

use bytes::Bytes;
use chassis::clock;
use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::event::timestamp;
use chassis::names::{NodeId, Reference};
use chassis::parse;
use proto::federation::federation_service_server::{FederationService, FederationServiceServer};
use proto::federation::{
    CreateInvitationRequest, CreateInvitationResponse, GetSpaceDigestRequest, GetSpaceDigestResponse, GetStatusRequest,
    GetStatusResponse, Invitation, JoinInitiativeRequest, JoinInitiativeResponse, ListQuarantineRequest,
    ListQuarantineResponse, QuarantinedItem, RevokeNodeRequest, RevokeNodeResponse,
};
use tonic::{Request, Response, Status};

use crate::border::BorderError;
use crate::hub::MailboxKeys;
use crate::links::Links;
use crate::service::Federation;
use crate::store::invitations::{self, InvitationRow};
use crate::store::links as link_rows;
use crate::store::nodes::{self, Initiative};
use crate::store::quarantine;
use crate::{enrol, governance, invitation, states, status, tell, wire};

const DEFAULT_VALID: u32 = 7 * 24 * 3600;
const DRAIN_WITHIN: Duration = Duration::from_secs(2);

/// What answers the calls.
pub struct Api {
    desk: Desk<Federation>,
    links: Links,
    client: async_nats::Client,
    rooms: Vec<&'static str>,
    display_name: String,
}

/// The gRPC service. `rooms` are the other services of this node; `display_name` is how people call it.
pub fn service(
    desk: Desk<Federation>,
    links: Links,
    client: async_nats::Client,
    rooms: Vec<&'static str>,
    display_name: String,
) -> FederationServiceServer<Api> {
    FederationServiceServer::new(Api { desk, links, client, rooms, display_name })
}

#[tonic::async_trait]
impl FederationService for Api {
    async fn create_invitation(
        &self,
        request: Request<CreateInvitationRequest>,
    ) -> Result<Response<CreateInvitationResponse>, Status> {
        let (mut work, request) = self.desk.begin(request).await?;
        let (reference, valid) = invited(&request)?;
        work.authorise(Some(&reference), None).await?;
        if let Some(reply) = work.answered(&request.request_id, &request).await? {
            return Ok(reply);
        }
        let mut initiative = self.at_backbone(work.connection(), &reference).await?;
        initiative.name = request.initiative_name.clone();
        nodes::save_initiative(work.connection(), &initiative).await.map_err(errors::database)?;
        let expires_at = work.now() + time::Duration::seconds(valid.into());
        let (row, line) = self.invite(&initiative, &request.display_name, expires_at)?;
        invitations::give(work.connection(), &row).await.map_err(errors::database)?;
        work.reply(CreateInvitationResponse { invitation: line, expires_at: Some(timestamp(expires_at)) }).await
    }

    async fn join_initiative(
        &self,
        request: Request<JoinInitiativeRequest>,
    ) -> Result<Response<JoinInitiativeResponse>, Status> {
        let (mut work, request) = self.desk.begin(request).await?;
        let invitation = invitation_of(&request, work.now())?;
        work.authorise(None, None).await?;
        if let Some(reply) = work.answered(&request.request_id, &request).await? {
            return Ok(reply);
        }
        let known = match invitation.initiative.parse() {
            Ok(initiative) => nodes::initiative(work.connection(), &initiative).await.map_err(errors::database)?,
            Err(_) => None,
        };
        if !enrol::may_join(self.links.border().node(), known.as_ref(), &invitation) {
            let words = "the invitation is to an initiative that this node knows under another root key, or is itself \
                         the backbone of: whoever made it is not that initiative's backbone";
            return Err(errors::refused("OTHER_ROOT", words));
        }
        let joined = enrol::join(&self.links.border().keys, &self.display_name, &invitation).await;
        let joined = joined.map_err(|error| errors::refused("NOT_JOINED", error.to_string()))?;
        let (initiative, link) = (joined.initiative, joined.link);
        nodes::save_initiative(work.connection(), &initiative).await.map_err(errors::database)?;
        let saved = link_rows::save(work.connection(), &link.node, &link.initiative, &link.mailbox).await;
        saved.map_err(errors::database)?;
        let answer = JoinInitiativeResponse {
            initiative: initiative.initiative.to_string(),
            initiative_name: initiative.name.clone(),
            backbone: initiative.backbone.to_string(),
        };
        let reply = work.reply(answer).await?;
        self.links.start(&link, initiative).await.map_err(failed)?;
        Ok(reply)
    }

    async fn revoke_node(&self, request: Request<RevokeNodeRequest>) -> Result<Response<RevokeNodeResponse>, Status> {
        let (mut work, request) = self.desk.begin(request).await?;
        let (reference, node) = revoked(&request)?;
        work.authorise(Some(&reference), None).await?;
        if let Some(reply) = work.answered(&request.request_id, &request).await? {
            return Ok(reply);
        }
        let initiative = self.at_backbone(work.connection(), &reference).await?;
        let rows = link_rows::all(work.connection()).await.map_err(errors::database)?;
        let row =
            rows.into_iter().find(|row| row.node == node && row.initiative == reference && row.ended_at.is_none());
        let row = row.ok_or_else(|| errors::not_found("node", &node))?;
        let keys: MailboxKeys = serde_json::from_value(row.mailbox).map_err(|error| errors::internal(&error))?;
        self.links.revoke(&keys).await.map_err(failed)?;
        self.drain(&node, &reference).await;
        let fact = governance::ended(&reference, &node, &request.reason);
        enrol::tell(&self.links, work.connection(), &initiative, &fact).await.map_err(failed)?;
        let now = work.now();
        link_rows::end(work.connection(), &node, &reference, now).await.map_err(errors::database)?;
        let reply = work.reply(RevokeNodeResponse {}).await?;
        self.links.end(&node, &reference);
        self.links.border().committed();
        if let Err(error) = self.links.close_mailbox(&keys).await {
            tracing::warn!(node.id = %node, %error, "the node is shut out; its empty mailbox stays at the hub");
        }
        Ok(reply)
    }

    async fn get_status(&self, request: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        let (mut look, _) = self.desk.look(request).await?;
        look.authorise(None, None).await?;
        Ok(Response::new(status::of(look.connection(), &self.links).await.map_err(failed)?))
    }

    async fn list_quarantine(
        &self,
        request: Request<ListQuarantineRequest>,
    ) -> Result<Response<ListQuarantineResponse>, Status> {
        let (mut look, request) = self.desk.look(request).await?;
        let (node, limit) = listed(&request)?;
        look.authorise(None, None).await?;
        let lines = quarantine::newest(look.connection(), node.as_ref().map(NodeId::as_str), limit).await;
        let items = lines.map_err(errors::database)?.into_iter().map(|line| QuarantinedItem {
            id: line.id,
            node: line.node,
            space: line.space,
            origin: line.origin,
            sequence: line.sequence,
            code: line.code,
            reason: line.reason,
            at: Some(timestamp(line.at)),
        });
        Ok(Response::new(ListQuarantineResponse { items: items.collect() }))
    }

    async fn get_space_digest(
        &self,
        request: Request<GetSpaceDigestRequest>,
    ) -> Result<Response<GetSpaceDigestResponse>, Status> {
        let (mut look, request) = self.desk.look(request).await?;
        let mut violations = Violations::default();
        let space = parse::space(&mut violations, "space", &request.space);
        let space = violations.finish(|| space)?;
        look.authorise(None, None).await?;
        let node = look.node().clone();
        let digest = states::of(look.connection(), &self.client, &self.rooms, &space, &node).await;
        Ok(Response::new(digest.map_err(failed)?))
    }
}

impl Api {
    async fn at_backbone(
        &self,
        connection: &mut sqlx::PgConnection,
        reference: &Reference,
    ) -> Result<Initiative, Status> {
        let initiative = tell::initiative(self.links.border(), connection, reference).await.map_err(failed)?;
        let initiative = initiative.ok_or_else(|| errors::not_found("initiative", reference))?;
        if initiative.backbone != *self.links.border().node() {
            let words = "this node is not the backbone of the initiative: only the backbone's operator may do this";
            return Err(errors::refused("NOT_THE_BACKBONE", words));
        }
        Ok(initiative)
    }

    fn invite(
        &self,
        initiative: &Initiative,
        display_name: &str,
        expires_at: time::OffsetDateTime,
    ) -> Result<(InvitationRow, String), Status> {
        let side = self.links.hub_side().map_err(failed)?;
        let id = clock::new_id().to_string();
        let credentials = side.keys.enrolment_credentials(&id, expires_at, clock::now());
        let credentials = credentials.map_err(|error| errors::internal(&error))?;
        let secret: [u8; 32] = clock::random().map_err(|error| errors::internal(&error))?;
        let line = invitation::write(&Invitation {
            invitation: id.clone(),
            initiative: initiative.initiative.to_string(),
            initiative_name: initiative.name.clone(),
            hub: side.public.as_str().to_owned(),
            authority: Bytes::from(side.reach.ca_der.clone()),
            root_key: Bytes::copy_from_slice(&initiative.root_key),
            enrolment_jwt: credentials.user_token,
            enrolment_seed: credentials.user_seed,
            secret: Bytes::copy_from_slice(&secret),
            expires_at: Some(timestamp(expires_at)),
        });
        let row = InvitationRow {
            invitation: id,
            initiative: initiative.initiative.to_string(),
            display_name: display_name.to_owned(),
            secret_digest: wire::digest(&secret).to_vec(),
            expires_at,
            node: None,
        };
        Ok((row, line))
    }

    /// Lets what the node sent before it was shut out come in, for a moment.
    async fn drain(&self, node: &NodeId, initiative: &Reference) {
        let Some(link) = self.links.get(node, initiative) else { return };
        let empty = async {
            while link.mailbox.backlog().await.is_some_and(|backlog| backlog > 0) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(DRAIN_WITHIN, empty).await.is_err() {
            tracing::warn!(node.id = %node, "not all that the node had sent was taken in before its link ended");
        }
    }
}

fn invited(request: &CreateInvitationRequest) -> Result<(Reference, u32), Status> {
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "initiative", &request.initiative);
    parse::text(&mut violations, "initiative_name", &request.initiative_name, 200);
    parse::text(&mut violations, "display_name", &request.display_name, 200);
    let valid = if request.valid_seconds == 0 { DEFAULT_VALID } else { request.valid_seconds };
    if !(60..=30 * 24 * 3600).contains(&valid) {
        violations.add("valid_seconds", "must be between 60 and 2592000 (30 days)");
    }
    violations.finish(|| Some((reference?, valid)))
}

fn revoked(request: &RevokeNodeRequest) -> Result<(Reference, NodeId), Status> {
    let mut violations = Violations::default();
    let reference = parse::reference(&mut violations, "initiative", &request.initiative);
    parse::text(&mut violations, "reason", &request.reason, 500);
    let node = parse::node(&mut violations, "node", &request.node);
    violations.finish(|| Some((reference?, node?)))
}

fn listed(request: &ListQuarantineRequest) -> Result<(Option<NodeId>, i64), Status> {
    let mut violations = Violations::default();
    let node = match request.node.as_str() {
        "" => None,
        node => parse::node(&mut violations, "node", node),
    };
    if !(0..=200).contains(&request.page_size) {
        violations.add("page_size", "must be between 1 and 200, or 0 for 50");
    }
    let limit = if request.page_size == 0 { 50 } else { i64::from(request.page_size) };
    violations.finish(|| Some((node, limit)))
}

fn invitation_of(request: &JoinInitiativeRequest, now: time::OffsetDateTime) -> Result<Invitation, Status> {
    invitation::read(&request.invitation, now).map_err(|error| errors::invalid("invitation", error.to_string()))
}

fn failed(error: BorderError) -> Status {
    match error {
        BorderError::Database(error) => errors::database(error),
        BorderError::Hub(words) => errors::refused("HUB", format!("the hub: {words}")),
        error => errors::internal(&error),
    }
}
