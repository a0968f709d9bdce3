//! What every chapter of the story needs to know: the initiative, its measures, and who speaks where.

use chassis::names::Reference;

use super::crew::Crew;
use crate::client::Client;
use crate::error::NodeError;
use crate::fleet::Coalition;

/// What was founded and agreed on at the beginning.
pub(super) struct Tale {
    /// Reference of the initiative.
    pub(super) initiative: String,
    /// The organisation that is its backbone.
    pub(super) own: Reference,
    /// Everybody else.
    pub(super) crew: Crew,
    /// References of the measures, by code.
    pub(super) measures: Vec<(String, String)>,
}

/// An organisation at its own node.
pub(super) struct Speaker {
    /// Calls the node for it.
    pub(super) client: Client,
    /// Its reference.
    pub(super) organization: String,
}

impl Tale {
    /// Reference of a measure.
    pub(super) fn measure(&self, code: &str) -> Result<String, NodeError> {
        let found = self.measures.iter().find(|(known, _)| known == code).map(|(_, reference)| reference.clone());
        found.ok_or_else(|| NodeError::Usage(format!("there is no measure {code}")))
    }

    /// The space of all members.
    pub(super) fn members(&self) -> String {
        format!("{}/members", self.initiative)
    }

    /// Who speaks on a node: the partner that lives there, or the backbone's own organisation.
    pub(super) fn speaker(&self, coalition: &Coalition, node: &str) -> Result<Speaker, NodeError> {
        let node = coalition.node(node)?;
        let own = if node.sketch.backbone { &self.own } else { &self.crew.on(node.sketch.name)?.organization };
        Ok(Speaker { client: node.speaking_for(own)?, organization: own.to_string() })
    }
}
