//! The real files from bytes to totals, through the measurement room of one node: every figure is the published one.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::Path;

use chassis::names::Reference;
use chassis::testing::{CalledBy, Stage, operator};
use measurement::{Api, Measurement};
use node::import::connecticut::{ENROLLMENT, GRADUATION, SOURCE};
use node::import::{File, measures, plan};
use proto::common::Role;
use proto::measurement::measurement_service_client::MeasurementServiceClient;
use proto::measurement::measurement_service_server::MeasurementServiceServer;
use proto::measurement::{Basis, CreateMeasureRequest, GetRollupRequest, RollupGroup};

type Client = MeasurementServiceClient<CalledBy<MeasurementServiceServer<Api>>>;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/ct-education-districts");

fn files() -> Vec<File> {
    let mut files = Vec::new();
    for folder in ["four-year-graduation-rates-district", "enrollment-district"] {
        for entry in std::fs::read_dir(Path::new(FOLDER).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            files.push(File { name: path.display().to_string(), bytes: std::fs::read(path).unwrap() });
        }
    }
    files
}

/// Submits all the files; gives the measures' references by code.
async fn everything_submitted(stage: &Stage<Measurement>, here: &mut Client) -> BTreeMap<String, String> {
    let initiative = Reference::born_on(&stage.node);
    stage.grant(&initiative, &Reference::born_on(&stage.node), Role::BackboneStaff).await;
    let mut references = BTreeMap::new();
    for definition in measures() {
        let code = definition.code.clone();
        let request = CreateMeasureRequest {
            initiative: initiative.to_string(),
            request_id: format!("define-{code}"),
            definition: Some(definition),
        };
        let measure = here.create_measure(request).await.unwrap().into_inner().measure.unwrap();
        references.insert(code, measure.reference);
    }
    for batch in plan(&files()).unwrap() {
        let organization = Reference::born_on(&stage.node).to_string();
        let request = batch.request(&references[batch.measure], &organization, "", SOURCE);
        here.submit_observations(request).await.unwrap();
    }
    references
}

async fn total(here: &mut Client, measure: &str, basis: Basis, year: u16, group: &[(&str, &str)]) -> RollupGroup {
    let request = GetRollupRequest {
        measure: measure.to_owned(),
        basis: basis.into(),
        periods: vec![format!("{year}-07-01/{}-06-30", year + 1)],
        dimensions: group.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect(),
        ..GetRollupRequest::default()
    };
    let groups = here.get_rollup(request).await.unwrap().into_inner().groups;
    assert_eq!(groups.len(), 1);
    groups.into_iter().next().unwrap()
}

#[tokio::test]
async fn every_figure_is_the_published_one() {
    let stage = Stage::set().await;
    let mut here = Client::new(stage.called_by(Some(&operator())));
    let references = everything_submitted(&stage, &mut here).await;
    let (graduation, enrollment) = (&references[GRADUATION], &references[ENROLLMENT]);

    let first = total(&mut here, enrollment, Basis::Component, 2011, &[]).await;
    assert_eq!(first.value, "558377");
    let last = total(&mut here, enrollment, Basis::Component, 2016, &[]).await;
    let coverage = last.coverage.unwrap();
    assert_eq!((last.value.as_str(), coverage.suppressed, coverage.expected), ("538820", 2, 203));
    let names: Vec<String> = coverage.absences.into_iter().map(|one| one.geography.unwrap().name).collect();
    assert!(names.iter().any(|name| name == "Union School District"), "{names:?}");
    let published = total(&mut here, enrollment, Basis::PublishedTotal, 2016, &[]).await;
    assert_eq!(published.value, "538893");

    let districts = total(&mut here, graduation, Basis::Component, 2010, &[]).await;
    let coverage = districts.coverage.unwrap();
    assert_eq!((districts.numerator.as_str(), districts.denominator.as_str()), ("37020", "44813"));
    assert_eq!((coverage.reporting, coverage.expected, coverage.suppressed), (131, 135, 4));

    for (group, numerator, denominator, rate) in [
        (vec![], "36965", "42392", "87.2"),
        (vec![("race", "black")], "4567", "5850", "78.1"),
        (vec![("race", "hispanic")], "6114", "8177", "74.8"),
        (vec![("race", "white")], "23941", "25820", "92.7"),
    ] {
        let state = total(&mut here, graduation, Basis::PublishedTotal, 2014, &group).await;
        assert_eq!(
            (state.numerator, state.denominator, state.rate),
            (numerator.into(), denominator.into(), rate.into())
        );
    }
}
