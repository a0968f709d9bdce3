//! The common agenda: published by the backbone, and endorsed by the partners.

use proto::agenda::*;

use super::Voice;
use super::tale::{Speaker, Tale};
use crate::cli::request_id;
use crate::error::NodeError;
use crate::fleet::{Coalition, heard};
use crate::import::connecticut::GRADUATION;

const PROBLEM: &str = "About one student in eight does not finish high school in four years. Of those who were to \
                       finish in 2015, 87 of 100 did: 93 of 100 White students, but 78 of 100 Black students.";
const VISION: &str = "Every student finishes high school in four years and is ready for what comes next, whatever \
                      their race, their gender or their town.";
const POPULATION: &str = "Everybody who enters ninth grade in a public school of Connecticut.";
const RESULT: &str = "Students finish high school in four years";
const STRATEGIES: [(&str, &str); 2] = [
    (
        "Find every ninth-grader who falls behind, and help within two weeks",
        "Who fails a course in ninth grade seldom finishes in time. Marks and absences show it early enough.",
    ),
    ("Bring back students who miss school", "Somebody calls home on the first day missed, and asks what would help."),
];

/// Publishes the first version at the backbone.
pub(super) async fn publish(coalition: &Coalition, tale: &Tale, voice: &Voice) -> Result<Agenda, NodeError> {
    let backbone = tale.speaker(coalition, "backbone")?;
    let request = CreateAgendaRequest {
        initiative: tale.initiative.clone(),
        tree: Some(first(tale.measure(GRADUATION)?)),
        request_id: request_id(),
    };
    let begun = heard("the backbone's staff to be known to the agenda", async || {
        backbone.client.agenda().create_agenda(request.clone()).await
    });
    let agenda = begun.await?.agenda.unwrap_or_default();
    let agenda = next_version(&backbone, &agenda.reference, Vec::new()).await?;
    voice.say(
        "The backbone publishes the common agenda: one result, read by the graduation measure, and two strategies",
    );
    voice.add("to turn its curve");
    Ok(agenda)
}

/// Publishes the draft as it stands, to carry out proposals.
pub(super) async fn next_version(
    backbone: &Speaker,
    agenda: &str,
    proposals: Vec<String>,
) -> Result<Agenda, NodeError> {
    let request =
        PublishAgendaRequest { agenda: agenda.to_owned(), proposals, etag: String::new(), request_id: request_id() };
    Ok(backbone.client.agenda().publish_agenda(request).await?.into_inner().agenda.unwrap_or_default())
}

/// Both partners endorse the version in force, each at its own node.
pub(super) async fn endorse(coalition: &Coalition, tale: &Tale, agenda: &Agenda) -> Result<(), NodeError> {
    let version = agenda.current.as_ref().map(|version| version.reference.clone()).unwrap_or_default();
    for name in ["alpha", "beta"] {
        let partner = tale.speaker(coalition, name)?;
        let request = EndorseAgendaVersionRequest {
            version: version.clone(),
            organization: partner.organization.clone(),
            statement: "This is what we work for, and what we want to be measured by.".to_owned(),
            request_id: request_id(),
        };
        heard(format!("the agenda at {name}"), async || {
            partner.client.agenda().endorse_agenda_version(request.clone()).await
        })
        .await?;
    }
    Ok(())
}

/// The strategy of an agenda that activities are to serve: its first.
pub(super) fn strategy(agenda: &Agenda) -> Result<String, NodeError> {
    let tree = agenda.current.as_ref().and_then(|version| version.tree.as_ref());
    let found = tree.and_then(|tree| tree.results.first()).and_then(|result| result.strategies.first());
    let none = || NodeError::Usage("the agenda has no strategy".to_owned());
    found.map(|strategy| strategy.reference.clone()).ok_or_else(none)
}

fn first(graduation: String) -> AgendaTree {
    let strategy = |(title, description): &(&str, &str)| Strategy {
        title: (*title).to_owned(),
        description: (*description).to_owned(),
        ..Strategy::default()
    };
    AgendaTree {
        display_name: "Every student graduates: what we agree to change".to_owned(),
        problem: PROBLEM.to_owned(),
        vision: VISION.to_owned(),
        population: POPULATION.to_owned(),
        results: vec![AgendaResult {
            title: RESULT.to_owned(),
            measures: vec![graduation],
            strategies: STRATEGIES.iter().map(strategy).collect(),
            ..AgendaResult::default()
        }],
    }
}
