//! Messages that are meant to stop a node, or that do so by accident: they stop nothing but themselves.

use bytes::Bytes;
use chassis::names::{Reference, Space};
use federation::pace::Say;
use prost::{Message, Name};
use proto::federation::have::SpaceHead;
use proto::federation::{Have, NodeAdmitted, link_message};
use proto::membership::RoleGranted;

use crate::coalition::Coalition;
use crate::forge::{message, send};
use crate::node::soon;
use crate::verdicts::granted;

#[tokio::test]
async fn one_message_that_the_database_refuses_keeps_back_no_other() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, members, .. } = &coalition;
    let private = coalition.between(alpha);
    let constraint = "alter table federation.entries add constraint poison
                          check (event is null or position('poison' in encode(event, 'escape')) = 0)";
    sqlx::query(constraint).execute(&backbone.border.pool).await.unwrap();
    alpha.say(&private, &["poison"]).await;
    alpha.say(members, &["fine"]).await;
    coalition.all_hear(&["fine"]).await;
    let line = soon(async || backbone.lines().await.pop()).await;
    assert_eq!((line.code.as_str(), line.node), ("LOCAL_FAULT", alpha.id().to_string()));
    assert!(backbone.heard(&private).await.is_empty());

    // It was not judged: once the fault is mended it is taken in by itself.
    sqlx::query("alter table federation.entries drop constraint poison").execute(&backbone.border.pool).await.unwrap();
    backbone.hears(&private, &["poison"]).await;
    assert_eq!(backbone.codes().await, ["LOCAL_FAULT"]);
}

#[tokio::test]
async fn a_governance_event_that_cannot_be_kept_changes_nothing_and_stops_nothing() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    let membership = Reference::born_on(backbone.id());
    let about = Reference::born_on(alpha.id());
    let with_nul = RoleGranted { organization: "a\0b".to_owned(), ..granted(initiative, &membership, &about) };
    let named =
        NodeAdmitted { display_name: "\0".to_owned(), keys: alpha.border.keys.chain(), node: alpha.id().to_string() };
    let elsewhere = granted(&Reference::born_on(beta.id()), &membership, &about);
    let events = [
        backbone.event(members, &membership, &RoleGranted::full_name(), with_nul.encode_to_vec()),
        backbone.event(members, &membership, &RoleGranted::full_name(), elsewhere.encode_to_vec()),
        backbone.event(members, &membership, &RoleGranted::full_name(), &b"\xff"[..]),
        backbone.event(members, &membership, &NodeAdmitted::full_name(), named.encode_to_vec()),
    ];
    backbone.tell(members, &events).await;
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["after"]).await;
    coalition.agrees().await;
    for node in coalition.nodes() {
        assert_eq!(node.count("select count(*) from roles").await, 0);
        assert_eq!(node.members(initiative).await.len(), 2);
    }
}

fn says(spaces: &[(&Space, u64)]) -> Bytes {
    let head = |(space, position): &(&Space, u64)| SpaceHead {
        initiative: space.initiative().unwrap().to_string(),
        space: federation::wire::within(space),
        position: *position,
        digest: Bytes::from_static(&[1; 32]),
    };
    let have = Have { spaces: spaces.iter().map(head).collect(), resume: true, ..Have::default() };
    message(link_message::Message::Have(have))
}

#[tokio::test]
async fn absurd_claims_of_what_a_partner_has_harm_nobody() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, members, .. } = &coalition;
    coalition.agrees().await;
    let public = coalition.public();
    let far = u64::try_from(i64::MAX).unwrap();
    let road = alpha.link(backbone, initiative);
    send(&road, &says(&[(members, far), (&public, far), (members, u64::MAX), (members, far)])).await;
    backbone.refuses(&["FORK", "FORK"]).await;
    assert_eq!(backbone.count("select count(*) from federation.cursors where position > 1000").await, 0);
    let link = backbone.status().await.links.into_iter().find(|link| link.node == alpha.id().to_string()).unwrap();
    assert_eq!(link.last_refusal, backbone.lines().await.pop().unwrap().reason);

    // What it truly has counts again as soon as it says so.
    backbone.say(members, &["after"]).await;
    road.pace.say(Say { answer: false, resume: true });
    coalition.all_hear(&["after"]).await;
}

#[tokio::test]
async fn asking_for_what_is_anothers_brings_nothing() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    let private = coalition.between(beta);
    beta.say(&private, &["secret"]).await;
    backbone.hears(&private, &["secret"]).await;
    let lines = backbone.codes().await.len();
    send(&alpha.link(backbone, initiative), &says(&[(&private, 0), (&private, 7)])).await;
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["after"]).await;
    alpha.say(members, &["after that"]).await;
    coalition.all_hear(&["after", "after that"]).await;
    assert_eq!(alpha.order(&private).await.position, 0);
    // Neither is it told that there is such a space, nor refused as if there were.
    assert_eq!(backbone.codes().await.len(), lines);
    assert!(alpha.codes().await.is_empty());
}
