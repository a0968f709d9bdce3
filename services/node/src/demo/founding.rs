//! How the coalition comes about: the initiative, its organisations, and who is admitted as what.

use chassis::names::Reference;
use proto::common::Role;
use proto::measurement::Geography;
use proto::membership::*;

use super::crowd;
use super::schools::District;
use crate::cli::request_id;
use crate::client::Client;
use crate::error::NodeError;
use crate::fleet::{Coalition, Node, until};
use crate::import::connecticut::{self, DISTRICT_LEVEL, STATE_LEVEL};
use crate::load;

/// The initiative's name.
pub(super) const INITIATIVE: &str = "Every student graduates";
const PURPOSE: &str = "Every student of Connecticut's public schools finishes high school in four years, whatever their \
                       race, their gender or their town.";

/// An organisation and the node on which it lives.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    pub(super) node: &'static str,
    pub(super) code: String,
    pub(super) organization: Reference,
}

/// The initiative, and who calls for its backbone.
pub(super) struct Founded {
    pub(super) initiative: String,
    pub(super) staff: Client,
}

/// Begins the initiative, with the organisation that holds it together.
pub(super) async fn found(backbone: &Node) -> Result<Founded, NodeError> {
    let operator = backbone.operator()?;
    let wanted = Initiative {
        display_name: INITIATIVE.to_owned(),
        purpose: PURPOSE.to_owned(),
        region: "Connecticut, United States".to_owned(),
        state: InitiativeState::Active.into(),
        ..Initiative::default()
    };
    let request = CreateInitiativeRequest { initiative: Some(wanted), request_id: request_id() };
    let made = operator.membership().create_initiative(request).await?.into_inner().initiative;
    let initiative = made.unwrap_or_default().reference;
    let holding = Organization {
        display_name: "Graduate Connecticut".to_owned(),
        sector: Sector::Nonprofit.into(),
        ..Organization::default()
    };
    let own = admit_hosted(&operator, &initiative, holding, &[Role::BackboneStaff]).await?;
    Ok(Founded { staff: backbone.speaking_for(&own)?, initiative })
}

/// Registers the state's department of education, which publishes the totals, on the backbone's node.
pub(super) async fn admit_state(founded: &Founded, code: &str) -> Result<Reporter, NodeError> {
    let department = reporter_of(STATE_LEVEL, code, "");
    let organization = admit_hosted(&founded.staff, &founded.initiative, department, &[Role::Partner]).await?;
    Ok(Reporter { node: "backbone", code: code.to_owned(), organization })
}

/// Registers and admits districts that have no node of their own.
pub(super) async fn admit_districts(founded: &Founded, districts: &[District]) -> Result<Vec<Reporter>, NodeError> {
    crowd::all(districts.iter().map(async |district| {
        let wanted = reporter_of(DISTRICT_LEVEL, &district.code, &district.name);
        let organization = admit_hosted(&founded.staff, &founded.initiative, wanted, &[Role::Partner]).await?;
        Ok(Reporter { node: "backbone", code: district.code.clone(), organization })
    }))
    .await
}

/// A district with a node of its own registers there and asks; the backbone admits it.
pub(super) async fn ask_and_admit(
    coalition: &Coalition,
    founded: &Founded,
    node: &'static str,
    district: &District,
) -> Result<Reporter, NodeError> {
    let partner = coalition.node(node)?;
    let operator = partner.operator()?;
    let initiative = founded.initiative.clone();
    until(format!("{node} to know the initiative"), async || {
        let request = GetInitiativeRequest { initiative: initiative.clone() };
        Ok(operator.membership().get_initiative(request).await.ok())
    })
    .await?;
    let wanted = reporter_of(DISTRICT_LEVEL, &district.code, &district.name);
    let organization = register(&operator, &initiative, wanted).await?;
    let wish = JoinRequest {
        organization: organization.to_string(),
        statement: "We want our students to finish school, and to learn from the others how they do it.".to_owned(),
        ..JoinRequest::default()
    };
    let request =
        CreateJoinRequestRequest { initiative: initiative.clone(), join_request: Some(wish), request_id: request_id() };
    partner.speaking_for(&organization)?.membership().create_join_request(request).await?;
    let asked = heard(&founded.staff, &initiative, &organization).await?;
    let request = AdmitMemberRequest {
        initiative,
        join_request: asked.reference,
        roles: roles(&[Role::Partner, Role::DataLead]),
        request_id: request_id(),
        ..AdmitMemberRequest::default()
    };
    founded.staff.membership().admit_member(request).await?;
    Ok(Reporter { node, code: district.code.clone(), organization })
}

/// Waits until the backbone has heard that an organisation asks.
async fn heard(staff: &Client, initiative: &str, organization: &Reference) -> Result<JoinRequest, NodeError> {
    let organization = organization.to_string();
    until("a join request at the backbone", async || {
        let request = ListJoinRequestsRequest {
            initiative: initiative.to_owned(),
            unanswered: true,
            ..ListJoinRequestsRequest::default()
        };
        let listed = staff.membership().list_join_requests(request).await?.into_inner();
        Ok(listed.join_requests.into_iter().find(|request| request.organization == organization))
    })
    .await
}

async fn admit_hosted(
    caller: &Client,
    initiative: &str,
    wanted: Organization,
    held: &[Role],
) -> Result<Reference, NodeError> {
    let organization = register(caller, initiative, wanted).await?;
    load::admit_hosted(caller, initiative, &organization.to_string(), held).await?;
    Ok(organization)
}

async fn register(caller: &Client, initiative: &str, wanted: Organization) -> Result<Reference, NodeError> {
    let reference = load::register(caller, initiative, wanted).await?;
    reference.parse().map_err(|error: chassis::names::NameError| NodeError::Usage(error.to_string()))
}

/// As what an organisation is registered that reports for a place: as an import would.
fn reporter_of(level: &str, code: &str, name: &str) -> Organization {
    connecticut::reporter(&Geography { level: level.to_owned(), code: code.to_owned(), name: name.to_owned() })
}

fn roles(held: &[Role]) -> Vec<RoleTerm> {
    held.iter().map(|role| RoleTerm { role: (*role).into(), from: None, until: None }).collect()
}
