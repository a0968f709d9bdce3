//! Who is let in, and who is shut out.

use std::time::{Duration, Instant};

use chassis::clock;
use chassis::identity::NodeKeys;
use federation::accept::{self, Outcome};
use federation::hub::{EnrolmentCredentials, enrol, new_user_seed};
use federation::store::nodes;
use federation::{invitation, join as border};
use prost::Message;
use proto::federation::link_status::State;
use proto::federation::{EnrolmentReply, EnrolmentRequest, Invitation};
use tempfile::TempDir;

use crate::acceptances::Pretender;
use crate::coalition::Coalition;
use crate::forge::{Forge, down, send};
use crate::node::{Home, Node, PATIENCE, soon};

async fn gamma(coalition: &Coalition) -> Node {
    Home::new(&coalition.postgres.0, "gamma", None).await.start().await
}

/// Asks until the answer is not just that nobody is at the desk yet.
async fn refused(node: &Node, invitation: &str) -> String {
    soon(async || match node.join(invitation).await {
        Ok(()) => panic!("it was let in"),
        Err(refused) if refused.message().contains("cannot be reached") => None,
        Err(refused) => Some(refused.message().to_owned()),
    })
    .await
}

#[tokio::test]
async fn an_invitation_lets_one_node_in_as_often_as_it_asks() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, beta, initiative, members, .. } = &coalition;
    let (gamma, invitation) = (gamma(&coalition).await, backbone.invite(initiative).await);
    soon(async || gamma.join(&invitation).await.ok()).await;
    let mailbox = async || -> serde_json::Value {
        let of_gamma = "select mailbox from federation.links where node = $1";
        sqlx::query_scalar(of_gamma).bind(gamma.id().as_str()).fetch_one(&backbone.border.pool).await.unwrap()
    };
    let (first, position) = (mailbox().await, backbone.order(members).await.position);
    soon(async || gamma.join(&invitation).await.ok()).await;
    assert_eq!((mailbox().await, backbone.order(members).await.position), (first, position));
    gamma.say(members, &["here"]).await;
    beta.hears(members, &["here"]).await;

    let delta = Home::new(&coalition.postgres.0, "delta", None).await.start().await;
    let words = refused(&delta, &invitation).await;
    assert!(words.contains("used by another node"), "{words}");
    assert_eq!(backbone.members(initiative).await.len(), 3);
}

#[tokio::test]
async fn an_invitation_ends_when_it_said_it_would() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, initiative, .. } = &coalition;
    let (gamma, invitation) = (gamma(&coalition).await, backbone.invite(initiative).await);
    let past = "update federation.invitations set expires_at = now() where node is null";
    sqlx::query(past).execute(&backbone.border.pool).await.unwrap();
    let words = refused(&gamma, &invitation).await;
    assert!(words.contains("has expired"), "{words}");
    let unknown = "delete from federation.invitations where node is null";
    sqlx::query(unknown).execute(&backbone.border.pool).await.unwrap();
    let words = refused(&gamma, &invitation).await;
    assert!(words.contains("does not know this invitation"), "{words}");
    assert_eq!(backbone.members(initiative).await.len(), 2);
}

/// A newcomer that says what it likes.
pub struct Knocker {
    pub keys: NodeKeys,
    pub invitation: Invitation,
    pub coalition_hub: federation::hub::HubReach,
    pub _folder: TempDir,
}

impl Knocker {
    pub fn request(&self, invitation: &Invitation) -> EnrolmentRequest {
        border::request(&self.keys, "gamma", invitation, new_user_seed().unwrap().1)
    }

    pub async fn knock(&self, request: &EnrolmentRequest) -> EnrolmentReply {
        let invitation = &self.invitation;
        let credentials = EnrolmentCredentials {
            invitation: invitation.invitation.clone(),
            user_token: invitation.enrolment_jwt.clone(),
            user_seed: invitation.enrolment_seed.clone(),
        };
        let bytes = || request.encode_to_vec().into();
        let answer =
            soon(async || enrol(&self.coalition_hub, &credentials, bytes(), Duration::from_secs(5)).await.ok()).await;
        EnrolmentReply::decode(answer).unwrap()
    }
}

#[tokio::test]
async fn nobody_is_let_in_without_proof() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, .. } = &coalition;
    let folder = TempDir::new().unwrap();
    let invitation = invitation::read(&backbone.invite(initiative).await, clock::now()).unwrap();
    let knocker = Knocker {
        keys: NodeKeys::create(folder.path()).unwrap(),
        invitation: invitation.clone(),
        coalition_hub: coalition.hub.side.reach.clone(),
        _folder: folder,
    };
    let good = knocker.request(&invitation);
    let unread = Invitation { secret: vec![0; 32].into(), ..invitation.clone() };
    let by_alpha = border::request(&alpha.border.keys, "gamma", &invitation, good.connection_key.clone());
    let without_proof = [
        knocker.request(&unread),
        EnrolmentRequest { proof: by_alpha.proof.clone(), ..good.clone() },
        EnrolmentRequest { node: alpha.id().to_string(), ..good.clone() },
        EnrolmentRequest { keys: alpha.border.keys.chain(), ..good.clone() },
        EnrolmentRequest { keys: Vec::new(), ..good.clone() },
        EnrolmentRequest { display_name: "another name".to_owned(), ..good.clone() },
        EnrolmentRequest { connection_key: new_user_seed().unwrap().1, ..good.clone() },
    ];
    for request in without_proof {
        let reply = knocker.knock(&request).await;
        assert!(reply.refusal.contains("could not prove its keys"), "{reply:?}");
    }
    let not_in_form = [
        EnrolmentRequest { display_name: "\0".to_owned(), ..good.clone() },
        EnrolmentRequest { display_name: "x".repeat(201), ..good.clone() },
        EnrolmentRequest { connection_key: "nonsense".to_owned(), ..good.clone() },
        EnrolmentRequest { invitation: "another".to_owned(), ..good.clone() },
        EnrolmentRequest { node: "nobody".to_owned(), ..good.clone() },
    ];
    for request in not_in_form {
        let reply = knocker.knock(&request).await;
        assert!(reply.refusal.contains("cannot be read"), "{reply:?}");
    }
    assert_eq!(backbone.members(initiative).await.len(), 2);
    assert_eq!(knocker.knock(&good).await.refusal, "");
    assert_eq!(backbone.members(initiative).await.len(), 3);
}

#[tokio::test]
async fn an_invitation_puts_nobody_in_the_backbones_place() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, .. } = &coalition;
    let gamma = gamma(&coalition).await;
    let genuine = invitation::read(&backbone.invite(initiative).await, clock::now()).unwrap();
    let other_root = Invitation { root_key: alpha.border.root.0.to_vec().into(), ..genuine.clone() };
    let words = refused(alpha, &invitation::write(&other_root)).await;
    assert!(words.contains("under another root key"), "{words}");
    let words = refused(backbone, &invitation::write(&genuine)).await;
    assert!(words.contains("itself the backbone of"), "{words}");
    let words = refused(&gamma, &invitation::write(&other_root)).await;
    assert!(words.contains("is not the backbone"), "{words}");
}

#[tokio::test]
async fn a_node_that_is_shut_out_is_not_heard_any_more_and_what_it_said_stays() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    alpha.say(members, &["kept"]).await;
    coalition.all_hear(&["kept"]).await;
    let mut road = alpha.link(backbone, initiative).mailbox.road();
    let asked = Instant::now();
    let shut = async {
        tokio::time::timeout(PATIENCE, road.wait_for(|road| !road.is_open())).await.unwrap().unwrap();
        asked.elapsed()
    };
    let ((), after) = tokio::join!(backbone.revoke(initiative, alpha.id()), shut);
    assert!(after < Duration::from_secs(1), "{after:?}");

    let ended = |members: Vec<(_, Option<i64>)>| members.iter().any(|(node, at)| node == alpha.id() && at.is_some());
    for node in [backbone, beta] {
        soon(async || ended(node.members(initiative).await).then_some(())).await;
    }
    soon(async || (alpha.status().await.links[0].state() == State::Refused).then_some(())).await;

    // Neither the backbone takes what it signs later, nor any other from a backbone that did.
    let forge = Forge::of(alpha, members).await;
    let late = forge.sealed(&[forge.entry("late")]);
    let mut connection = backbone.border.pool.acquire().await.unwrap();
    let known = nodes::initiative(&mut connection, initiative).await.unwrap().unwrap();
    let outcome = accept::frame(&backbone.border, &mut connection, &known, alpha.id(), &late).await.unwrap();
    drop(connection);
    assert_eq!((outcome, backbone.codes().await), (Outcome::Quarantined, vec!["NOT_ADMITTED".to_owned()]));
    let pretender = Pretender::of(&coalition, beta).await;
    send(&backbone.link(beta, initiative), &down(pretender.accepted(&late))).await;
    beta.refuses(&["NOT_ADMITTED"]).await;

    beta.say(members, &["on"]).await;
    for node in [backbone, beta] {
        node.hears(members, &["kept", "on"]).await;
    }
    assert_eq!(alpha.heard(members).await, ["kept"]);
    let words = refused(alpha, &backbone.invite(initiative).await).await;
    assert!(words.contains("was ended before"), "{words}");
}
