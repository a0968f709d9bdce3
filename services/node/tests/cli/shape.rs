//! One node in many shapes: in one process or several, with its hub in reach or not.

use std::path::Path;

use chassis::config::Config;
use node::client::Client;
use proto::federation::{CreateInvitationRequest, JoinInitiativeRequest};
use proto::measurement::{Aggregation, Direction, MeasureKind};
use proto::measurement::{CreateMeasureRequest, MeasureDefinition};
use proto::membership::*;

use crate::stage::{Stage, closed_port, soon};

async fn client(config: &Path) -> Client {
    Client::operator(&Config::load(Some(config)).unwrap()).await.unwrap()
}

async fn begin(client: &Client) -> String {
    let wanted = Initiative {
        display_name: "Every child".to_owned(),
        purpose: "Every child reads".to_owned(),
        region: "Here".to_owned(),
        state: InitiativeState::Active.into(),
        ..Initiative::default()
    };
    let request = CreateInitiativeRequest { initiative: Some(wanted), request_id: "begin-it".to_owned() };
    client.membership().create_initiative(request).await.unwrap().into_inner().initiative.unwrap().reference
}

/// Two processes with one set of keys, one database and one broker: what the one is told, the other knows.
#[tokio::test]
async fn two_processes_over_one_database_and_broker_are_one_node() {
    let stage = Stage::set();
    let (postgres, broker) = stage.servers(&["one"]).await;
    let more = format!("[database]\nurl = \"{}\"\n[broker]\nurl = \"{}\"\n", postgres.url("one"), broker.url());
    let config = stage.config("node", &more);
    let one = stage.serve(&config, &["--only", "membership"]).await;
    let services: Vec<&str> = node::house::services().map(|(name, _)| name).collect();
    let others = services.iter().filter(|name| **name != "membership").flat_map(|name| ["--only", name]);
    let other = stage.serve(&config, &others.collect::<Vec<_>>()).await;

    // A command need not know which process answers for what.
    let client = client(&config).await;
    let initiative = begin(&client).await;
    let organization =
        Organization { display_name: "Avon".to_owned(), sector: Sector::Institution.into(), ..Organization::default() };
    let reference = node::load::register(&client, &initiative, organization).await.unwrap();
    node::load::admit_hosted(&client, &initiative, &reference, &[proto::common::Role::Partner]).await.unwrap();
    let definition = MeasureDefinition {
        code: "readers".to_owned(),
        name: "Readers".to_owned(),
        kind: MeasureKind::Indicator.into(),
        unit: "children".to_owned(),
        direction: Direction::Up.into(),
        aggregation: Aggregation::Sum.into(),
        per: 1,
        ..MeasureDefinition::default()
    };
    let request = CreateMeasureRequest {
        initiative: initiative.clone(),
        definition: Some(definition),
        request_id: "define-it".to_owned(),
    };
    soon(async || client.measurement().create_measure(request.clone()).await.ok()).await;
    // Every room answers for the digest, each from its own process, once it has what was told. How many places that takes
    // in the order is not said: what comes together is accepted together.
    let digest = proto::federation::GetSpaceDigestRequest { space: format!("{initiative}/members") };
    let answer = soon(async || {
        let answer = client.federation().get_space_digest(digest.clone()).await.ok()?.into_inner();
        let defined = answer.services.iter().any(|room| room.service == "measurement" && room.resources == 1);
        (answer.settled && answer.pending == 0 && defined).then_some(answer)
    })
    .await;
    let mut answered: Vec<&str> = answer.services.iter().map(|service| service.service.as_str()).collect();
    answered.push("federation");
    answered.sort_unstable();
    let mut expected = services.clone();
    expected.sort_unstable();
    assert_eq!(answered, expected);
    let said = stage.on(&config, &["doctor"]).await;
    assert!(said.out.contains(&format!("{} answer", services.join(", "))), "{said:?}");
    let said = stage.on(&config, &["verify"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!((one.stop().await, other.stop().await), (Some(0), Some(0)));
}

/// A partner whose hub is away starts, works, and says so.
#[tokio::test]
async fn a_node_without_its_hub_starts_and_says_so() {
    let stage = Stage::set();
    let hub = format!("[hub]\nenabled = true\nlisten = \"{}\"\n", closed_port());
    let (backbone, alpha) = (stage.config("backbone", &hub), stage.config("alpha", ""));
    let there = stage.serve(&backbone, &[]).await;
    let here = stage.serve(&alpha, &[]).await;
    let client_there = client(&backbone).await;
    let initiative = begin(&client_there).await;
    let request = CreateInvitationRequest {
        request_id: "invite-alpha".to_owned(),
        initiative,
        initiative_name: "Every child".to_owned(),
        display_name: "alpha".to_owned(),
        valid_seconds: 3600,
        follower: false,
    };
    let invitation = soon(async || client_there.federation().create_invitation(request.clone()).await.ok()).await;
    let request =
        JoinInitiativeRequest { request_id: "join-with-it".to_owned(), invitation: invitation.into_inner().invitation };
    let client_here = client(&alpha).await;
    soon(async || client_here.federation().join_initiative(request.clone()).await.ok()).await;
    soon(async || {
        let status = stage.on(&alpha, &["status", "--json"]).await.json();
        (status["links"][0]["state"] == "CONNECTED").then_some(())
    })
    .await;
    assert_eq!(stage.on(&alpha, &["doctor", "--json"]).await.json()["ok"], true);
    assert_eq!((here.stop().await, there.stop().await), (Some(0), Some(0)));

    let again = stage.serve(&alpha, &[]).await;
    let status = soon(async || {
        let status = stage.on(&alpha, &["status"]).await;
        status.out.contains("away, and tried again by itself; nothing is lost meanwhile").then_some(status)
    })
    .await;
    assert_eq!(status.code, Some(0));
    let said = stage.on(&alpha, &["doctor", "--json"]).await;
    assert_eq!(said.code, Some(4), "{said:?}");
    let findings = said.json()["findings"].as_array().unwrap().clone();
    let wrong: Vec<&str> =
        findings.iter().filter(|one| one["level"] == "wrong").filter_map(|one| one["check"].as_str()).collect();
    assert_eq!(wrong, ["hub", "link"], "{findings:?}");
    assert_eq!(again.stop().await, Some(0));
}

#[tokio::test]
async fn everything_that_prints_data_prints_json_on_demand() {
    let stage = Stage::set();
    let config = stage.config("node", "");
    let served = stage.serve(&config, &[]).await;
    for arguments in [
        &["status", "--json"][..],
        &["token", "--operator", "--json"],
        &["quarantine", "list", "--json"],
        &["doctor", "--json"],
        &["verify", "--json"],
    ] {
        let said = stage.on(&config, arguments).await;
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        said.json();
        assert!(said.err.is_empty(), "{arguments:?}: {said:?}");
    }
    let said = stage.on(&config, &["quarantine", "show", "17"]).await;
    assert_eq!((said.code, said.complaint().contains("there is no line 17")), (Some(2), true), "{said:?}");
    assert_eq!(served.stop().await, Some(0));
    // What is kept can be checked while the node does not run.
    let said = stage.on(&config, &["verify"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = stage.on(&config, &["doctor", "--json"]).await;
    assert_eq!(said.code, Some(4), "{said:?}");
}
