//! Borders of several nodes, linked through a real hub.
#![cfg(test)]

mod node;

use chassis::names::{Reference, Space, Within};
use node::{Node, postgres, soon};

/// A backbone and two partners that have joined, with the members space of their initiative.
struct Coalition {
    backbone: Node,
    alpha: Node,
    beta: Node,
    initiative: Reference,
    members: Space,
    _postgres: (chassis::embedded::Postgres, tempfile::TempDir),
}

async fn coalition() -> Coalition {
    let postgres = postgres().await;
    let backbone = Node::start(&postgres.0, "backbone", true).await;
    let alpha = Node::start(&postgres.0, "alpha", false).await;
    let beta = Node::start(&postgres.0, "beta", false).await;
    let initiative = Reference::born_on(backbone.border.node());
    let members = Space::members(&initiative);
    for partner in [&alpha, &beta] {
        partner.join(&backbone.invite(&initiative).await).await;
    }
    Coalition { backbone, alpha, beta, initiative, members, _postgres: postgres }
}

impl Coalition {
    fn nodes(&self) -> [&Node; 3] {
        [&self.backbone, &self.alpha, &self.beta]
    }

    async fn all_hear(&self, space: &Space, words: &[&str]) {
        for node in self.nodes() {
            soon(async || (node.heard(space).await == words).then_some(())).await;
        }
    }
}

fn about(node: &Node) -> Reference {
    Reference::born_on(node.border.node())
}

#[tokio::test]
async fn what_one_says_all_hold_in_the_same_order() {
    let coalition = coalition().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    alpha.say(members, &["a1", "a2"], &about(alpha)).await;
    coalition.all_hear(members, &["a1", "a2"]).await;
    beta.say(members, &["b1"], &about(beta)).await;
    coalition.all_hear(members, &["a1", "a2", "b1"]).await;
    backbone.say(members, &["c1"], &about(backbone)).await;
    coalition.all_hear(members, &["a1", "a2", "b1", "c1"]).await;
    let order = backbone.position(members).await;
    assert_eq!(alpha.position(members).await, order);
    assert_eq!(beta.position(members).await, order);
}

#[tokio::test]
async fn what_is_between_one_partner_and_the_backbone_no_other_holds() {
    let coalition = coalition().await;
    let Coalition { backbone, alpha, beta, initiative, members, .. } = &coalition;
    let private = Space::Of(initiative.clone(), Within::Backbone(alpha.border.node().clone()));
    alpha.say(&private, &["secret"], &about(alpha)).await;
    soon(async || (backbone.heard(&private).await == ["secret"]).then_some(())).await;
    alpha.say(members, &["open"], &about(alpha)).await;
    coalition.all_hear(members, &["open"]).await;
    assert_eq!(beta.position(&private).await.0, 0);
    let held: Vec<String> =
        sqlx::query_scalar("select distinct space from federation.entries").fetch_all(&beta.border.pool).await.unwrap();
    assert_eq!(held, [members.to_string()]);
}

#[tokio::test]
async fn a_newcomer_is_filled_from_the_first_entry() {
    let coalition = coalition().await;
    let Coalition { backbone, alpha, initiative, members, .. } = &coalition;
    alpha.say(members, &["early"], &about(alpha)).await;
    coalition.all_hear(members, &["early"]).await;
    let gamma = Node::start(&coalition._postgres.0, "gamma", false).await;
    gamma.join(&backbone.invite(initiative).await).await;
    soon(async || (gamma.heard(members).await == ["early"]).then_some(())).await;
}

#[tokio::test]
async fn nobody_is_heard_about_anothers_resource() {
    let coalition = coalition().await;
    let Coalition { backbone, alpha, beta, members, .. } = &coalition;
    alpha.say(members, &["of beta"], &about(beta)).await;
    alpha.say(members, &["of mine"], &about(alpha)).await;
    coalition.all_hear(members, &["of mine"]).await;
    assert_eq!(backbone.quarantined().await, ["NOT_ITS_HOME"]);
}
