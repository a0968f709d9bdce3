//! The room's calls: parse, authorise, load, decide, record, reply.

mod channel;
mod listing;
mod meeting;
mod message;
mod practice_card;
mod read_position;
mod refusal;
mod search;

use chassis::desk::Desk;
use proto::messaging::messaging_service_server::MessagingService;
use proto::messaging::*;
use tonic::{Request, Response, Status};

use crate::Messaging;

/// Answers the calls of the messaging service.
pub struct Api {
    desk: Desk<Messaging>,
}

impl Api {
    pub(crate) fn new(desk: Desk<Messaging>) -> Self {
        Self { desk }
    }
}

type Answer<T> = Result<Response<T>, Status>;

macro_rules! calls {
    ($($call:ident($request:ty) -> $response:ty: $module:ident;)+) => {
        #[tonic::async_trait]
        impl MessagingService for Api {
            type WatchMessagesStream = listing::Watched;

            $(async fn $call(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                $module::$call(&self.desk, request).await
            })+
        }
    };
}

calls! {
    create_channel(CreateChannelRequest) -> CreateChannelResponse: channel;
    get_channel(GetChannelRequest) -> GetChannelResponse: channel;
    list_channels(ListChannelsRequest) -> ListChannelsResponse: channel;
    close_channel(CloseChannelRequest) -> CloseChannelResponse: channel;
    post_message(PostMessageRequest) -> PostMessageResponse: message;
    edit_message(EditMessageRequest) -> EditMessageResponse: message;
    withdraw_message(WithdrawMessageRequest) -> WithdrawMessageResponse: message;
    get_message(GetMessageRequest) -> GetMessageResponse: message;
    list_messages(ListMessagesRequest) -> ListMessagesResponse: listing;
    watch_messages(WatchMessagesRequest) -> listing::Watched: listing;
    search_messages(SearchMessagesRequest) -> SearchMessagesResponse: search;
    get_read_position(GetReadPositionRequest) -> GetReadPositionResponse: read_position;
    move_read_position(MoveReadPositionRequest) -> MoveReadPositionResponse: read_position;
    create_meeting(CreateMeetingRequest) -> CreateMeetingResponse: meeting;
    get_meeting(GetMeetingRequest) -> GetMeetingResponse: meeting;
    list_meetings(ListMeetingsRequest) -> ListMeetingsResponse: meeting;
    update_meeting(UpdateMeetingRequest) -> UpdateMeetingResponse: meeting;
    record_minutes(RecordMinutesRequest) -> RecordMinutesResponse: meeting;
    cancel_meeting(CancelMeetingRequest) -> CancelMeetingResponse: meeting;
    export_meeting(ExportMeetingRequest) -> ExportMeetingResponse: meeting;
    publish_practice_card(PublishPracticeCardRequest) -> PublishPracticeCardResponse: practice_card;
    get_practice_card(GetPracticeCardRequest) -> GetPracticeCardResponse: practice_card;
    list_practice_cards(ListPracticeCardsRequest) -> ListPracticeCardsResponse: practice_card;
    update_practice_card(UpdatePracticeCardRequest) -> UpdatePracticeCardResponse: practice_card;
    retract_practice_card(RetractPracticeCardRequest) -> RetractPracticeCardResponse: practice_card;
}
