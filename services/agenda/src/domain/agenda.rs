//! Agendas: worked on as a draft at home, published version by version.

use std::collections::BTreeSet;

use chassis::names::{NodeId, Reference};
use chassis::revision::Stamp;
use time::OffsetDateTime;

use super::{Fact, Refusal, Tree};

/// An agenda as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agenda {
    /// Its name on every node.
    pub reference: Reference,
    /// The initiative it belongs to.
    pub initiative: Reference,
    /// The newest version; `None` while none was published.
    pub current: Option<Version>,
    /// How it came to be so, as far as others know of it; `None` while no version was published.
    pub stamp: Option<Stamp>,
    /// What is being worked on; `None` everywhere but at its home.
    pub draft: Option<Draft>,
}

/// What is being worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The tree.
    pub tree: Tree,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// A published version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its name on every node.
    pub reference: Reference,
    /// The agenda.
    pub agenda: Reference,
    /// The initiative.
    pub initiative: Reference,
    /// From 1.
    pub number: u32,
    /// The whole of it.
    pub tree: Tree,
    /// The proposals that it carries out.
    pub proposals: Vec<Reference>,
    /// Whether a newer one was published.
    pub superseded: bool,
    /// When it was published.
    pub published_at: OffsetDateTime,
    /// Its place in the members' order; `None` while pending.
    pub position: Option<i64>,
}

/// What of a tree is to change; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Name of the agenda.
    pub display_name: Option<String>,
    /// What is wrong.
    pub problem: Option<String>,
    /// How it should be.
    pub vision: Option<String>,
    /// For whom.
    pub population: Option<String>,
    /// The results.
    pub results: Option<Vec<super::TreeResult>>,
}

/// Begins an agenda.
///
/// # Errors
/// Where a result or strategy has a reference before it has been given one.
pub fn begin(node: &NodeId, initiative: Reference, tree: Tree) -> Result<Vec<Fact>, Refusal> {
    sound(&tree, &BTreeSet::new())?;
    Ok(vec![Fact::AgendaDrafted { initiative, tree: tree.with_references(node) }])
}

/// Decides whether a draft may change. `known` are the results and strategies that the agenda ever had. What is the same
/// as before is no change and no event.
///
/// # Errors
/// Where the agenda lives elsewhere, or a result or strategy is none of its own.
pub fn revise(
    node: &NodeId,
    agenda: &Agenda,
    known: &BTreeSet<Reference>,
    change: Change,
) -> Result<Vec<Fact>, Refusal> {
    let old = &drafted(node, agenda)?.tree;
    let tree = Tree {
        display_name: change.display_name.unwrap_or_else(|| old.display_name.clone()),
        problem: change.problem.unwrap_or_else(|| old.problem.clone()),
        vision: change.vision.unwrap_or_else(|| old.vision.clone()),
        population: change.population.unwrap_or_else(|| old.population.clone()),
        results: change.results.unwrap_or_else(|| old.results.clone()),
    };
    sound(&tree, known)?;
    let tree = tree.with_references(node);
    Ok(if *old == tree { Vec::new() } else { vec![Fact::AgendaRevised(tree)] })
}

/// Decides whether the draft may be published as the next version.
///
/// # Errors
/// Where the agenda lives elsewhere, parts are missing, or nothing changed since the version in force.
pub fn publish(node: &NodeId, agenda: &Agenda, proposals: Vec<Reference>) -> Result<Vec<Fact>, Refusal> {
    let tree = drafted(node, agenda)?.tree.clone();
    let flaws = tree.unpublishable(node);
    if !flaws.is_empty() {
        return Err(Refusal::Incomplete(flaws));
    }
    if agenda.current.as_ref().is_some_and(|current| current.tree == tree) {
        return Err(Refusal::NothingNew);
    }
    Ok(vec![Fact::AgendaPublished { tree, proposals }])
}

/// Whether a version is the one to be endorsed or changed.
///
/// # Errors
/// Where a newer one was published.
pub fn in_force(version: &Version) -> Result<(), Refusal> {
    if version.superseded { Err(Refusal::Superseded { number: version.number }) } else { Ok(()) }
}

fn drafted<'a>(node: &NodeId, agenda: &'a Agenda) -> Result<&'a Draft, Refusal> {
    let elsewhere = || Refusal::LivesElsewhere { what: "the agenda", home: agenda.reference.node.clone() };
    agenda.draft.as_ref().filter(|_| agenda.reference.node == *node).ok_or_else(elsewhere)
}

fn sound(tree: &Tree, known: &BTreeSet<Reference>) -> Result<(), Refusal> {
    let flaws = tree.strange(known);
    if flaws.is_empty() { Ok(()) } else { Err(Refusal::Flawed(flaws)) }
}
