//! The room's calls: parse, authorise, load, decide, record, reply.

mod activity;
mod award;
mod commitment;
mod coverage;
mod need;
mod pledge;
mod refusal;

use chassis::desk::{Desk, Work};
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::{parse, roles};
use proto::activities::activities_service_server::ActivitiesService;
use proto::activities::*;
use tonic::{Request, Response, Status};

use crate::Activities;
use crate::domain::Refusal;

/// Answers the calls of the activities service.
pub struct Api {
    desk: Desk<Activities>,
}

impl Api {
    pub(crate) fn new(desk: Desk<Activities>) -> Self {
        Self { desk }
    }
}

macro_rules! calls {
    ($($call:ident($request:ty) -> $response:ty: $module:ident;)+) => {
        #[tonic::async_trait]
        impl ActivitiesService for Api {
            $(async fn $call(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                $module::$call(&self.desk, request).await
            })+
        }
    };
}

calls! {
    create_activity(CreateActivityRequest) -> CreateActivityResponse: activity;
    get_activity(GetActivityRequest) -> GetActivityResponse: activity;
    list_activities(ListActivitiesRequest) -> ListActivitiesResponse: activity;
    update_activity(UpdateActivityRequest) -> UpdateActivityResponse: activity;
    begin_activity(BeginActivityRequest) -> BeginActivityResponse: activity;
    complete_activity(CompleteActivityRequest) -> CompleteActivityResponse: activity;
    cancel_activity(CancelActivityRequest) -> CancelActivityResponse: activity;
    make_commitment(MakeCommitmentRequest) -> MakeCommitmentResponse: commitment;
    get_commitment(GetCommitmentRequest) -> GetCommitmentResponse: commitment;
    list_commitments(ListCommitmentsRequest) -> ListCommitmentsResponse: commitment;
    meet_commitment(MeetCommitmentRequest) -> MeetCommitmentResponse: commitment;
    miss_commitment(MissCommitmentRequest) -> MissCommitmentResponse: commitment;
    withdraw_commitment(WithdrawCommitmentRequest) -> WithdrawCommitmentResponse: commitment;
    create_need(CreateNeedRequest) -> CreateNeedResponse: need;
    get_need(GetNeedRequest) -> GetNeedResponse: need;
    list_needs(ListNeedsRequest) -> ListNeedsResponse: need;
    close_need(CloseNeedRequest) -> CloseNeedResponse: need;
    make_pledge(MakePledgeRequest) -> MakePledgeResponse: pledge;
    get_pledge(GetPledgeRequest) -> GetPledgeResponse: pledge;
    list_pledges(ListPledgesRequest) -> ListPledgesResponse: pledge;
    keep_pledge(KeepPledgeRequest) -> KeepPledgeResponse: pledge;
    withdraw_pledge(WithdrawPledgeRequest) -> WithdrawPledgeResponse: pledge;
    create_award(CreateAwardRequest) -> CreateAwardResponse: award;
    get_award(GetAwardRequest) -> GetAwardResponse: award;
    list_awards(ListAwardsRequest) -> ListAwardsResponse: award;
    record_disbursement(RecordDisbursementRequest) -> RecordDisbursementResponse: award;
    cancel_award(CancelAwardRequest) -> CancelAwardResponse: award;
    get_coverage(GetCoverageRequest) -> GetCoverageResponse: coverage;
}

async fn initiative_known(work: &mut Work<Activities>, initiative: &Reference) -> Result<(), Status> {
    if roles::initiative_known(work.connection(), initiative).await.map_err(errors::database)? {
        return Ok(());
    }
    Err(errors::not_found("initiative", initiative))
}

/// Refuses to write here for an organization that lives elsewhere: what it writes there could not be told apart.
fn belongs_here(work: &Work<Activities>, organization: &Reference) -> Result<(), Refusal> {
    if organization.node == *work.node() {
        return Ok(());
    }
    Err(Refusal::OrganizationElsewhere { organization: organization.clone() })
}

/// Reads the state that a list is narrowed down to; unspecified for all.
fn state<S: TryFrom<i32> + Into<i32>>(violations: &mut Violations, state: i32) -> Option<Option<i32>> {
    match state {
        0 => Some(None),
        state => parse::choice::<S>(violations, "state", state).map(|state| Some(state.into())),
    }
}
