//! A backbone for tests of what is brought into it.

use std::path::PathBuf;

use chassis::config::Config;
use node::client::Client;
use node::load;
use proto::common::Role;
use proto::membership::{
    CreateInitiativeRequest, Initiative, InitiativeState, ListOrganizationsRequest, Organization, Sector,
};

use crate::stage::{Served, Stage};

/// A backbone that runs, with an initiative.
pub struct Backbone {
    pub stage: Stage,
    pub config: PathBuf,
    pub client: Client,
    pub initiative: String,
    pub served: Served,
}

impl Backbone {
    pub async fn start() -> Self {
        let stage = Stage::set();
        let config = stage.config("backbone", "");
        let served = stage.serve(&config, &[]).await;
        let client = Client::operator(&Config::load(Some(&config)).unwrap()).await.unwrap();
        let wanted = Initiative {
            display_name: "Every child".to_owned(),
            purpose: "Every child reads".to_owned(),
            region: "Here".to_owned(),
            state: InitiativeState::Active.into(),
            ..Initiative::default()
        };
        let request = CreateInitiativeRequest { initiative: Some(wanted), request_id: "begin-it".to_owned() };
        let made = client.membership().create_initiative(request).await.unwrap().into_inner().initiative.unwrap();
        Self { stage, config, client, initiative: made.reference, served }
    }

    /// Admits an organization as the backbone's own: the other services know an initiative once somebody has a role in it.
    pub async fn staff(&self) {
        let ours = Organization {
            display_name: "Backbone".to_owned(),
            sector: Sector::Nonprofit.into(),
            ..Organization::default()
        };
        let ours = load::register(&self.client, &self.initiative, ours).await.unwrap();
        load::admit_hosted(&self.client, &self.initiative, &ours, &[Role::BackboneStaff]).await.unwrap();
    }

    /// Every organization that is known.
    pub async fn organizations(&self) -> Vec<Organization> {
        let wanted =
            ListOrganizationsRequest { initiative: self.initiative.clone(), ..ListOrganizationsRequest::default() };
        self.client.organizations(wanted).await.unwrap()
    }
}
