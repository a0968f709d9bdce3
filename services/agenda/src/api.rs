//! The room's calls: parse, authorise, load, decide, record, reply.

mod agenda;
mod decision;
mod endorsement;
mod position;
mod proposal;
mod refusal;
mod version;

use chassis::desk::Desk;
use proto::agenda::agenda_service_server::AgendaService;
use proto::agenda::*;
use tonic::{Request, Response, Status};

use crate::Agenda as Room;

/// Answers the calls of the agenda service.
pub struct Api {
    desk: Desk<Room>,
}

impl Api {
    pub(crate) fn new(desk: Desk<Room>) -> Self {
        Self { desk }
    }
}

type Answer<T> = Result<Response<T>, Status>;

macro_rules! calls {
    ($($call:ident($request:ty) -> $response:ty: $module:ident;)+) => {
        #[tonic::async_trait]
        impl AgendaService for Api {
            $(async fn $call(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                $module::$call(&self.desk, request).await
            })+
        }
    };
}

calls! {
    create_agenda(CreateAgendaRequest) -> CreateAgendaResponse: agenda;
    get_agenda(GetAgendaRequest) -> GetAgendaResponse: agenda;
    list_agendas(ListAgendasRequest) -> ListAgendasResponse: agenda;
    update_agenda(UpdateAgendaRequest) -> UpdateAgendaResponse: agenda;
    publish_agenda(PublishAgendaRequest) -> PublishAgendaResponse: agenda;
    get_agenda_version(GetAgendaVersionRequest) -> GetAgendaVersionResponse: version;
    list_agenda_versions(ListAgendaVersionsRequest) -> ListAgendaVersionsResponse: version;
    endorse_agenda_version(EndorseAgendaVersionRequest) -> EndorseAgendaVersionResponse: endorsement;
    withdraw_endorsement(WithdrawEndorsementRequest) -> WithdrawEndorsementResponse: endorsement;
    list_endorsements(ListEndorsementsRequest) -> ListEndorsementsResponse: endorsement;
    create_proposal(CreateProposalRequest) -> CreateProposalResponse: proposal;
    amend_proposal(AmendProposalRequest) -> AmendProposalResponse: proposal;
    withdraw_proposal(WithdrawProposalRequest) -> WithdrawProposalResponse: proposal;
    get_proposal(GetProposalRequest) -> GetProposalResponse: proposal;
    list_proposals(ListProposalsRequest) -> ListProposalsResponse: proposal;
    take_position(TakePositionRequest) -> TakePositionResponse: position;
    withdraw_position(WithdrawPositionRequest) -> WithdrawPositionResponse: position;
    list_positions(ListPositionsRequest) -> ListPositionsResponse: position;
    decide_proposal(DecideProposalRequest) -> DecideProposalResponse: decision;
    get_tally(GetTallyRequest) -> GetTallyResponse: decision;
}
