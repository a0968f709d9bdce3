//! The circle of the backbone and alpha, of which beta knows nothing.

use proto::membership::GetCircleRequest;
use tonic::Code;

use super::{Check, kept_from_beta, same_state};
use crate::demo::{Memory, circle};
use crate::error::NodeError;
use crate::fleet::{Coalition, Node, settled_on};

/// Whether each node answers that there is such a circle.
pub(super) async fn known(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    let mut checks = Vec::new();
    for node in &coalition.nodes {
        let request = GetCircleRequest { initiative: memory.initiative.clone(), circle: memory.circle.clone() };
        let actual = match node.operator()?.membership().get_circle(request).await {
            Ok(_) => "known".to_owned(),
            Err(status) if status.code() == Code::NotFound => "unknown".to_owned(),
            Err(status) => return Err(status.into()),
        };
        let expected = if node.sketch.name == "beta" { "unknown" } else { "known" };
        checks.push(Check::new("circle of the backbone and alpha", node, expected, actual));
    }
    Ok(checks)
}

pub(super) async fn words(coalition: &Coalition) -> Result<Vec<Check>, NodeError> {
    kept_from_beta(coalition, "what was said in the circle", circle::WORDS).await
}

/// Waits until both hold the same of it, and says what.
pub(super) async fn state(coalition: &Coalition, memory: &Memory) -> Result<Vec<Check>, NodeError> {
    let both: [&Node; 2] = [coalition.backbone()?, coalition.node("alpha")?];
    let digests = settled_on(&both, &format!("{}/circle/{}", memory.initiative, memory.circle)).await?;
    Ok(same_state("state digest of the circle", &both, &digests))
}
