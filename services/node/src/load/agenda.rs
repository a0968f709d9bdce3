//! An agenda into a running node, as a draft. One of the same name that is there already is not made again.

use proto::agenda::{AgendaTree, CreateAgendaRequest, ListAgendasRequest};
use serde::Serialize;

use super::{id_of, once_heard};
use crate::client::Client;
use crate::error::NodeError;

/// What became of a draft, with the reference of its agenda.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "agenda", rename_all = "snake_case")]
pub enum Drafted {
    /// It was begun.
    Made(String),
    /// It was there already, and says the same.
    Already(String),
    /// One of this name was there already and says something else; it was left as it is.
    Different(String),
}

/// Begins an agenda, if this node has no draft of its name.
///
/// # Errors
/// Where the node does not answer, or refuses.
pub async fn draft(client: &Client, initiative: &str, tree: AgendaTree) -> Result<Drafted, NodeError> {
    let wanted = ListAgendasRequest { initiative: initiative.to_owned(), ..ListAgendasRequest::default() };
    once_heard(async || client.agenda().list_agendas(wanted.clone()).await).await?;
    let known = client.agendas(wanted).await?;
    let mut drafts = known.into_iter().filter_map(|agenda| Some((agenda.reference, agenda.draft?.tree?)));
    if let Some((reference, there)) = drafts.find(|(_, there)| there.display_name == tree.display_name) {
        return Ok(if unnamed(there) == tree { Drafted::Already(reference) } else { Drafted::Different(reference) });
    }
    let request =
        CreateAgendaRequest { initiative: initiative.to_owned(), tree: Some(tree), request_id: String::new() };
    let request = CreateAgendaRequest { request_id: id_of("agenda", &request), ..request };
    let made = once_heard(async || client.agenda().create_agenda(request.clone()).await).await?;
    Ok(Drafted::Made(made.into_inner().agenda.unwrap_or_default().reference))
}

/// A tree without the references of its results and strategies.
fn unnamed(mut tree: AgendaTree) -> AgendaTree {
    for result in &mut tree.results {
        result.reference.clear();
        result.strategies.iter_mut().for_each(|strategy| strategy.reference.clear());
    }
    tree
}
