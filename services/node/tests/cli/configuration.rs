//! What is wrong in a configuration, or with what it names, is said in one line, with the place and what is allowed.

use crate::stage::{Stage, closed_port, taken_port};

async fn complaint(stage: &Stage, text: &str) -> String {
    let file = stage.write("node.toml", text);
    let said = stage.on(&file, &["serve"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    let complaint = said.complaint();
    assert!(complaint.starts_with(&file.display().to_string()), "{complaint}");
    complaint.to_owned()
}

#[tokio::test]
async fn an_unknown_field_is_named_with_those_there_are() {
    let stage = Stage::set();
    let said = complaint(&stage, "[node]\nname = \"a\"\n\n[listen]\ngrcp = \"127.0.0.1:1\"\n").await;
    assert!(
        said.contains("line 5, [listen] grcp: unknown field `grcp`, expected one of `grpc`, `certificate`"),
        "{said}"
    );
    let said = complaint(&stage, "[lisen]\n").await;
    assert!(
        said.contains("line 1") && said.contains("unknown field `lisen`, expected one of `node`, `listen`"),
        "{said}"
    );
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_named_with_what_is_expected() {
    let stage = Stage::set();
    let said = complaint(&stage, "[database]\nconnections = \"many\"\n").await;
    assert!(said.contains("line 2, [database] connections: invalid type: string \"many\", expected"), "{said}");
    let said = complaint(&stage, "[listen]\ngrpc = \"here\"\n").await;
    assert!(said.contains("line 2, [listen] grpc: invalid socket address"), "{said}");
    let said = complaint(&stage, "[node\n").await;
    assert!(said.contains("line 1"), "{said}");
}

#[tokio::test]
async fn a_variable_is_named_with_what_is_allowed() {
    let stage = Stage::set();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_commonweal"));
    let command = command.args(["status"]).env("COMMONWEAL_LISTEN__GRCP", "x").current_dir(stage.folder.path());
    let output = command.output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let place = "commonweal: environment variable COMMONWEAL_LISTEN__GRCP: [listen] has no grcp, expected one of grpc,";
    assert!(said.starts_with(place), "{said}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let stage = Stage::set();
    let said = stage.on(&stage.path("nowhere.toml"), &["serve"]).await;
    assert_eq!(said.code, Some(2));
    assert!(said.complaint().contains("nowhere.toml: No such file or directory"), "{said:?}");
}

#[tokio::test]
async fn a_service_that_there_is_not_is_named_with_those_there_are() {
    let stage = Stage::set();
    let said = stage.on(&stage.config("node", ""), &["serve", "--only", "measurment"]).await;
    assert_eq!(said.code, Some(2));
    let there_are: Vec<&str> = node::house::services().map(|(name, _)| name).collect();
    let expected = format!("there is no service \"measurment\"; there are: {}", there_are.join(", "));
    assert_eq!(said.complaint(), expected);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_one_line_without_its_password() {
    let stage = Stage::set();
    let port = closed_port();
    let config = stage.config("node", &format!("[database]\nurl = \"postgres://me:secret@{port}/here\"\n"));
    let said = stage.on(&config, &["serve"]).await;
    assert_eq!(said.code, Some(1));
    let complaint = said.complaint();
    assert!(complaint.starts_with(&format!("cannot reach Postgres at postgres://{port}/here: ")), "{complaint}");
    assert!(complaint.contains("database.url (COMMONWEAL_DATABASE__URL)"), "{complaint}");
    assert!(!complaint.contains("secret"));
}

/// Runs a node that cannot start and gives its complaint. Nothing of what it would have stood on was started.
async fn in_vain(stage: &Stage, config: &std::path::Path, code: i32) -> String {
    let said = stage.on(config, &["serve"]).await;
    assert_eq!(said.code, Some(code), "{said:?}");
    for server in ["postgres", "broker", "hub"] {
        assert!(!stage.path("node").join(server).exists(), "{server} was begun: {said:?}");
    }
    said.complaint().to_owned()
}

#[tokio::test]
async fn a_port_in_use_is_one_line_before_anything_is_started() {
    let stage = Stage::set();
    let (_listener, address) = taken_port();
    let config = stage.config("node", "");
    let text = std::fs::read_to_string(&config).unwrap().replace("127.0.0.1:0", &address);
    std::fs::write(&config, text).unwrap();
    let complaint = in_vain(&stage, &config, 1).await;
    let wanted = format!("cannot listen on {address}: Address already in use (os error 98); set listen.grpc (");
    assert!(complaint.starts_with(&wanted) || cfg!(not(target_os = "linux")), "{complaint}");

    for (hub, setting) in [
        (format!("listen = \"{address}\""), "hub.listen (COMMONWEAL_HUB__LISTEN)"),
        (
            format!("listen = \"{}\"\nwebsocket_listen = \"{address}\"", closed_port()),
            "hub.websocket_listen (COMMONWEAL_HUB__WEBSOCKET_LISTEN)",
        ),
    ] {
        let config = stage.config("node", &format!("[hub]\nenabled = true\n{hub}\n"));
        let complaint = in_vain(&stage, &config, 1).await;
        assert!(complaint.starts_with(&format!("cannot listen on {address} for partners: ")), "{complaint}");
        assert!(complaint.ends_with(&format!("set {setting} to another")), "{complaint}");
    }
}

#[tokio::test]
async fn what_cannot_be_the_hubs_address_is_named_with_its_setting() {
    let stage = Stage::set();
    let hub = format!("[hub]\nenabled = true\nlisten = \"{}\"\n", closed_port());
    let config = stage.config("node", &format!("{hub}public_address = \"hub.example.org\"\n"));
    let complaint = in_vain(&stage, &config, 2).await;
    assert!(complaint.starts_with("hub.public_address: hub address \"hub.example.org\" is not of the form tls://"));
    let config = stage.config("node", "[hub]\nenabled = true\nlisten = \"127.0.0.1:0\"\n");
    let complaint = in_vain(&stage, &config, 2).await;
    assert!(complaint.starts_with("hub.listen (COMMONWEAL_HUB__LISTEN) is 127.0.0.1:0: "), "{complaint}");
}

#[tokio::test]
async fn a_broker_that_will_not_do_is_one_line_that_names_the_setting() {
    let stage = Stage::set();
    let (_postgres, broker) = stage.servers(&[]).await;
    let stranger = broker.url().replace("commonweal:", "commonweal:not-");
    for url in ["http://127.0.0.1:1", &stranger] {
        let config = stage.config("node", &format!("[broker]\nurl = \"{url}\"\n"));
        let complaint = in_vain(&stage, &config, 1).await;
        assert!(complaint.starts_with("cannot use the broker at "), "{complaint}");
        assert!(complaint.contains("broker.url (COMMONWEAL_BROKER__URL)"), "{complaint}");
        assert!(!complaint.contains("not-"), "a password is shown: {complaint}");
    }
}

#[tokio::test]
async fn a_broker_that_is_away_costs_time_only_and_is_named_once() {
    let stage = Stage::set();
    let broker = closed_port();
    let config = stage.config("node", &format!("[broker]\nurl = \"nats://me:secret@{broker}\"\n"));
    let served = stage.serve(&config, &[]).await;
    let purpose = ["initiative", "begin", "Every child reads", "--purpose", "Every child reads by nine"];
    assert_eq!(stage.on(&config, &purpose).await.code, Some(0));
    let findings = stage.on(&config, &["doctor"]).await;
    assert!(findings.out.contains(&format!("WRONG   broker                 cannot use the broker at nats://{broker}")));
    assert_eq!(served.stop().await, Some(0));
    let log = std::fs::read_to_string(stage.path("node..log")).unwrap();
    assert_eq!(log.matches("broker.url (COMMONWEAL_BROKER__URL) names does not answer").count(), 1, "{log}");
    assert!(log.contains(&broker) && !log.contains("secret"), "{log}");
}

#[tokio::test]
async fn a_command_while_the_node_does_not_run_says_so_and_exits_with_3() {
    let stage = Stage::set();
    let config = stage.path("node.toml");
    let data = stage.path("data").display().to_string();
    assert_eq!(stage.on(&config, &["init", "--name", "Node", "--data-dir", &data]).await.code, Some(0));
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\n[listen]\ngrpc = \"{}\"\n", closed_port())).unwrap();
    for command in [&["status"][..], &["quarantine", "list"], &["join", "commonweal1:x"]] {
        let said = stage.on(&config, command).await;
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.complaint().contains("is `commonweal serve` running with the same configuration?"), "{said:?}");
    }
}

#[tokio::test]
async fn a_command_where_there_is_no_node_makes_none() {
    let stage = Stage::set();
    let config = stage.config("node", "");
    for command in [&["status"][..], &["token", "--operator"], &["verify"]] {
        let said = stage.on(&config, command).await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.complaint().starts_with("there is no node under "), "{said:?}");
    }
    assert!(!stage.path("node").exists());
}

#[tokio::test]
async fn a_check_without_a_database_says_so() {
    let stage = Stage::set();
    let file = stage.path("new.toml").display().to_string();
    let data = stage.path("data").display().to_string();
    assert_eq!(stage.run(&["verify", "--config", &file]).await.code, Some(2));
    let made = stage.run(&["init", "--config", &file, "--name", "New", "--data-dir", &data, "--json"]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(made.json()["data_dir"], data);
    let again = stage.run(&["init", "--config", &file, "--name", "New"]).await;
    assert_eq!(again.code, Some(2));
    assert!(again.complaint().contains("is there already"));
    let said = stage.run(&["verify", "--config", &file]).await;
    assert_eq!(said.code, Some(2));
    assert!(said.complaint().contains("was this node ever started"), "{said:?}");
}
