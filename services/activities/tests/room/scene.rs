//! What these tests begin with: a node that is the backbone of an initiative, and organizations that live on it.

use activities::{Activities as Room, Api};
use chassis::authn::Caller;
use chassis::clock;
use chassis::names::Reference;
use chassis::testing::{CalledBy, Stage, operator};
use proto::activities::activities_service_client::ActivitiesServiceClient;
use proto::activities::activities_service_server::ActivitiesServiceServer;
use proto::activities::*;
use proto::common::Role;
use tonic::Status;
use tonic_types::StatusExt;

pub type Client = ActivitiesServiceClient<CalledBy<ActivitiesServiceServer<Api>>>;

pub struct Scene {
    pub stage: Stage<Room>,
    pub operator: Caller,
    pub initiative: Reference,
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
        Self { stage, operator: operator(), initiative }
    }

    pub fn client(&self, caller: Option<&Caller>) -> Client {
        Client::new(self.stage.called_by(caller))
    }

    /// The client of the node's operator.
    pub fn here(&self) -> Client {
        self.client(Some(&self.operator))
    }

    /// An organization that lives here.
    pub fn organization(&self) -> Reference {
        Reference::born_on(&self.stage.node)
    }

    /// A partner that lives here.
    pub async fn partner(&self) -> Reference {
        let organization = self.organization();
        self.stage.grant(&self.initiative, &organization, Role::Partner).await;
        organization
    }

    pub async fn activity(&self, definition: ActivityDefinition) -> Activity {
        let request = self.create_activity(definition);
        self.here().create_activity(request).await.unwrap().into_inner().activity.unwrap()
    }

    pub fn create_activity(&self, definition: ActivityDefinition) -> CreateActivityRequest {
        let definition = Some(definition);
        CreateActivityRequest { initiative: self.initiative.to_string(), definition, request_id: new_id() }
    }

    pub async fn commitment(&self, definition: CommitmentDefinition) -> Commitment {
        let request = self.make_commitment(definition);
        self.here().make_commitment(request).await.unwrap().into_inner().commitment.unwrap()
    }

    pub fn make_commitment(&self, definition: CommitmentDefinition) -> MakeCommitmentRequest {
        let definition = Some(definition);
        MakeCommitmentRequest { initiative: self.initiative.to_string(), definition, request_id: new_id() }
    }

    pub async fn need(&self, definition: NeedDefinition) -> Need {
        let request = self.create_need(definition);
        self.here().create_need(request).await.unwrap().into_inner().need.unwrap()
    }

    pub fn create_need(&self, definition: NeedDefinition) -> CreateNeedRequest {
        let definition = Some(definition);
        CreateNeedRequest { initiative: self.initiative.to_string(), definition, request_id: new_id() }
    }

    pub async fn pledge(&self, definition: PledgeDefinition) -> Pledge {
        let request = self.make_pledge(definition);
        self.here().make_pledge(request).await.unwrap().into_inner().pledge.unwrap()
    }

    pub fn make_pledge(&self, definition: PledgeDefinition) -> MakePledgeRequest {
        let definition = Some(definition);
        MakePledgeRequest { initiative: self.initiative.to_string(), definition, request_id: new_id() }
    }

    pub async fn award(&self, definition: AwardDefinition) -> Award {
        let request = self.create_award(definition);
        self.here().create_award(request).await.unwrap().into_inner().award.unwrap()
    }

    pub fn create_award(&self, definition: AwardDefinition) -> CreateAwardRequest {
        let definition = Some(definition);
        CreateAwardRequest { initiative: self.initiative.to_string(), definition, request_id: new_id() }
    }

    pub async fn coverage(&self, request: GetCoverageRequest) -> Vec<CoverageCell> {
        self.here().get_coverage(request).await.unwrap().into_inner().cells
    }

    /// Asks for the coverage of everything.
    pub fn everywhere(&self) -> GetCoverageRequest {
        GetCoverageRequest { initiative: self.initiative.to_string(), ..GetCoverageRequest::default() }
    }
}

/// After-school tutoring in one district, towards no strategy yet.
pub fn tutoring(lead: &Reference) -> ActivityDefinition {
    ActivityDefinition {
        lead: lead.to_string(),
        title: "After-school tutoring".to_owned(),
        description: "Two afternoons a week\nfor grades 6 to 8".to_owned(),
        places: vec![place("1")],
        start_date: "2026-09-01".to_owned(),
        end_date: "2027-06-30".to_owned(),
        ..ActivityDefinition::default()
    }
}

pub fn place(code: &str) -> Place {
    Place { level: "school-district".to_owned(), code: code.to_owned(), name: format!("District {code}") }
}

/// A promise that is due in the far future.
pub fn promise(organization: &Reference, activity: &str) -> CommitmentDefinition {
    CommitmentDefinition {
        organization: organization.to_string(),
        activity: activity.to_owned(),
        promise: "Ten tutors".to_owned(),
        due_date: "9998-12-31".to_owned(),
    }
}

pub fn evidence() -> Evidence {
    let link = "https://example.org/tutors".to_owned();
    Evidence { description: "Eleven tutors\nsince October".to_owned(), link }
}

pub fn money(amount: &str, currency: &str) -> Option<Means> {
    let money = Money { amount: amount.to_owned(), currency: currency.to_owned() };
    Some(Means { kind: Some(means::Kind::Money(money)) })
}

pub fn goods(quantity: &str, description: &str, unit: &str) -> Option<Means> {
    let (description, unit) = (description.to_owned(), unit.to_owned());
    Some(Means { kind: Some(means::Kind::Goods(Goods { description, quantity: quantity.to_owned(), unit })) })
}

pub fn bus_fares(organization: &Reference) -> NeedDefinition {
    NeedDefinition {
        organization: organization.to_string(),
        means: money("2500", "GBP"),
        purpose: "Bus fares".to_owned(),
        needed_by: "2027-01-31".to_owned(),
        ..NeedDefinition::default()
    }
}

pub fn towards(organization: &Reference, need: &str, means: Option<Means>) -> PledgeDefinition {
    PledgeDefinition { organization: organization.to_string(), need: need.to_owned(), means, note: String::new() }
}

/// A grant of 1000 pounds to somebody who takes no part.
pub fn grant(organization: &Reference) -> AwardDefinition {
    AwardDefinition {
        organization: organization.to_string(),
        recipient_name: "A village hall".to_owned(),
        means: money("1000", "GBP"),
        award_date: "2026-03-01".to_owned(),
        purpose: "Heating".to_owned(),
        ..AwardDefinition::default()
    }
}

pub fn disbursement(number: u32, state: DisbursementState, amount: &str) -> Option<Disbursement> {
    let (amount, date) = (amount.to_owned(), "2026-04-01".to_owned());
    Some(Disbursement { number, state: state.into(), amount, date, note: String::new() })
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

/// A call by reference that says no more than what it must.
macro_rules! ask {
    ($client:expr, $call:ident, $request:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {
        $client.$call($request { $($field $(: $value)?,)* request_id: crate::scene::new_id(), ..Default::default() }).await
    };
}
pub(crate) use ask;
