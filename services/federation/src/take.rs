//! The receiving half of a link: takes in messages, many in one transaction, and only then lets the hub forget them.

use std::collections::BTreeSet;

use bytes::Bytes;
use chassis::{clock, crash, identity, telemetry};
use prost::Message;
use proto::federation::{Accepted, Have, LinkMessage, link_message};
use sqlx::{Connection, PgConnection};
use tracing::{Instrument, Span};

use crate::accept::{self, Outcome};
use crate::border::BorderError;
use crate::hub;
use crate::link::{Link, PAUSE};
use crate::meters::{link_meters, peer};
use crate::pace::Say;
use crate::store::links;
use crate::{erasure, have, receive, regain, wire};

/// One more than a frame may have: that it has too many is still seen.
const ENTRIES: usize = wire::FRAME_ENTRIES as usize + 1;
/// One more than a chain of keys may have.
const KEYS: usize = identity::MOST_KEYS + 1;
/// A link is about a few feeds and spaces.
const HEADS: usize = 100;

/// A message with its bytes; `None` where they are none.
type Arrived = (Bytes, Option<LinkMessage>);

/// What came of some messages.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    accepted: u64,
    gaps: u64,
    lost: bool,
}

impl Taken {
    fn note(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Gap => self.gaps += 1,
            Outcome::Lost => self.lost = true,
            Outcome::Dropped | Outcome::Quarantined => {}
        }
    }
}

impl Link {
    pub(crate) async fn take_for_ever(&self) {
        let mut failing = false;
        let mut frames = Vec::new();
        loop {
            let outcome = self.take_next(&mut frames).await;
            failing = self.note(failing, &outcome, "taking in");
            if failing {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Takes in the messages at hand, or the next ones. Those that could not be taken in stay at hand.
    async fn take_next(&self, frames: &mut Vec<hub::Frame>) -> Result<(), BorderError> {
        if frames.is_empty() {
            self.road_open().await;
            *frames = self.mailbox.pull().await.map_err(|error| BorderError::Hub(error.to_string()))?;
        }
        let messages: Vec<Arrived> = frames.iter().map(|frame| (frame.bytes.clone(), read(&frame.bytes))).collect();
        let span = self.led_to_by(&messages);
        let taken = self.take_somehow(&messages).instrument(span).await?;
        for frame in frames.drain(..) {
            if let Err(error) = frame.ack.done().await {
                tracing::debug!(peer = %self.peer, %error, "not acknowledged: it will come again and be dropped");
            }
        }
        self.taken(taken)
    }

    /// The span of taking in a batch: linked, not parented, to the works at the other end that led to it.
    fn led_to_by(&self, messages: &[Arrived]) -> Span {
        let span = tracing::info_span!("take", peer = %self.peer, messages = messages.len());
        let messages = messages.iter().filter_map(|(_, message)| message.as_ref());
        let traces: BTreeSet<&str> = messages.map(|message| message.traceparent.as_str()).collect();
        for traceparent in traces.into_iter().filter(|traceparent| !traceparent.is_empty()) {
            telemetry::link(&span, traceparent);
        }
        span
    }

    /// Says what follows from what was taken in.
    fn taken(&self, taken: Taken) -> Result<(), BorderError> {
        link_meters().received.add(taken.accepted, &peer(&self.peer));
        link_meters().gaps.add(taken.gaps, &peer(&self.peer));
        if taken.accepted > 0 {
            self.pace.progress();
            self.border.committed();
        }
        if taken.accepted > 0 && (!self.is_backbone() || self.hello.asks()) {
            self.pace.news.notify_one();
        }
        if taken.lost {
            self.hello.ask()?;
        }
        if taken.gaps > 0 || taken.lost {
            self.pace.gap.notify_one();
        }
        Ok(())
    }

    /// Takes in messages together; where the values of one are refused by the database, each on its own.
    async fn take_somehow(&self, messages: &[Arrived]) -> Result<Taken, BorderError> {
        let taken = match self.take(messages, false).await {
            Err(error) if error.is_of_values() => self.take(messages, true).await?,
            taken => taken?,
        };
        self.border.follow_trace();
        Ok(taken)
    }

    /// Takes in messages in one transaction; `singly` puts each in a savepoint of its own, so that one whose values the
    /// database refuses does not keep back the others.
    async fn take(&self, messages: &[Arrived], singly: bool) -> Result<Taken, BorderError> {
        let mut taken = Taken::default();
        let mut transaction = self.border.pool.begin().await?;
        if self.is_backbone() {
            // What gets its place must not get it in a database that is less far than the one before.
            match self.border.restored.may_write(&mut transaction).await {
                Ok(_) | Err(BorderError::Restored) => {}
                Err(error) => return Err(error),
            }
        }
        for message in messages {
            let outcome = match singly {
                true => self.message_alone(&mut transaction, message).await?,
                false => self.message(&mut transaction, message).await?,
            };
            taken.note(&outcome);
        }
        if self.pace.note_contact() {
            links::contacted(&mut transaction, &self.peer, &self.initiative.initiative, clock::now()).await?;
        }
        crash::point("receiver.before_commit");
        transaction.commit().await?;
        crash::point("receiver.after_commit");
        Ok(taken)
    }

    async fn message_alone(&self, connection: &mut PgConnection, message: &Arrived) -> Result<Outcome, BorderError> {
        let mut savepoint = connection.begin().await?;
        match self.message(&mut savepoint, message).await {
            Ok(outcome) => {
                savepoint.commit().await?;
                Ok(outcome)
            }
            Err(error) if error.is_of_values() => {
                savepoint.rollback().await?;
                accept::fault(connection, &self.peer, &message.0, &error).await?;
                // It is to come again: what stood in its way may be gone by then.
                Ok(Outcome::Gap)
            }
            Err(error) => Err(error),
        }
    }

    async fn message(&self, connection: &mut PgConnection, (bytes, message): &Arrived) -> Result<Outcome, BorderError> {
        let message = message.as_ref().and_then(|message| message.message.as_ref());
        match (message, self.is_backbone()) {
            (Some(link_message::Message::Frame(_)), true) if self.follower => {
                accept::of_follower(connection, &self.peer, bytes).await
            }
            // It comes again: nothing gets a place until what was lost has its own.
            (Some(link_message::Message::Frame(_)), true) if self.border.restored.is() => Ok(Outcome::Dropped),
            (Some(link_message::Message::Frame(frame)), true) => {
                accept::frame(&self.border, connection, &self.initiative, &self.peer, frame).await
            }
            (Some(link_message::Message::Accepted(accepted)), true) if !self.follower => {
                regain::order(
                    &self.border,
                    connection,
                    (&self.initiative, self.hello.asks()),
                    &self.peer,
                    (bytes, accepted),
                )
                .await
            }
            (Some(link_message::Message::Accepted(accepted)), false) => {
                receive::accepted(&self.border, connection, &self.initiative, accepted).await
            }
            (Some(link_message::Message::Have(have)), _) => {
                self.heard(connection, have).await?;
                Ok(Outcome::Dropped)
            }
            // No message, one in the wrong direction, or of a kind that this version does not know.
            _ => accept::malformed(connection, &self.peer, bytes).await,
        }
    }

    /// The other side says what it has: that confirms, and where it asks to resume, this side goes back to it.
    async fn heard(&self, connection: &mut PgConnection, have: &Have) -> Result<(), BorderError> {
        let resume = have.resume && self.pace.may_rewind();
        self.hello.heard(have, &self.initiative.initiative);
        if self.is_backbone() {
            let initiative = (&self.border, &self.initiative.initiative);
            let heads = have::agreed_spaces(connection, have, initiative, self.partner()).await?;
            self.look_into(!heads.parted.is_empty() && !self.follower)?;
            links::confirm(connection, &self.peer, &heads.agreed).await?;
            self.pace.confirmed(heads.for_pace(), resume);
        } else {
            erasure::look(connection, &self.initiative, have).await?;
            if self.hello.is_asked() && !self.follower {
                let heads = have::held_by_backbone(connection, have, &self.initiative.initiative).await?;
                self.pace.confirmed(heads.for_pace(), resume);
            }
            if resume && !self.follower {
                let heads = have::agreed_feeds(connection, have, &self.initiative, &self.border).await?;
                self.look_into(!heads.parted.is_empty())?;
                self.pace.resume_feeds(heads.for_pace());
            }
        }
        if have.answer {
            self.pace.say(Say { answer: false, resume: true });
        }
        Ok(())
    }

    /// Asks for what this node told itself and does not know, where the other side says that there is such.
    fn look_into(&self, parted: bool) -> Result<(), BorderError> {
        if parted && self.hello.ask()? {
            self.pace.say(Say { answer: true, resume: true });
        }
        Ok(())
    }
}

/// Reads a message, and keeps no more of its lists than could be right: few bytes can name very many empty entries.
pub fn read(bytes: &Bytes) -> Option<LinkMessage> {
    let mut message = LinkMessage::decode(bytes.clone()).ok()?;
    match &mut message.message {
        Some(link_message::Message::Frame(frame)) => bound(&mut frame.entries, ENTRIES),
        Some(link_message::Message::Accepted(Accepted { frame, origin_keys, backbone_keys, .. })) => {
            frame.iter_mut().for_each(|frame| bound(&mut frame.entries, ENTRIES));
            bound(origin_keys, KEYS);
            bound(backbone_keys, KEYS);
        }
        Some(link_message::Message::Have(have)) => {
            bound(&mut have.feeds, HEADS);
            bound(&mut have.spaces, HEADS);
        }
        _ => {}
    }
    Some(message)
}

fn bound<T>(list: &mut Vec<T>, most: usize) {
    list.truncate(most);
    list.shrink_to_fit();
}
