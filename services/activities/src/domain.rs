//! Words and rules of activities: who does what, what was promised, and money and goods from asked-for to spent. Knows
//! no database and no wire.
//!
//! Each kind of resource has its `Step`s and one `take`, which is both the rule and the change. A call takes a step to
//! see whether it may be told; the fold takes the same step, and counts one that may not be taken without following it.

pub mod activity;
pub mod award;
pub mod commitment;
pub mod coverage;
mod kept;
pub mod means;
pub mod need;
pub mod pledge;
mod refusal;
#[cfg(test)]
mod tests;

pub use activity::Activity;
pub use award::Award;
pub use commitment::Commitment;
pub use kept::{Content, Kept, elsewhere};
pub use means::{Goods, Means, Money, Totals};
pub use need::Need;
pub use pledge::Pledge;
pub use refusal::Refusal;
