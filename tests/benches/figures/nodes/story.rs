//! How nodes come to report together: an initiative, links, members, and a measure.

use chassis::clock;
use chassis::event::timestamp;
use proto::common::Role;
use proto::federation::{CreateInvitationRequest, JoinInitiativeRequest};
use proto::measurement::{
    Aggregation, CreateMeasureRequest, Dimension, DimensionCode, Direction, MeasureDefinition, MeasureKind,
};
use proto::membership::*;

use super::{Node, new_id, soon};
use crate::figure::Outcome;

/// The race codes of the measure: with all people they are the cells of one district.
pub const RACES: [&str; 7] = ["asian", "black", "hispanic", "native", "pacific", "two-or-more", "white"];

impl Node {
    pub(super) async fn create_initiative(&self) -> Outcome<String> {
        let initiative = Initiative {
            display_name: "Every student graduates".to_owned(),
            purpose: "Districts that want every student to graduate".to_owned(),
            ..Initiative::default()
        };
        let request = CreateInitiativeRequest { initiative: Some(initiative), request_id: new_id() };
        let created = self.client.membership().create_initiative(request).await?.into_inner();
        Ok(created.initiative.ok_or("no initiative")?.reference)
    }

    pub(super) async fn join(&self, backbone: &Node, initiative: &str) -> Outcome<()> {
        // The border hears of an initiative a moment after it was made.
        let invitation = soon("an invitation", async || {
            let request = CreateInvitationRequest {
                request_id: new_id(),
                initiative: initiative.to_owned(),
                initiative_name: "Every student graduates".to_owned(),
                display_name: self.config.node.name.clone(),
                valid_seconds: 0,
                follower: false,
            };
            Ok(backbone.client.federation().create_invitation(request).await.ok())
        });
        let invitation = invitation.await?.into_inner().invitation;
        soon("a link", async || {
            let request = JoinInitiativeRequest { request_id: new_id(), invitation: invitation.clone() };
            Ok(self.client.federation().join_initiative(request).await.ok())
        })
        .await?;
        Ok(())
    }

    pub(super) async fn become_member(&self, backbone: &Node, initiative: &str) -> Outcome<String> {
        let name = format!("Schools of {}", self.config.node.name);
        let organization = soon("an organization", async || {
            let organization = Organization {
                display_name: name.clone(),
                sector: Sector::Government.into(),
                ..Organization::default()
            };
            let request = RegisterOrganizationRequest {
                initiative: initiative.to_owned(),
                organization: Some(organization),
                request_id: new_id(),
            };
            Ok(self.client.membership().register_organization(request).await.ok())
        });
        let organization = organization.await?.into_inner().organization.ok_or("no organization")?.reference;
        let asking = JoinRequest {
            organization: organization.clone(),
            statement: "We report graduation".to_owned(),
            ..JoinRequest::default()
        };
        let request = CreateJoinRequestRequest {
            initiative: initiative.to_owned(),
            join_request: Some(asking),
            request_id: new_id(),
        };
        let asked = self.client.membership().create_join_request(request).await?.into_inner();
        let asked = asked.join_request.ok_or("no join request")?.reference;
        soon("an admission", async || backbone.admit(initiative, &asked).await).await?;
        Ok(organization)
    }

    async fn admit(&self, initiative: &str, asked: &str) -> Outcome<Option<()>> {
        let roles = [Role::Partner, Role::DataLead, Role::BackboneStaff].map(|role| RoleTerm {
            role: role.into(),
            from: Some(timestamp(clock::now() - time::Duration::hours(1))),
            until: None,
        });
        let request = AdmitMemberRequest {
            initiative: initiative.to_owned(),
            join_request: asked.to_owned(),
            roles: roles.to_vec(),
            request_id: new_id(),
            ..AdmitMemberRequest::default()
        };
        Ok(self.client.membership().admit_member(request).await.ok().map(drop))
    }

    pub(super) async fn create_measure(&self, initiative: &str) -> Outcome<String> {
        let codes = RACES.iter().map(|code| DimensionCode { code: (*code).to_owned(), name: (*code).to_owned() });
        let definition = MeasureDefinition {
            code: "graduation".to_owned(),
            name: "Four-year graduation".to_owned(),
            kind: MeasureKind::Indicator.into(),
            unit: "student".to_owned(),
            direction: Direction::Up.into(),
            aggregation: Aggregation::RatioOfSums.into(),
            dimensions: vec![Dimension { name: "race".to_owned(), codes: codes.collect() }],
            numerator: "graduates".to_owned(),
            denominator: "cohort".to_owned(),
            decimals: 1,
            per: 100,
            ..MeasureDefinition::default()
        };
        let created = soon("a measure", async || {
            let request = CreateMeasureRequest {
                initiative: initiative.to_owned(),
                definition: Some(definition.clone()),
                request_id: new_id(),
            };
            Ok(self.client.measurement().create_measure(request).await.ok())
        });
        Ok(created.await?.into_inner().measure.ok_or("no measure")?.reference)
    }

    pub(super) async fn knows_measure(&self, measure: &str) -> Outcome<()> {
        soon("the measure on every node", async || {
            let request = proto::measurement::GetMeasureRequest { measure: measure.to_owned() };
            Ok(self.client.measurement().get_measure(request).await.ok())
        })
        .await?;
        Ok(())
    }
}
