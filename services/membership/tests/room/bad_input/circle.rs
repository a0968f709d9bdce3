//! Bad input to calls about circles.

use super::*;

#[tokio::test]
async fn create_circle_refuses_precisely() {
    let trial = Trial::begins().await;
    let request = |initiative: &str, circle| CreateCircleRequest {
        initiative: initiative.to_owned(),
        circle,
        request_id: new_id(),
    };
    assert_eq!(wrong!(trial, create_circle(request("", None))), ["circle", "initiative"]);
    let here = trial.scene.stage.node.clone();
    let bad = Circle {
        purpose: "x".repeat(4001),
        nodes: vec![here.to_string(), here.to_string(), "7".to_owned()],
        ..Circle::default()
    };
    let all = ["circle.display_name", "circle.nodes[1]", "circle.nodes[2]", "circle.purpose"];
    assert_eq!(wrong!(trial, create_circle(request(&trial.initiative(), Some(bad)))), all);
    for nodes in [Vec::new(), vec![here.to_string(); 101]] {
        let bad = Circle { nodes, ..talks(&[&here]) };
        assert_eq!(wrong!(trial, create_circle(request(&trial.initiative(), Some(bad)))), ["circle.nodes"]);
    }
    assert_eq!(no!(trial, create_circle(request(&trial.unknown(), Some(talks(&[&here]))))), unknown());
    let (alpha, ended) = (some_node(), some_node());
    let fact = trial.scene.node(&trial.initiative(), &ended, "Ended").await;
    trial.scene.node_ended(&fact, &ended, "Gone").await;
    for outside in [&alpha, &ended] {
        let strange = request(&trial.initiative(), Some(talks(&[&here, outside])));
        assert_eq!(no!(trial, create_circle(strange)), refused("NODE_OUTSIDE"));
    }
}

#[tokio::test]
async fn what_is_no_circle_or_over_does_not_change() {
    let trial = Trial::begins().await;
    let circle = trial.situation.circle.clone();
    let update =
        |circle, paths| UpdateCircleRequest { circle: Some(circle), update_mask: mask(paths), request_id: new_id() };
    let end = |circle: &str, reason: &str, etag: &str| EndCircleRequest {
        circle: circle.to_owned(),
        reason: reason.to_owned(),
        etag: etag.to_owned(),
        request_id: new_id(),
    };
    let nothing = UpdateCircleRequest { request_id: new_id(), ..UpdateCircleRequest::default() };
    assert_eq!(wrong!(trial, update_circle(nothing)), ["circle", "update_mask"]);
    let bad = Circle { reference: "7".to_owned(), etag: "x".to_owned(), ..Circle::default() };
    assert_eq!(
        wrong!(trial, update_circle(update(bad, &["nodes"]))),
        ["circle.etag", "circle.nodes", "circle.reference"]
    );
    assert_eq!(wrong!(trial, end_circle(end("", "", "x"))), ["circle", "etag", "reason"]);
    let nowhere = Circle { reference: trial.unknown(), ..circle.clone() };
    assert_eq!(no!(trial, update_circle(update(nowhere, &["purpose"]))), unknown());
    assert_eq!(no!(trial, end_circle(end(&trial.unknown(), "Over", ""))), unknown());
    let old = Circle { etag: "7".to_owned(), ..circle.clone() };
    assert_eq!(no!(trial, update_circle(update(old, &["purpose"]))), stale());
    assert_eq!(no!(trial, end_circle(end(&circle.reference, "Over", "7"))), stale());
    let strange = Circle { nodes: vec![some_node().to_string()], ..circle.clone() };
    assert_eq!(no!(trial, update_circle(update(strange, &["nodes"]))), refused("NODE_OUTSIDE"));

    trial.scene.here().end_circle(end(&circle.reference, "Over", "")).await.unwrap();
    let late = Circle { etag: String::new(), purpose: "More".to_owned(), ..circle.clone() };
    assert_eq!(no!(trial, update_circle(update(late, &["purpose"]))), refused("CIRCLE_ENDED"));
    assert_eq!(no!(trial, end_circle(end(&circle.reference, "Over", ""))), refused("CIRCLE_ENDED"));
}
