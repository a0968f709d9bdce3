//! How a coalition comes about: an initiative and the organisation behind it, and who is admitted as what.

use chassis::names::{NameError, Reference};
use proto::common::Role;
use proto::measurement::ListMeasuresRequest;
use proto::membership::*;

use super::{Coalition, Node, until};
use crate::cli::request_id;
use crate::client::Client;
use crate::error::NodeError;
use crate::load::{admit_hosted, register};

/// An initiative, and who calls for its backbone.
pub struct Founded {
    /// Reference of the initiative.
    pub initiative: String,
    /// Reference of the backbone organisation.
    pub own: Reference,
    /// Calls the backbone's node for it.
    pub staff: Client,
}

impl Founded {
    /// Begins an initiative on the backbone's node, with the organisation that holds it together.
    ///
    /// # Errors
    /// What the node says.
    pub async fn begin(backbone: &Node, initiative: Initiative, own: Organization) -> Result<Self, NodeError> {
        let operator = backbone.operator()?;
        let request = CreateInitiativeRequest { initiative: Some(initiative), request_id: request_id() };
        let made = operator.membership().create_initiative(request).await?.into_inner().initiative;
        let initiative = made.unwrap_or_default().reference;
        let own = host(&operator, &initiative, own, &[Role::BackboneStaff]).await?;
        Ok(Self { staff: backbone.speaking_for(&own)?, own, initiative })
    }

    /// Registers an organisation that has no node of its own on the backbone's node, and admits it.
    ///
    /// # Errors
    /// What the node says.
    pub async fn host(&self, wanted: Organization, held: &[Role]) -> Result<Reference, NodeError> {
        host(&self.staff, &self.initiative, wanted, held).await
    }

    /// An organisation registers on its own node and asks; the backbone admits it.
    ///
    /// # Errors
    /// What the nodes say.
    pub async fn admit(
        &self,
        coalition: &Coalition,
        node: &str,
        wanted: Organization,
        held: &[Role],
    ) -> Result<Reference, NodeError> {
        let partner = coalition.node(node)?;
        let operator = partner.operator()?;
        until(format!("{node} to know the initiative"), async || {
            let request = GetInitiativeRequest { initiative: self.initiative.clone() };
            Ok(operator.membership().get_initiative(request).await.ok())
        })
        .await?;
        let organization = registered(&operator, &self.initiative, wanted).await?;
        let request = CreateJoinRequestRequest {
            initiative: self.initiative.clone(),
            join_request: Some(JoinRequest {
                organization: organization.to_string(),
                statement: "We want to do our part, and to learn from the others how they do theirs.".to_owned(),
                ..JoinRequest::default()
            }),
            request_id: request_id(),
        };
        partner.speaking_for(&organization)?.membership().create_join_request(request).await?;
        let request = AdmitMemberRequest {
            initiative: self.initiative.clone(),
            join_request: self.heard(&organization).await?.reference,
            roles: roles(held),
            request_id: request_id(),
            ..AdmitMemberRequest::default()
        };
        self.staff.membership().admit_member(request).await?;
        // Its own node hears of the role by the border, and each of its rooms a moment after the other.
        let member = partner.speaking_for(&organization)?;
        until(format!("{} to know the role of {organization}", partner.sketch.name), async || {
            let request = ListMeasuresRequest { initiative: self.initiative.clone(), ..ListMeasuresRequest::default() };
            Ok(member.measurement().list_measures(request).await.ok())
        })
        .await?;
        Ok(organization)
    }

    /// Waits until the backbone has heard that an organisation asks.
    async fn heard(&self, organization: &Reference) -> Result<JoinRequest, NodeError> {
        let organization = organization.to_string();
        until("a join request at the backbone", async || {
            let request = ListJoinRequestsRequest {
                initiative: self.initiative.clone(),
                unanswered: true,
                ..ListJoinRequestsRequest::default()
            };
            let listed = self.staff.membership().list_join_requests(request).await?.into_inner();
            Ok(listed.join_requests.into_iter().find(|request| request.organization == organization))
        })
        .await
    }
}

/// An organisation as it registers itself.
pub fn organization(name: &str, sector: Sector, identifiers: &[(&str, &str)]) -> Organization {
    let identifier =
        |(scheme, value): &(&str, &str)| Identifier { scheme: (*scheme).to_owned(), value: (*value).to_owned() };
    Organization {
        display_name: name.to_owned(),
        sector: sector.into(),
        identifiers: identifiers.iter().map(identifier).collect(),
        ..Organization::default()
    }
}

async fn host(caller: &Client, initiative: &str, wanted: Organization, held: &[Role]) -> Result<Reference, NodeError> {
    let organization = registered(caller, initiative, wanted).await?;
    admit_hosted(caller, initiative, &organization.to_string(), held).await?;
    Ok(organization)
}

async fn registered(caller: &Client, initiative: &str, wanted: Organization) -> Result<Reference, NodeError> {
    let reference = register(caller, initiative, wanted).await?;
    reference.parse().map_err(|error: NameError| NodeError::Usage(error.to_string()))
}

fn roles(held: &[Role]) -> Vec<RoleTerm> {
    held.iter().map(|role| RoleTerm { role: (*role).into(), from: None, until: None }).collect()
}
