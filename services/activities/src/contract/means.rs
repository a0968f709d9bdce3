//! Money and goods on the wire.

use chassis::errors::Violations;
use chassis::parse;
use proto::activities as message;
use proto::activities::means::Kind;
use rust_decimal::Decimal;

use crate::domain::{Goods, Means, Money, Totals};

/// Digits before and after the point that an amount may have: a total of millions of such amounts is still exact.
const WHOLE_DIGITS: usize = 15;
const DECIMALS: usize = 4;

/// Reads money or goods.
pub fn read(violations: &mut Violations, field: &str, message: Option<&message::Means>) -> Option<Means> {
    match parse::message(violations, field, message.and_then(|means| means.kind.as_ref()))? {
        Kind::Money(message::Money { amount, currency }) => {
            let amount = read_amount(violations, &format!("{field}.money.amount"), amount);
            let currency = read_currency(violations, &format!("{field}.money.currency"), currency);
            Some(Means::Money(Money { amount: amount?, currency: currency? }))
        }
        Kind::Goods(message::Goods { description, quantity, unit }) => {
            let description = parse::text(violations, &format!("{field}.goods.description"), description, 200);
            let quantity = read_amount(violations, &format!("{field}.goods.quantity"), quantity);
            let unit = parse::text(violations, &format!("{field}.goods.unit"), unit, 64);
            Some(Means::Goods(Goods { description: description?, quantity: quantity?, unit: unit? }))
        }
    }
}

fn read_currency(violations: &mut Violations, field: &str, text: &str) -> Option<String> {
    let text = parse::required(violations, field, text)?;
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(text.to_owned());
    }
    violations.add(field, "must be three capital letters of ISO 4217, such as GBP");
    None
}

/// Reads a decimal above zero in plain digits: no thousands separators, no exponent, no currency sign.
pub fn read_amount(violations: &mut Violations, field: &str, text: &str) -> Option<Decimal> {
    let text = parse::required(violations, field, text)?;
    match amount(text) {
        Ok(amount) => Some(amount),
        Err(words) => {
            violations.add(field, words);
            None
        }
    }
}

fn amount(text: &str) -> Result<Decimal, String> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = || format!("\"{text}\" is not a decimal number above zero such as 2500 or 0.50");
    if !plain(whole) || !plain(decimals) {
        return Err(wrong());
    }
    if whole.trim_start_matches('0').len() > WHOLE_DIGITS || decimals.trim_end_matches('0').len() > DECIMALS {
        return Err(format!("has more than {WHOLE_DIGITS} digits before the point or {DECIMALS} after it"));
    }
    let amount: Decimal = text.parse().map_err(|_| wrong())?;
    if amount.is_zero() { Err(wrong()) } else { Ok(amount.normalize()) }
}

/// Money or goods as the contract writes them.
pub fn write(means: &Means) -> message::Means {
    let kind = match means {
        Means::Money(money) => Kind::Money(write_money(&money.currency, money.amount)),
        Means::Goods(goods) => Kind::Goods(write_goods(&goods.description, &goods.unit, goods.quantity)),
    };
    message::Means { kind: Some(kind) }
}

fn write_money(currency: &str, amount: Decimal) -> message::Money {
    message::Money { amount: amount.to_string(), currency: currency.to_owned() }
}

fn write_goods(description: &str, unit: &str, quantity: Decimal) -> message::Goods {
    message::Goods { description: description.to_owned(), quantity: quantity.to_string(), unit: unit.to_owned() }
}

/// Totals as the contract writes them.
pub fn write_totals(totals: &Totals) -> message::Totals {
    message::Totals {
        money: totals.money.iter().map(|(currency, amount)| write_money(currency, *amount)).collect(),
        goods: totals.goods.iter().map(|((what, unit), quantity)| write_goods(what, unit, *quantity)).collect(),
    }
}
