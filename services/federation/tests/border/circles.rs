//! Circles: spaces with a list of nodes of their own, which only these nodes and the backbone's hold.

use chassis::names::{Reference, Space, Within};
use prost::{Message, Name};
use proto::membership::{Circle, CircleChanged, CircleEnded, CircleFormed};

use crate::coalition::Coalition;
use crate::node::{Node, soon};

/// A circle of the backbone's node.
struct Round<'a> {
    coalition: &'a Coalition,
    circle: Reference,
    space: Space,
}

impl<'a> Round<'a> {
    async fn formed(coalition: &'a Coalition, nodes: &[&Node]) -> Self {
        let circle = Reference::born_on(coalition.backbone.id());
        let space = Space::Of(coalition.initiative.clone(), Within::Circle(circle.clone()));
        let round = Self { coalition, circle, space };
        let formed = CircleFormed { circle: Some(of(nodes)) };
        round.told(&CircleFormed::full_name(), formed.encode_to_vec()).await;
        round
    }

    async fn changed(&self, nodes: &[&Node]) {
        let changed = CircleChanged { circle: Some(of(nodes)) };
        self.told(&CircleChanged::full_name(), changed.encode_to_vec()).await;
    }

    async fn ended(&self) {
        let ended = CircleEnded { reason: "done".to_owned() };
        self.told(&CircleEnded::full_name(), ended.encode_to_vec()).await;
    }

    async fn told(&self, type_name: &str, message: Vec<u8>) {
        let backbone = &self.coalition.backbone;
        backbone.tell(&self.space, &[backbone.event(&self.space, &self.circle, type_name, message)]).await;
    }

    /// Everything that was sent to a node before this has arrived there.
    async fn passed(&self, words: &str) {
        self.coalition.backbone.say(&self.coalition.members, &[words]).await;
        for node in self.coalition.nodes() {
            soon(async || node.heard(&self.coalition.members).await.contains(&words.to_owned()).then_some(())).await;
        }
    }

    /// Nothing of the circle is on a node: no body, no header, no count.
    async fn is_unknown_to(&self, node: &Node) {
        for table in ["entries", "feeds", "acceptances", "spaces", "circles", "quarantine"] {
            let select = format!("select count(*) from federation.{table} t where t::text like '%' || $1 || '%'");
            let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(select))
                .bind(self.circle.to_string())
                .fetch_one(&node.border.pool)
                .await
                .unwrap();
            assert_eq!(rows, 0, "{table}");
        }
    }
}

fn of(nodes: &[&Node]) -> Circle {
    let nodes = nodes.iter().map(|node| node.id().to_string()).collect();
    Circle { display_name: "Finances".to_owned(), nodes, ..Circle::default() }
}

#[tokio::test]
async fn a_circle_stays_unknown_to_who_is_not_in_it() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, .. } = &coalition;
    let round = Round::formed(&coalition, &[alpha]).await;
    backbone.say(&round.space, &["from the backbone"]).await;
    alpha.hears(&round.space, &["from the backbone"]).await;
    alpha.say(&round.space, &["from alpha"]).await;
    for node in [backbone, alpha] {
        node.hears(&round.space, &["from the backbone", "from alpha"]).await;
    }
    round.passed("meanwhile").await;
    round.is_unknown_to(beta).await;
    let mut connection = backbone.border.pool.acquire().await.unwrap();
    let said = federation::have::of(&mut connection, &coalition.initiative, beta.holder(), false).await.unwrap();
    assert_eq!(said.spaces.iter().map(|head| head.space.as_str()).collect::<Vec<_>>(), ["members"]);
    drop(connection);

    // Who is not in it and guesses its name opens nothing and is told nothing.
    beta.say(&round.space, &["let me in"]).await;
    backbone.refuses(&["NOT_ITS_SPACE"]).await;
    assert_eq!(backbone.heard(&round.space).await, ["from the backbone", "from alpha"]);
    assert_eq!(beta.order(&round.space).await.position, 0);
}

#[tokio::test]
async fn who_comes_into_a_circle_gets_all_of_it_and_who_goes_gets_nothing_more() {
    let coalition = Coalition::new().await;
    let Coalition { backbone, alpha, beta, .. } = &coalition;
    let round = Round::formed(&coalition, &[alpha]).await;
    alpha.hears(&round.space, &[]).await;
    soon(async || (alpha.order(&round.space).await.position == 1).then_some(())).await;
    alpha.say(&round.space, &["early"]).await;
    backbone.hears(&round.space, &["early"]).await;

    round.changed(&[alpha, beta]).await;
    beta.hears(&round.space, &["early"]).await;
    beta.say(&round.space, &["now I am here"]).await;
    for node in coalition.nodes() {
        node.hears(&round.space, &["early", "now I am here"]).await;
    }

    round.changed(&[beta]).await;
    let last = backbone.order(&round.space).await;
    backbone.say(&round.space, &["without alpha"]).await;
    beta.hears(&round.space, &["early", "now I am here", "without alpha"]).await;
    // It learns that it was taken out, and nothing after.
    soon(async || (alpha.order(&round.space).await == last).then_some(())).await;
    round.passed("meanwhile").await;
    assert_eq!(alpha.order(&round.space).await, last);
    alpha.say(&round.space, &["still here?"]).await;
    backbone.refuses(&["NOT_ITS_SPACE"]).await;
    let mut connection = backbone.border.pool.acquire().await.unwrap();
    let said = federation::have::of(&mut connection, &coalition.initiative, alpha.holder(), false).await.unwrap();
    assert!(said.spaces.iter().all(|head| head.space == "members"), "not even how far it goes by now");
    drop(connection);

    round.ended().await;
    let over = backbone.order(&round.space).await;
    soon(async || (beta.order(&round.space).await == over).then_some(())).await;
    beta.say(&round.space, &["after the end"]).await;
    backbone.refuses(&["NOT_ITS_SPACE"; 2]).await;
    assert!(beta.codes().await.is_empty() && alpha.codes().await.is_empty(), "and no node finds anything wrong");
}
