//! Calls that list what happens in a channel, once or for as long as somebody watches.

use std::collections::VecDeque;

use chassis::desk::{Desk, Look, Watch};
use chassis::errors::{self, Violations};
use chassis::names::Reference;
use chassis::parse;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, try_unfold};
use proto::messaging::*;
use sqlx::PgConnection;
use tonic::{Request, Response, Status};

use super::Answer;
use super::channel::readable;
use crate::Messaging;
use crate::contract::{cursor, message as contract};
use crate::domain::Cursor;
use crate::store::entry as rows;

/// Entries on a page where the caller does not say, and at the most.
const USUAL: usize = 50;
const MOST: usize = 500;

/// What a watcher gets.
pub(super) type Watched = BoxStream<'static, Result<WatchMessagesResponse, Status>>;

pub(super) async fn list_messages(
    desk: &Desk<Messaging>,
    request: Request<ListMessagesRequest>,
) -> Answer<ListMessagesResponse> {
    let (mut look, request) = desk.look(request).await?;
    let mut violations = Violations::default();
    let asked = Asked::read(&mut violations, &request.channel, &request.thread, &request.cursor);
    let size = usize::try_from(request.page_size);
    if size.is_err() {
        violations.add("page_size", "must not be negative");
    }
    let (mut asked, size) = violations.finish(|| Some((asked?, size.ok()?)))?;
    let entries = asked.page(&mut look, if size == 0 { USUAL } else { size.min(MOST) }).await?;
    Ok(Response::new(ListMessagesResponse { entries, next_cursor: asked.cursor() }))
}

pub(super) async fn watch_messages(desk: &Desk<Messaging>, request: Request<WatchMessagesRequest>) -> Answer<Watched> {
    let (watch, request) = desk.watch(request)?;
    let mut violations = Violations::default();
    let asked = Asked::read(&mut violations, &request.channel, &request.thread, &request.cursor);
    let asked = violations.finish(|| asked)?;
    let mut watching = Watching { watch, asked, entries: VecDeque::new(), more: false };
    // Who may not look is told so before anything is sent.
    watching.look().await?;
    Ok(Response::new(try_unfold(watching, Watching::next).boxed()))
}

/// Which entries are asked for, and from where.
struct Asked {
    channel: Reference,
    thread: Option<Reference>,
    cursor: Cursor,
}

impl Asked {
    fn read(violations: &mut Violations, channel: &str, thread: &str, cursor: &str) -> Option<Self> {
        let channel = parse::reference(violations, "channel", channel);
        let thread = parse::optional_reference(violations, "thread", thread);
        let channel = channel?;
        let cursor = cursor::read(violations, "cursor", cursor, &channel, thread.as_ref())?;
        Some(Self { channel, thread, cursor })
    }

    fn cursor(&self) -> String {
        cursor::write(&self.cursor, &self.channel, self.thread.as_ref())
    }

    /// The next entries, once the caller is found to be allowed to read them; the cursor goes past them. Fewer than
    /// asked for where there are no more at present.
    async fn page(&mut self, look: &mut Look, size: usize) -> Result<Vec<Entry>, Status> {
        let channel = readable(look, &self.channel).await?;
        let thread = self.thread.clone();
        let question = rows::Question { channel: &channel, thread: thread.as_ref() };
        self.entries(look.connection(), &question, size).await.map_err(errors::database)
    }

    async fn entries(
        &mut self,
        connection: &mut PgConnection,
        question: &rows::Question<'_>,
        size: usize,
    ) -> Result<Vec<Entry>, sqlx::Error> {
        let given = std::mem::take(&mut self.cursor.pending);
        let now = rows::standing(connection, &self.channel, &given).await?;
        self.cursor.pending = now.iter().map(|(event, _)| *event).collect();
        let accepted = rows::accepted(connection, question, &given, self.cursor.after(), limit(size)).await?;
        let mut page: Vec<Entry> = accepted.into_iter().map(|entry| self.pass(entry)).collect();
        if page.len() < size {
            self.cursor.settle(&now);
            let more = limit(self.cursor.room().min(size - page.len()));
            let pending = rows::pending(connection, question, &given, more).await?;
            page.extend(pending.into_iter().map(|entry| self.pass(entry)));
        }
        Ok(page)
    }

    /// Goes past an entry; gives it as the contract writes it.
    fn pass(&mut self, entry: rows::Entry) -> Entry {
        self.cursor.pass(entry.event, entry.position);
        Entry {
            change: entry.change.number(),
            message: Some(contract::write(&entry.message)),
            pending: entry.position.is_none(),
            cursor: self.cursor(),
        }
    }
}

fn limit(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// Somebody who watches.
struct Watching {
    watch: Watch<Messaging>,
    asked: Asked,
    /// Read, and not sent yet.
    entries: VecDeque<Entry>,
    /// There are more to be read at once.
    more: bool,
}

impl Watching {
    async fn look(&mut self) -> Result<(), Status> {
        let mut look = self.watch.look().await?;
        self.entries = self.asked.page(&mut look, MOST).await?.into();
        self.more = self.entries.len() == MOST;
        Ok(())
    }

    async fn next(mut self) -> Result<Option<(WatchMessagesResponse, Self)>, Status> {
        loop {
            if let Some(entry) = self.entries.pop_front() {
                return Ok(Some((WatchMessagesResponse { entry: Some(entry) }, self)));
            }
            if !self.more && !self.watch.next().await {
                return Ok(None);
            }
            self.look().await?;
        }
    }
}
