//! A partner's first day, with commands alone: from two empty folders to a figure that both nodes show.

use std::path::{Path, PathBuf};

use crate::stage::{Said, Served, Stage, closed_port, soon};

const SHEET: &str = "\"Student Counts by District and Year\"\n\"All Districts\"\n\"2016-17\"\n\n\
                     \"District\",\"District Code\",\"Count\"\n\
                     \"Avon School District\",\"=\"\"0040011\"\"\",3100\n\
                     \"Hartford School District\",\"=\"\"0640011\"\"\",20891\n";

/// A backbone and a partner, each begun with `init`.
struct Pair {
    stage: Stage,
    backbone: PathBuf,
    alpha: PathBuf,
}

impl Pair {
    async fn init() -> Self {
        let stage = Stage::set();
        let (backbone, alpha) = (stage.path("backbone.toml"), stage.path("alpha.toml"));
        for (config, name, more) in [(&backbone, "backbone", &["--backbone"][..]), (&alpha, "alpha", &[])] {
            let data = stage.path(name).display().to_string();
            let said = stage.on(config, &[&["init", "--name", name, "--data-dir", &data], more].concat()).await;
            assert_eq!(said.code, Some(0), "{said:?}");
            let text = std::fs::read_to_string(config).unwrap();
            let text = text.replace("enabled = true", &format!("enabled = true\nlisten = \"{}\"", closed_port()));
            std::fs::write(config, format!("{text}\n[listen]\ngrpc = \"127.0.0.1:0\"\n")).unwrap();
        }
        Self { stage, backbone, alpha }
    }

    async fn serve(&self) -> (Served, Served) {
        (self.stage.serve(&self.backbone, &[]).await, self.stage.serve(&self.alpha, &[]).await)
    }

    /// Runs a command that must go well.
    async fn does(&self, config: &Path, arguments: &[&str]) -> Said {
        let said = self.stage.on(config, arguments).await;
        assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
        assert!(said.err.is_empty(), "{arguments:?}: {said:?}");
        said
    }

    /// Runs a command until it goes well: what one node tells, the other hears a moment later.
    async fn soon(&self, config: &Path, arguments: &[&str]) -> Said {
        soon(async || Some(self.stage.on(config, arguments).await).filter(|said| said.code == Some(0))).await
    }

    async fn refuses(&self, config: &Path, arguments: &[&str], code: i32, words: &str) {
        let said = self.stage.on(config, arguments).await;
        assert_eq!(said.code, Some(code), "{arguments:?}: {said:?}");
        assert!(said.complaint().contains(words), "{arguments:?}: {said:?}");
    }

    async fn begin(&self) {
        let purpose = "Every student finishes high school in four years";
        let arguments = ["initiative", "begin", "Every student graduates", "--purpose", purpose];
        let said = self.does(&self.backbone, &arguments).await;
        assert!(said.out.starts_with("Began \"Every student graduates\"; this node is its backbone"), "{said:?}");
    }

    async fn host_the_backbones_own(&self) {
        let register = ["organization", "register", "Graduate Connecticut", "--sector", "nonprofit"];
        self.does(&self.backbone, &register).await;
        let invited = self.does(&self.backbone, &["member", "invite", "Graduate Connecticut"]).await;
        assert!(invited.out.contains("admit \"Graduate Connecticut\" --role backbone-staff"), "{invited:?}");
        self.does(&self.backbone, &["member", "admit", "Graduate Connecticut", "--role", "backbone-staff"]).await;
    }

    async fn join(&self) {
        let invited = self.does(&self.backbone, &["invite", "--for", "alpha"]).await;
        let joined = self.does(&self.alpha, &["join", invited.out.trim(), "--json"]).await.json();
        let said = ["/initiative_name", "/heard"].map(|field| joined.pointer(field).cloned());
        assert_eq!(said, [Some("Every student graduates".into()), Some(true.into())]);
    }

    async fn register_alpha(&self) {
        let identifier = "CT-SDE-district:0640011";
        let register = ["organization", "register", "Hartford School District", "--sector", "institution"];
        let register = [&register[..], &["--identifier", identifier, "--json"]].concat();
        let registered = self.does(&self.alpha, &register).await.json();
        let said = ["/identifiers/0", "/lives_here"].map(|field| registered.pointer(field).cloned());
        assert_eq!(said, [Some(identifier.into()), Some(true.into())]);
    }
}

#[tokio::test]
async fn a_partner_comes_in_reports_and_is_revoked_with_commands_alone() {
    let pair = Pair::init().await;
    let (backbone, alpha) = (&pair.backbone, &pair.alpha);
    let served = pair.serve().await;
    pair.refuses(alpha, &["member", "list"], 2, "join one with `commonweal join`").await;
    pair.begin().await;
    pair.host_the_backbones_own().await;
    pair.join().await;
    pair.register_alpha().await;

    pair.does(alpha, &["member", "request", "--statement", "We run the schools of Hartford"]).await;
    let admit = ["member", "admit", "hartford school district", "--role", "partner", "--last-day", "2099-06-30"];
    let admitted = pair.soon(backbone, &admit).await;
    assert!(admitted.out.starts_with("Hartford School District is active: partner until 2099-06-30\n"), "{admitted:?}");
    pair.does(backbone, &["member", "grant", "CT-SDE-district:0640011", "--role", "data-lead"]).await;
    soon(async || {
        let listed = pair.does(alpha, &["member", "list", "--role", "data-lead", "--json"]).await.json();
        (listed["members"][0]["name"] == "Hartford School District").then_some(())
    })
    .await;

    let sheet = pair.stage.write("enrollment.csv", SHEET).display().to_string();
    let import = ["import", "connecticut", &sheet];
    pair.does(backbone, &[&import[..], &["--organizations", "hosted", "--define-measures"]].concat()).await;
    pair.soon(alpha, &import).await;
    for node in [backbone, alpha] {
        let total = soon(async || {
            let said = pair.stage.on(node, &["measure", "rollup", "enrollment"]).await;
            said.out.contains("(2 of 2 reporting)").then_some(said)
        })
        .await;
        assert_eq!(total.out, "2016-07-01/2017-06-30: 23991 students  (2 of 2 reporting)\n");
        pair.does(node, &["verify"]).await;
    }

    pair.does(backbone, &["revoke", "alpha", "--reason", "laptop stolen"]).await;
    soon(async || {
        let status = pair.does(alpha, &["status", "--json"]).await.json();
        (status["links"][0]["state"] == "REFUSED").then_some(())
    })
    .await;
    assert_eq!((served.0.stop().await, served.1.stop().await), (Some(0), Some(0)));
}

#[tokio::test]
async fn what_a_command_about_members_finds_wrong_it_names() {
    let pair = Pair::init().await;
    let node = &pair.backbone;
    let served = pair.stage.serve(node, &[]).await;
    pair.refuses(node, &["invite", "--for", "alpha"], 2, "begin one with `commonweal initiative begin`").await;
    pair.begin().await;
    let again = ["initiative", "begin", "Every student graduates", "--purpose", "again"];
    pair.refuses(node, &again, 2, "there is an initiative \"Every student graduates\" already").await;
    pair.refuses(node, &["initiative", "begin", " ", "--purpose", "p"], 2, "initiative.display_name: ").await;
    let register = ["organization", "register", "Avon", "--sector", "institution"];
    pair.does(node, &register).await;
    pair.refuses(node, &register, 2, "is registered on this node already").await;
    pair.refuses(node, &["member", "admit", "Avn", "--role", "partner"], 2, "no organisation \"Avn\" is registered")
        .await;
    pair.refuses(node, &["member", "admit", "Avon", "--role", "partner"], 2, "has not asked and is not invited").await;
    pair.refuses(node, &["member", "grant", "Avon", "--role", "partner"], 2, "no member is called \"Avon\"").await;
    pair.does(node, &["member", "invite", "Avon"]).await;
    pair.refuses(node, &["member", "invite", "Avon"], 1, "invited already").await;
    pair.does(node, &["member", "admit", "Avon", "--role", "partner"]).await;
    pair.refuses(node, &["member", "admit", "Avon", "--role", "partner"], 2, "is a member already, and active").await;
    pair.does(node, &["member", "suspend", "Avon", "--reason", "no report since May"]).await;
    let listed = pair.does(node, &["member", "list", "--state", "suspended"]).await;
    assert!(listed.out.starts_with("Avon is suspended (no report since May): partner\n"), "{listed:?}");
    pair.does(node, &["member", "reinstate", "Avon"]).await;
    pair.does(node, &["member", "end-role", "Avon", "--role", "partner"]).await;
    pair.does(node, &["member", "end", "Avon", "--reason", "it merged"]).await;
    let listed = pair.does(node, &["member", "list", "--state", "active", "--json"]).await.json();
    assert_eq!(listed["members"].as_array().map(Vec::len), Some(0));
    pair.refuses(node, &["measure", "rollup", "reading"], 2, "no measure is defined yet").await;
    pair.refuses(node, &["revoke", "gamma", "--reason", "r"], 2, "no node is called \"gamma\" here").await;
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn a_broken_invitation_says_what_is_wrong_with_it() {
    let pair = Pair::init().await;
    let node = &pair.backbone;
    let served = pair.stage.serve(node, &[]).await;
    pair.begin().await;
    // The border hears of the initiative a moment later.
    let line = pair.soon(node, &["invite", "--for", "alpha"]).await.out.trim().to_owned();
    let made = federation::invitation::read(&line, chassis::clock::now()).unwrap();
    let (middle, last) = (line.len() / 2, line.len() - 1);
    let other = if line.as_bytes()[middle] == b'x' { "y" } else { "x" };
    let changed = [&line[..middle], other, &line[middle + 1..]].concat();
    let long_ago = proto::federation::Invitation {
        expires_at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        ..made
    };
    for (broken, words) in [
        ("commonweal1:abc", "cut short: copy the whole line"),
        (&line[..middle], "cut short: copy the whole line"),
        (&line[..last], "cut short: copy the whole line"),
        (&changed, "was changed on the way"),
        (&format!("{line}!"), "no invitation has a '!' in it"),
        (&line.replace("commonweal1:", "commonweal2:"), "made by another version"),
        ("our-invitation", "this is not an invitation"),
        (&federation::invitation::write(&long_ago), "expired on 2023-11-14 22:13 UTC"),
    ] {
        pair.refuses(node, &["join", broken], 2, words).await;
    }
    // As it comes out of a mail it is read, and leads to where it should.
    let (one, two) = line.split_at(middle);
    let wrapped = format!("\u{201c}{one}\r\n  {two}\u{201d}");
    for pasted in [&["join", wrapped.as_str()][..], &["join", one, two]] {
        pair.refuses(node, pasted, 1, "is itself the backbone").await;
    }
    assert_eq!(served.stop().await, Some(0));
}

#[tokio::test]
async fn what_is_listed_is_json_on_demand() {
    let pair = Pair::init().await;
    let node = &pair.backbone;
    let served = pair.stage.serve(node, &[]).await;
    pair.begin().await;
    pair.host_the_backbones_own().await;
    let json = async |arguments: &[&str]| pair.does(node, &[arguments, &["--json"]].concat()).await.json();
    assert_eq!(json(&["initiative", "list"]).await[0]["state"], "active");
    assert_eq!(json(&["organization", "list", "--sector", "nonprofit"]).await[0]["name"], "Graduate Connecticut");
    assert_eq!(json(&["organization", "list", "--sector", "business"]).await, serde_json::json!([]));
    let listed = json(&["member", "list"]).await;
    assert_eq!(listed["members"][0]["roles"][0]["role"], "backbone-staff");
    assert_eq!(listed["asking"], serde_json::json!([]));
    assert_eq!(json(&["measure", "list"]).await, serde_json::json!([]));
    assert_eq!(served.stop().await, Some(0));
}
