//! A backbone and one partner.

use chassis::names::Reference;
use node::demo::impostors;
use node::error::NodeError;
use node::fleet::{Coalition, Founded, Node, Sketch, organization, until};
use proto::common::Role;
use proto::federation::link_status::State;
use proto::federation::{GetStatusRequest, RevokeNodeRequest};
use proto::measurement::*;
use proto::membership::{GetOrganizationRequest, Initiative, Sector};
use tests::Stage;

use super::PROGRAM;

pub(crate) const SKETCHES: [Sketch; 2] = [
    Sketch { name: "backbone", title: "Readers' Alliance", backbone: true },
    Sketch { name: "alpha", title: "Town Library", backbone: false },
];

/// A backbone with an organization of its own, a partner with a library, and a measure of visits.
pub(crate) struct Town {
    pub(crate) stage: Stage,
    pub(crate) founded: Founded,
    pub(crate) library: Reference,
    visits: String,
}

impl Town {
    pub(crate) async fn found() -> Self {
        Self::on(Stage::set(PROGRAM, &SKETCHES).await.unwrap()).await
    }

    /// The same on a stage that is set already.
    pub(crate) async fn on(stage: Stage) -> Self {
        Self::with(stage, &["alpha"]).await
    }

    /// The same with more partners.
    pub(crate) async fn with(stage: Stage, partners: &[&str]) -> Self {
        let coalition = &stage.coalition;
        let initiative = Initiative { display_name: "Everyone reads".to_owned(), ..Initiative::default() };
        let alliance = organization("Readers' Alliance", Sector::Nonprofit, &[]);
        let founded = Founded::begin(coalition.backbone().unwrap(), initiative, alliance).await.unwrap();
        for partner in partners {
            coalition.link(partner, &founded.initiative, "Everyone reads").await.unwrap();
        }
        let library = organization("Town Library", Sector::Institution, &[("US-CT-LIB", "17")]);
        let library = founded.admit(coalition, "alpha", library, &[Role::Partner]).await.unwrap();
        let visits = founded.define(coalition, &[visits()]).await.unwrap().remove(0);
        Self { stage, founded, library, visits }
    }

    pub(crate) fn coalition(&self) -> &Coalition {
        &self.stage.coalition
    }

    pub(crate) fn node(&self, name: &str) -> &Node {
        self.coalition().node(name).unwrap()
    }

    pub(crate) fn members(&self) -> String {
        format!("{}/members", self.founded.initiative)
    }

    pub(crate) async fn report(&self, node: &str, organization: &Reference, year: u16, amount: u32) {
        let part = Part { state: ValueState::Reported.into(), amount: amount.to_string() };
        let place = Geography { level: "town".to_owned(), code: "17".to_owned(), name: "Avon".to_owned() };
        let request = SubmitObservationsRequest {
            definition: Some(SubmissionDefinition {
                measure: self.visits.clone(),
                organization: organization.to_string(),
                basis: Basis::Component.into(),
                source: "counted at the door".to_owned(),
            }),
            observations: vec![Observation {
                geography: Some(place),
                period: format!("{year}-01-01/{year}-12-31"),
                value: Some(part),
                ..Observation::default()
            }],
            request_id: chassis::clock::new_id().to_string(),
            ..SubmitObservationsRequest::default()
        };
        let client = self.node(node).speaking_for(organization).unwrap();
        client.measurement().submit_observations(request).await.unwrap();
    }

    /// The sums of all years that a node holds.
    async fn sums(&self, node: &str) -> Result<Vec<String>, NodeError> {
        let request = GetRollupRequest {
            measure: self.visits.clone(),
            basis: Basis::Component.into(),
            ..GetRollupRequest::default()
        };
        let rollup = self.node(node).operator()?.measurement().get_rollup(request).await?.into_inner();
        Ok(rollup.groups.into_iter().map(|group| group.value).collect())
    }

    pub(crate) async fn comes_to_hold(&self, node: &str, sums: &[&str]) {
        until(format!("{sums:?} on {node}"), async || Ok((self.sums(node).await? == sums).then_some(())))
            .await
            .unwrap();
    }

    pub(crate) async fn codes(&self) -> Vec<String> {
        let refusals = impostors::refusals(self.node("backbone")).await.unwrap();
        refusals.into_iter().map(|(code, _)| code).collect()
    }

    /// What a command prints on a node.
    async fn says(&self, node: &str, arguments: &[&str]) -> String {
        let mut command = tokio::process::Command::new(PROGRAM);
        let said = command.args(arguments).arg("--config").arg(self.node(node).file()).output().await.unwrap();
        assert!(said.status.success(), "{arguments:?}: {said:?}");
        String::from_utf8(said.stdout).unwrap()
    }

    /// Both ends say what was refused, why, and what to do now; what was looked at can be taken away.
    async fn what_people_read_of_it(&self) {
        let status = self.says("alpha", &["status"]).await;
        let newest = "the backbone refused what this node told: ";
        assert!(status.contains(newest) && status.contains("to do: ask the node it is about"), "{status}");
        let status = self.says("backbone", &["status"]).await;
        assert!(status.contains("what \"Town Library\" told was refused: "), "{status}");
        assert!(status.contains(" 2 quarantined") && status.contains("to do: nothing here"), "{status}");

        let list = self.says("backbone", &["quarantine", "list"]).await;
        let forged = list.lines().find(|line| line.contains("FOREIGN_KEY")).unwrap();
        let number = forged.split_whitespace().next().unwrap();
        let shown = self.says("backbone", &["quarantine", "show", number]).await;
        assert!(shown.contains("ask whoever looks after that node whether its key was changed"), "{shown}");
        assert!(shown.contains("there is no verdict on it"), "{shown}");
        let retried = self.says("backbone", &["quarantine", "retry", number]).await;
        assert!(retried.starts_with("1 line asked for again."), "{retried}");
        let dropped = self.says("backbone", &["quarantine", "drop", "--all"]).await;
        assert!(dropped.starts_with("1 line taken away."), "{dropped}");
        assert_eq!(
            self.says("backbone", &["quarantine", "list"]).await.trim(),
            "Nothing was refused, and nothing waits."
        );
    }

    async fn name_of(&self, node: &str, organization: &Reference) -> String {
        let request = GetOrganizationRequest { organization: organization.to_string() };
        let answer = self.node(node).operator().unwrap().membership().get_organization(request).await.unwrap();
        answer.into_inner().organization.unwrap().display_name
    }
}

fn visits() -> MeasureDefinition {
    MeasureDefinition {
        code: "visits".to_owned(),
        name: "Visits to a library".to_owned(),
        kind: MeasureKind::PerformanceMeasure.into(),
        unit: "visits".to_owned(),
        direction: Direction::Up.into(),
        aggregation: Aggregation::Sum.into(),
        per: 1,
        ..MeasureDefinition::default()
    }
}

#[tokio::test]
async fn what_one_signs_the_other_sees_also_after_a_crash() {
    let mut town = Town::found().await;
    let (library, alliance) = (town.library.clone(), town.founded.own.clone());
    town.report("alpha", &library, 2024, 42).await;
    town.comes_to_hold("backbone", &["42"]).await;
    town.report("backbone", &alliance, 2024, 8).await;
    town.comes_to_hold("alpha", &["50"]).await;

    town.report("alpha", &library, 2025, 40).await;
    town.stage.coalition.kill_node("alpha").await.unwrap();
    town.report("backbone", &alliance, 2025, 5).await;
    town.stage.coalition.start_node("alpha").await.unwrap();
    for node in ["backbone", "alpha"] {
        town.comes_to_hold(node, &["50", "45"]).await;
    }
    let digests = town.coalition().settled(&town.members()).await.unwrap();
    assert_eq!(digests[0].digest, digests[1].digest);
    town.stage.end().await.unwrap();
}

#[tokio::test]
async fn who_is_not_who_they_say_is_refused_in_the_open() {
    let mut town = Town::found().await;
    let (library, alliance) = (town.library.clone(), town.founded.own.clone());
    let initiative = town.founded.initiative.clone();
    impostors::forge_seal(town.node("alpha"), &initiative, &library).await.unwrap();
    until("a foreign key to be refused", async || Ok((town.codes().await == ["FOREIGN_KEY"]).then_some(())))
        .await
        .unwrap();

    town.stage.coalition.stop_node("alpha").await.unwrap();
    impostors::speak_for_another(town.node("alpha"), &initiative, &alliance).await.unwrap();
    town.stage.coalition.start_node("alpha").await.unwrap();
    town.report("alpha", &library, 2024, 42).await;
    town.comes_to_hold("backbone", &["42"]).await;
    town.coalition().settled(&town.members()).await.unwrap();
    assert_eq!(town.codes().await, ["NOT_ITS_HOME", "FOREIGN_KEY"]);
    town.what_people_read_of_it().await;
    let status = town.node("alpha").operator().unwrap().federation().get_status(GetStatusRequest {}).await.unwrap();
    assert_eq!(status.into_inner().spaces.iter().map(|space| space.refused).sum::<u64>(), 1);
    for node in ["backbone", "alpha"] {
        assert_eq!(town.name_of(node, &alliance).await, "Readers' Alliance");
        assert_eq!(town.name_of(node, &library).await, "Town Library");
    }
    town.stage.end().await.unwrap();
}

#[tokio::test]
async fn a_node_that_was_revoked_is_not_heard_any_more() {
    let town = Town::found().await;
    town.report("alpha", &town.library, 2024, 42).await;
    town.comes_to_hold("backbone", &["42"]).await;
    let request = RevokeNodeRequest {
        request_id: chassis::clock::new_id().to_string(),
        initiative: town.founded.initiative.clone(),
        node: town.node("alpha").id.to_string(),
        reason: "its key was copied".to_owned(),
    };
    town.node("backbone").operator().unwrap().federation().revoke_node(request).await.unwrap();
    until("alpha to see that it is shut out", async || {
        let status = town.node("alpha").operator()?.federation().get_status(GetStatusRequest {}).await?.into_inner();
        let out = status.links.iter().all(|link| matches!(link.state(), State::Refused | State::Ended));
        Ok(out.then_some(()))
    })
    .await
    .unwrap();
    town.report("alpha", &town.library, 2025, 40).await;
    town.report("backbone", &town.founded.own, 2025, 5).await;
    town.comes_to_hold("backbone", &["42", "5"]).await;
    town.stage.end().await.unwrap();
}
