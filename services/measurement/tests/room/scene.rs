//! What these tests begin with: a node that is the backbone of an initiative, and districts that live on it.

use std::collections::BTreeMap;

use chassis::authn::Caller;
use chassis::clock;
use chassis::names::Reference;
use chassis::testing::{CalledBy, Stage, operator};
use measurement::{Api, Measurement as Room};
use proto::common::Role;
use proto::measurement::measurement_service_client::MeasurementServiceClient;
use proto::measurement::measurement_service_server::MeasurementServiceServer;
use proto::measurement::*;
use sha2::{Digest, Sha256};
use tonic::Status;
use tonic_types::StatusExt;

pub type Client = MeasurementServiceClient<CalledBy<MeasurementServiceServer<Api>>>;

/// A school year, as most tests use it.
pub const YEAR: &str = "2014-07-01/2015-06-30";

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

    pub async fn measure(&self, definition: MeasureDefinition) -> Measure {
        let request = CreateMeasureRequest {
            initiative: self.initiative.to_string(),
            definition: Some(definition),
            request_id: new_id(),
        };
        self.here().create_measure(request).await.unwrap().into_inner().measure.unwrap()
    }

    pub async fn open(&self, measure: &Measure, organization: &Reference) -> Submission {
        let request = OpenSubmissionRequest {
            definition: Some(heading(measure, organization)),
            space: String::new(),
            request_id: new_id(),
        };
        self.here().open_submission(request).await.unwrap().into_inner().submission.unwrap()
    }

    pub async fn submit(
        &self,
        measure: &Measure,
        organization: &Reference,
        observations: Vec<Observation>,
    ) -> Submission {
        let request = submission(measure, organization, observations);
        self.here().submit_observations(request).await.unwrap().into_inner().submission.unwrap()
    }

    pub async fn rollup(&self, request: GetRollupRequest) -> Vec<RollupGroup> {
        self.here().get_rollup(request).await.unwrap().into_inner().groups
    }

    pub async fn series(&self, request: GetSeriesRequest) -> Vec<Point> {
        self.here().get_series(request).await.unwrap().into_inner().points
    }
}

/// A ratio of sums in percent, by race and gender.
pub fn graduation() -> MeasureDefinition {
    let dimension = |name: &str, codes: &[&str]| Dimension {
        name: name.to_owned(),
        codes: codes.iter().map(|code| DimensionCode { code: (*code).to_owned(), name: String::new() }).collect(),
    };
    MeasureDefinition {
        code: "graduation".to_owned(),
        name: "Four-year graduation".to_owned(),
        kind: MeasureKind::Indicator.into(),
        unit: "percent".to_owned(),
        direction: Direction::Up.into(),
        aggregation: Aggregation::RatioOfSums.into(),
        dimensions: vec![dimension("race", &["black", "white"]), dimension("gender", &["female", "male"])],
        numerator: "Graduates".to_owned(),
        denominator: "The cohort".to_owned(),
        decimals: 1,
        per: 100,
        ..MeasureDefinition::default()
    }
}

/// A sum of students.
pub fn enrollment() -> MeasureDefinition {
    MeasureDefinition {
        code: "enrollment".to_owned(),
        name: "Enrollment".to_owned(),
        unit: "students".to_owned(),
        aggregation: Aggregation::Sum.into(),
        numerator: String::new(),
        denominator: String::new(),
        per: 1,
        ..graduation()
    }
}

pub fn heading(measure: &Measure, organization: &Reference) -> SubmissionDefinition {
    SubmissionDefinition {
        measure: measure.reference.clone(),
        organization: organization.to_string(),
        basis: Basis::Component.into(),
        source: "A test".to_owned(),
    }
}

pub fn submission(
    measure: &Measure,
    organization: &Reference,
    observations: Vec<Observation>,
) -> SubmitObservationsRequest {
    SubmitObservationsRequest {
        definition: Some(heading(measure, organization)),
        space: String::new(),
        observations,
        revision_reason: String::new(),
        request_id: new_id(),
    }
}

/// Asks for the roll-up of all periods and all people.
pub fn rollup_of(measure: &Measure) -> GetRollupRequest {
    GetRollupRequest {
        measure: measure.reference.clone(),
        basis: Basis::Component.into(),
        ..GetRollupRequest::default()
    }
}

/// Asks for the series of all periods and all people.
pub fn series_of(measure: &Measure) -> GetSeriesRequest {
    GetSeriesRequest {
        measure: measure.reference.clone(),
        basis: Basis::Component.into(),
        ..GetSeriesRequest::default()
    }
}

pub fn place(code: &str) -> Geography {
    Geography { level: "school-district".to_owned(), code: code.to_owned(), name: format!("District {code}") }
}

/// A number as text, or the state of a part as its enum writes it, such as `SUPPRESSED`.
pub fn part(text: &str) -> Part {
    match ValueState::from_str_name(&format!("VALUE_STATE_{text}")) {
        Some(state) => Part { state: state.into(), amount: String::new() },
        None => Part { state: ValueState::Reported.into(), amount: text.to_owned() },
    }
}

/// A value of a place in [`YEAR`].
pub fn value(code: &str, text: &str) -> Observation {
    Observation {
        geography: Some(place(code)),
        period: YEAR.to_owned(),
        value: Some(part(text)),
        ..Observation::default()
    }
}

/// A pair of a place in [`YEAR`].
pub fn pair(code: &str, numerator: &str, denominator: &str) -> Observation {
    Observation {
        geography: Some(place(code)),
        period: YEAR.to_owned(),
        numerator: Some(part(numerator)),
        denominator: Some(part(denominator)),
        ..Observation::default()
    }
}

pub fn of_group(observation: Observation, group: &[(&str, &str)]) -> Observation {
    Observation { dimensions: group_of(group), ..observation }
}

pub fn group_of(group: &[(&str, &str)]) -> BTreeMap<String, String> {
    group.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect()
}

/// The digest over observations, worked out from what the contract says of it.
pub fn digest_of(observations: &[Observation]) -> Vec<u8> {
    let text = |part: &Option<Part>| match part {
        None => "-".to_owned(),
        Some(part) if part.state() == ValueState::Reported => part.amount.clone(),
        Some(part) => part.state().as_str_name().trim_start_matches("VALUE_STATE_").to_owned(),
    };
    let mut digest = vec![0; 32];
    for one in observations {
        let place = one.geography.clone().unwrap();
        let withheld = if one.rate_withheld { "withheld" } else { "-" };
        let mut line = vec![place.level, place.code, place.name, one.period.clone()];
        line.extend([&one.value, &one.numerator, &one.denominator].map(text));
        line.push(withheld.to_owned());
        line.extend(one.dimensions.iter().map(|(name, code)| format!("{name}={code}")));
        digest = Sha256::digest([digest.as_slice(), line.join("\t").as_bytes()].concat()).to_vec();
    }
    digest
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
