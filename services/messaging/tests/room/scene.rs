//! What these tests begin with: a node in an initiative, and organizations that live on it.

use chassis::authn::Caller;
use chassis::clock;
use chassis::event::Event;
use chassis::names::{Reference, Space};
use chassis::testing::{CalledBy, Stage, operator};
use messaging::{Api, Messaging as Room};
use proto::common::Role;
use proto::messaging::messaging_service_client::MessagingServiceClient;
use proto::messaging::messaging_service_server::MessagingServiceServer;
use proto::messaging::*;
use tonic::Status;
use tonic_types::StatusExt;

pub type Client = MessagingServiceClient<CalledBy<MessagingServiceServer<Api>>>;

pub struct Scene {
    pub stage: Stage<Room>,
    pub operator: Caller,
    pub initiative: Reference,
    /// An organization that lives here, a partner of the initiative.
    pub here: Reference,
}

impl Scene {
    /// A node that is the backbone of an initiative.
    pub async fn set() -> Self {
        let stage = Stage::set().await;
        let initiative = Reference::born_on(&stage.node);
        Self::of(stage, initiative).await
    }

    /// A node in an initiative.
    pub async fn of(stage: Stage<Room>, initiative: Reference) -> Self {
        let here = Reference::born_on(&stage.node);
        stage.grant(&initiative, &here, Role::Partner).await;
        Self { stage, operator: operator(), initiative, here }
    }

    /// The other nodes of this one's initiative.
    pub async fn elsewhere(&self) -> Self {
        Self::of(Stage::set().await, self.initiative.clone()).await
    }

    pub fn client(&self, caller: Option<&Caller>) -> Client {
        Client::new(self.stage.called_by(caller))
    }

    /// The client of the node's operator.
    pub fn operated(&self) -> Client {
        self.client(Some(&self.operator))
    }

    /// An organization that lives here.
    pub fn organization(&self) -> Reference {
        Reference::born_on(&self.stage.node)
    }

    pub async fn channel(&self, space: &str, kind: ChannelKind) -> Channel {
        let request = self.channel_of(space, kind);
        self.operated().create_channel(request).await.unwrap().into_inner().channel.unwrap()
    }

    pub async fn discussion(&self) -> Channel {
        self.channel("members", ChannelKind::Discussion).await
    }

    pub fn channel_of(&self, space: &str, kind: ChannelKind) -> CreateChannelRequest {
        CreateChannelRequest {
            initiative: self.initiative.to_string(),
            space: space.to_owned(),
            definition: Some(definition(&self.here, kind)),
            request_id: new_id(),
        }
    }

    pub async fn post(&self, channel: &Channel, body: &str) -> Message {
        self.operated().post_message(post(channel, &self.here, body)).await.unwrap().into_inner().message.unwrap()
    }

    pub async fn answer(&self, first: &Message, body: &str) -> Message {
        let channel = first.heading.clone().unwrap().channel;
        let request = PostMessageRequest {
            thread: first.reference.clone(),
            ..post(&Channel { reference: channel, ..Channel::default() }, &self.here, body)
        };
        self.operated().post_message(request).await.unwrap().into_inner().message.unwrap()
    }

    pub async fn edit(&self, message: &Message, body: &str) -> Message {
        let request = EditMessageRequest {
            message: message.reference.clone(),
            body: body.to_owned(),
            etag: String::new(),
            request_id: new_id(),
        };
        self.operated().edit_message(request).await.unwrap().into_inner().message.unwrap()
    }

    pub async fn withdraw(&self, message: &Message) -> Message {
        let request = WithdrawMessageRequest { message: message.reference.clone(), request_id: new_id() };
        self.operated().withdraw_message(request).await.unwrap().into_inner().message.unwrap()
    }

    pub async fn close(&self, channel: &Channel) -> Channel {
        let request = CloseChannelRequest {
            channel: channel.reference.clone(),
            reason: "Done".to_owned(),
            etag: String::new(),
            request_id: new_id(),
        };
        self.operated().close_channel(request).await.unwrap().into_inner().channel.unwrap()
    }

    pub async fn meeting(&self) -> Meeting {
        self.called(meeting(&self.here)).await
    }

    pub async fn called(&self, definition: MeetingDefinition) -> Meeting {
        let request = CreateMeetingRequest {
            initiative: self.initiative.to_string(),
            space: String::new(),
            definition: Some(definition),
            request_id: new_id(),
        };
        self.operated().create_meeting(request).await.unwrap().into_inner().meeting.unwrap()
    }

    pub async fn published(&self) -> PracticeCard {
        let request = PublishPracticeCardRequest {
            initiative: self.initiative.to_string(),
            definition: Some(card(&self.here)),
            request_id: new_id(),
        };
        self.operated().publish_practice_card(request).await.unwrap().into_inner().practice_card.unwrap()
    }

    pub async fn get(&self, message: &Message) -> Message {
        let request = GetMessageRequest { message: message.reference.clone() };
        self.operated().get_message(request).await.unwrap().into_inner().message.unwrap()
    }

    pub async fn list(&self, channel: &Channel, cursor: &str, page_size: i32) -> ListMessagesResponse {
        let request = ListMessagesRequest {
            channel: channel.reference.clone(),
            cursor: cursor.to_owned(),
            page_size,
            ..ListMessagesRequest::default()
        };
        self.operated().list_messages(request).await.unwrap().into_inner()
    }

    /// What a channel says from the beginning.
    pub async fn bodies(&self, channel: &Channel) -> Vec<String> {
        bodies(&self.list(channel, "", 500).await.entries)
    }

    pub async fn search(&self, query: &str) -> Vec<String> {
        let request = SearchMessagesRequest {
            initiative: self.initiative.to_string(),
            query: query.to_owned(),
            ..SearchMessagesRequest::default()
        };
        let found = self.operated().search_messages(request).await.unwrap().into_inner();
        found.messages.into_iter().map(|message| message.body).collect()
    }

    /// What this node told of a resource, in order.
    pub async fn told(&self, reference: &str) -> Vec<Event> {
        let log = self.stage.log().await.into_iter();
        log.filter(|event| event.resource.to_string() == reference && event.home == self.stage.node).collect()
    }

    /// Lets the backbone accept all that this node told of a resource and that is not accepted yet.
    pub async fn accept(&self, reference: &str) {
        for event in self.told(reference).await {
            if event_is_pending(&self.stage, &event).await {
                self.stage.judge(&event.space, &[&event], &[]).await;
            }
        }
    }

    pub fn members(&self) -> Space {
        Space::members(&self.initiative)
    }
}

async fn event_is_pending(stage: &Stage<Room>, event: &Event) -> bool {
    let position: Option<i64> = sqlx::query_scalar("select accepted_position from log where event_id = $1")
        .bind(event.id)
        .fetch_one(&stage.pool)
        .await
        .unwrap();
    position.is_none()
}

pub fn definition(organization: &Reference, kind: ChannelKind) -> ChannelDefinition {
    ChannelDefinition {
        organization: organization.to_string(),
        name: "Everybody".to_owned(),
        purpose: "To talk".to_owned(),
        subject: String::new(),
        kind: kind.into(),
    }
}

pub fn post(channel: &Channel, organization: &Reference, body: &str) -> PostMessageRequest {
    PostMessageRequest {
        channel: channel.reference.clone(),
        organization: organization.to_string(),
        body: body.to_owned(),
        byline: "Wilhelmina".to_owned(),
        request_id: new_id(),
        ..PostMessageRequest::default()
    }
}

/// A meeting on the first of March 2026, three to four o'clock UTC.
pub fn meeting(organization: &Reference) -> MeetingDefinition {
    MeetingDefinition {
        organization: organization.to_string(),
        title: "Graduation".to_owned(),
        start_time: Some(prost_types::Timestamp { seconds: 1_772_377_200, nanos: 0 }),
        end_time: Some(prost_types::Timestamp { seconds: 1_772_380_800, nanos: 0 }),
        place: "Room 1".to_owned(),
        link: "https://meet.example/1".to_owned(),
        agenda: vec![AgendaItem { title: "Figures".to_owned(), notes: "Of last year".to_owned() }],
        channel: String::new(),
    }
}

pub fn card(organization: &Reference) -> PracticeCardDefinition {
    let point = SeriesPoint { period: "2014/15".to_owned(), value: "87.2".to_owned() };
    let series = MeasureSeries {
        // Any reference will do, and the same each time: what is told and what is found are compared.
        measure: organization.to_string(),
        name: "Four-year graduation".to_owned(),
        unit: "percent".to_owned(),
        points: vec![point],
    };
    PracticeCardDefinition {
        organization: organization.to_string(),
        title: "Mentors in ninth grade".to_owned(),
        challenge: "Many leave in ninth grade".to_owned(),
        tried: "A mentor for each".to_owned(),
        cost: "Two people".to_owned(),
        result: "More graduate".to_owned(),
        series: Some(series),
        failed: "Evenings".to_owned(),
    }
}

pub fn bodies(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.message.clone().unwrap().body).collect()
}

pub fn new_id() -> String {
    clock::new_id().to_string()
}

/// Fields that a status calls wrong, sorted.
pub fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    let mut fields: Vec<String> = violations.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    fields
}

/// The code of a refusal.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}
