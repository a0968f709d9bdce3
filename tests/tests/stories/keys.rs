//! The rehearsal of the page on keys: nodes change theirs while they work, are away, or crash.

use node::fleet::{Sketch, until};
use tests::Stage;

use super::PROGRAM;
use super::two_nodes::Town;

const SKETCHES: [Sketch; 3] = [
    Sketch { name: "backbone", title: "Readers' Alliance", backbone: true },
    Sketch { name: "alpha", title: "Town Library", backbone: false },
    Sketch { name: "beta", title: "Book Bus", backbone: false },
];

impl Town {
    /// A command on a node, as its operator types it.
    async fn does(&self, node: &str, words: &[&str]) -> String {
        let (said, well) = self.coalition().command(self.node(node), words).await.unwrap();
        assert!(well, "{node}: {words:?}: {said}");
        said
    }

    /// Waits until every initiative knows the newest of so many keys of a node, and the one before is forgotten.
    async fn knows_key(&self, node: &str, number: usize) {
        let known =
            [format!("\"number\": {number}"), "\"changing\": false".to_owned(), "\"state\": \"known\"".to_owned()];
        until(format!("key {number} of {node} to be known"), async || {
            let said = self.does(node, &["key", "show", "--json"]).await;
            Ok(known.iter().all(|words| said.contains(words)).then_some(()))
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn nodes_change_their_keys_while_they_work_are_away_or_crash() {
    let mut town = Town::with(Stage::set(PROGRAM, &SKETCHES).await.unwrap(), &["alpha", "beta"]).await;
    let (library, alliance) = (town.library.clone(), town.founded.own.clone());
    town.report("alpha", &library, 2021, 41).await;
    town.comes_to_hold("backbone", &["41"]).await;
    // One is away from here on.
    town.comes_to_hold("beta", &["41"]).await;
    town.stage.coalition.stop_node("beta").await.unwrap();

    // While it works, without a restart.
    let said = town.does("alpha", &["key", "rotate"]).await;
    assert!(said.contains("key 2: ") && said.contains("Back the data directory up"), "{said}");
    town.report("alpha", &library, 2022, 42).await;
    town.knows_key("alpha", 2).await;
    town.report("backbone", &alliance, 2022, 8).await;
    town.comes_to_hold("backbone", &["41", "50"]).await;

    // While the backbone is away, and the node is killed before anybody knows; it says more with the key that is known.
    town.stage.coalition.kill_node("backbone").await.unwrap();
    town.does("alpha", &["key", "rotate"]).await;
    town.report("alpha", &library, 2023, 43).await;
    until("the change to be told", async || {
        Ok(town.does("alpha", &["key", "show"]).await.contains("until the backbone accepts").then_some(()))
    })
    .await
    .unwrap();
    town.stage.coalition.kill_node("alpha").await.unwrap();
    // And one more, while it does not run.
    town.does("alpha", &["key", "rotate"]).await;
    town.stage.coalition.start_node("alpha").await.unwrap();
    town.stage.coalition.start_node("backbone").await.unwrap();
    town.knows_key("alpha", 4).await;
    town.comes_to_hold("backbone", &["41", "50", "43"]).await;

    // The backbone's own, with a partner that is away.
    town.stage.coalition.stop_node("alpha").await.unwrap();
    town.does("backbone", &["key", "rotate"]).await;
    town.knows_key("backbone", 2).await;
    town.report("backbone", &alliance, 2024, 4).await;
    town.stage.coalition.start_node("alpha").await.unwrap();
    town.report("alpha", &library, 2024, 40).await;

    // Whoever was away goes through all changes, one after the other.
    town.stage.coalition.start_node("beta").await.unwrap();
    for node in ["backbone", "alpha", "beta"] {
        town.comes_to_hold(node, &["41", "50", "43", "44"]).await;
    }
    town.coalition().settled(&town.members()).await.unwrap();
    for node in ["backbone", "alpha", "beta"] {
        let said = town.does(node, &["verify"]).await;
        assert!(said.contains("Everything holds"), "{node}: {said}");
    }
    assert_eq!(town.codes().await, [""; 0]);
    town.stage.end().await.unwrap();
}
