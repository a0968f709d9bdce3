//! What the backbone says of entries that their origin really made: the order takes them in with its refusal, every
//! node holds the same, and none but the two ends of the link ever holds the body.

use bytes::Bytes;
use chassis::event::Event;
use chassis::names::Reference;
use prost::{Message, Name};
use proto::federation::{Frame, NodeEnded};
use proto::measurement::MeasureDefined;
use proto::membership::OrganizationRegistered;

use crate::coalition::Coalition;
use crate::node::SAID;

/// What alpha tells, each with the code that it gets for it; none where it is accepted.
fn told(coalition: &Coalition) -> Vec<(&'static str, (Event, Bytes))> {
    let Coalition { alpha, beta, members, .. } = coalition;
    let mine = Reference::born_on(alpha.id());
    let theirs = Reference::born_on(beta.id());
    let event = |type_name: &str, data: &'static str| alpha.event(members, &mine, type_name, data);
    let ended = NodeEnded { node: beta.id().to_string(), reason: "out".to_owned() };
    let as_another = |change: &dyn Fn(&mut Event)| {
        let (event, _) = event(SAID, "as another");
        let mut other = event.clone();
        change(&mut other);
        (event, Bytes::from(other.encode()))
    };
    let known = event(SAID, "accepted");
    // Larger than may cross a border: the body is left behind, and the header goes on alone.
    let huge = alpha.event(members, &mine, SAID, "x".repeat(200 * 1024));
    vec![
        ("", known.clone()),
        ("DUPLICATE_EVENT", known),
        ("NOT_AN_EVENT", (event(SAID, "").0, Bytes::from_static(b"no event"))),
        ("NOT_AN_EVENT", huge),
        ("CONTRADICTION", as_another(&|event| event.home = beta.id().clone())),
        ("CONTRADICTION", as_another(&|event| event.space = coalition.public())),
        ("CONTRADICTION", as_another(&|event| event.type_name = MeasureDefined::full_name())),
        ("BAD_EVENT_ID", as_another(&|event| event.id = uuid::Uuid::from_u128(u128::MAX >> 1))),
        ("NOT_ITS_HOME", alpha.event(members, &theirs, SAID, "of beta")),
        ("UNTELLABLE", event(&Frame::full_name(), "")),
        ("UNTELLABLE", event(&proto::common::Judged::full_name(), "")),
        ("BACKBONE_ONLY", alpha.event(members, &mine, &NodeEnded::full_name(), ended.encode_to_vec())),
        ("ROLE_MISSING", event(&MeasureDefined::full_name(), "")),
        ("", event(SAID, "after")),
    ]
}

#[tokio::test]
async fn each_refusal_stands_in_the_order_alike_on_every_node() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    let told = told(&coalition);
    let events: Vec<_> = told.iter().map(|(_, event)| event.clone()).collect();
    alpha.tell(members, &events).await;
    coalition.all_hear(&["accepted", "after"]).await;
    coalition.agrees().await;

    let codes: Vec<&str> = told.iter().map(|(code, _)| *code).filter(|code| !code.is_empty()).collect();
    assert_eq!(backbone.codes().await, codes);
    for line in backbone.lines().await {
        let code = told[usize::try_from(line.sequence).unwrap() - 1].0;
        assert_eq!((line.code.as_str(), line.origin.as_str()), (code, alpha.id().as_str()));
    }
    let refused = "select count(*) from federation.entries where refused is not null";
    let bodies = "select count(*) from federation.entries where refused is not null and event is not null";
    let count = i64::try_from(codes.len()).unwrap();
    for node in coalition.nodes() {
        assert_eq!(node.count(refused).await, count);
    }
    assert_eq!(beta.count(bodies).await, 0);
    assert!(beta.lines().await.is_empty());
    // The home sees its refusals, and nothing of them waits.
    let status = alpha.status().await;
    let space = status.spaces.iter().find(|space| space.space == members.to_string()).unwrap();
    assert_eq!((space.pending, space.refused), (0, u64::try_from(count).unwrap()));
}

#[tokio::test]
async fn some_events_may_not_be_told_in_some_spaces() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, members, .. } = &coalition;
    let mine = Reference::born_on(alpha.id());
    let private = coalition.between(alpha);
    for space in [&private, &coalition.public()] {
        alpha.tell(space, &[alpha.event(space, &mine, &OrganizationRegistered::full_name(), "")]).await;
    }
    backbone.refuses(&["SPACE_FORBIDDEN", "SPACE_FORBIDDEN"]).await;
    alpha.tell(members, &[alpha.event(members, &mine, &OrganizationRegistered::full_name(), "")]).await;
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["after"]).await;
    assert_eq!(backbone.codes().await.len(), 2);
}

#[tokio::test]
async fn an_unknown_type_is_accepted_and_passed_on() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, .. } = &coalition;
    for space in [coalition.public(), coalition.members.clone()] {
        alpha.say(&space, &["from the future"]).await;
        beta.hears(&space, &["from the future"]).await;
    }
    assert!(backbone.codes().await.is_empty());
    let handed_on = "select count(*) from log where type = 'commonweal.future.v1.Said'";
    assert_eq!((backbone.count(handed_on).await, beta.count(handed_on).await), (2, 2));
}

#[tokio::test]
async fn the_backbones_own_words_are_judged_like_any_others() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, members, .. } = &coalition;
    let (mine, theirs) = (Reference::born_on(backbone.id()), Reference::born_on(alpha.id()));
    let events = [
        backbone.event(members, &mine, SAID, "x".repeat(129 * 1024)),
        backbone.event(members, &theirs, SAID, "of alpha"),
        backbone.event(members, &mine, SAID, "after"),
    ];
    backbone.tell(members, &events).await;
    coalition.all_hear(&["after"]).await;
    coalition.agrees().await;
    assert_eq!(backbone.codes().await, ["TOO_LARGE", "NOT_ITS_HOME"]);
}

#[tokio::test]
async fn many_refusals_at_once_reach_every_node() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, members, .. } = &coalition;
    let mine = Reference::born_on(alpha.id());
    // As small as they can be, so that as many as possible come in a frame.
    let nothing: Vec<_> = (0..1500).map(|_| (alpha.event(members, &mine, "a.B", "").0, Bytes::new())).collect();
    alpha.tell(members, &nothing).await;
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["after"]).await;
    coalition.agrees().await;
    assert_eq!(backbone.count("select count(*) from federation.entries where refused is not null").await, 1500);
}

#[tokio::test]
async fn roles_count_from_where_they_were_granted_until_where_they_ended() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, members, .. } = &coalition;
    let mine = Reference::born_on(alpha.id());
    let defines = || alpha.event(members, &mine, &MeasureDefined::full_name(), "");
    alpha.tell(members, &[defines()]).await;
    backbone.refuses(&["ROLE_MISSING"]).await;

    let membership = Reference::born_on(backbone.id());
    let granted = granted(initiative, &membership, &mine);
    let (name, bytes) = (proto::membership::RoleGranted::full_name(), granted.encode_to_vec());
    backbone.tell(members, &[backbone.event(members, &membership, &name, bytes)]).await;
    alpha.tell(members, &[defines()]).await;
    alpha.say(members, &["defined"]).await;
    coalition.all_hear(&["defined"]).await;
    assert_eq!(backbone.codes().await.len(), 1);

    // Beside a member on the same node nobody else may speak.
    let other = Reference::born_on(alpha.id());
    alpha.tell(members, &[alpha.event(members, &other, &MeasureDefined::full_name(), "")]).await;
    backbone.refuses(&["ROLE_MISSING", "ROLE_MISSING"]).await;

    let ended = proto::membership::RoleEnded {
        initiative: initiative.to_string(),
        membership: membership.to_string(),
        role: granted.role,
    };
    let name = proto::membership::RoleEnded::full_name();
    backbone.tell(members, &[backbone.event(members, &membership, &name, ended.encode_to_vec())]).await;
    alpha.tell(members, &[defines()]).await;
    backbone.refuses(&["ROLE_MISSING"; 3]).await;
    coalition.agrees().await;
    for node in coalition.nodes() {
        assert_eq!(node.count("select count(*) from federation.quarantine where code = 'DISAGREEMENT'").await, 0);
    }
}

/// A role for what lives on the same node as `about`.
pub fn granted(initiative: &Reference, membership: &Reference, about: &Reference) -> proto::membership::RoleGranted {
    proto::membership::RoleGranted {
        initiative: initiative.to_string(),
        membership: membership.to_string(),
        organization: about.to_string(),
        node: about.node.to_string(),
        role: proto::common::Role::DataLead.into(),
        from: Some(chassis::event::timestamp(time::OffsetDateTime::UNIX_EPOCH)),
        until: None,
    }
}
