//! Frameworks of goals: one draft, once, that can be published as it is.

use std::path::Path;

use node::load;
use proto::agenda::{AgendaTree, ListAgendasRequest, PublishAgendaRequest};
use proto::measurement::{Aggregation, Direction, MeasureDefinition, MeasureKind};

use crate::backbone::Backbone;
use crate::stage::{Said, Stage, soon};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data");

fn goals() -> String {
    format!("{DATA}/un-sdg-framework/sdg-goals-targets-indicators.en.csv")
}

impl Backbone {
    async fn agenda(&self, arguments: &[&str]) -> Said {
        let head = ["import", "agenda", "--problem", "Much", "--vision", "Less", "--population", "All", "--json"];
        self.stage.on(&self.config, &[&head, arguments].concat()).await
    }

    /// The drafts that are here.
    async fn drafts(&self) -> Vec<AgendaTree> {
        let wanted = ListAgendasRequest { initiative: self.initiative.clone(), ..ListAgendasRequest::default() };
        let agendas = self.client.agendas(wanted).await.unwrap();
        agendas.into_iter().map(|agenda| agenda.draft.unwrap().tree.unwrap()).collect()
    }
}

#[tokio::test]
async fn goals_become_one_draft_that_can_be_published() {
    let backbone = Backbone::start().await;
    backbone.staff().await;
    let measure = MeasureDefinition {
        code: "sdg-1-1-1".to_owned(),
        name: "People below the poverty line".to_owned(),
        kind: MeasureKind::Indicator.into(),
        unit: "percent".to_owned(),
        direction: Direction::Down.into(),
        aggregation: Aggregation::None.into(),
        ..MeasureDefinition::default()
    };
    let define = async || load::define(&backbone.client, &backbone.initiative, measure.clone()).await.ok();
    let measure = soon(define).await;
    let wanted = ListAgendasRequest { initiative: backbone.initiative.clone(), ..ListAgendasRequest::default() };
    soon(async || backbone.client.agendas(wanted.clone()).await.ok()).await;
    for outcome in ["made", "already"] {
        let said = backbone.agenda(&["--name", "Goals", &goals()]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        let told = said.json();
        assert_eq!(told["outcome"], outcome, "{told}");
        let found: Vec<_> =
            ["results", "strategies", "indicators", "measures"].iter().map(|what| &told[what]).collect();
        assert_eq!(found, [17, 169, 252, 1], "{told}");
        assert_eq!(backbone.drafts().await.len(), 1);
    }
    let draft = backbone.drafts().await.remove(0);
    assert_eq!(draft.results[0].measures, [measure.reference]);
    let indicators = draft.results.iter().flat_map(|one| &one.strategies).flat_map(|one| one.description.lines());
    let indicators = indicators.filter(|line| line.split(' ').next().unwrap().split('.').count() == 3);
    assert_eq!(indicators.count(), 251, "what is no measure here stands in words");

    let agenda = backbone.agenda(&["--name", "Goals", &goals()]).await.json()["agenda"].as_str().unwrap().to_owned();
    let publish =
        PublishAgendaRequest { agenda, request_id: "publish-it".to_owned(), ..PublishAgendaRequest::default() };
    let published = backbone.client.agenda().publish_agenda(publish).await.unwrap().into_inner();
    assert_eq!(published.agenda.unwrap().current.unwrap().tree.unwrap(), draft);

    let catalogue = format!("{DATA}/elkhart-child-dashboard");
    let said = backbone.agenda(&["--name", "Goals", &catalogue]).await;
    assert_eq!((said.code, &said.json()["outcome"]), (Some(1), &"different".into()), "{said:?}");
    let said = backbone.agenda(&["--name", "Children", &catalogue]).await;
    assert_eq!((said.code, &said.json()["results"]), (Some(0), &8.into()), "{said:?}");
    assert_eq!(backbone.drafts().await.len(), 2);
    assert_eq!(backbone.served.stop().await, Some(0));
}

#[tokio::test]
async fn a_dry_run_of_goals_names_every_wrong_row_and_needs_no_node() {
    let stage = Stage::set();
    let config = stage.config("none", "");
    let import = async |path: &Path| {
        let arguments = ["import", "agenda", "--name", "Goals", "--dry-run", path.to_str().unwrap()];
        stage.on(&config, &arguments).await
    };
    let said = import(Path::new(&goals())).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.starts_with("Read 17 results, 169 strategies and 252 indicators: "), "{said:?}");
    assert!(said.out.contains("Nothing was made: this was a dry run"), "{said:?}");

    let wrong = std::fs::read_to_string(goals()).unwrap().replace("\ntarget,1.", "\ntarget,x 1.");
    let said = import(&stage.write("wrong.csv", &wrong)).await;
    assert_eq!(said.code, Some(4), "{said:?}");
    let first = "line 19, column \"code\": \"x 1.1\" is no code; expected one such as 1, 1.1 or 1.a.1\n";
    assert!(said.out.contains(first) && said.out.contains("nothing was imported"), "{said:?}");

    stage.write("two.csv", &wrong);
    let said = import(stage.folder.path()).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.complaint().contains("has 2 files *.csv: name the one you mean"), "{said:?}");
    let said = import(&stage.path("missing.csv")).await;
    assert_eq!(said.code, Some(2), "{said:?}");
}
