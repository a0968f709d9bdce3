//! What a node has of somebody's activities before others are imported: who is known by which identifier, and what they
//! lead, award and need.

use std::collections::BTreeMap;

use proto::activities::*;

use super::by_identifier;
use crate::client::Client;
use crate::error::NodeError;

/// What is there before an import.
#[derive(Debug)]
pub struct Ground {
    pub(super) initiative: String,
    /// References by identifier.
    organizations: BTreeMap<String, Vec<String>>,
    /// The organization that leads whatever is imported, where one was named.
    lead: Option<String>,
    here: String,
    activities: BTreeMap<(String, String), Activity>,
    awards: BTreeMap<(String, String), Award>,
    needs: Vec<NeedDefinition>,
}

impl Ground {
    /// Looks at what is there. `leads` are the identifiers of whoever may lead the activities that are imported, for
    /// each the first at best; `lead` is a reference that stands for all of them.
    ///
    /// # Errors
    /// Where the node does not answer, or nobody of this node may lead one of them.
    pub async fn of<'a>(
        client: &Client,
        initiative: &str,
        here: &str,
        lead: Option<&str>,
        leads: impl Iterator<Item = &'a Vec<String>>,
    ) -> Result<Self, NodeError> {
        let mut ground = Self {
            initiative: initiative.to_owned(),
            organizations: by_identifier(client, initiative).await?,
            lead: lead.map(str::to_owned),
            here: here.to_owned(),
            activities: BTreeMap::new(),
            awards: BTreeMap::new(),
            needs: Vec::new(),
        };
        let mut organizations = Vec::new();
        for leads in leads {
            let Some(lead) = ground.lead(leads) else {
                return Err(NodeError::Usage(format!(
                    "no organisation of this node is known as {}: register it with that identifier, or name it with \
                     --lead",
                    leads.join(" or ")
                )));
            };
            organizations.push(lead.to_owned());
        }
        organizations.sort();
        organizations.dedup();
        for organization in organizations {
            ground.look(client, &organization).await?;
        }
        Ok(ground)
    }

    async fn look(&mut self, client: &Client, organization: &str) -> Result<(), NodeError> {
        let (initiative, organization) = (self.initiative.clone(), organization.to_owned());
        let wanted = ListActivitiesRequest {
            initiative: initiative.clone(),
            organization: organization.clone(),
            ..ListActivitiesRequest::default()
        };
        for activity in client.every_activity(wanted).await? {
            let known = activity.definition.as_ref().map(|known| (known.lead.clone(), known.external_id.clone()));
            self.activities.insert(known.unwrap_or_default(), activity);
        }
        let wanted = ListAwardsRequest {
            initiative: initiative.clone(),
            organization: organization.clone(),
            ..ListAwardsRequest::default()
        };
        for award in client.awards(wanted).await? {
            let known = award.definition.as_ref().map(|known| (known.organization.clone(), known.external_id.clone()));
            self.awards.insert(known.unwrap_or_default(), award);
        }
        let wanted = ListNeedsRequest { initiative, organization, ..ListNeedsRequest::default() };
        self.needs.extend(client.needs(wanted).await?.into_iter().filter_map(|need| need.definition));
        Ok(())
    }

    /// The organization of this node that leads an activity.
    pub(super) fn lead(&self, leads: &[String]) -> Option<&str> {
        let home = |reference: &&String| reference.split('/').next() == Some(self.here.as_str());
        let mut known = leads.iter().filter_map(|lead| self.organizations.get(lead)?.iter().find(home));
        self.lead.as_deref().or_else(|| known.next().map(String::as_str))
    }

    /// The activity that an organization leads under a name in another system.
    pub(super) fn activity(&self, lead: &str, external_id: &str) -> Option<&Activity> {
        self.activities.get(&(lead.to_owned(), external_id.to_owned()))
    }

    /// The award that an organization made under a name in another system.
    pub(super) fn award(&self, organization: &str, external_id: &str) -> Option<&Award> {
        self.awards.get(&(organization.to_owned(), external_id.to_owned()))
    }

    /// Whether just this need is there, or was.
    pub(super) fn has_need(&self, need: &NeedDefinition) -> bool {
        self.needs.contains(need)
    }

    /// An organization that takes part, by its identifier.
    pub(super) fn organization(&self, identifier: &str) -> Option<&str> {
        self.organizations.get(identifier)?.first().map(String::as_str)
    }

    /// References of organizations that take part, each once and none of them `but`; and how many take no part.
    pub(super) fn references(&self, identifiers: &[String], but: &str, most: usize) -> (Vec<String>, usize) {
        let (mut references, mut unknown) = (Vec::new(), 0);
        for identifier in identifiers {
            match self.organization(identifier).map(str::to_owned) {
                Some(known) if known == but || references.contains(&known) => {}
                Some(known) if references.len() < most => references.push(known),
                _ => unknown += 1,
            }
        }
        (references, unknown)
    }
}
