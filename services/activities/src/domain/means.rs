//! Money and goods. Different currencies and different units are never added together.

use std::collections::BTreeMap;

use chassis::names::Reference;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Refusal;

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Above zero.
    pub amount: Decimal,
    /// Three capital letters of ISO 4217.
    pub currency: String,
}

/// A quantity of goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// What they are.
    pub description: String,
    /// Above zero.
    pub quantity: Decimal,
    /// What one is one of.
    pub unit: String,
}

/// Money or goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Money.
    Money(Money),
    /// Goods.
    Goods(Goods),
}

impl Means {
    /// How much, in its own currency or unit.
    pub fn amount(&self) -> Decimal {
        match self {
            Self::Money(money) => money.amount,
            Self::Goods(goods) => goods.quantity,
        }
    }
}

/// What several means add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Amount by currency.
    pub money: BTreeMap<String, Decimal>,
    /// Quantity by description and unit.
    pub goods: BTreeMap<(String, String), Decimal>,
}

impl Totals {
    /// Adds means to those of their own kind.
    ///
    /// # Errors
    /// Where the sum has too many digits.
    pub fn add(&mut self, means: &Means) -> Result<(), Refusal> {
        let (total, more) = match means {
            Means::Money(Money { amount, currency }) => (self.money.entry(currency.clone()).or_default(), amount),
            Means::Goods(Goods { description, quantity, unit }) => {
                (self.goods.entry((description.clone(), unit.clone())).or_default(), quantity)
            }
        };
        *total = sum(*total, *more)?;
        Ok(())
    }
}

/// One and the other; an error where that has too many digits.
pub(super) fn sum(one: Decimal, other: Decimal) -> Result<Decimal, Refusal> {
    one.checked_add(other).ok_or(Refusal::TooLarge)
}

/// References that may be left out, together with one that is always there.
pub(super) fn named<'a>(always: &'a Reference, others: &[&'a Option<Reference>]) -> Vec<&'a Reference> {
    others.iter().filter_map(|other| other.as_ref()).chain([always]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: i64, currency: &str) -> Means {
        Means::Money(Money { amount: amount.into(), currency: currency.to_owned() })
    }

    fn goods(quantity: i64, description: &str, unit: &str) -> Means {
        let (description, unit) = (description.to_owned(), unit.to_owned());
        Means::Goods(Goods { description, quantity: quantity.into(), unit })
    }

    #[test]
    fn pounds_and_euros_are_never_added_together() {
        let mut totals = Totals::default();
        for means in [money(5, "GBP"), money(7, "EUR"), money(2, "GBP")] {
            totals.add(&means).unwrap();
        }
        let expected = [("EUR".to_owned(), Decimal::from(7)), ("GBP".to_owned(), Decimal::from(7))];
        assert_eq!(totals.money, BTreeMap::from(expected));
        assert_eq!(totals.goods, BTreeMap::new());
    }

    #[test]
    fn goods_are_added_where_they_are_the_same_in_the_same_unit() {
        let mut totals = Totals::default();
        for means in
            [goods(5, "Apples", "kg"), goods(7, "Apples", "crates"), goods(1, "Pears", "kg"), goods(2, "Apples", "kg")]
        {
            totals.add(&means).unwrap();
        }
        let quantities: Vec<Decimal> = totals.goods.values().copied().collect();
        assert_eq!(quantities, [7.into(), 7.into(), 1.into()]);
    }

    #[test]
    fn a_total_that_has_too_many_digits_is_refused_and_never_wrong() {
        let mut totals = Totals::default();
        totals.add(&Means::Money(Money { amount: Decimal::MAX, currency: "GBP".to_owned() })).unwrap();
        assert_eq!(totals.add(&money(1, "GBP")), Err(Refusal::TooLarge));
    }
}
