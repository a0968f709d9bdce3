//! Cursors: where somebody is in the entries of a channel.
//!
//! Entries are sorted by their place in the space's order; what this node told and the backbone has not accepted yet
//! comes last, and gets its place later, perhaps after entries of others that arrive meanwhile. So a cursor says two
//! things: up to which place everything was given, and which entries were given beyond it, while they were pending.
//! These are passed over when they come up again at their place. Nothing is missed, since accepted entries become
//! visible in the order of their places; and nothing is given twice.

use uuid::Uuid;

/// How many pending entries a cursor carries. Further ones are listed when some of these have been accepted.
pub const MOST_PENDING: usize = 500;

/// Where an accepted entry stands: its place in the space's order, and its event, since several may share a place.
pub type Place = (i64, Uuid);

/// Where somebody is in a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Everything accepted up to here was given; `None` for nothing.
    pub place: Option<Place>,
    /// Given while they were pending.
    pub pending: Vec<Uuid>,
}

impl Cursor {
    /// The place as SQL compares it: before everything where there is none.
    pub fn after(&self) -> Place {
        self.place.unwrap_or((0, Uuid::nil()))
    }

    /// Goes past an entry that was given. `position` is its place, `None` while it is pending.
    pub fn pass(&mut self, event: Uuid, position: Option<i64>) {
        match position {
            Some(position) => self.place = self.place.max(Some((position, event))),
            None => self.pending.push(event),
        }
    }

    /// Goes past those given earlier that have their place by now, once every accepted entry was given: whatever is
    /// accepted from here on has a later place. `now` are the pending ones of this cursor as they stand; one that is
    /// no more was refused or taken back.
    pub fn settle(&mut self, now: &[(Uuid, Option<i64>)]) {
        self.pending.clear();
        for (event, position) in now {
            self.pass(*event, *position);
        }
    }

    /// How many more pending entries it can carry.
    pub fn room(&self) -> usize {
        MOST_PENDING.saturating_sub(self.pending.len())
    }
}
