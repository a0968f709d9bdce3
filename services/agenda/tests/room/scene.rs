//! What these tests begin with: a node that is the backbone of an initiative, and partners that live on it.

use agenda::{Agenda as Room, Api};
use chassis::authn::Caller;
use chassis::clock;
use chassis::event::timestamp;
use chassis::names::Reference;
use chassis::testing::{CalledBy, Stage, operator};
use proto::agenda::agenda_service_client::AgendaServiceClient;
use proto::agenda::agenda_service_server::AgendaServiceServer;
use proto::agenda::decision_rule::Quorum;
use proto::agenda::*;
use proto::common::Role;
use time::{Duration, OffsetDateTime};
use tonic::Status;
use tonic_types::StatusExt;

pub type Client = AgendaServiceClient<CalledBy<AgendaServiceServer<Api>>>;

pub struct Scene {
    pub stage: Stage<Room>,
    pub operator: Caller,
    pub initiative: Reference,
    /// The backbone's own organization.
    pub backbone: Reference,
}

impl Scene {
    /// A node that is the backbone of an initiative.
    pub async fn set() -> Self {
        let stage = Stage::set().await;
        let initiative = Reference::born_on(&stage.node);
        Self::of(stage, initiative).await
    }

    /// A node in an initiative.
    pub async fn of(stage: Stage<Room>, initiative: Reference) -> Self {
        let backbone = Reference::born_on(&initiative.node);
        stage.grant(&initiative, &backbone, Role::BackboneStaff).await;
        Self { stage, operator: operator(), initiative, backbone }
    }

    pub fn client(&self, caller: Option<&Caller>) -> Client {
        Client::new(self.stage.called_by(caller))
    }

    /// The client of the node's operator.
    pub fn here(&self) -> Client {
        self.client(Some(&self.operator))
    }

    /// A member organization that lives here.
    pub async fn partner(&self) -> Reference {
        let partner = Reference::born_on(&self.stage.node);
        self.stage.grant(&self.initiative, &partner, Role::Partner).await;
        partner
    }

    /// Lets the backbone accept what was told so far, now.
    pub async fn accept(&self) {
        self.stage.accept(clock::now()).await;
    }

    pub async fn draft(&self, tree: AgendaTree) -> Agenda {
        let request =
            CreateAgendaRequest { initiative: self.initiative.to_string(), tree: Some(tree), request_id: new_id() };
        self.here().create_agenda(request).await.unwrap().into_inner().agenda.unwrap()
    }

    pub async fn publish(&self, agenda: &Agenda) -> Agenda {
        let request =
            PublishAgendaRequest { agenda: agenda.reference.clone(), request_id: new_id(), ..Default::default() };
        self.here().publish_agenda(request).await.unwrap().into_inner().agenda.unwrap()
    }

    /// The first version of an agenda.
    pub async fn version(&self) -> AgendaVersion {
        let draft = self.draft(tree()).await;
        self.publish(&draft).await.current.unwrap()
    }

    pub async fn endorse(&self, version: &AgendaVersion, organization: &Reference) -> Endorsement {
        self.here()
            .endorse_agenda_version(endorsement(version, organization))
            .await
            .unwrap()
            .into_inner()
            .endorsement
            .unwrap()
    }

    pub async fn propose(
        &self,
        version: &AgendaVersion,
        organization: &Reference,
        revision: ProposalRevision,
    ) -> Proposal {
        let request = proposal(version, organization, revision);
        self.here().create_proposal(request).await.unwrap().into_inner().proposal.unwrap()
    }

    pub async fn take(&self, proposal: &Proposal, organization: &Reference, stance: Stance) -> Position {
        let revision = newest(proposal);
        self.here()
            .take_position(position(proposal, revision, organization, stance))
            .await
            .unwrap()
            .into_inner()
            .position
            .unwrap()
    }

    pub async fn amend(&self, proposal: &Proposal, revision: ProposalRevision) -> Proposal {
        let request = AmendProposalRequest {
            proposal: proposal.reference.clone(),
            revision: Some(revision),
            etag: String::new(),
            request_id: new_id(),
        };
        self.here().amend_proposal(request).await.unwrap().into_inner().proposal.unwrap()
    }

    pub async fn decide(&self, proposal: &Proposal) -> Result<Proposal, Status> {
        let request = DecideProposalRequest { proposal: proposal.reference.clone(), request_id: new_id() };
        Ok(self.here().decide_proposal(request).await?.into_inner().proposal.unwrap())
    }

    pub async fn proposal(&self, proposal: &Proposal) -> Proposal {
        let request = GetProposalRequest { proposal: proposal.reference.clone() };
        self.here().get_proposal(request).await.unwrap().into_inner().proposal.unwrap()
    }

    pub async fn positions(&self, proposal: &Proposal) -> Vec<Position> {
        let request = ListPositionsRequest { proposal: proposal.reference.clone(), ..Default::default() };
        self.here().list_positions(request).await.unwrap().into_inner().positions
    }

    pub async fn tally(&self, proposal: &Proposal) -> GetTallyResponse {
        let request = GetTallyRequest { proposal: proposal.reference.clone() };
        self.here().get_tally(request).await.unwrap().into_inner()
    }

    /// Agree, abstain and object.
    pub async fn counts(&self, proposal: &Proposal) -> [u32; 3] {
        let tally = self.tally(proposal).await.tally.unwrap();
        [tally.agree, tally.abstain, tally.object]
    }
}

/// Two results, one of them with two strategies.
pub fn tree() -> AgendaTree {
    let strategy = |title: &str| Strategy { title: title.to_owned(), ..Strategy::default() };
    let ready = AgendaResult {
        title: "Children are ready for school".to_owned(),
        strategies: vec![strategy("Home visits"), strategy("Free places")],
        ..AgendaResult::default()
    };
    let graduate = AgendaResult { title: "Young people graduate".to_owned(), ..AgendaResult::default() };
    AgendaTree {
        display_name: "Every child".to_owned(),
        problem: "Too many fall behind".to_owned(),
        vision: "Every child thrives".to_owned(),
        population: "Children of the county".to_owned(),
        results: vec![ready, graduate],
    }
}

/// By consent, with at least one position; open for an hour.
pub fn consent() -> ProposalRevision {
    ProposalRevision {
        title: "Later school days".to_owned(),
        rationale: "They sleep too little".to_owned(),
        amendment: "School begins at nine".to_owned(),
        rule: Some(DecisionRule {
            method: DecisionMethod::Consent.into(),
            threshold_percent: 0,
            quorum: Some(Quorum::QuorumCount(1)),
        }),
        close_time: Some(timestamp(clock::now() + Duration::HOUR)),
        ..ProposalRevision::default()
    }
}

/// By majority, with half of all; open for an hour.
pub fn majority() -> ProposalRevision {
    let rule = DecisionRule {
        method: DecisionMethod::Majority.into(),
        threshold_percent: 50,
        quorum: Some(Quorum::QuorumPercent(50)),
    };
    ProposalRevision { rule: Some(rule), ..consent() }
}

pub fn endorsement(version: &AgendaVersion, organization: &Reference) -> EndorseAgendaVersionRequest {
    EndorseAgendaVersionRequest {
        version: version.reference.clone(),
        organization: organization.to_string(),
        statement: "We stand behind it".to_owned(),
        request_id: new_id(),
    }
}

pub fn proposal(
    version: &AgendaVersion,
    organization: &Reference,
    revision: ProposalRevision,
) -> CreateProposalRequest {
    CreateProposalRequest {
        version: version.reference.clone(),
        organization: organization.to_string(),
        revision: Some(revision),
        request_id: new_id(),
    }
}

pub fn position(proposal: &Proposal, revision: u32, organization: &Reference, stance: Stance) -> TakePositionRequest {
    let reason = if stance == Stance::Object { "Buses do not run then" } else { "" };
    let definition = PositionDefinition {
        proposal: proposal.reference.clone(),
        revision,
        organization: organization.to_string(),
        stance: stance.into(),
        reason: reason.to_owned(),
    };
    TakePositionRequest { definition: Some(definition), request_id: new_id() }
}

/// Number of the newest revision.
pub fn newest(proposal: &Proposal) -> u32 {
    proposal.pending_revision.as_ref().or(proposal.revision.as_ref()).unwrap().number
}

/// An instant from now, as long after it as said.
pub fn later(seconds: i64) -> OffsetDateTime {
    clock::now() + Duration::seconds(seconds)
}

pub fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

pub fn new_id() -> String {
    clock::new_id().to_string()
}

/// Fields that a status calls wrong, sorted.
pub fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    let mut fields: Vec<String> = violations.into_iter().map(|violation| violation.field).collect();
    fields.sort();
    fields
}

/// The code of a refusal.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}
