//! Messages of archives into a channel, one after the other, so that they stand there in the order in which they were
//! written. What is there already is not posted again; neither is what was taken back since.

use std::collections::BTreeMap;

use prost_types::Timestamp;
use proto::messaging::{Change, ListMessagesRequest, Message, MessageState, PostMessageRequest};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::id_of;
use crate::client::Client;
use crate::error::NodeError;
use crate::import::mail::Posting;

const PAGE: i32 = 500;

/// What became of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Posted {
    /// How many were posted.
    pub posted: usize,
    /// How many were there already.
    pub already: usize,
    /// How many were there before and were taken back.
    pub withdrawn: usize,
    /// How many were not tried, because one was refused before.
    pub not_sent: usize,
    /// The one that was refused, and why.
    pub refused: Vec<(String, String)>,
}

/// Where messages go, and who says them.
#[derive(Clone, Copy, Debug)]
pub struct Into<'a> {
    /// Reference of the channel.
    pub channel: &'a str,
    /// Reference of the organization that says them.
    pub organization: &'a str,
}

/// Posts messages in their order. After one that is refused no other is tried; `done` is told of each.
///
/// # Errors
/// Where the node does not say what is in the channel.
pub async fn post_all(
    client: &Client,
    into: Into<'_>,
    postings: &[Posting],
    done: impl Fn(),
) -> Result<Posted, NodeError> {
    let mut there = There::look(client, into).await?;
    let (mut posted, mut references) = (Posted::default(), Vec::<String>::with_capacity(postings.len()));
    for posting in postings {
        if !posted.refused.is_empty() {
            posted.not_sent += 1;
        } else if let Some((reference, stands)) = there.take(posting) {
            *if stands { &mut posted.already } else { &mut posted.withdrawn } += 1;
            references.push(reference);
        } else {
            let thread = posting.first.and_then(|first| references.get(first)).cloned().unwrap_or_default();
            match post(client, into, posting, thread).await {
                Ok(reference) => {
                    posted.posted += 1;
                    references.push(reference);
                }
                Err(error) => posted.refused.push((posting.place.clone(), error.to_string())),
            }
        }
        done();
    }
    Ok(posted)
}

async fn post(client: &Client, into: Into<'_>, posting: &Posting, thread: String) -> Result<String, NodeError> {
    let request = PostMessageRequest {
        channel: into.channel.to_owned(),
        thread,
        organization: into.organization.to_owned(),
        body: posting.body.clone(),
        byline: posting.byline.clone(),
        written_time: Some(mark(posting)),
        request_id: String::new(),
    };
    let request_id = id_of(&format!("message {}", posting.id), &request);
    let request = PostMessageRequest { request_id, ..request };
    let message = client.messaging().post_message(request).await?.into_inner().message;
    Ok(message.unwrap_or_default().reference)
}

/// By what a message of an archive is known again. Archives say the second in which it was written; the fraction of it is
/// taken from the message's own id, and stays when its words are edited or taken back.
fn mark(posting: &Posting) -> Timestamp {
    let digest = Sha256::digest(&posting.id);
    let number = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    let micros = i32::try_from(number % 1_000_000).unwrap_or(0);
    Timestamp { seconds: posting.written.unix_timestamp(), nanos: micros * 1000 }
}

/// What was said in a channel of what was written elsewhere, by its mark: reference, and whether it stands.
#[derive(Default)]
struct There(BTreeMap<(i64, i32), Vec<(String, bool)>>);

impl There {
    async fn look(client: &Client, into: Into<'_>) -> Result<Self, NodeError> {
        let (mut there, mut cursor) = (Self::default(), String::new());
        loop {
            let request = ListMessagesRequest {
                channel: into.channel.to_owned(),
                cursor: cursor.clone(),
                page_size: PAGE,
                ..ListMessagesRequest::default()
            };
            let page = client.messaging().list_messages(request).await?.into_inner();
            if page.entries.is_empty() {
                return Ok(there);
            }
            for entry in page.entries {
                let change = entry.change();
                let message = entry.message.unwrap_or_default();
                // An edit is of a message that is listed as posted, too.
                if change != Change::Edited {
                    there.add(message);
                }
            }
            cursor = page.next_cursor;
        }
    }

    fn add(&mut self, message: Message) {
        let stands = message.state() == MessageState::Posted;
        let Some(written) = message.heading.unwrap_or_default().written_time else { return };
        self.0.entry((written.seconds, written.nanos)).or_default().push((message.reference, stands));
    }

    /// A message that is there, whoever said it, and whether it stands: taken back, it does not. Each is given once.
    fn take(&mut self, posting: &Posting) -> Option<(String, bool)> {
        let mark = mark(posting);
        let known = self.0.get_mut(&(mark.seconds, mark.nanos))?;
        (!known.is_empty()).then(|| known.remove(0))
    }
}
