//! The calls of the border. Whoever must wait for the hub or a room waits outside of a transaction.

mod initiative;
mod invitation;
mod key;
mod node;
mod quarantine;
mod reading;
mod refusal;
mod reissue;

use chassis::desk::Desk;
use chassis::errors;
use chassis::names::Reference;
use proto::federation::federation_service_server::{FederationService, FederationServiceServer};
use proto::federation::{
    CreateInvitationRequest, CreateInvitationResponse, DropQuarantineRequest, DropQuarantineResponse,
    DropReissueRequest, DropReissueResponse, GetKeyRequest, GetKeyResponse, GetSpaceDigestRequest,
    GetSpaceDigestResponse, GetStatusRequest, GetStatusResponse, JoinInitiativeRequest, JoinInitiativeResponse,
    ListQuarantineRequest, ListQuarantineResponse, ListReissuesRequest, ListReissuesResponse, RetryQuarantineRequest,
    RetryQuarantineResponse, RevokeNodeRequest, RevokeNodeResponse, SendReissueRequest, SendReissueResponse,
};
use tonic::{Request, Response, Status};

use crate::links::Links;
use crate::service::Federation;
use crate::store::nodes::{self, Initiative};

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

macro_rules! calls {
    ($($call:ident($request:ty) -> $response:ty: $module:ident;)+) => {
        #[tonic::async_trait]
        impl FederationService for Api {
            $(async fn $call(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                $module::$call(self, request).await
            })+
        }
    };
}

calls! {
    create_invitation(CreateInvitationRequest) -> CreateInvitationResponse: invitation;
    join_initiative(JoinInitiativeRequest) -> JoinInitiativeResponse: initiative;
    revoke_node(RevokeNodeRequest) -> RevokeNodeResponse: node;
    get_status(GetStatusRequest) -> GetStatusResponse: reading;
    list_quarantine(ListQuarantineRequest) -> ListQuarantineResponse: quarantine;
    retry_quarantine(RetryQuarantineRequest) -> RetryQuarantineResponse: quarantine;
    drop_quarantine(DropQuarantineRequest) -> DropQuarantineResponse: quarantine;
    list_reissues(ListReissuesRequest) -> ListReissuesResponse: reissue;
    send_reissue(SendReissueRequest) -> SendReissueResponse: reissue;
    drop_reissue(DropReissueRequest) -> DropReissueResponse: reissue;
    get_key(GetKeyRequest) -> GetKeyResponse: key;
    get_space_digest(GetSpaceDigestRequest) -> GetSpaceDigestResponse: reading;
}

impl Api {
    /// An initiative of which this node is the backbone.
    async fn at_backbone(
        &self,
        connection: &mut sqlx::PgConnection,
        reference: &Reference,
    ) -> Result<Initiative, Status> {
        let initiative = nodes::initiative(connection, reference).await.map_err(errors::database)?;
        let initiative = initiative.ok_or_else(|| errors::not_found("initiative", reference))?;
        if initiative.backbone != *self.links.border().node() {
            let words = "this node is not the backbone of the initiative: only the backbone's operator may do this";
            return Err(errors::refused("NOT_THE_BACKBONE", words));
        }
        Ok(initiative)
    }
}
