//! Imports: every wrong row is named and nothing is kept, and what was submitted is not submitted twice.

use crate::backbone::Backbone;
use crate::stage::Stage;
use proto::activities::{Award, ListAwardsRequest};
use proto::common::Role;
use proto::measurement::{GetRollupRequest, ListMeasuresRequest, ListSubmissionsRequest};
use proto::membership::{Identifier, Organization, Sector};

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
    }
    assert_eq!(backbone.served.stop().await, Some(0));
}
