//! Who may call what: every call by everybody, against a table that stands here and not in the contract.

use chassis::authn::Caller;
use chassis::clock;
use chassis::names::{Reference, Space};
use chassis::testing::{operator, speaking_for};
use federation::store::quarantine::Standing;
use federation::store::reissues;
use prost::{Message, Name};
use proto::common::Role;
use proto::federation::*;
use proto::membership::RoleGranted;
use tonic::{Code, Status};

use crate::coalition::Coalition;
use crate::frames::find;
use crate::node::{Node, SAID, soon};
use crate::verdicts::granted;

/// Whoever calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Without a token.
    Nobody,
    /// With a token, and nothing more.
    Somebody,
    /// Operates the node.
    Operator,
    /// Speaks for an organization of the node that holds this role in the initiative.
    Holding(Role),
}
use Who::{Holding, Nobody, Operator, Somebody};

const EVERYBODY: [Who; 9] = [
    Nobody,
    Somebody,
    Holding(Role::BackboneStaff),
    Holding(Role::SteeringCommittee),
    Holding(Role::Partner),
    Holding(Role::DataLead),
    Holding(Role::Funder),
    Holding(Role::Observer),
    Operator,
];

const OPERATOR: &[Who] = &[Operator];

const TABLE: [(&str, &[Who]); 12] = [
    ("CreateInvitation", OPERATOR),
    ("DropQuarantine", OPERATOR),
    ("DropReissue", OPERATOR),
    ("GetKey", OPERATOR),
    ("GetSpaceDigest", OPERATOR),
    ("GetStatus", OPERATOR),
    ("JoinInitiative", OPERATOR),
    ("ListQuarantine", OPERATOR),
    ("ListReissues", OPERATOR),
    ("RetryQuarantine", OPERATOR),
    ("RevokeNode", OPERATOR),
    ("SendReissue", OPERATOR),
];

async fn caller(coalition: &Coalition, who: Who) -> Option<Caller> {
    let Coalition { backbone, initiative, members, .. } = coalition;
    match who {
        Nobody => None,
        Somebody => Some(speaking_for(&[])),
        Operator => Some(operator()),
        Holding(role) => {
            let (membership, organization) = (Reference::born_on(backbone.id()), Reference::born_on(backbone.id()));
            let granted = RoleGranted { role: role.into(), ..granted(initiative, &membership, &organization) };
            let told = backbone.event(members, &membership, &RoleGranted::full_name(), granted.encode_to_vec());
            backbone.tell(members, &[told]).await;
            Some(speaking_for(&[&organization]))
        }
    }
}

/// Calls the backbone; joining is asked of alpha, which has joined already and may do so again.
async fn call(coalition: &Coalition, call: &str, caller: Option<&Caller>) -> Result<(), Status> {
    let Coalition { backbone, alpha, beta, initiative, members, .. } = coalition;
    let mut client = backbone.calls_by(caller);
    let (request_id, initiative_) = (clock::new_id().to_string(), initiative.to_string());
    match call {
        "CreateInvitation" => {
            let request = CreateInvitationRequest {
                request_id,
                initiative: initiative_,
                initiative_name: "Every child".to_owned(),
                display_name: "a partner".to_owned(),
                valid_seconds: 0,
                follower: false,
            };
            client.create_invitation(request).await.map(drop)
        }
        "DropReissue" => {
            let number = put_aside(backbone, members).await;
            client.drop_reissue(DropReissueRequest { request_id, number }).await.map(drop)
        }
        "SendReissue" => {
            let number = put_aside(backbone, members).await;
            client.send_reissue(SendReissueRequest { request_id, number }).await.map(drop)
        }
        "ListReissues" => client.list_reissues(ListReissuesRequest::default()).await.map(drop),
        "GetSpaceDigest" => {
            let request = GetSpaceDigestRequest { space: members.to_string() };
            client.get_space_digest(request).await.map(drop)
        }
        "GetKey" => client.get_key(GetKeyRequest {}).await.map(drop),
        "GetStatus" => client.get_status(GetStatusRequest {}).await.map(drop),
        "JoinInitiative" => {
            let request = JoinInitiativeRequest { request_id, invitation: backbone.invite(initiative).await };
            alpha.calls_by(caller).join_initiative(request).await.map(drop)
        }
        "DropQuarantine" => {
            find(backbone, beta.id(), 1, Standing::Open).await;
            let ids = backbone.lines().await.into_iter().rev().take(1).map(|line| line.id).collect();
            client.drop_quarantine(DropQuarantineRequest { request_id, ids }).await.map(drop)
        }
        "RetryQuarantine" => client.retry_quarantine(RetryQuarantineRequest { request_id, id: 0 }).await.map(drop),
        "ListQuarantine" => client.list_quarantine(ListQuarantineRequest::default()).await.map(drop),
        "RevokeNode" => {
            let (node, reason) = (beta.id().to_string(), "laptop stolen".to_owned());
            let request = RevokeNodeRequest { request_id, initiative: initiative_, node, reason };
            client.revoke_node(request).await.map(drop)
        }
        other => panic!("{other} is not in this test"),
    }
}

/// Puts an event aside, as a restore does.
async fn put_aside(node: &Node, space: &Space) -> i64 {
    let (event, bytes) = node.event(space, &Reference::born_on(node.id()), SAID, "again");
    let mut connection = node.border.pool.acquire().await.unwrap();
    reissues::keep(&mut connection, space, &[(1, 1, event, bytes)]).await.unwrap();
    reissues::list(&mut connection, 0, 1000).await.unwrap().pop().unwrap().id
}

/// What a call writes at the node that is called, and nothing that links write by themselves.
async fn written(coalition: &Coalition, call: &str) -> Vec<(String, String)> {
    let called = if call == "JoinInitiative" { &coalition.alpha } else { &coalition.backbone };
    sqlx::query_as(
        "select 'request', caller || request_id from requests
         union all select 'initiative', to_jsonb(i)::text from federation.initiatives i
         union all select 'node', to_jsonb(n)::text from federation.nodes n
         union all select 'link', (to_jsonb(l) - 'last_contact')::text from federation.links l
         union all select 'invitation', invitation from federation.invitations
         order by 1, 2",
    )
    .fetch_all(&called.border.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn every_call_is_open_to_whom_it_says_and_to_nobody_else() {
    let coalition = Coalition::new().await;
    for who in EVERYBODY {
        let caller = caller(&coalition, who).await;
        for (name, listed) in TABLE {
            let before = written(&coalition, name).await;
            let expected = match who {
                Nobody => Code::Unauthenticated,
                who if listed.contains(&who) => Code::Ok,
                _ => Code::PermissionDenied,
            };
            let code = match call(&coalition, name, caller.as_ref()).await {
                Ok(()) => Code::Ok,
                Err(status) => status.code(),
            };
            assert_eq!(code, expected, "{name} by {who:?}");
            let wrote = written(&coalition, name).await != before;
            assert!(code == Code::Ok || !wrote, "{name} by {who:?} left something behind");
        }
    }
    // The operator's word counted.
    let ended = async || {
        let members = coalition.backbone.members(&coalition.initiative).await;
        members.iter().any(|(node, ended)| node == coalition.beta.id() && ended.is_some()).then_some(())
    };
    soon(ended).await;
}

#[test]
fn the_table_has_every_call_of_the_contract() {
    let calls =
        proto::methods().filter_map(|(path, _)| path.strip_prefix("/commonweal.federation.v1.FederationService/"));
    let listed: Vec<&str> = TABLE.iter().map(|(call, _)| *call).collect();
    assert_eq!(calls.collect::<Vec<_>>(), listed);
}
