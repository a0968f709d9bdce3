//! The room's calls: parse, authorise, load, decide, record, reply.

mod measure;
mod reading;
mod refusal;
mod submission;

use chassis::desk::Desk;
use proto::measurement::measurement_service_server::MeasurementService;
use proto::measurement::*;
use tonic::{Request, Response, Status};

use crate::Measurement;

/// What a call comes to.
type Answer<T> = Result<Response<T>, Status>;

/// Answers the calls of the measurement service.
pub struct Api {
    desk: Desk<Measurement>,
}

impl Api {
    pub(crate) fn new(desk: Desk<Measurement>) -> Self {
        Self { desk }
    }
}

macro_rules! calls {
    ($($call:ident($request:ty) -> $response:ty: $module:ident;)+) => {
        #[tonic::async_trait]
        impl MeasurementService for Api {
            $(async fn $call(&self, request: Request<$request>) -> Answer<$response> {
                $module::$call(&self.desk, request).await
            })+
        }
    };
}

calls! {
    create_measure(CreateMeasureRequest) -> CreateMeasureResponse: measure;
    get_measure(GetMeasureRequest) -> GetMeasureResponse: measure;
    list_measures(ListMeasuresRequest) -> ListMeasuresResponse: measure;
    update_measure(UpdateMeasureRequest) -> UpdateMeasureResponse: measure;
    retire_measure(RetireMeasureRequest) -> RetireMeasureResponse: measure;
    submit_observations(SubmitObservationsRequest) -> SubmitObservationsResponse: submission;
    open_submission(OpenSubmissionRequest) -> OpenSubmissionResponse: submission;
    record_observations(RecordObservationsRequest) -> RecordObservationsResponse: submission;
    seal_submission(SealSubmissionRequest) -> SealSubmissionResponse: submission;
    withdraw_submission(WithdrawSubmissionRequest) -> WithdrawSubmissionResponse: submission;
    get_submission(GetSubmissionRequest) -> GetSubmissionResponse: reading;
    list_submissions(ListSubmissionsRequest) -> ListSubmissionsResponse: reading;
    list_observations(ListObservationsRequest) -> ListObservationsResponse: reading;
    get_series(GetSeriesRequest) -> GetSeriesResponse: reading;
    get_rollup(GetRollupRequest) -> GetRollupResponse: reading;
}
