//! What must hold on every node once the story was told. What is expected is stated here by hand, and never read from
//! what is looked at.

mod activities;
mod agenda;
mod circle;
mod practice;
mod proposal;
mod talk;

use futures_util::future::try_join_all;
use proto::federation::{GetSpaceDigestResponse, GetStatusRequest};
use serde::Serialize;

use super::figures::Figure;
use super::{Memory, Voice, impostors, search};
use crate::error::NodeError;
use crate::fleet::{Coalition, Node};

/// One thing that was looked at on one node.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// Where.
    pub node: &'static str,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub actual: String,
    /// Whether the two are the same.
    pub ok: bool,
}

impl Check {
    fn new(name: impl Into<String>, node: &Node, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        let (expected, actual) = (expected.into(), actual.into());
        Self { name: name.into(), node: node.sketch.name, ok: expected == actual, expected, actual }
    }
}

/// Looks at everything on every node, and says a line for each thing.
///
/// # Errors
/// Where a node does not answer; what does not hold is among the checks.
pub async fn all(
    coalition: &Coalition,
    memory: &Memory,
    known: &[Figure<'_>],
    voice: &Voice,
) -> Result<Vec<Check>, NodeError> {
    let members = format!("{}/members", memory.initiative);
    let digests = coalition.settled(&members).await?;
    let public = practice::state(coalition, memory).await?;
    let circle = circle::state(coalition, memory).await?;
    voice.say("Everything is on every node. What each of them says:");
    let mut checks = Vec::new();
    for figure in known {
        let ask = async |node: &Node| figure.ask(&node.operator()?, memory).await;
        tell(&mut checks, everywhere(coalition, figure.name, figure.expected, ask).await?, voice);
    }
    for asked in told(coalition, memory).await? {
        tell(&mut checks, asked, voice);
    }
    let everybody: Vec<&Node> = coalition.nodes.iter().collect();
    tell(&mut checks, same_state("state digest of the members space", &everybody, &digests), voice);
    tell(&mut checks, public, voice);
    tell(&mut checks, circle, voice);
    let confidence = kept_from_beta(coalition, "what alpha told the backbone alone", &memory.confidence);
    tell(&mut checks, confidence.await?, voice);
    tell(&mut checks, foreign_key(coalition).await?, voice);
    tell(&mut checks, not_its_home(coalition).await?, voice);
    tell(&mut checks, caught_up(coalition, memory).await?, voice);
    tell(&mut checks, proved(coalition).await?, voice);
    Ok(checks)
}

/// What was agreed, planned and said.
async fn told(coalition: &Coalition, memory: &Memory) -> Result<Vec<Vec<Check>>, NodeError> {
    Ok(vec![
        agenda::in_force(coalition, memory).await?,
        agenda::endorsed(coalition, memory).await?,
        proposal::decision(coalition, memory).await?,
        proposal::tally(coalition, memory).await?,
        proposal::objection(coalition, memory).await?,
        activities::matrix(coalition, memory).await?,
        talk::thread(coalition, memory).await?,
        talk::taken_back(coalition).await?,
        practice::card(coalition, memory).await?,
        circle::known(coalition, memory).await?,
        circle::words(coalition).await?,
    ])
}

fn tell(checks: &mut Vec<Check>, asked: Vec<Check>, voice: &Voice) {
    for wrong in asked.iter().filter(|check| !check.ok) {
        voice.add(format!("NO  {} on {}: {} and not {}", wrong.name, wrong.node, wrong.actual, wrong.expected));
    }
    if let Some(first) = asked.first()
        && asked.iter().all(|check| check.ok)
    {
        let nodes: Vec<&str> = asked.iter().map(|check| check.node).collect();
        let same = asked.iter().all(|check| check.actual == first.actual);
        let each = || asked.iter().map(|check| check.actual.as_str()).collect::<Vec<_>>().join(", ");
        let actual = if same { first.actual.clone() } else { each() };
        voice.add(format!("ok  {}: {actual}  ({})", first.name, nodes.join(", ")));
    }
    checks.extend(asked);
}

/// The same question to every node, and the answer that all of them are to give.
async fn everywhere(
    coalition: &Coalition,
    name: &str,
    expected: impl Into<String>,
    ask: impl AsyncFn(&Node) -> Result<String, NodeError>,
) -> Result<Vec<Check>, NodeError> {
    let expected = expected.into();
    let mut checks = Vec::new();
    for node in &coalition.nodes {
        checks.push(Check::new(name, node, &expected, ask(node).await?));
    }
    Ok(checks)
}

fn same_state(name: &str, nodes: &[&Node], digests: &[GetSpaceDigestResponse]) -> Vec<Check> {
    let spoken = |one: &GetSpaceDigestResponse| {
        let short = one.digest.get(..16).unwrap_or(&one.digest);
        let settled = if one.settled && one.pending == 0 { "" } else { ", not settled" };
        format!("{short} of {} resources at position {}{settled}", one.resources, one.position)
    };
    let expected = digests.first().map(spoken).unwrap_or_default();
    let nodes = nodes.iter().zip(digests);
    nodes.map(|(node, digest)| Check::new(name, node, &expected, spoken(digest))).collect()
}

/// What beta must not hold is at the other two, which shows that the search finds it, and nowhere on beta's node.
async fn kept_from_beta(coalition: &Coalition, name: &str, words: &str) -> Result<Vec<Check>, NodeError> {
    let mut checks = Vec::new();
    for node in &coalition.nodes {
        let places = search::everywhere(node, words).await?;
        let expected = if node.sketch.name == "beta" { "nowhere" } else { "held" };
        let actual = match (places.is_empty(), expected) {
            (true, _) => "nowhere".to_owned(),
            (false, "held") => "held".to_owned(),
            (false, _) => places.join(", "),
        };
        checks.push(Check::new(name, node, expected, actual));
    }
    Ok(checks)
}

async fn foreign_key(coalition: &Coalition) -> Result<Vec<Check>, NodeError> {
    let node = coalition.backbone()?;
    let alpha = coalition.node("alpha")?.id.as_str();
    let refusals = impostors::refusals(node).await?;
    let count = refusals.iter().filter(|(code, origin)| code == "FOREIGN_KEY" && origin == alpha).count();
    Ok(vec![Check::new("quarantined as FOREIGN_KEY, in alpha's name", node, "1", count.to_string())])
}

/// Seen at the backbone, which refused it, and at alpha, in whose feed it stands.
async fn not_its_home(coalition: &Coalition) -> Result<Vec<Check>, NodeError> {
    let (node, alpha) = (coalition.backbone()?, coalition.node("alpha")?);
    let refusals = impostors::refusals(node).await?;
    let count = refusals.iter().filter(|(code, origin)| code == "NOT_ITS_HOME" && origin == alpha.id.as_str()).count();
    let status = alpha.operator()?.federation().get_status(GetStatusRequest {}).await?.into_inner();
    let refused: u64 = status.spaces.iter().map(|space| space.refused).sum();
    let name = "refused as NOT_ITS_HOME, from alpha's feed";
    Ok(vec![Check::new(name, node, "1", count.to_string()), Check::new(name, alpha, "1", refused.to_string())])
}

async fn caught_up(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    let alpha = coalition.node("alpha")?;
    let members = format!("{}/members", memory.initiative);
    let position = alpha.position(&members).await?;
    let caught_up = memory.catch_up.missed > 0 && position >= memory.catch_up.position;
    let actual = if caught_up { "all of it" } else { "not all of it" };
    Ok(vec![Check::new("alpha caught up with what it had missed", alpha, "all of it", actual)])
}

/// Every node proves from its own database that nothing is missing or altered.
async fn proved(coalition: &Coalition) -> Result<Vec<Check>, NodeError> {
    let proofs = coalition.nodes.iter().map(async |node| {
        let (said, well) = coalition.command(node, &["verify"]).await?;
        let actual = if well { "everything holds" } else { said.as_str() };
        Ok::<_, NodeError>(Check::new("commonweal verify", node, "everything holds", actual))
    });
    try_join_all(proofs).await
}
