//! A directory into a running node: organizations that nobody knows yet by the directory's id are registered here, and
//! what they do for people is posted as offers. What is here already stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use proto::membership::*;
use serde::Serialize;

use super::id_of;
use super::organizations::{Who, known, register, who};
use super::sending::{Sent, each};
use crate::client::Client;
use crate::error::NodeError;
use crate::import::directory::{Offer, Plan};
use crate::verify::Watch;

/// What is to be brought in, and where to.
#[derive(Debug)]
pub struct Loading<'a> {
    /// Reference of the initiative.
    pub initiative: &'a str,
    /// Id of the node that is called.
    pub here: &'a str,
    /// The directory as the importer knows its organizations: the register's name in their identifiers.
    pub register: &'a str,
    /// The directory. Every organization has a sector.
    pub plan: &'a Plan,
}

/// What became of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Loaded {
    /// The organizations.
    pub organizations: Sent,
    /// Names of those that live on other nodes, which stay there; nothing is posted for them.
    pub elsewhere: Vec<String>,
    /// Their offers.
    pub offers: Sent,
}

/// Registers the organizations and posts their offers. After the first that is refused no other is begun.
///
/// # Errors
/// Where the node does not say what is there already.
pub async fn register_all(client: &Client, what: &Loading<'_>, watch: &dyn Watch) -> Result<Loaded, NodeError> {
    let mut loaded = Loaded::default();
    let organizations = organizations(client, what, watch, &mut loaded).await?;
    let of_ours = |offer: &&Offer| organizations.contains_key(&offer.organization);
    let offers: Vec<&Offer> = what.plan.offers.iter().filter(of_ours).collect();
    if loaded.organizations.refused.is_empty() {
        self::offers(client, what, &organizations, &offers, watch, &mut loaded).await?;
    } else {
        loaded.offers.not_sent = what.plan.offers.len();
    }
    Ok(loaded)
}

/// The organizations of this node, by their id in the directory.
async fn organizations(
    client: &Client,
    what: &Loading<'_>,
    watch: &dyn Watch,
    loaded: &mut Loaded,
) -> Result<BTreeMap<String, String>, NodeError> {
    let known = known(client, what.initiative).await?;
    let (mut here, mut new) = (BTreeMap::new(), Vec::new());
    for (id, organization) in &what.plan.organizations {
        // Other registers' identifiers may be those of a parent or of a merger.
        let own = Organization { identifiers: vec![own(what.register, id)], ..Organization::default() };
        match who(&known, &own, what.here) {
            Who::Here(reference) => {
                loaded.organizations.already += 1;
                here.insert(id.clone(), reference);
            }
            Who::Elsewhere(_) => loaded.elsewhere.push(organization.display_name.clone()),
            Who::Nobody => new.push((id, organization)),
        }
    }
    watch.begin("organizations", new.len() as u64);
    let call = async |(_, organization): &(&String, &Organization)| {
        register(client, what.initiative, (*organization).clone()).await
    };
    let answers = each(&new, call, || watch.done(1)).await;
    for ((id, _), answer) in new.into_iter().zip(answers) {
        here.extend(loaded.organizations.note(id, answer).map(|reference| (id.clone(), reference)));
    }
    Ok(here)
}

fn own(register: &str, id: &str) -> Identifier {
    Identifier { scheme: register.to_owned(), value: id.to_owned() }
}

async fn offers(
    client: &Client,
    what: &Loading<'_>,
    organizations: &BTreeMap<String, String>,
    offers: &[&Offer],
    watch: &dyn Watch,
    loaded: &mut Loaded,
) -> Result<(), NodeError> {
    let there = there_already(client, what.initiative, offers).await?;
    let mut new = Vec::new();
    for offer in offers {
        let organization = organizations.get(&offer.organization).cloned().unwrap_or_default();
        match there.get(&(organization.clone(), offer.source.clone())) {
            None => new.push((organization, *offer)),
            Some(description) => {
                loaded.offers.already += 1;
                if *description != offer.description {
                    loaded.offers.different.push(offer.source.clone());
                }
            }
        }
    }
    watch.begin("offers", new.len() as u64);
    let call =
        async |(organization, offer): &(String, &Offer)| post(client, what.initiative, organization, offer).await;
    let answers = each(&new, call, || watch.done(1)).await;
    for ((_, offer), answer) in new.iter().zip(answers) {
        loaded.offers.note(&offer.source, answer);
    }
    Ok(())
}

/// Organization, source and description of the offers there are that come from this directory.
async fn there_already(
    client: &Client,
    initiative: &str,
    offers: &[&Offer],
) -> Result<BTreeMap<(String, String), String>, NodeError> {
    let sources: BTreeSet<&str> = offers.iter().map(|offer| offer.source.as_str()).collect();
    let wanted = ListPostingsRequest {
        initiative: initiative.to_owned(),
        direction: PostingDirection::Offer.into(),
        kind: PostingKind::Service.into(),
        ..ListPostingsRequest::default()
    };
    let there = client.postings(wanted).await?.into_iter().filter_map(|posting| {
        let source = posting.description.lines().last().filter(|line| sources.contains(line))?.to_owned();
        Some(((posting.organization, source), posting.description))
    });
    Ok(there.collect())
}

async fn post(client: &Client, initiative: &str, organization: &str, offer: &Offer) -> Result<(), NodeError> {
    let posting = Posting {
        organization: organization.to_owned(),
        direction: PostingDirection::Offer.into(),
        kind: PostingKind::Service.into(),
        description: offer.description.clone(),
        ..Posting::default()
    };
    let request =
        CreatePostingRequest { initiative: initiative.to_owned(), posting: Some(posting), request_id: String::new() };
    let request = CreatePostingRequest { request_id: id_of("post", &request), ..request };
    client.membership().create_posting(request).await?;
    Ok(())
}
