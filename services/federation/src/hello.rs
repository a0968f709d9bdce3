//! The question of a node that was restored, on one link: what does the other side hold? It bears a number, and the
//! answer repeats it: what was said before the question, and still lay on the road, answers nothing.

use std::sync::{Mutex, PoisonError};

use chassis::clock;
use chassis::names::{Reference, Space};
use proto::federation::Have;
use sqlx::PgConnection;

use crate::border::BorderError;
use crate::store::order;

/// The question on one link, and the other side's.
#[derive(Debug, Default)]
pub struct Hello(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Ours; 0 while there is none.
    asked: u64,
    /// What was answered: how far the other side holds each space.
    said: Option<Vec<(Space, u64)>>,
    /// Theirs; 0 while there is none.
    theirs: u64,
}

impl Hello {
    /// Begins to ask, unless that was begun; tells whether it is new.
    ///
    /// # Errors
    /// Where there is no randomness.
    pub fn ask(&self) -> Result<bool, BorderError> {
        if self.with(|state| state.asked != 0) {
            return Ok(false);
        }
        let number = u64::from_le_bytes(clock::random().map_err(|_| BorderError::Randomness)?);
        self.with(|state| state.asked = number.max(1));
        Ok(true)
    }

    /// Asks no more, and forgets the answer.
    pub fn end(&self) {
        self.with(|state| (state.asked, state.said) = (0, None));
    }

    /// What stands in the next word to the other side: our question, and theirs, if this word answers it.
    pub fn in_words(&self, answers: bool, have: Have) -> Have {
        self.with(|state| Have { hello: state.asked, greeting: if answers { state.theirs } else { 0 }, ..have })
    }

    /// The other side said something.
    pub fn heard(&self, have: &Have, initiative: &Reference) {
        self.with(|state| {
            state.theirs = have.hello;
            if state.asked != 0 && have.greeting == state.asked {
                let space = |head: &proto::federation::have::SpaceHead| {
                    let space = Space::within(&head.initiative, &head.space).ok()?;
                    (space.initiative() == Some(initiative)).then_some((space, head.position))
                };
                state.said = Some(have.spaces.iter().filter_map(space).collect());
            }
        });
    }

    /// Whether this side asks.
    pub fn asks(&self) -> bool {
        self.with(|state| state.asked != 0)
    }

    /// Whether the other side asks: then it is sent what is its own, too.
    pub fn is_asked(&self) -> bool {
        self.with(|state| state.theirs != 0)
    }

    /// How many steps that the other side holds are missing here; `None` until it has answered.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn missing(&self, connection: &mut PgConnection) -> Result<Option<u64>, sqlx::Error> {
        let Some(said) = self.with(|state| state.said.clone()) else { return Ok(None) };
        let mut missing = 0;
        for (space, position) in said {
            missing += position.saturating_sub(order::read(connection, &space).await?.position);
        }
        Ok(Some(missing))
    }

    fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::names::NodeId;
    use proto::federation::have::SpaceHead;

    #[test]
    fn what_was_said_before_the_question_answers_nothing() {
        let initiative = Reference::born_on(&NodeId::of_key(&[1; 32]));
        let said = |greeting, position| {
            let space = SpaceHead {
                initiative: initiative.to_string(),
                space: "members".to_owned(),
                position,
                ..SpaceHead::default()
            };
            Have { greeting, spaces: vec![space], ..Have::default() }
        };
        let hello = Hello::default();
        assert!(hello.ask().unwrap());
        assert!(!hello.ask().unwrap());
        let number = hello.in_words(true, Have::default()).hello;
        assert_ne!(number, 0);
        hello.heard(&said(0, 9), &initiative);
        hello.heard(&said(number.wrapping_add(1), 9), &initiative);
        assert_eq!(hello.with(|state| state.said.clone()), None);
        hello.heard(&said(number, 12), &initiative);
        assert_eq!(hello.with(|state| state.said.clone()), Some(vec![(Space::members(&initiative), 12)]));
        hello.end();
        hello.heard(&said(0, 15), &initiative);
        assert_eq!(hello.with(|state| state.said.clone()), None);
    }
}
