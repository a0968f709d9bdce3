//! Beginning a node: all of it or nothing, and never over what is there.

use crate::stage::Stage;

#[tokio::test]
async fn a_hub_address_that_is_none_is_refused_and_nothing_is_made() {
    let stage = Stage::set();
    let (config, data) = (stage.path("node.toml"), stage.path("data"));
    for nonsense in ["hub.example.org", "tls://hub.example.org", "http://hub.example.org:1", "tls://a:b@hub:7421", ""] {
        let data = data.display().to_string();
        let arguments = ["init", "--name", "Node", "--backbone", "--data-dir", &data, "--hub-address", nonsense];
        let said = stage.on(&config, &arguments).await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains("of the form tls://host:port or wss://host[:port]"), "{said:?}");
    }
    assert!(!config.exists() && !data.exists());
}

#[tokio::test]
async fn a_hub_address_is_what_the_node_is_configured_with() {
    let stage = Stage::set();
    let (config, data) = (stage.path("node.toml"), stage.path("data").display().to_string());
    let address = "tls://hub.example.org:7421";
    let arguments = ["init", "--name", "Node", "--backbone", "--data-dir", &data, "--hub-address", address];
    assert_eq!(stage.on(&config, &arguments).await.code, Some(0));
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(text.contains("[hub]\nenabled = true\npublic_address = \"tls://hub.example.org:7421\"\n"), "{text}");
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing_half_made() {
    let stage = Stage::set();
    let data = stage.path("data");
    let said = stage
        .on(&stage.path("no/such/node.toml"), &["init", "--name", "N", "--data-dir", data.to_str().unwrap()])
        .await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.complaint().contains("no/such/node.toml: No such file or directory"), "{said:?}");
    assert!(!data.exists(), "the keys of a node that was not made");

    let config = stage.path("node.toml");
    let under_a_file = stage.write("file", "").join("data").display().to_string();
    let said = stage.on(&config, &["init", "--name", "N", "--data-dir", &under_a_file]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.complaint().starts_with("cannot make the data directory"), "{said:?}");
    assert!(!config.exists(), "the configuration of a node that was not made");
}

#[tokio::test]
async fn a_second_start_says_what_is_there_and_changes_nothing() {
    let stage = Stage::set();
    let (config, data) = (stage.path("node.toml"), stage.path("data").display().to_string());
    let made = stage.on(&config, &["init", "--name", "Hartford", "--data-dir", &data, "--json"]).await.json();
    let (node, text) = (made["node"].as_str().unwrap().to_owned(), std::fs::read_to_string(&config).unwrap());
    let again = stage.on(&config, &["init", "--name", "Other", "--backbone"]).await;
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.complaint().contains(&format!("is there already, of \"Hartford\" (node {node})")), "{again:?}");
    assert_eq!(std::fs::read_to_string(&config).unwrap(), text);

    // A lost configuration is made anew over the keys that are there.
    std::fs::remove_file(&config).unwrap();
    let again = stage.on(&config, &["init", "--name", "Hartford", "--data-dir", &data]).await;
    assert!(again.out.starts_with(&format!("Took up the keys that were there: node {node}\n")), "{again:?}");
}
