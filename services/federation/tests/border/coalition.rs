//! A backbone and two partners that have joined its initiative.

use chassis::names::{Reference, Space, Within};
use chassis::testing::Postgres;
use tempfile::TempDir;

use crate::hub::Hub;
use crate::node::{Home, Node, postgres, soon};

pub struct Coalition {
    pub backbone: Node,
    pub alpha: Node,
    pub beta: Node,
    pub hub: Hub,
    pub initiative: Reference,
    pub members: Space,
    pub postgres: (Postgres, TempDir),
}

impl Coalition {
    pub async fn new() -> Self {
        let (postgres, hub) = tokio::join!(postgres(), Hub::start());
        let backbone = Home::new(&postgres.0, "backbone", Some(hub.side.clone())).await.start().await;
        let alpha = Home::new(&postgres.0, "alpha", None).await.start().await;
        let beta = Home::new(&postgres.0, "beta", None).await.start().await;
        let initiative = backbone.found().await;
        let members = Space::members(&initiative);
        for partner in [&alpha, &beta] {
            let invitation = backbone.invite(&initiative).await;
            soon(async || partner.join(&invitation).await.ok()).await;
        }
        let coalition = Self { backbone, alpha, beta, hub, initiative, members, postgres };
        for node in coalition.nodes() {
            soon(async || (node.members(&coalition.initiative).await.len() == 2).then_some(())).await;
        }
        coalition
    }

    pub fn nodes(&self) -> [&Node; 3] {
        [&self.backbone, &self.alpha, &self.beta]
    }

    pub async fn all_hear(&self, words: &[&str]) {
        for node in self.nodes() {
            node.hears(&self.members, words).await;
        }
    }

    /// Every node holds the members space's order up to the same step.
    pub async fn agrees(&self) {
        let order = self.backbone.order(&self.members).await;
        for node in self.nodes() {
            soon(async || (node.order(&self.members).await == order).then_some(())).await;
        }
    }

    /// The space between one partner and the backbone.
    pub fn between(&self, partner: &Node) -> Space {
        Space::Of(self.initiative.clone(), Within::Backbone(partner.id().clone()))
    }

    pub fn public(&self) -> Space {
        Space::Of(self.initiative.clone(), Within::Public)
    }
}
