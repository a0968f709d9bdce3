//! Chance that can be had again: the same seed rolls the same numbers, on every machine and for ever.

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed; each `use_for` has its own, so that one lane's rolls never shift another's.
    pub fn of(seed: u64, use_for: u64) -> Self {
        let mut dice = Self(seed ^ use_for.wrapping_mul(0xa076_1d64_78bd_642f));
        dice.roll();
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll().checked_rem(end).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// One of these; the first where there is only one.
    pub fn one_of<T: Copy>(&mut self, first: T, others: &[T]) -> T {
        let at = usize::try_from(self.below(others.len() as u64 + 1)).unwrap_or(0);
        at.checked_sub(1).and_then(|at| others.get(at)).copied().unwrap_or(first)
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_same_seed_rolls_the_same_numbers() {
        let rolled = |seed, lane| {
            let mut dice = Dice::of(seed, lane);
            [dice.below(1000), dice.below(1000), dice.between(5, 9)]
        };
        assert_eq!(rolled(7, 1), rolled(7, 1));
        assert_ne!(rolled(7, 1), rolled(7, 2));
        assert_ne!(rolled(7, 1), rolled(8, 1));
    }

    #[test]
    fn every_side_comes_up() {
        let mut dice = Dice::of(1, 1);
        let seen: std::collections::BTreeSet<_> = (0..200).map(|_| dice.one_of(1, &[2, 3, 4])).collect();
        assert_eq!(seen.len(), 4);
        assert!((0..200).all(|_| (5..=9).contains(&dice.between(5, 9))));
    }
}
