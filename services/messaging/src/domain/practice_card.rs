//! Practice cards: what one initiative teaches another, also about what failed.

use chassis::errors::Flaw;
use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;
use serde::{Deserialize, Serialize};

use super::{Fact, Refusal};

chassis::words! {
    /// Whether a practice card stands.
    pub enum State {
        /// It does.
        Published = 1,
        /// Its organization took it back.
        Retracted = 2,
        /// Its organization does not live on its home.
        Void = 3,
    }
}

/// What a card says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Title in plain language.
    pub title: String,
    /// What was to be overcome.
    pub challenge: String,
    /// What was done about it.
    pub tried: String,
    /// What it took.
    pub cost: String,
    /// What came of it.
    pub result: String,
    /// The figures that show it.
    pub series: Option<Series>,
    /// What did not work.
    pub failed: String,
}

/// Figures of a measure as they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Where they come from.
    pub measure: Reference,
    /// Name of the measure.
    pub name: String,
    /// What one is one of.
    pub unit: String,
    /// Period and figure.
    pub points: Vec<(String, String)>,
}

/// A practice card as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PracticeCard {
    /// Its name on every node.
    pub reference: Reference,
    /// Who may hold it.
    pub space: Space,
    /// Who publishes it.
    pub organization: Reference,
    /// What it says; `None` once retracted.
    pub said: Option<Said>,
    /// Whether it stands.
    pub state: State,
    /// Why it was retracted or is void.
    pub reason: String,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// Decides whether a card may be published from this node.
///
/// # Errors
/// Where the organization lives elsewhere.
pub fn publish(node: &NodeId, organization: Reference, said: Said) -> Result<Vec<Fact>, Refusal> {
    if organization.node != *node {
        return Err(Refusal::AuthorElsewhere { organization });
    }
    Ok(vec![Fact::PracticeCardPublished { organization, said }])
}

/// Decides whether a card may change. What is the same as before is no change and no event.
///
/// # Errors
/// Where it lives elsewhere or does not stand, or would be another organization's.
pub fn revise(node: &NodeId, card: &PracticeCard, organization: Reference, said: Said) -> Result<Vec<Fact>, Refusal> {
    changeable(node, card)?;
    if organization != card.organization {
        return Err(Refusal::Flawed(vec![Flaw::of("definition.organization", "never changes")]));
    }
    let same = card.said.as_ref() == Some(&said);
    Ok(if same { Vec::new() } else { vec![Fact::PracticeCardRevised { organization, said }] })
}

/// Decides whether a card may be taken back.
///
/// # Errors
/// Where it lives elsewhere or does not stand.
pub fn retract(node: &NodeId, card: &PracticeCard, reason: String) -> Result<Vec<Fact>, Refusal> {
    changeable(node, card)?;
    let (published_at, version) = (card.stamp.created_at, card.stamp.version + 1);
    Ok(vec![Fact::PracticeCardRetracted { organization: card.organization.clone(), reason, published_at, version }])
}

fn changeable(node: &NodeId, card: &PracticeCard) -> Result<(), Refusal> {
    if card.reference.node != *node {
        return Err(Refusal::LivesElsewhere { what: "the practice card", home: card.reference.node.clone() });
    }
    match card.state {
        State::Published => Ok(()),
        State::Retracted | State::Void => Err(Refusal::DoesNotStand),
    }
}

/// Whether a card is void: published for an organization that does not live on its home.
pub fn void(home: &NodeId, organization: &Reference) -> Option<String> {
    let elsewhere = organization.node != *home;
    elsewhere.then(|| format!("organization {organization} does not live on the node that published for it"))
}
