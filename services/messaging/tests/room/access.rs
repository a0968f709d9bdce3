//! Who may call what: every call by everybody, against a table that stands here and not in the contract.

use chassis::authn::Caller;
use chassis::names::Reference;
use chassis::testing::{operator, some_node, speaking_for};
use proto::common::Role;
use proto::messaging::*;
use tonic::{Code, Status};

use crate::scene::{Scene, card, definition, meeting as a_meeting, new_id, post};

/// Whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Without a token.
    Nobody,
    /// With a token, and nothing more.
    Somebody,
    /// Speaks for the organization that writes.
    Own,
    /// Speaks for an organization that works for the backbone of another initiative.
    Elsewhere,
    /// Operates the node.
    Operator,
    /// Speaks for another organization, which holds this role here.
    Holding(Role),
}
use Who::{Elsewhere, Holding, Nobody, Operator, Own, Somebody};

const ROLES: [Role; 6] =
    [Role::BackboneStaff, Role::SteeringCommittee, Role::Partner, Role::DataLead, Role::Funder, Role::Observer];

/// Sets of callers that calls are open to, beside the operator, who may do everything.
const OWN: &[Who] = &[Own];
const ALL: &[Who] = &[
    Somebody,
    Own,
    Elsewhere,
    Holding(Role::BackboneStaff),
    Holding(Role::SteeringCommittee),
    Holding(Role::Partner),
    Holding(Role::DataLead),
    Holding(Role::Funder),
    Holding(Role::Observer),
];
const MEMBERS: &[Who] = &[
    Own,
    Holding(Role::BackboneStaff),
    Holding(Role::SteeringCommittee),
    Holding(Role::Partner),
    Holding(Role::DataLead),
    Holding(Role::Funder),
    Holding(Role::Observer),
];

const TABLE: [(&str, &[Who]); 25] = [
    ("CancelMeeting", OWN),
    ("CloseChannel", OWN),
    ("CreateChannel", OWN),
    ("CreateMeeting", OWN),
    ("EditMessage", OWN),
    ("ExportMeeting", MEMBERS),
    ("GetChannel", MEMBERS),
    ("GetMeeting", MEMBERS),
    ("GetMessage", MEMBERS),
    ("GetPracticeCard", ALL),
    ("GetReadPosition", MEMBERS),
    ("ListChannels", MEMBERS),
    ("ListMeetings", MEMBERS),
    ("ListMessages", MEMBERS),
    ("ListPracticeCards", ALL),
    ("MoveReadPosition", MEMBERS),
    ("PostMessage", OWN),
    ("PublishPracticeCard", OWN),
    ("RecordMinutes", OWN),
    ("RetractPracticeCard", OWN),
    ("SearchMessages", MEMBERS),
    ("UpdateMeeting", OWN),
    ("UpdatePracticeCard", OWN),
    ("WatchMessages", MEMBERS),
    ("WithdrawMessage", OWN),
];

/// A channel with a message in it, a meeting and a practice card, all of an organization that lives here.
struct Situation {
    channel: Channel,
    message: Message,
    cursor: String,
    meeting: String,
    card: String,
}

impl Situation {
    async fn of(scene: &Scene) -> Self {
        let channel = scene.discussion().await;
        let message = scene.post(&channel, "Hello").await;
        let cursor = scene.list(&channel, "", 0).await.next_cursor;
        let (meeting, card) = (scene.meeting().await.reference, scene.published().await.reference);
        Self { channel, message, cursor, meeting, card }
    }
}

async fn caller(scene: &Scene, who: Who) -> Option<Caller> {
    let another = scene.organization();
    match who {
        Nobody => None,
        Somebody => Some(speaking_for(&[])),
        Own => Some(speaking_for(&[&scene.here])),
        Elsewhere => {
            scene.stage.grant(&Reference::born_on(&some_node()), &another, Role::BackboneStaff).await;
            Some(speaking_for(&[&another]))
        }
        Operator => Some(operator()),
        Holding(role) => {
            scene.stage.grant(&scene.initiative, &another, role).await;
            Some(speaking_for(&[&another]))
        }
    }
}

async fn call(scene: &Scene, situation: &Situation, call: &str, caller: Option<&Caller>) -> Result<(), Status> {
    let mut client = scene.client(caller);
    let (initiative, request_id, etag) = (scene.initiative.to_string(), new_id(), String::new());
    let (channel, message) = (situation.channel.reference.clone(), situation.message.reference.clone());
    let (cursor, meeting) = (situation.cursor.clone(), situation.meeting.clone());
    let (practice_card, reason) = (situation.card.clone(), "Done".to_owned());
    macro_rules! answered {
        ($method:ident($request:expr)) => {
            client.$method($request).await.map(drop)
        };
    }
    match call {
        "CreateChannel" => answered!(create_channel(CreateChannelRequest {
            initiative,
            space: String::new(),
            definition: Some(definition(&scene.here, ChannelKind::Discussion)),
            request_id,
        })),
        "GetChannel" => answered!(get_channel(GetChannelRequest { channel })),
        "ListChannels" => {
            answered!(list_channels(ListChannelsRequest { initiative, ..ListChannelsRequest::default() }))
        }
        "CloseChannel" => {
            answered!(close_channel(CloseChannelRequest { channel, reason, etag, request_id }))
        }
        "PostMessage" => answered!(post_message(post(&situation.channel, &scene.here, "Hello"))),
        "EditMessage" => answered!(edit_message(EditMessageRequest { message, body: new_id(), etag, request_id })),
        "WithdrawMessage" => answered!(withdraw_message(WithdrawMessageRequest { message, request_id })),
        "GetMessage" => answered!(get_message(GetMessageRequest { message })),
        "ListMessages" => {
            answered!(list_messages(ListMessagesRequest { channel, ..ListMessagesRequest::default() }))
        }
        "WatchMessages" => {
            answered!(watch_messages(WatchMessagesRequest { channel, ..WatchMessagesRequest::default() }))
        }
        "SearchMessages" => answered!(search_messages(SearchMessagesRequest {
            initiative,
            query: "hello".to_owned(),
            ..SearchMessagesRequest::default()
        })),
        "GetReadPosition" => answered!(get_read_position(GetReadPositionRequest { channel })),
        "MoveReadPosition" => {
            answered!(move_read_position(MoveReadPositionRequest { channel, cursor, request_id }))
        }
        "CreateMeeting" => answered!(create_meeting(CreateMeetingRequest {
            initiative,
            space: String::new(),
            definition: Some(a_meeting(&scene.here)),
            request_id,
        })),
        "GetMeeting" => answered!(get_meeting(GetMeetingRequest { meeting })),
        "ListMeetings" => {
            answered!(list_meetings(ListMeetingsRequest { initiative, ..ListMeetingsRequest::default() }))
        }
        "UpdateMeeting" => answered!(update_meeting(UpdateMeetingRequest {
            meeting,
            definition: Some(MeetingDefinition { place: new_id(), ..MeetingDefinition::default() }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["place".to_owned()] }),
            etag,
            request_id,
        })),
        "RecordMinutes" => {
            answered!(record_minutes(RecordMinutesRequest { meeting, minutes: new_id(), etag, request_id }))
        }
        "CancelMeeting" => answered!(cancel_meeting(CancelMeetingRequest { meeting, reason, etag, request_id })),
        "ExportMeeting" => answered!(export_meeting(ExportMeetingRequest { meeting })),
        "PublishPracticeCard" => answered!(publish_practice_card(PublishPracticeCardRequest {
            initiative,
            definition: Some(card(&scene.here)),
            request_id,
        })),
        "GetPracticeCard" => answered!(get_practice_card(GetPracticeCardRequest { practice_card })),
        "ListPracticeCards" => answered!(list_practice_cards(ListPracticeCardsRequest::default())),
        "UpdatePracticeCard" => answered!(update_practice_card(UpdatePracticeCardRequest {
            practice_card,
            definition: Some(PracticeCardDefinition { cost: new_id(), ..card(&scene.here) }),
            etag,
            request_id,
        })),
        "RetractPracticeCard" => {
            answered!(retract_practice_card(RetractPracticeCardRequest { practice_card, reason, request_id }))
        }
        other => panic!("{other} is not in this test"),
    }
}

#[tokio::test]
async fn every_call_is_open_to_whom_it_says_and_to_nobody_else() {
    let scene = Scene::set().await;
    for (name, listed) in TABLE {
        let mut situation = Situation::of(&scene).await;
        for who in [Nobody, Somebody, Own, Elsewhere, Operator].into_iter().chain(ROLES.map(Holding)) {
            let caller = caller(&scene, who).await;
            let before = scene.stage.everything().await;
            let code = match call(&scene, &situation, name, caller.as_ref()).await {
                Ok(()) => Code::Ok,
                Err(status) => status.code(),
            };
            let expected = match who {
                Nobody => Code::Unauthenticated,
                who if who == Operator || listed.contains(&who) => Code::Ok,
                _ => Code::PermissionDenied,
            };
            assert_eq!(code, expected, "{name} by {who:?}");
            let written = scene.stage.everything().await != before;
            assert!(code == Code::Ok || !written, "{name} by {who:?} left something behind");
            if written {
                situation = Situation::of(&scene).await;
            }
        }
    }
}

#[test]
fn the_table_has_every_call_of_the_contract() {
    let calls =
        proto::methods().filter_map(|(path, _)| path.strip_prefix("/commonweal.messaging.v1.MessagingService/"));
    let listed: Vec<&str> = TABLE.iter().map(|(call, _)| *call).collect();
    assert_eq!(calls.collect::<Vec<_>>(), listed);
}

#[tokio::test]
async fn who_may_only_read_or_is_no_member_says_nothing() {
    let scene = Scene::set().await;
    let channel = scene.discussion().await;
    let (observer, stranger) = (scene.organization(), scene.organization());
    scene.stage.grant(&scene.initiative, &observer, Role::Observer).await;
    for organization in [&observer, &stranger] {
        let before = scene.stage.everything().await;
        let mut client = scene.client(Some(&speaking_for(&[organization])));
        let refused = client.post_message(post(&channel, organization, "Hello")).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert!(refused.message().contains("holds no role"), "{}", refused.message());
        assert!(scene.stage.everything().await == before, "nothing is left behind");
    }
}
