//! Awards: money and goods that an organization grants, and how they are paid out.

use chassis::names::Reference;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use time::Date;

use super::kept::spoken;
use super::means::{named, sum};
use super::{Content, Kept, Means, Refusal};

/// Disbursements that an award may have: with all of them its row stays small.
const MOST: usize = 500;

chassis::words! {
    /// How an award stands.
    pub enum State {
        /// It stands.
        Standing = 1,
        /// It was taken back.
        Cancelled = 2,
        /// It breaks a rule of this room.
        Void = 3,
    }
}

spoken! { State { Standing: "standing", Cancelled: "cancelled", Void: "void", } }

/// What is awarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Who awards.
    pub organization: Reference,
    /// Who receives, if it takes part.
    pub recipient: Option<Reference>,
    /// The name of whoever receives; may be empty where there is a reference.
    pub recipient_name: String,
    /// How much of what.
    pub means: Means,
    /// When.
    pub date: Date,
    /// What for.
    pub purpose: String,
    /// For which activity, if for one.
    pub activity: Option<Reference>,
    /// In answer to which need, if to one.
    pub need: Option<Reference>,
    /// Its name in another system; empty for none.
    pub external_id: String,
}

/// A part of an award that is to be paid out, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disbursement {
    /// Whether it took place.
    pub paid: bool,
    /// How much, in the award's currency or unit.
    pub amount: Decimal,
    /// When.
    pub date: Date,
    /// Anything to add.
    pub note: String,
}

/// What is awarded, and how it is paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// What is awarded.
    pub definition: Definition,
    /// Its parts; the first has the number 1.
    pub disbursements: Vec<Disbursement>,
}

/// One award.
pub type Award = Kept<Grant, State>;

/// What may become of an award.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A part is to be paid out or was: its number, and what it is now.
    Disbursed(u32, Disbursement),
    /// It was taken back, and why.
    Cancelled(String),
}

impl Content for Grant {
    const WHAT: &'static str = "the award";

    fn organization(&self) -> &Reference {
        &self.definition.organization
    }

    fn names(&self) -> Vec<&Reference> {
        let Definition { organization, recipient, activity, need, .. } = &self.definition;
        named(organization, &[recipient, activity, need])
    }
}

impl Grant {
    /// A grant of which nothing was paid out.
    pub fn made(definition: Definition) -> Self {
        Self { definition, disbursements: Vec::new() }
    }

    /// The number that the next disbursement gets.
    pub fn next_number(&self) -> u32 {
        u32::try_from(self.disbursements.len()).map_or(u32::MAX, |count| count.saturating_add(1))
    }

    /// How much was paid, in the award's currency or unit.
    pub fn paid(&self) -> Decimal {
        // Never more than the award, so it has no more digits.
        self.disbursements.iter().filter(|part| part.paid).map(|part| part.amount).sum()
    }
}

impl Award {
    /// Takes a step.
    ///
    /// # Errors
    /// Where the award no longer stands, or the part does not fit; nothing is changed then.
    pub fn take(&mut self, step: Step) -> Result<(), Refusal> {
        match (self.state, step) {
            (State::Standing, Step::Disbursed(number, part)) => self.disburse(number, part)?,
            (State::Standing, Step::Cancelled(reason)) => self.ends(State::Cancelled, reason),
            _ => return Err(self.not_now()),
        }
        Ok(())
    }

    fn disburse(&mut self, number: u32, part: Disbursement) -> Result<(), Refusal> {
        let next = self.content.next_number();
        if part.paid {
            let (paid, awarded) = (sum(self.content.paid(), part.amount)?, self.content.definition.means.amount());
            if paid > awarded {
                return Err(Refusal::Overpaid { paid, awarded });
            }
        }
        let parts = &mut self.content.disbursements;
        if number == next {
            if parts.len() >= MOST {
                return Err(Refusal::TooManyDisbursements(MOST));
            }
            parts.push(part);
            return Ok(());
        }
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        match place.and_then(|place| parts.get_mut(place)) {
            None => Err(Refusal::NoSuchDisbursement(number)),
            Some(before) if before.paid => Err(Refusal::PaidAlready(number)),
            Some(before) => {
                *before = part;
                Ok(())
            }
        }
    }
}
