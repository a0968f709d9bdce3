//! Awards into a running node, one call each. One that is there already, by its name in another system, is not made
//! again.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, stream};
use proto::activities::{AwardDefinition, CreateAwardRequest, ListAwardsRequest};
use serde::Serialize;

use super::{id_of, once_heard};
use crate::client::Client;
use crate::error::NodeError;

/// How many calls are on their way at once.
const AT_ONCE: usize = 16;

/// What became of awards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// How many were made.
    pub made: usize,
    /// How many were there already.
    pub already: usize,
    /// How many were not tried, because others were refused before.
    pub not_sent: usize,
    /// Those that were refused, by their name in another system, and why.
    pub refused: Vec<(String, String)>,
}

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
    let (made, already, not_sent) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let refused = Mutex::new(Vec::new());
    let failed = || !refused.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
    let calls = definitions.iter().map(async |definition| {
        let what = (definition.organization.clone(), definition.external_id.clone());
        if there.contains(&what) {
            already.fetch_add(1, Ordering::Relaxed);
        } else if failed() {
            not_sent.fetch_add(1, Ordering::Relaxed);
        } else {
            match award(client, initiative, definition).await {
                Ok(()) => drop(made.fetch_add(1, Ordering::Relaxed)),
                Err(error) => {
                    refused.lock().unwrap_or_else(PoisonError::into_inner).push((what.1, error.to_string()));
                }
            }
        }
        done();
    });
    stream::iter(calls).buffer_unordered(AT_ONCE).collect::<()>().await;
    Ok(Sent {
        made: made.into_inner(),
        already: already.into_inner(),
        not_sent: not_sent.into_inner(),
        refused: refused.into_inner().unwrap_or_else(PoisonError::into_inner),
    })
}

/// Organization and name in another system of every award that these organizations have made.
async fn there_already(
    client: &Client,
    initiative: &str,
    definitions: &[AwardDefinition],
) -> Result<BTreeSet<(String, String)>, NodeError> {
    let organizations: BTreeSet<&String> = definitions.iter().map(|definition| &definition.organization).collect();
    let mut there = BTreeSet::new();
    for organization in organizations {
        let (initiative, organization) = (initiative.to_owned(), organization.clone());
        let wanted = ListAwardsRequest { initiative, organization, ..ListAwardsRequest::default() };
        let awards = client.awards(wanted).await?.into_iter().filter_map(|award| award.definition);
        there.extend(awards.map(|definition| (definition.organization, definition.external_id)));
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
