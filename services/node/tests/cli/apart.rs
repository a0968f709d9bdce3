//! What a node needs where its processes, and its hub, are run apart: keys made beforehand, tables made beforehand, a
//! word on health, and a hub's server that something else runs.

use chassis::config::Config;
use chassis::embedded::{NatsConfig, NatsOptions};
use chassis::testing::Nats;
use node::client::Client;
use proto::federation::CreateInvitationRequest;
use proto::membership::{CreateInitiativeRequest, Initiative};

use crate::stage::{Stage, closed_port, soon};

#[tokio::test]
async fn what_all_processes_need_is_made_before_the_first_starts() {
    let stage = Stage::set();
    let (file, data) = (stage.path("new.toml").display().to_string(), stage.path("data").display().to_string());
    let made = stage.run(&["init", "--config", &file, "--name", "New", "--data-dir", &data, "--backbone"]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    for key in ["node.key", "appointment", "issuer.key", "pseudonyms", "hub/keys.json"] {
        assert!(stage.path("data").join(key).exists(), "{key}");
    }
}

#[tokio::test]
async fn tables_are_made_before_the_first_process_starts() {
    let stage = Stage::set();
    let (postgres, broker) = stage.servers(&["one"]).await;
    let more = format!("[database]\nurl = \"{}\"\n[broker]\nurl = \"{}\"\n", postgres.url("one"), broker.url());
    let config = stage.config("node", &more);
    let schemas = async || {
        let findings = stage.on(&config, &["doctor", "--json"]).await.json()["findings"].as_array().unwrap().clone();
        findings.iter().filter(|one| one["words"] == "schema up to date").count()
    };
    assert_eq!(schemas().await, 0);
    let said = stage.on(&config, &["migrate", "--json"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let services = said.json()["services"].as_array().unwrap().len();
    assert!(services >= 3, "{said:?}");
    assert_eq!(schemas().await, services);
    let again = stage.on(&config, &["migrate"]).await;
    assert!(again.out.starts_with("Up to date: membership"), "{again:?}");

    let nowhere = stage.config("nowhere", &format!("[database]\nurl = \"postgres://nobody@{}/none\"\n", closed_port()));
    let said = stage.on(&nowhere, &["migrate"]).await;
    assert_eq!(said.code, Some(1));
    assert!(said.complaint().starts_with("cannot reach Postgres at "), "{said:?}");
}

#[tokio::test]
async fn a_hub_that_something_else_runs_serves_as_well() {
    let stage = Stage::set();
    let place = closed_port();
    let config =
        stage.config("node", &format!("[hub]\nenabled = true\nlisten = \"{place}\"\nserver = \"tls://{place}\"\n"));
    let (file, store) = (stage.path("hub.conf"), stage.path("store"));
    let (file_text, store) = (file.display().to_string(), store.display().to_string());
    let write = ["hub-config", "--store-dir", &store, &file_text];
    assert_eq!(stage.on(&config, &write).await.code, Some(0));
    let written = std::fs::read(&file).unwrap();
    assert_eq!(stage.on(&config, &write).await.code, Some(0));
    assert_eq!(std::fs::read(&file).unwrap(), written, "the same each time: it can be written at every start");
    let server = Nats::start(NatsOptions { dir: stage.path("server"), config: NatsConfig::File(file) }).await.unwrap();

    assert_eq!(stage.on(&config, &["health"]).await.code, Some(3));
    let served = stage.serve(&config, &[]).await;
    let healthy = stage.on(&config, &["health"]).await;
    assert_eq!((healthy.code, healthy.out.as_str()), (Some(0), "serving\n"));
    assert!(!stage.path("node/hub/hub.conf").exists(), "the node started no server of its own");
    let client = Client::operator(&Config::load(Some(&config)).unwrap()).await.unwrap();
    let wanted = Initiative { display_name: "Every child".to_owned(), ..Initiative::default() };
    let request = CreateInitiativeRequest { initiative: Some(wanted), request_id: "begin-it".to_owned() };
    let begun = client.membership().create_initiative(request).await.unwrap().into_inner();
    let request = CreateInvitationRequest {
        request_id: "invite-alpha".to_owned(),
        initiative: begun.initiative.unwrap().reference,
        initiative_name: "Every child".to_owned(),
        display_name: "alpha".to_owned(),
        valid_seconds: 3600,
        follower: false,
    };
    let invited = soon(async || client.federation().create_invitation(request.clone()).await.ok()).await.into_inner();
    let alpha = stage.config("alpha", "");
    let partner = stage.serve(&alpha, &[]).await;
    let joined = stage.on(&alpha, &["join", &invited.invitation]).await;
    assert_eq!(joined.code, Some(0), "{joined:?}");
    soon(async || {
        let status = stage.on(&alpha, &["status", "--json"]).await.json();
        (status["links"][0]["state"] == "CONNECTED").then_some(())
    })
    .await;
    assert_eq!(stage.on(&config, &["doctor", "--json"]).await.json()["ok"], true);
    assert_eq!((partner.stop().await, served.stop().await), (Some(0), Some(0)));
    server.stop().await.unwrap();

    let said = stage.on(&alpha, &write).await;
    assert_eq!(said.code, Some(2));
    assert!(said.complaint().contains("set hub.enabled"), "{said:?}");
}
