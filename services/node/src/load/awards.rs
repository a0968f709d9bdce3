//! Awards into a running node, one call each. One that is there already, by its name in another system, is not made
//! again.

use std::collections::{BTreeMap, BTreeSet};

use proto::activities::{AwardDefinition, CreateAwardRequest, ListAwardsRequest};

use super::sending::{Sent, each};
use super::{id_of, once_heard};
use crate::client::Client;
use crate::error::NodeError;

/// Makes awards of one organization, several at a time. After the first that is refused no other is begun; `done` is
/// told of each that ended.
///
/// # Errors
/// Where the node does not say which awards there are.
pub async fn award_all(
    client: &Client,
    initiative: &str,
    definitions: &[AwardDefinition],
    done: impl Fn(),
) -> Result<Sent, NodeError> {
    let there = there_already(client, initiative, definitions).await?;
    let mut sent = Sent::default();
    let mut new = Vec::new();
    for definition in definitions {
        if let Some(known) = there.get(&(definition.organization.clone(), definition.external_id.clone())) {
            sent.already += 1;
            if known != definition {
                sent.different.push(definition.external_id.clone());
            }
            done();
        } else {
            new.push(definition);
        }
    }
    let answers = each(&new, async |definition| award(client, initiative, definition).await, done).await;
    for (definition, answer) in new.iter().zip(answers) {
        sent.note(&definition.external_id, answer);
    }
    Ok(sent)
}

/// Every award that these organizations have made, by organization and name in another system.
async fn there_already(
    client: &Client,
    initiative: &str,
    definitions: &[AwardDefinition],
) -> Result<BTreeMap<(String, String), AwardDefinition>, NodeError> {
    let organizations: BTreeSet<&String> = definitions.iter().map(|definition| &definition.organization).collect();
    let mut there = BTreeMap::new();
    for organization in organizations {
        let (initiative, organization) = (initiative.to_owned(), organization.clone());
        let wanted = ListAwardsRequest { initiative, organization, ..ListAwardsRequest::default() };
        let awards = client.awards(wanted).await?.into_iter().filter_map(|award| award.definition);
        there.extend(awards.map(|one| ((one.organization.clone(), one.external_id.clone()), one)));
    }
    Ok(there)
}

async fn award(client: &Client, initiative: &str, definition: &AwardDefinition) -> Result<(), NodeError> {
    let definition = Some(definition.clone());
    let request = CreateAwardRequest { initiative: initiative.to_owned(), definition, request_id: String::new() };
    let request = CreateAwardRequest { request_id: id_of("award", &request), ..request };
    once_heard(async || client.activities().create_award(request.clone()).await).await?;
    Ok(())
}
