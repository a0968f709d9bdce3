//! What people are shown of what was refused, and what they can do about it: look, try again, take away. Nothing of that
//! changes a verdict.

use std::time::{Duration, Instant};

use chassis::names::Reference;
use federation::store::quarantine::Standing;
use proto::federation::quarantined_item::Standing as Shown;
use proto::federation::*;
use tonic::{Code, Status};

use crate::bad_input::{fields, new_id, reason};
use crate::coalition::Coalition;
use crate::frames::find;
use crate::node::{Node, SAID, soon};

async fn items(node: &Node) -> Vec<QuarantinedItem> {
    node.calls().list_quarantine(ListQuarantineRequest::default()).await.unwrap().into_inner().items
}

async fn retry(node: &Node, id: i64) -> Result<RetryQuarantineResponse, Status> {
    let request = RetryQuarantineRequest { request_id: new_id(), id };
    node.calls().retry_quarantine(request).await.map(tonic::Response::into_inner)
}

async fn drop_lines(node: &Node, ids: &[i64]) -> Result<(), Status> {
    let request = DropQuarantineRequest { request_id: new_id(), ids: ids.to_vec() };
    node.calls().drop_quarantine(request).await.map(|_| ())
}

#[tokio::test]
async fn what_is_refused_is_shown_at_both_ends_with_what_to_do() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    let theirs = Reference::born_on(beta.id());
    alpha.tell(members, &[alpha.event(members, &theirs, SAID, "of beta")]).await;
    backbone.refuses(&["NOT_ITS_HOME"]).await;
    alpha.refuses(&["NOT_ITS_HOME"]).await;
    let (there, here) = (items(backbone).await.remove(0), items(alpha).await.remove(0));
    for item in [&there, &here] {
        let told = (item.space.as_str(), item.origin.as_str(), item.sequence);
        assert_eq!(told, (members.to_string().as_str(), alpha.id().as_str(), 1));
        assert_eq!((item.standing(), item.display_name.is_empty()), (Shown::Refused, false));
    }
    assert_eq!((there.node.as_str(), here.node.as_str()), (alpha.id().as_str(), backbone.id().as_str()));
    assert!(here.ours && here.advice.starts_with("ask the node it is about"), "{here:?}");
    assert!(!there.ours && there.advice.starts_with("nothing here"), "{there:?}");
    // The newest line stands in the status of the link.
    for (node, line) in [(backbone, there), (alpha, here)] {
        let link = node.status().await.links.into_iter().find(|link| link.quarantined > 0).unwrap();
        assert_eq!((link.newest.unwrap(), link.last_refusal), (line.clone(), line.reason));
    }
    assert!(items(beta).await.is_empty());
}

#[tokio::test]
async fn what_this_node_could_not_keep_comes_again_when_somebody_asks() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, .. } = &coalition;
    let private = coalition.between(alpha);
    let constraint = "alter table federation.entries add constraint poison
                          check (event is null or position('poison' in encode(event, 'escape')) = 0)";
    sqlx::query(constraint).execute(&backbone.border.pool).await.unwrap();
    alpha.say(&private, &["poison"]).await;
    backbone.refuses(&["LOCAL_FAULT"]).await;
    let line = items(backbone).await.remove(0);
    assert_eq!((line.standing(), line.node.as_str()), (Shown::Held, alpha.id().as_str()));
    let of_alpha = async || backbone.status().await.links.into_iter().find(|link| link.node == line.node).unwrap();
    assert_eq!(of_alpha().await.held, 1);
    // Held is not refused: it is not taken away.
    let status = drop_lines(backbone, &[line.id]).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "HELD"));

    // As wrong as before, the line comes back.
    retry(backbone, line.id).await.unwrap();
    let again = soon(async || items(backbone).await.pop().filter(|again| again.id > line.id)).await;

    sqlx::query("alter table federation.entries drop constraint poison").execute(&backbone.border.pool).await.unwrap();
    // Asked for one line, or for everything that is held.
    let asked = match retry(backbone, again.id).await {
        Ok(asked) => asked,
        Err(_) => retry(backbone, 0).await.unwrap(),
    };
    assert!(asked.lines <= 1);
    backbone.hears(&private, &["poison"]).await;
    soon(async || {
        // What was under way while the fault was mended may have left a last line.
        retry(backbone, 0).await.unwrap();
        items(backbone).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(of_alpha().await.held, 0);
    assert!(backbone.links.get(alpha.id(), initiative).is_some());
}

#[tokio::test]
async fn a_verdict_is_not_tried_again_and_its_line_can_be_dropped() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    let theirs = Reference::born_on(beta.id());
    alpha.tell(members, &[alpha.event(members, &theirs, SAID, "of beta")]).await;
    backbone.refuses(&["NOT_ITS_HOME"]).await;
    find(backbone, alpha.id(), 7, Standing::Alarm).await;
    find(backbone, alpha.id(), 8, Standing::Open).await;
    let lines = items(backbone).await;
    let standings: Vec<Shown> = lines.iter().map(QuarantinedItem::standing).collect();
    assert_eq!(standings, [Shown::Open, Shown::Alarm, Shown::Refused]);
    for line in &lines[1..] {
        assert_eq!(reason(&retry(backbone, line.id).await.unwrap_err()), "FINAL");
    }
    assert_eq!(retry(backbone, 0).await.unwrap().lines, 0, "nothing of these is held");
    assert_eq!(retry(backbone, lines[0].id).await.unwrap().lines, 1);
    assert_eq!(items(backbone).await, lines[1..]);

    // All or none.
    let status = drop_lines(backbone, &[lines[1].id, lines[0].id]).await.unwrap_err();
    assert_eq!((status.code(), items(backbone).await.len()), (Code::NotFound, 2));
    drop_lines(backbone, &[lines[1].id, lines[2].id]).await.unwrap();
    assert!(items(backbone).await.is_empty());
    // The entry stays refused, on every node.
    alpha.say(members, &["after"]).await;
    coalition.all_hear(&["after"]).await;
    coalition.agrees().await;
    for node in coalition.nodes() {
        assert_eq!(node.count("select count(*) from federation.entries where refused is not null").await, 1);
    }
}

#[tokio::test]
async fn whoever_tries_again_asks_the_other_side_at_once() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, initiative, .. } = &coalition;
    coalition.agrees().await;
    let road = alpha.link(backbone, initiative);
    let started = Instant::now();
    for nth in 1..=3 {
        find(backbone, alpha.id(), nth, Standing::Open).await;
        let turn = road.pace.turn();
        retry(backbone, items(backbone).await[0].id).await.unwrap();
        soon(async || (road.pace.turn() > turn).then_some(())).await;
    }
    // By themselves they would have gone back every half a minute.
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
}

#[tokio::test]
async fn nothing_is_asked_of_a_node_to_which_no_link_works() {
    let coalition = Coalition::new().await;
    let backbone = &coalition.backbone;
    find(backbone, &chassis::testing::some_node(), 1, Standing::Open).await;
    let line = items(backbone).await.remove(0);
    let status = retry(backbone, line.id).await.unwrap_err();
    assert_eq!((reason(&status).as_str(), items(backbone).await.len()), ("NO_LINK", 1));
}

#[tokio::test]
async fn what_was_sent_and_confirmed_is_counted_for_each_link() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, members, .. } = &coalition;
    alpha.say(members, &["one", "two", "three"]).await;
    coalition.all_hear(&["one", "two", "three"]).await;
    // Alpha sent three entries; the backbone sends each partner every step of the order.
    let steps = backbone.order(members).await.position;
    soon(async || {
        let link = alpha.status().await.links.remove(0);
        ((link.sent, link.confirmed, link.lag_entries, link.held) == (3, 3, 0, 0)).then_some(())
    })
    .await;
    soon(async || {
        let links = backbone.status().await.links;
        links.iter().all(|link| (link.sent, link.confirmed, link.lag_entries) == (steps, steps, 0)).then_some(())
    })
    .await;
    let received: u64 = backbone.status().await.links.iter().map(|link| link.received).sum();
    assert_eq!(received, 3);
}

#[tokio::test]
async fn quarantine_is_listed_page_by_page() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    let theirs = Reference::born_on(beta.id());
    let told: Vec<_> =
        (0..5).map(|number| alpha.event(members, &theirs, crate::node::SAID, format!("{number}"))).collect();
    alpha.tell(members, &told).await;
    backbone.refuses(&["NOT_ITS_HOME"; 5]).await;
    let mut sequences = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            ListQuarantineRequest { node: alpha.id().to_string(), page_size: 2, page_token: page_token.clone() };
        let page = backbone.calls().list_quarantine(request).await.unwrap().into_inner();
        assert!(page.items.len() <= 2);
        sequences.extend(page.items.into_iter().map(|item| item.sequence));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
        let of_all = ListQuarantineRequest { page_token: page_token.clone(), ..ListQuarantineRequest::default() };
        assert_eq!(fields(&backbone.calls().list_quarantine(of_all).await.unwrap_err()), ["page_token"]);
    }
    assert_eq!(sequences, [5, 4, 3, 2, 1]);
}
