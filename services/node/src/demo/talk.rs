//! A thread about the graduation measure through all nodes, and a message in it that is taken back.

use proto::messaging::*;
use serde::{Deserialize, Serialize};

use super::Voice;
use super::tale::{Speaker, Tale};
use crate::cli::request_id;
use crate::client::Client;
use crate::error::NodeError;
use crate::fleet::{Coalition, heard, until};
use crate::import::connecticut::GRADUATION;

pub(super) const QUESTION: &str = "From 82.7 to 87.2 percent in four years: what moved it?";
pub(super) const OF_BRIDGEPORT: &str = "We call home on the first day missed.";
pub(super) const OF_HARTFORD: &str = "Teams that go through every ninth-grader each week.";
pub(super) const CONCLUSION: &str = "Then Waterbury next, where nobody works on it yet.";
/// What Hartford thinks better of: so few students are known by name to whoever knows the town.
pub(super) const TAKEN_BACK: &str = "Of the six who came to us from one town, four have left school again.";

/// A thread.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Thread {
    /// Reference of the channel.
    pub channel: String,
    /// Reference of its first message.
    pub first: String,
}

/// Opens a channel at the backbone about the graduation measure, and lets everybody talk in it.
pub(super) async fn hold(coalition: &Coalition, tale: &Tale, voice: &Voice) -> Result<Thread, NodeError> {
    let backbone = tale.speaker(coalition, "backbone")?;
    let (alpha, beta) = (tale.speaker(coalition, "alpha")?, tale.speaker(coalition, "beta")?);
    let definition = ChannelDefinition {
        organization: backbone.organization.clone(),
        name: "Graduation within four years".to_owned(),
        purpose: "What moves the figure, and what we want to try next.".to_owned(),
        subject: tale.measure(GRADUATION)?,
        kind: ChannelKind::Discussion.into(),
    };
    let channel = open(tale, &backbone, "members", definition).await?;
    let mut thread = Thread { channel, first: String::new() };
    thread.first = say(&backbone, &thread, QUESTION).await?;
    answer(&beta, &thread, QUESTION, OF_BRIDGEPORT).await?;
    let taken_back = answer(&alpha, &thread, OF_BRIDGEPORT, TAKEN_BACK).await?;
    for node in &coalition.nodes {
        reaches(&node.operator()?, &thread, TAKEN_BACK).await?;
    }
    let request = WithdrawMessageRequest { message: taken_back, request_id: request_id() };
    alpha.client.messaging().withdraw_message(request).await?;
    answer(&alpha, &thread, OF_BRIDGEPORT, OF_HARTFORD).await?;
    answer(&backbone, &thread, OF_HARTFORD, CONCLUSION).await?;
    voice.say("The backbone asks what moved graduation; Bridgeport and Hartford answer in one thread, each from home");
    voice.say(
        "Hartford takes a message back, when it was on every node: it told of six students, who would be known by",
    );
    voice.add("name; its words must be gone everywhere");
    Ok(thread)
}

/// Opens a channel in a space of the initiative, once the speaker's node knows that it may.
pub(super) async fn open(
    tale: &Tale,
    speaker: &Speaker,
    space: &str,
    definition: ChannelDefinition,
) -> Result<String, NodeError> {
    let request = CreateChannelRequest {
        initiative: tale.initiative.clone(),
        space: space.to_owned(),
        definition: Some(definition),
        request_id: request_id(),
    };
    let opened = heard(format!("the space {space} among the channels"), async || {
        speaker.client.messaging().create_channel(request.clone()).await
    });
    Ok(opened.await?.channel.unwrap_or_default().reference)
}

/// Says something in a thread, or begins one, once the speaker's node knows the channel; the message's reference.
pub(super) async fn say(speaker: &Speaker, thread: &Thread, body: &str) -> Result<String, NodeError> {
    let request = PostMessageRequest {
        channel: thread.channel.clone(),
        thread: thread.first.clone(),
        organization: speaker.organization.clone(),
        body: body.to_owned(),
        request_id: request_id(),
        ..PostMessageRequest::default()
    };
    let posted = heard("the channel", async || speaker.client.messaging().post_message(request.clone()).await);
    Ok(posted.await?.message.unwrap_or_default().reference)
}

/// Says something once what it answers has come to the speaker's node.
async fn answer(speaker: &Speaker, thread: &Thread, before: &str, body: &str) -> Result<String, NodeError> {
    reaches(&speaker.client, thread, before).await?;
    say(speaker, thread, body).await
}

/// Waits until a node has heard something that was said.
pub(super) async fn reaches(node: &Client, thread: &Thread, words: &str) -> Result<(), NodeError> {
    let what = format!("\"{words}\" where it is heard");
    heard(&what, async || node.messaging().list_messages(question(thread)).await).await?;
    until(what, async || {
        let entries = entries(node, thread).await?.into_iter();
        let mut said = entries.filter(|entry| !entry.pending).filter_map(|entry| entry.message);
        Ok(said.any(|message| message.body == words).then_some(()))
    })
    .await
}

/// What happened in a thread, or in a whole channel, as a node lists it.
pub(super) async fn entries(node: &Client, thread: &Thread) -> Result<Vec<Entry>, NodeError> {
    Ok(node.messaging().list_messages(question(thread)).await?.into_inner().entries)
}

fn question(thread: &Thread) -> ListMessagesRequest {
    ListMessagesRequest {
        channel: thread.channel.clone(),
        thread: thread.first.clone(),
        ..ListMessagesRequest::default()
    }
}
