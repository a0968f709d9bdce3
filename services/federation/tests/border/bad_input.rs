//! What every call says to bad input: what is wrong, field by field, and nothing written.

use chassis::clock;
use chassis::names::Reference;
use chassis::testing::{operator, some_node};
use federation::invitation;
use proto::federation::*;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::coalition::Coalition;
use crate::node::Node;

pub fn new_id() -> String {
    clock::new_id().to_string()
}

pub fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    let mut fields: Vec<String> = violations.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    fields
}

pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

async fn everything(node: &Node) -> Vec<(String, String)> {
    sqlx::query_as(
        "select 'requests', to_jsonb(r)::text from requests r
         union all select 'log', event_id::text from log
         union all select 'initiatives', to_jsonb(i)::text from federation.initiatives i
         union all select 'invitations', to_jsonb(i)::text from federation.invitations i
         union all select 'links', (to_jsonb(l) - 'last_contact')::text from federation.links l
         order by 1, 2",
    )
    .fetch_all(&node.border.pool)
    .await
    .unwrap()
}

/// A refused call, which wrote nothing.
macro_rules! refused {
    ($node:expr, $method:ident, $request:expr) => {{
        let before = everything($node).await;
        let status: Status = $node.calls().$method($request).await.unwrap_err();
        assert_eq!(everything($node).await, before, "something was written");
        status
    }};
}

pub fn wanted(initiative: &Reference) -> CreateInvitationRequest {
    CreateInvitationRequest {
        request_id: new_id(),
        initiative: initiative.to_string(),
        initiative_name: "Every child".to_owned(),
        display_name: "a partner".to_owned(),
        valid_seconds: 3600,
        follower: false,
    }
}

#[tokio::test]
async fn what_is_missing_or_malformed_is_named_by_every_call() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, initiative, .. } = &coalition;
    let mut tried = Vec::new();
    macro_rules! wrong {
        ($($call:literal: $method:ident($request:expr) = $fields:expr;)+) => {
            $(
                let status = refused!(backbone, $method, $request);
                assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
                assert_eq!(fields(&status), $fields.map(str::to_owned), $call);
                tried.push($call);
            )+
        };
    }
    let long = CreateInvitationRequest {
        initiative_name: "x".repeat(201),
        display_name: "a\nb".to_owned(),
        valid_seconds: 59,
        ..wanted(initiative)
    };
    let revoke = RevokeNodeRequest {
        request_id: new_id(),
        initiative: initiative.to_string(),
        node: coalition.alpha.id().to_string(),
        reason: "Because".to_owned(),
    };
    let quarantine = ListQuarantineRequest::default;
    wrong! {
        "CreateInvitation": create_invitation(CreateInvitationRequest::default())
            = ["display_name", "initiative", "initiative_name"];
        "CreateInvitation": create_invitation(long) = ["display_name", "initiative_name", "valid_seconds"];
        "CreateInvitation": create_invitation(CreateInvitationRequest { valid_seconds: 2_592_001, ..wanted(initiative) })
            = ["valid_seconds"];
        "CreateInvitation": create_invitation(CreateInvitationRequest { request_id: "short".to_owned(), ..wanted(initiative) })
            = ["request_id"];
        "DropReissue": drop_reissue(DropReissueRequest { request_id: "short".to_owned(), number: 1 }) = ["request_id"];
        "ListReissues": list_reissues(ListReissuesRequest { page_size: -1, ..ListReissuesRequest::default() }) = ["page_size"];
        "ListReissues": list_reissues(ListReissuesRequest { page_size: 1, page_token: "no token".to_owned() })
            = ["page_token"];
        "SendReissue": send_reissue(SendReissueRequest { request_id: "short".to_owned(), number: 1 }) = ["request_id"];
        "DropQuarantine": drop_quarantine(DropQuarantineRequest::default()) = ["ids"];
        "DropQuarantine": drop_quarantine(DropQuarantineRequest { request_id: new_id(), ids: vec![1, 0] }) = ["ids"];
        "DropQuarantine": drop_quarantine(DropQuarantineRequest { request_id: new_id(), ids: (1..=501).collect() })
            = ["ids"];
        "DropQuarantine": drop_quarantine(DropQuarantineRequest { request_id: "short".to_owned(), ids: vec![1] })
            = ["request_id"];
        "GetSpaceDigest": get_space_digest(GetSpaceDigestRequest::default()) = ["space"];
        "GetSpaceDigest": get_space_digest(GetSpaceDigestRequest { space: "everywhere".to_owned() }) = ["space"];
        "JoinInitiative": join_initiative(JoinInitiativeRequest::default()) = ["invitation"];
        "JoinInitiative": join_initiative(JoinInitiativeRequest { request_id: new_id(), invitation: "x".repeat(100_000) })
            = ["invitation"];
        "ListQuarantine": list_quarantine(ListQuarantineRequest { node: "nobody".to_owned(), page_size: -1, ..quarantine() })
            = ["node", "page_size"];
        "ListQuarantine": list_quarantine(ListQuarantineRequest { page_token: "no token".to_owned(), ..quarantine() })
            = ["page_token"];
        "RetryQuarantine": retry_quarantine(RetryQuarantineRequest { request_id: new_id(), id: -1 }) = ["id"];
        "RetryQuarantine": retry_quarantine(RetryQuarantineRequest::default()) = ["request_id"];
        "RevokeNode": revoke_node(RevokeNodeRequest::default()) = ["initiative", "node", "reason"];
        "RevokeNode": revoke_node(RevokeNodeRequest { reason: "x".repeat(501), ..revoke.clone() }) = ["reason"];
        "RevokeNode": revoke_node(RevokeNodeRequest { request_id: "short".to_owned(), ..revoke }) = ["request_id"];
    }
    // The status takes nothing that could be wrong; a new call without a line above is seen.
    tried.extend(["GetKey", "GetStatus"]);
    tried.sort_unstable();
    tried.dedup();
    let calls =
        proto::methods().filter_map(|(path, _)| path.strip_prefix("/commonweal.federation.v1.FederationService/"));
    assert_eq!(calls.collect::<Vec<_>>(), tried);
}

#[tokio::test]
async fn what_nobody_knows_or_is_anothers_is_refused() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, initiative, .. } = &coalition;
    let revoke = |initiative: &Reference, node: &chassis::names::NodeId| RevokeNodeRequest {
        request_id: new_id(),
        initiative: initiative.to_string(),
        node: node.to_string(),
        reason: "Because".to_owned(),
    };
    // Born here or elsewhere: an initiative in which nothing was told is none.
    for unknown in [Reference::born_on(backbone.id()), Reference::born_on(&some_node())] {
        assert_eq!(refused!(backbone, create_invitation, wanted(&unknown)).code(), Code::NotFound);
        assert_eq!(refused!(backbone, revoke_node, revoke(&unknown, alpha.id())).code(), Code::NotFound);
    }
    assert_eq!(refused!(backbone, revoke_node, revoke(initiative, &some_node())).code(), Code::NotFound);
    let drop = DropQuarantineRequest { request_id: new_id(), ids: vec![17] };
    assert_eq!(refused!(backbone, drop_quarantine, drop).code(), Code::NotFound);
    let retry = RetryQuarantineRequest { request_id: new_id(), id: 17 };
    assert_eq!(refused!(backbone, retry_quarantine, retry).code(), Code::NotFound);
    // What is the backbone's to do a partner does not.
    assert_eq!(reason(&refused!(alpha, create_invitation, wanted(initiative))), "NOT_THE_BACKBONE");
    assert_eq!(reason(&refused!(alpha, revoke_node, revoke(initiative, beta.id()))), "NOT_THE_BACKBONE");
    let follower = CreateInvitationRequest { follower: true, ..wanted(initiative) };
    assert_eq!(reason(&refused!(alpha, create_invitation, follower)), "NOT_THE_BACKBONE");
    // Who belongs to an initiative is not made less by following it.
    let invitation = backbone.invite_as(initiative, true).await;
    let follow = JoinInitiativeRequest { request_id: new_id(), invitation };
    assert_eq!(reason(&refused!(alpha, join_initiative, follow)), "BELONGS_ALREADY");
}

#[tokio::test]
async fn an_invitation_does_not_rename_an_initiative() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, initiative, .. } = &coalition;
    let other = CreateInvitationRequest { initiative_name: "Another name".to_owned(), ..wanted(initiative) };
    let line = backbone.calls().create_invitation(other).await.unwrap().into_inner().invitation;
    assert_eq!(invitation::read(&line, clock::now()).unwrap().initiative_name, "Every child");
    let named = "select count(*) from federation.initiatives where name = 'Every child'";
    assert_eq!(backbone.count(named).await, 1);
}

#[tokio::test]
async fn the_same_request_has_one_effect_and_the_same_answer_and_no_secret_is_kept() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, initiative, .. } = &coalition;
    let operator = operator();
    let mut client = backbone.calls_by(Some(&operator));
    let request = wanted(initiative);
    let invitations = "select count(*) from federation.invitations";
    let first = client.create_invitation(request.clone()).await.unwrap().into_inner();
    let given = backbone.count(invitations).await;
    let again = client.create_invitation(request.clone()).await.unwrap().into_inner();
    assert_eq!((again, backbone.count(invitations).await), (first.clone(), given));
    let other = CreateInvitationRequest { display_name: "another".to_owned(), ..request };
    assert_eq!(fields(&client.create_invitation(other).await.unwrap_err()), ["request_id"]);

    let invitation = invitation::read(&first.invitation, clock::now()).unwrap();
    let seed = invitation.enrolment_seed.into_bytes();
    for secret in [invitation.secret.as_ref(), &seed, first.invitation.as_bytes()] {
        let kept: i64 = sqlx::query_scalar("select count(*) from requests where position($1::bytea in reply) > 0")
            .bind(secret)
            .fetch_one(&backbone.border.pool)
            .await
            .unwrap();
        assert_eq!(kept, 0);
    }
}
