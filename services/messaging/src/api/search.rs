//! The search.

use chassis::desk::Desk;
use chassis::errors::{self, Violations};
use chassis::paging::Page;
use chassis::parse;
use proto::messaging::*;
use time::OffsetDateTime;
use tonic::{Request, Response};

use super::Answer;
use super::channel::{readable, readable_spaces};
use crate::Messaging;
use crate::contract::message as contract;
use crate::domain;
use crate::store::message as rows;

pub(super) async fn search_messages(
    desk: &Desk<Messaging>,
    request: Request<SearchMessagesRequest>,
) -> Answer<SearchMessagesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let initiative = parse::reference(&mut violations, "initiative", &request.initiative);
    let channel = parse::optional_reference(&mut violations, "channel", &request.channel);
    let words = parse::text(&mut violations, "query", &request.query, 500);
    let list = SearchMessagesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = Page::asked(&mut violations, request.page_size, &request.page_token, &list);
    let (initiative, words, page) = violations.finish(|| Some((initiative?, words?, page?)))?;

    let spaces = match &channel {
        None => readable_spaces(&mut look, &initiative).await?,
        Some(channel) => vec![readable(&mut look, channel).await?.space.to_string()],
    };
    let question = rows::Question { spaces, channel, words };
    let after = page.after.as_deref().and_then(after);
    let messages = rows::search(look.connection(), &question, after, page.limit()).await;
    let mut messages = messages.map_err(errors::database)?;
    let next_page_token = page.cut(&mut messages, key);
    let messages = messages.iter().map(contract::write).collect();
    Ok(Response::new(SearchMessagesResponse { messages, next_page_token }))
}

/// Where a message stands among those found: when it was posted, and its reference.
fn key(message: &domain::Message) -> String {
    format!("{} {}", message.stamp.created_at.unix_timestamp_nanos(), message.reference)
}

fn after(key: &str) -> Option<(OffsetDateTime, String)> {
    let (nanos, reference) = key.split_once(' ')?;
    Some((OffsetDateTime::from_unix_timestamp_nanos(nanos.parse().ok()?).ok()?, reference.to_owned()))
}
