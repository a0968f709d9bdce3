//! Meetings: when people come together, about what, and what came of it.

use chassis::errors::Flaw;
use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{Fact, Refusal};

/// A meeting is no longer than this.
const LONGEST: Duration = Duration::days(31);

chassis::words! {
    /// Whether a meeting takes place.
    pub enum State {
        /// It does, or did.
        Scheduled = 1,
        /// It does not.
        Cancelled = 2,
    }
}

/// One thing to talk about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgendaItem {
    /// Title.
    pub title: String,
    /// What is to be said or decided.
    pub notes: String,
}

/// What a meeting says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Who holds it.
    pub organization: Reference,
    /// Title in plain language.
    pub title: String,
    /// When it begins.
    pub starts_at: OffsetDateTime,
    /// When it ends.
    pub ends_at: OffsetDateTime,
    /// Where people meet.
    pub place: String,
    /// Where those meet who are not there.
    pub link: String,
    /// What is talked about.
    pub agenda: Vec<AgendaItem>,
    /// A channel in which it is talked about.
    pub channel: Option<Reference>,
}

/// A meeting as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// Its name on every node.
    pub reference: Reference,
    /// Who may hold it.
    pub space: Space,
    /// What it says of itself.
    pub definition: Definition,
    /// Why it was cancelled; `None` for one that takes place.
    pub cancelled: Option<String>,
    /// What came of it.
    pub minutes: String,
    /// How it came to be so.
    pub stamp: Stamp,
}

/// Decides whether a meeting may be called on this node.
///
/// # Errors
/// Where the organization lives elsewhere, or the meeting ends before it begins or lasts too long.
pub fn schedule(node: &NodeId, definition: Definition) -> Result<Vec<Fact>, Refusal> {
    if definition.organization.node != *node {
        return Err(Refusal::AuthorElsewhere { organization: definition.organization });
    }
    whole(&definition)?;
    Ok(vec![Fact::MeetingScheduled(definition)])
}

/// What of a meeting is to change; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Title in plain language.
    pub title: Option<String>,
    /// When it begins.
    pub starts_at: Option<OffsetDateTime>,
    /// When it ends.
    pub ends_at: Option<OffsetDateTime>,
    /// Where people meet.
    pub place: Option<String>,
    /// Where those meet who are not there.
    pub link: Option<String>,
    /// What is talked about.
    pub agenda: Option<Vec<AgendaItem>>,
    /// A channel in which it is talked about; the inner `None` takes it away.
    pub channel: Option<Option<Reference>>,
}

/// Decides whether a meeting may change. What is the same as before is no change and no event.
///
/// # Errors
/// Where it lives elsewhere or is cancelled, or would no longer hold together.
pub fn revise(node: &NodeId, meeting: &Meeting, change: Change) -> Result<Vec<Fact>, Refusal> {
    takes_place(node, meeting)?;
    let mut new = meeting.definition.clone();
    new.title = change.title.unwrap_or(new.title);
    new.starts_at = change.starts_at.unwrap_or(new.starts_at);
    new.ends_at = change.ends_at.unwrap_or(new.ends_at);
    new.place = change.place.unwrap_or(new.place);
    new.link = change.link.unwrap_or(new.link);
    new.agenda = change.agenda.unwrap_or(new.agenda);
    new.channel = change.channel.unwrap_or(new.channel);
    whole(&new)?;
    Ok(if meeting.definition == new { Vec::new() } else { vec![Fact::MeetingRevised(new)] })
}

/// Decides whether minutes may be written.
///
/// # Errors
/// Where the meeting lives elsewhere or is cancelled.
pub fn record_minutes(node: &NodeId, meeting: &Meeting, minutes: String) -> Result<Vec<Fact>, Refusal> {
    takes_place(node, meeting)?;
    Ok(if meeting.minutes == minutes { Vec::new() } else { vec![Fact::MinutesRecorded { minutes }] })
}

/// Decides whether a meeting may be cancelled.
///
/// # Errors
/// Where it lives elsewhere or is cancelled already.
pub fn cancel(node: &NodeId, meeting: &Meeting, reason: String) -> Result<Vec<Fact>, Refusal> {
    takes_place(node, meeting)?;
    Ok(vec![Fact::MeetingCancelled { reason }])
}

fn takes_place(node: &NodeId, meeting: &Meeting) -> Result<(), Refusal> {
    if meeting.reference.node != *node {
        return Err(Refusal::LivesElsewhere { what: "the meeting", home: meeting.reference.node.clone() });
    }
    match &meeting.cancelled {
        None => Ok(()),
        Some(reason) => Err(Refusal::MeetingCancelled { reason: reason.clone() }),
    }
}

/// What does not hold together in a definition.
pub fn flaw(definition: &Definition) -> Option<Flaw> {
    let length = definition.ends_at - definition.starts_at;
    let words = match length {
        length if !length.is_positive() => "must be after start_time",
        length if length > LONGEST => "must be within 31 days of start_time",
        _ => return None,
    };
    Some(Flaw::of("definition.end_time", words))
}

fn whole(definition: &Definition) -> Result<(), Refusal> {
    flaw(definition).map_or(Ok(()), |flaw| Err(Refusal::Flawed(vec![flaw])))
}
