//! Imports: every wrong row is named and nothing is kept, and what was submitted is not submitted twice.

use crate::backbone::Backbone;
use crate::stage::Stage;
use proto::activities::{ActivityState, Award, ListActivitiesRequest, ListAwardsRequest};
use proto::common::Role;
use proto::measurement::{GetRollupRequest, ListMeasuresRequest, ListSubmissionsRequest};
use proto::membership::{Identifier, Organization, Sector};
use proto::messaging::{
    ChannelDefinition, ChannelKind, CreateChannelRequest, EditMessageRequest, ListMessagesRequest, Message,
    WithdrawMessageRequest,
};

const TITLES: &str = "\"Student Counts by District and Year\"\n\"All Districts\"\n";

fn file(year: &str, rows: &[(&str, &str, &str)]) -> String {
    let rows: String =
        rows.iter().map(|(name, code, count)| format!("\"{name}\",\"=\"\"{code}\"\"\",{count}\n")).collect();
    format!("{TITLES}\"{year}\"\n\n\"District\",\"District Code\",\"Count\"\n{rows}")
}

impl Backbone {
    async fn import(&self, arguments: &[&str]) -> crate::stage::Said {
        self.stage.on(&self.config, &[&["import", "connecticut"], arguments].concat()).await
    }

    async fn submissions(&self) -> usize {
        let request =
            ListSubmissionsRequest { initiative: self.initiative.clone(), ..ListSubmissionsRequest::default() };
        self.client.measurement().list_submissions(request).await.unwrap().into_inner().submissions.len()
    }

    /// A hosted partner with an identifier.
    async fn partner(&self, name: &str, scheme: &str, value: &str) -> String {
        let organization = Organization {
            display_name: name.to_owned(),
            sector: Sector::Nonprofit.into(),
            identifiers: vec![Identifier { scheme: scheme.to_owned(), value: value.to_owned() }],
            ..Organization::default()
        };
        let reference = node::load::register(&self.client, &self.initiative, organization).await.unwrap();
        node::load::admit_hosted(&self.client, &self.initiative, &reference, &[Role::Partner]).await.unwrap();
        reference
    }

    /// The total of the only period.
    async fn total(&self) -> String {
        let request = ListMeasuresRequest { initiative: self.initiative.clone(), ..ListMeasuresRequest::default() };
        let measures = self.client.measurement().list_measures(request).await.unwrap().into_inner().measures;
        let request = GetRollupRequest {
            measure: measures.first().unwrap().reference.clone(),
            basis: proto::measurement::Basis::Component.into(),
            ..GetRollupRequest::default()
        };
        let groups = self.client.measurement().get_rollup(request).await.unwrap().into_inner().groups;
        groups.first().unwrap().value.clone()
    }
}

#[tokio::test]
async fn a_dry_run_names_every_wrong_row_and_needs_no_node() {
    let stage = Stage::set();
    let rows: Vec<(&str, &str, &str)> = vec![("A", "20011", "x"); 30];
    let bad = stage.write("bad.csv", &file("2011-12", &rows)).display().to_string();
    let config = stage.config("none", "");
    let said = stage.on(&config, &["import", "connecticut", "--dry-run", &bad]).await;
    assert_eq!(said.code, Some(4), "{said:?}");
    let first = format!(
        "{bad}, line 6, column \"District Code\": \"=\"20011\"\" is not the code of a district; expected seven digits"
    );
    assert!(said.out.starts_with(&first), "{said:?}");
    assert_eq!(said.out.lines().count(), 22, "{said:?}");
    assert!(said.out.contains("and ") && said.out.contains(" more\n"), "{said:?}");
    assert!(said.out.trim_end().ends_with("nothing was imported"), "{said:?}");
    let said = stage.on(&config, &["import", "connecticut", "--dry-run", "--json", &bad]).await;
    let faults = said.json()["faults"].as_array().unwrap().clone();
    assert!(faults.len() >= 30 && faults.iter().all(|fault| fault["line"].as_u64() >= Some(6)), "{faults:?}");
}

#[tokio::test]
async fn an_import_is_all_of_it_or_nothing_and_once() {
    let backbone = Backbone::start().await;
    let good = file("2011-12", &[("Avon", "0040011", "100"), ("Berlin", "0070011", "50"), ("Bolton", "0120011", "*")]);
    let good = backbone.stage.write("good.csv", &good).display().to_string();
    let bad = backbone.stage.write("bad.csv", &file("2012-13", &[("Avon", "0040011", "-1")])).display().to_string();

    let said = backbone.import(&["--organizations", "hosted", "--define-measures", &good, &bad]).await;
    assert_eq!(said.code, Some(4), "{said:?}");
    let said = backbone.import(&[&good]).await;
    assert_eq!(said.code, Some(2), "there is no such measure yet: {said:?}");
    assert!(said.complaint().contains("--define-measures"));
    assert_eq!((backbone.submissions().await, backbone.organizations().await.len()), (0, 0), "nothing was kept");

    for _ in 0..2 {
        let said = backbone.import(&["--organizations", "hosted", "--define-measures", "--json", &good]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let submissions = said.json()["submissions"].as_array().unwrap().clone();
        assert_eq!(submissions.len(), 3);
        assert!(submissions.iter().all(|one| one["outcome"] == "submitted"), "{submissions:?}");
        assert_eq!((backbone.submissions().await, backbone.organizations().await.len()), (3, 3));
        assert_eq!(backbone.total().await, "150");
    }
    assert_eq!(backbone.served.stop().await, Some(0));
}

#[tokio::test]
async fn what_is_refused_is_named_and_what_was_done_is_not_done_twice() {
    let backbone = Backbone::start().await;
    let first = file("2011-12", &[("Avon", "0040011", "100"), ("Berlin", "0070011", "50")]);
    let first = backbone.stage.write("first.csv", &first).display().to_string();
    assert_eq!(backbone.import(&["--organizations", "hosted", "--define-measures", &first]).await.code, Some(0));

    let second =
        file("2011-12", &[("Avon", "0040011", "101"), ("Berlin", "0070011", "50"), ("Canton", "0230011", "7")]);
    let second = backbone.stage.write("second.csv", &second).display().to_string();
    let said = backbone.import(&["--organizations", "own", &second]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("Left out 1 place, for nobody is registered for them here"), "{said:?}");
    assert!(said.out.contains("enrollment of Avon: 1 of the values were reported before"), "{said:?}");
    assert!(said.out.contains("give the same command again"), "{said:?}");

    let reason = ["--organizations", "own", "--revision-reason", "Counted again", &second];
    let said = backbone.import(&reason).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let before = backbone.submissions().await;
    assert_eq!(backbone.import(&reason).await.code, Some(0));
    assert_eq!((backbone.submissions().await, backbone.total().await.as_str()), (before, "151"));
    assert_eq!(backbone.served.stop().await, Some(0));
}

const GRANTS: &str = r#"{"grants": [
  {"id": "360G-1", "title": "Grant to a village hall", "currency": "GBP", "amountAwarded": 1500.5,
   "awardDate": "2015-06-10", "recipientOrganization": [{"name": "A village hall"}],
   "fundingOrganization": [{"id": "GB-CHC-327114"}]},
  {"id": "360G-2", "title": "Grant to a choir", "currency": "GBP", "amountAwarded": 0,
   "awardDate": "2015-06-11", "recipientOrganization": [{"name": "A choir"}],
   "fundingOrganization": [{"id": "GB-CHC-327114"}]},
  {"id": "360G-3", "title": "Grant to a band", "currency": "GBP", "amountAwarded": 20,
   "awardDate": "2015-06-12", "recipientOrganization": [{"name": "A band"}],
   "fundingOrganization": [{"id": "GB-CHC-327114"}]}
]}"#;

#[tokio::test]
async fn grants_become_awards_of_whoever_made_them_and_once() {
    let backbone = Backbone::start().await;
    let good = backbone.stage.write("good.json", GRANTS).display().to_string();
    let bad = GRANTS.replace("2015-06-12", "12/06/2015").replace("\"A choir\"", "\"\"");
    let bad = backbone.stage.write("bad.json", &bad).display().to_string();
    let import =
        async |files: &[&str]| backbone.stage.on(&backbone.config, &[&["import", "grants"], files].concat()).await;
    let awards = async || {
        let wanted = ListAwardsRequest { initiative: backbone.initiative.clone(), ..ListAwardsRequest::default() };
        backbone.client.awards(wanted).await.unwrap()
    };

    let said = import(&[&good, &bad]).await;
    assert_eq!(said.code, Some(4), "{said:?}");
    let choir = format!("{bad}, column \"grants[1].recipientOrganization[0].name\"");
    assert!(said.out.starts_with(&choir), "{said:?}");
    assert!(said.out.contains("grants[2].awardDate") && said.out.contains("nothing was imported"), "{said:?}");
    let said = import(&[&good]).await;
    assert_eq!(said.code, Some(2), "nobody is known by that identifier yet: {said:?}");
    assert!(said.complaint().contains("GB-CHC-327114"), "{said:?}");
    assert_eq!(awards().await, [], "nothing was kept");

    let foundation = Organization {
        display_name: "A foundation".to_owned(),
        sector: Sector::Grantmaker.into(),
        identifiers: vec![Identifier { scheme: "GB-CHC".to_owned(), value: "327114".to_owned() }],
        ..Organization::default()
    };
    let foundation = node::load::register(&backbone.client, &backbone.initiative, foundation).await.unwrap();
    node::load::admit_hosted(&backbone.client, &backbone.initiative, &foundation, &[Role::Funder]).await.unwrap();
    for (made, already) in [(2, 0), (0, 2)] {
        let said = import(&["--json", &good]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let told = said.json();
        assert_eq!((&told["made"], &told["already"]), (&made.into(), &already.into()), "{told}");
        assert_eq!((&told["sums"]["GBP"], &told["nothing"][0]), (&"1520.5".into(), &"360G-2".into()), "{told}");
        let awards = awards().await;
        let of = |award: &Award| award.definition.clone().unwrap().organization;
        assert!(awards.len() == 2 && awards.iter().all(|award| of(award) == foundation), "{awards:?}");
        assert_eq!(told["different"], serde_json::json!([]), "{told}");
    }
    let before = awards().await;
    let corrected = GRANTS.replace("1500.5", "1500.6");
    let corrected = backbone.stage.write("corrected.json", &corrected).display().to_string();
    let told = import(&["--json", &corrected]).await.json();
    assert_eq!((&told["made"], &told["different"]), (&0.into(), &serde_json::json!(["360G-1"])), "{told}");
    assert!(import(&[&corrected]).await.out.contains("1 award says something else here"), "a person is told");
    assert_eq!(awards().await, before, "and nothing is changed");
    let endless = import(&["--dry-run", "/dev/zero"]).await;
    assert!(endless.code == Some(2) && endless.complaint().contains("no file that can be read"), "{endless:?}");
    assert_eq!(backbone.served.stop().await, Some(0));
}

const IATI: &str = r#"<iati-activities version="2.03">
<iati-activity default-currency="EUR" xml:lang="en"><iati-identifier>AA-1-X</iati-identifier>
<reporting-org ref="AA-1"/><title><narrative>Reading rooms</narrative></title>
<participating-org ref="BB-2" role="1"/><activity-status code="STATUS"/><activity-date iso-date="2023-01-01" type="2"/>
<recipient-country code="KE"/>
<budget><period-start iso-date="2023-01-01"/><period-end iso-date="2023-12-31"/><value>70</value></budget>
<transaction ref="T1"><transaction-type code="2"/><transaction-date iso-date="2023-03-01"/><value>1000</value>
<receiver-org><narrative>A library</narrative></receiver-org></transaction>
<transaction><transaction-type code="3"/><transaction-date iso-date="2023-04-01"/><value>400</value>
<receiver-org><narrative>A library</narrative></receiver-org></transaction>
<transaction><transaction-type code="3"/><transaction-date iso-date="2023-04-01"/><value>400</value>
<receiver-org><narrative>A library</narrative></receiver-org></transaction>
</iati-activity></iati-activities>"#;

#[tokio::test]
async fn activities_are_made_once_with_their_awards_and_move_on() {
    let backbone = Backbone::start().await;
    let write = |name: &str, text: &str| backbone.stage.write(name, text).display().to_string();
    let good = write("good.xml", &IATI.replace("STATUS", "2"));
    let done = write("done.xml", &IATI.replace("STATUS", "4"));
    let bad = write("bad.xml", &IATI.replace("STATUS", "closed").replace("2023-04-01", "April"));
    let import = async |files: &[&str]| {
        backbone
            .stage
            .on(&backbone.config, &[&["import", "iati", "--json", "--budgets-as-needs"], files].concat())
            .await
    };
    let known = async || {
        let wanted = ListActivitiesRequest { initiative: backbone.initiative.clone(), ..Default::default() };
        backbone.client.every_activity(wanted).await.unwrap()
    };

    let said = import(&[&good, &bad]).await;
    assert_eq!((said.code, said.json()["faults"].as_array().unwrap().len()), (Some(4), 3), "{said:?}");
    let said = import(&[&good]).await;
    assert_eq!(said.code, Some(2), "nobody is known by that identifier yet: {said:?}");
    assert!(said.complaint().contains("AA-1"), "{said:?}");
    assert_eq!(known().await, [], "nothing was kept");

    for (name, value) in [("Reading aid", "1"), ("A foundation", "2")] {
        let scheme = if value == "1" { "AA" } else { "BB" };
        let organization = Organization {
            display_name: name.to_owned(),
            sector: Sector::Nonprofit.into(),
            identifiers: vec![Identifier { scheme: scheme.to_owned(), value: value.to_owned() }],
            ..Organization::default()
        };
        let organization = node::load::register(&backbone.client, &backbone.initiative, organization).await.unwrap();
        node::load::admit_hosted(&backbone.client, &backbone.initiative, &organization, &[Role::Partner])
            .await
            .unwrap();
    }
    for (file, state, made) in [
        (&good, ActivityState::UnderWay, (1, 1, 2, 1)),
        (&good, ActivityState::UnderWay, (0, 0, 0, 0)),
        (&done, ActivityState::Completed, (0, 0, 0, 0)),
        (&done, ActivityState::Completed, (0, 0, 0, 0)),
    ] {
        let said = import(&[file]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let told = said.json();
        let told = ["made", "awards", "disbursements", "needs"].map(|what| told[what].as_u64().unwrap());
        assert_eq!(told, <[u64; 4]>::from(made), "{said:?}");
        let [activity] = <[_; 1]>::try_from(known().await).unwrap();
        assert_eq!(activity.state(), state);
        assert_eq!(activity.definition.unwrap().funding.len(), 1);
    }
    let wanted = ListAwardsRequest { initiative: backbone.initiative.clone(), ..ListAwardsRequest::default() };
    let [award] = <[_; 1]>::try_from(backbone.client.awards(wanted).await.unwrap()).unwrap();
    assert_eq!((award.paid.as_str(), award.disbursements.len()), ("800", 2));
    assert_eq!(backbone.served.stop().await, Some(0));
}

const MAIL: &str = "\
From ann@example.org Mon Oct  5 04:41:25 2020
From: Ann Example <ann@example.org>
Date: Mon, 05 Oct 2020 04:41:21 +0000
Subject: Rooms
Message-ID: <1@x>

Which rooms do we have?

From ben@example.org Mon Oct  5 05:41:25 2020
From: ben@example.org
Date: Mon, 05 Oct 2020 05:41:21 +0000
Subject: Re: Rooms
Message-ID: <2@x>
In-Reply-To: <1@x>

Three. Ask ann@example.org

From cleo@example.org Mon Oct  5 06:41:25 2020
From: =Cleo <cleo@example.org>
Date: Mon, 05 Oct 2020 06:41:21 +0000
Subject: Re: Rooms
Message-ID: <3@x>
References: <1@x> <2@x>

Four.
";

#[tokio::test]
async fn mail_becomes_messages_in_threads_once_and_what_was_taken_back_stays_so() {
    let backbone = Backbone::start().await;
    let organization = backbone.partner("Reading aid", "AA", "1").await;
    let definition = ChannelDefinition {
        organization: organization.clone(),
        name: "Archive".to_owned(),
        kind: ChannelKind::Discussion.into(),
        ..ChannelDefinition::default()
    };
    let space = "members".to_owned();
    let (initiative, request_id) = (backbone.initiative.clone(), "open-archive".to_owned());
    let request = CreateChannelRequest { initiative, space, definition: Some(definition), request_id };
    let channel = loop {
        match backbone.client.messaging().create_channel(request.clone()).await {
            Ok(made) => break made.into_inner().channel.unwrap().reference,
            // The room hears of the initiative a moment later.
            Err(status) if status.code() == tonic::Code::NotFound => tokio::task::yield_now().await,
            Err(status) => panic!("{status}"),
        }
    };
    let good = backbone.stage.write("list.mbox", MAIL).display().to_string();
    let bad = MAIL.replace("In-Reply-To: <1@x>", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx");
    let bad = backbone.stage.write("bad.mbox", &bad).display().to_string();
    let import = async |files: &[&str]| {
        let arguments = [&["import", "mail", "--json", "--channel", &channel], files].concat();
        backbone.stage.on(&backbone.config, &arguments).await
    };
    let messages = async || {
        let request = ListMessagesRequest { channel: channel.clone(), page_size: 500, ..Default::default() };
        let entries = backbone.client.messaging().list_messages(request).await.unwrap().into_inner().entries;
        entries.into_iter().map(|entry| entry.message.unwrap()).collect::<Vec<_>>()
    };

    let said = import(&[&good, &bad]).await;
    assert_eq!((said.code, messages().await.len()), (Some(4), 0), "{said:?}");
    assert_eq!(import(&["--dry-run", &good]).await.json()["found"]["messages"], 3);
    assert_eq!(messages().await.len(), 0, "nothing was kept");
    let said = import(&[&good]).await;
    assert_eq!((said.code, &said.json()["posted"]), (Some(0), &3.into()), "{said:?}");
    let there = messages().await;
    let first = &there[0];
    assert_eq!((first.body.as_str(), first.byline.as_str()), ("Rooms\n\nWhich rooms do we have?", "Ann Example"));
    assert_eq!((there[1].body.as_str(), there[2].byline.as_str()), ("Three. Ask [address]", "=Cleo"));
    let heading = |message: &Message| message.heading.clone().unwrap();
    assert!(there.iter().skip(1).all(|answer| heading(answer).thread == first.reference), "{there:?}");
    assert_eq!(
        (heading(first).organization, heading(first).written_time.unwrap().seconds),
        (organization, 1_601_872_881)
    );
    assert!(there.iter().all(|message| !format!("{message:?}").contains("example.org")), "{there:?}");

    let withdrawal = WithdrawMessageRequest { message: there[1].reference.clone(), request_id: "take-back".to_owned() };
    backbone.client.messaging().withdraw_message(withdrawal).await.unwrap();
    let edit = EditMessageRequest {
        message: there[2].reference.clone(),
        body: "Five.".to_owned(),
        request_id: "mend-it-1".to_owned(),
        ..EditMessageRequest::default()
    };
    backbone.client.messaging().edit_message(edit).await.unwrap();
    let said = import(&[&good]).await;
    let told = said.json();
    assert_eq!((&told["posted"], &told["already"], &told["withdrawn"]), (&0.into(), &2.into(), &1.into()), "{said:?}");
    assert!(messages().await.iter().all(|message| !message.body.contains("Three")));
    // Written in the same second as what was taken back, by somebody else.
    let twin = MAIL.split("\nFrom ").nth(1).unwrap().replace("<2@x>", "<9@x>").replace("Three", "Nine");
    let twin = backbone.stage.write("twin.mbox", &format!("From {twin}\n")).display().to_string();
    let told = import(&[&twin, &good]).await.json();
    assert_eq!((&told["posted"], &told["already"], &told["withdrawn"]), (&1.into(), &2.into(), &1.into()), "{told}");
    let bodies: Vec<String> = messages().await.into_iter().map(|message| message.body).collect();
    assert_eq!(bodies.iter().filter(|body| body.contains("Nine")).count(), 1, "{bodies:?}");
    assert!(bodies.iter().all(|body| !body.contains("Three")), "{bodies:?}");
    assert_eq!(backbone.served.stop().await, Some(0));
}
