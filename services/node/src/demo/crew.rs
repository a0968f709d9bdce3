//! Who takes part, and for whom each of them reports.

use chassis::names::Reference;
use proto::common::Role;
use proto::membership::{Initiative, InitiativeState, Organization, Sector};

use super::schools::District;
use super::{Voice, crowd};
use crate::error::NodeError;
use crate::fleet::{Coalition, Founded, Node, organization};
use crate::import::Batch;
use crate::import::connecticut::STATE;

/// The initiative's name.
pub(super) const INITIATIVE: &str = "Every student graduates";
const PURPOSE: &str = "Every student of Connecticut's public schools finishes high school in four years, whatever their \
                       race, their gender or their town.";
const SCHEME: &str = "CT-SDE-district";
/// The districts that run a node of their own.
const OWN_NODE: [(&str, &str); 2] = [("Hartford School District", "alpha"), ("Bridgeport School District", "beta")];

/// An organisation, the node on which it lives, and the place it reports for.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    pub(super) node: &'static str,
    pub(super) place: String,
    pub(super) organization: Reference,
}

/// Everybody who reports.
pub(super) struct Crew(Vec<Reporter>);

/// Begins the initiative.
pub(super) async fn found(backbone: &Node) -> Result<Founded, NodeError> {
    let initiative = Initiative {
        display_name: INITIATIVE.to_owned(),
        purpose: PURPOSE.to_owned(),
        region: "Connecticut, United States".to_owned(),
        state: InitiativeState::Active.into(),
        ..Initiative::default()
    };
    Founded::begin(backbone, initiative, organization("Graduate Connecticut", Sector::Nonprofit, &[])).await
}

impl Crew {
    /// Registers and admits everybody.
    pub(super) async fn gather(
        coalition: &Coalition,
        founded: &Founded,
        districts: &[District],
        voice: &Voice,
    ) -> Result<Self, NodeError> {
        let department = organization("Connecticut State Department of Education", Sector::Government, &[]);
        let department = founded.host(department, &[Role::Partner]).await?;
        let mut crew = vec![Reporter { node: "backbone", place: STATE.to_owned(), organization: department }];
        let (own, hosted): (Vec<_>, Vec<_>) = districts.iter().partition(|district| node_of(district).is_some());
        voice.begin("school districts", hosted.len());
        let admitted = crowd::all(hosted.iter().map(async |district| {
            let organization = founded.host(described(district), &[Role::Partner]).await?;
            voice.done();
            Ok(Reporter { node: "backbone", place: district.code.clone(), organization })
        }));
        crew.extend(admitted.await?);
        voice.say(format!("{} school districts have no node: the backbone hosts them, and the state's", hosted.len()));
        voice.add("department of education, which publishes the totals");
        for district in own {
            let Some(node) = node_of(district) else { continue };
            let roles = [Role::Partner, Role::DataLead];
            let organization = founded.admit(coalition, node, described(district), &roles).await?;
            crew.push(Reporter { node, place: district.code.clone(), organization });
        }
        voice.say("Hartford and Bridgeport register at home, ask to join, and the backbone admits them");
        Ok(Self(crew))
    }

    /// Who reports a batch.
    pub(super) fn reporter(&self, batch: &Batch) -> Result<&Reporter, NodeError> {
        let found = self.0.iter().find(|reporter| reporter.place == batch.place.code);
        found.ok_or_else(|| NodeError::Usage(format!("nobody reports for {}", batch.place.name)))
    }

    /// All of them.
    pub(super) fn everybody(&self) -> &[Reporter] {
        &self.0
    }

    /// Who lives on a partner's node.
    pub(super) fn on(&self, node: &str) -> Result<&Reporter, NodeError> {
        let found = self.0.iter().find(|reporter| reporter.node == node);
        found.ok_or_else(|| NodeError::Usage(format!("nobody lives on {node}")))
    }
}

fn node_of(district: &District) -> Option<&'static str> {
    OWN_NODE.iter().find(|(name, _)| *name == district.name).map(|(_, node)| *node)
}

fn described(district: &District) -> Organization {
    organization(&district.name, Sector::Institution, &[(SCHEME, &district.code)])
}
