//! A circle of the backbone and one partner, of which the other partner's node is never to know.

use proto::membership::{Circle, CreateCircleRequest};
use proto::messaging::{ChannelDefinition, ChannelKind};

use super::Voice;
use super::tale::Tale;
use super::talk::{self, Thread};
use crate::cli::request_id;
use crate::error::NodeError;
use crate::fleet::Coalition;

const NAME: &str = "Hartford's school budget";
/// What alpha says in it.
pub(super) const WORDS: &str = "Only among us until our board has met: we may have to give up two of the teams.";

/// Forms it at the backbone, and lets alpha speak in it; its reference.
pub(super) async fn form(coalition: &Coalition, tale: &Tale, voice: &Voice) -> Result<String, NodeError> {
    let backbone = tale.speaker(coalition, "backbone")?;
    let request = CreateCircleRequest {
        initiative: tale.initiative.clone(),
        circle: Some(Circle {
            display_name: NAME.to_owned(),
            purpose: "What the budget leaves of what was planned, before it is decided.".to_owned(),
            nodes: vec![coalition.backbone()?.id.to_string(), coalition.node("alpha")?.id.to_string()],
            ..Circle::default()
        }),
        request_id: request_id(),
    };
    let circle = backbone.client.membership().create_circle(request).await?.into_inner().circle.unwrap_or_default();
    let alpha = tale.speaker(coalition, "alpha")?;
    let definition = ChannelDefinition {
        organization: alpha.organization.clone(),
        name: NAME.to_owned(),
        purpose: String::new(),
        subject: circle.reference.clone(),
        kind: ChannelKind::Discussion.into(),
    };
    let channel = talk::open(tale, &alpha, &circle.space, definition).await?;
    let channel = Thread { channel, first: String::new() };
    talk::say(&alpha, &channel, WORDS).await?;
    talk::reaches(&backbone.client, &channel, WORDS).await?;
    voice.say(
        "The backbone forms a circle with alpha, which speaks in it of its budget: beta must not know that there is",
    );
    voice.add("such a circle");
    Ok(circle.reference)
}
