//! Agendas, as their events make them. Drafts and versions have tables of their own: what is said of a draft leaves no
//! trace in what all members hold.

use chassis::errors::Violations;
use chassis::event::Event;
use chassis::room::{FoldError, sound};
use proto::agenda as message;
use sqlx::PgConnection;

use crate::contract;
use crate::domain::Tree;
use crate::store::{agenda as store, version};

fn tree(message: Option<&message::AgendaTree>) -> Result<Tree, FoldError> {
    let mut violations = Violations::default();
    let tree = contract::tree::read(&mut violations, message);
    sound(&violations, tree, "tree")
}

pub(super) async fn drafted(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::AgendaDrafted,
) -> Result<(), FoldError> {
    let tree = tree(told.tree.as_ref())?;
    let initiative = told.initiative.parse()?;
    Ok(store::insert_draft(connection, &event.resource, &initiative, &tree, event.made_at).await?)
}

pub(super) async fn revised(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::AgendaRevised,
) -> Result<(), FoldError> {
    let tree = tree(told.tree.as_ref())?;
    Ok(store::revise_draft(connection, &event.resource, &tree, event.made_at).await?)
}

pub(super) async fn published(
    connection: &mut PgConnection,
    event: &Event,
    told: &message::AgendaPublished,
) -> Result<(), FoldError> {
    let tree = tree(told.tree.as_ref())?;
    if !tree.unpublishable(&event.resource.node).is_empty() {
        return Err(FoldError::Missing("tree"));
    }
    let mut violations = Violations::default();
    let proposals = contract::agenda::read_proposals(&mut violations, &told.proposals);
    let proposals = sound(&violations, proposals, "proposals")?;
    store::publish(connection, &event.resource, &event.space, event.made_at).await?;
    Ok(version::insert(connection, event, &tree, &proposals).await?)
}
