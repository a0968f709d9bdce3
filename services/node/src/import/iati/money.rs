//! Transactions and budgets: what the reporting organization has committed becomes awards, what it has disbursed of
//! them is paid, and what others have given is theirs to say.

use std::collections::BTreeMap;

use proto::activities::means::Kind;
use proto::activities::{AwardDefinition, Disbursement, DisbursementState, Means, Money, NeedDefinition};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

use super::activity::Reading;
use super::texts::{amount, cut, is_currency, is_means, narrative, one_line};
use super::xml::Element;
use super::{Planned, PlannedAward};

/// Types of transactions by their codes.
const TYPES: [(&str, &str); 13] = [
    ("1", "incoming funds"),
    ("2", "outgoing commitments"),
    ("3", "disbursements"),
    ("4", "expenditures"),
    ("5", "interest payments"),
    ("6", "loan repayments"),
    ("7", "reimbursements"),
    ("8", "purchases of equity"),
    ("9", "sales of equity"),
    ("10", "credit guarantees"),
    ("11", "incoming commitments"),
    ("12", "outgoing pledges"),
    ("13", "incoming pledges"),
];
const COMMITTED: &str = "outgoing commitments";
const DISBURSED: &str = "disbursements";
const NAME: usize = 200;
const PURPOSE: usize = 4000;
const NOTE: usize = 1000;
/// Disbursements that the contract takes of one award.
const PARTS: usize = 500;

/// A transaction as it was read.
struct Transaction {
    kind: &'static str,
    date: String,
    amount: Decimal,
    currency: String,
    words: String,
    provider: Option<String>,
    receiver: (String, String),
    reference: String,
}

impl Reading<'_> {
    /// Reads what an activity gives and what it needs.
    pub(super) fn money(&mut self, activity: &Element, planned: &mut Planned) {
        let mut disbursed = Vec::new();
        let mut used = BTreeMap::new();
        for element in activity.all("transaction") {
            let Some(transaction) = self.transaction(element) else { continue };
            let ours = transaction.provider.as_ref().is_none_or(|provider| planned.leads.contains(provider));
            match transaction.kind {
                _ if transaction.amount.is_zero() => self.left_out("transactions of nothing", 1),
                COMMITTED | DISBURSED if !ours => self.left_out("commitments and payments of others", 1),
                COMMITTED => {
                    let award = award(planned, transaction, &mut used);
                    planned.awards.push(award);
                }
                DISBURSED => disbursed.push(transaction),
                kind => self.left_out(kind, 1),
            }
        }
        for transaction in disbursed {
            if !paid(planned, transaction) {
                self.left_out("disbursements that are not of just one commitment, or exceed it", 1);
            }
        }
        self.budgets(activity, planned);
    }

    fn transaction(&mut self, element: &Element) -> Option<Transaction> {
        let code = element.first("transaction-type").and_then(|kind| kind.attribute("code")).unwrap_or_default();
        let kind = TYPES.iter().find(|(known, _)| *known == code).map(|(_, words)| *words);
        if kind.is_none() {
            let expected = "a code from 1 to 13 of IATI's TransactionType";
            self.wrong::<()>(element, "transaction/transaction-type", code, "is no type of transaction", expected);
        }
        let date = self.date(element, "transaction/transaction-date", "transaction-date");
        let value = self.value(element, "transaction");
        let organization = |name: &str| {
            let found = element.first(name);
            let reference = found.and_then(|found| found.attribute("ref")).map(str::to_owned);
            (reference, cut(&one_line(&narrative(found, &self.language)), NAME).0)
        };
        let (receiver, name) = organization("receiver-org");
        let receiver = (receiver.unwrap_or_default(), name);
        let provider = organization("provider-org").0;
        let words = narrative(element.first("description"), &self.language);
        let reference = one_line(element.attribute("ref").unwrap_or_default());
        let (kind, date, (amount, currency)) = (kind?, date?.to_string(), value?);
        self.found.transactions.entry(kind).or_default().add(&currency, amount);
        let given = [COMMITTED, DISBURSED].contains(&kind);
        if given && !amount.is_zero() && !is_means(amount) {
            let reason = "takes back what was given, or has more than four decimals, which an award cannot say";
            let expected = "an amount above zero, with what was taken back already off it";
            return self.wrong(element, "transaction/value", &amount.to_string(), reason, expected);
        }
        if kind == COMMITTED && receiver.0.is_empty() && receiver.1.is_empty() {
            let expected = "the organisation's identifier or name";
            return self.wrong(element, "transaction/receiver-org", "", "does not say who receives", expected);
        }
        Some(Transaction { kind, date, amount, currency, words, provider, receiver, reference })
    }

    /// Amount and currency of what stands in an element.
    fn value(&mut self, within: &Element, what: &str) -> Option<(Decimal, String)> {
        let place = format!("{what}/value");
        let Some(value) = within.first("value") else {
            return self.wrong(within, &place, "", "is missing", "an amount");
        };
        let currency = value.attribute("currency").unwrap_or(&self.currency).to_owned();
        let read = amount(&value.text);
        if read.is_none() {
            let expected = "a number such as 2500.50 with at most 15 digits before the point";
            self.wrong::<()>(value, &place, &value.text, "is no amount", expected);
        }
        if !is_currency(&currency) {
            let (place, expected) = (format!("{place}/@currency"), "three capital letters of ISO 4217");
            return self.wrong(value, &place, &currency, "is no currency", expected);
        }
        Some((read?, currency))
    }

    fn budgets(&mut self, activity: &Element, planned: &mut Planned) {
        let mut read = Vec::new();
        for budget in activity.all("budget") {
            let from = self.date(budget, "budget/period-start", "period-start");
            let until = self.date(budget, "budget/period-end", "period-end");
            let value = self.value(budget, "budget");
            let (Some(from), Some(until), Some((amount, currency))) = (from, until, value) else { continue };
            self.found.budgets.add(&currency, amount);
            let revised = budget.attribute("type") == Some("2");
            if amount.is_zero() {
                self.left_out("budgets of nothing", 1);
            } else if !self.needs {
                self.left_out("budgets", 1);
            } else if is_means(amount) {
                read.push((from, until, currency, amount, revised));
            } else {
                let reason = "is below zero or has more than four decimals";
                self.wrong::<()>(budget, "budget/value", &amount.to_string(), reason, "an amount above zero");
            }
        }
        let periods: Vec<_> = read.iter().filter(|one| one.4).map(|one| (one.0, one.1, one.2.clone())).collect();
        for (from, until, currency, amount, revised) in read {
            if !revised && periods.contains(&(from, until, currency.clone())) {
                self.left_out("budgets that were revised", 1);
                continue;
            }
            planned.needs.push(NeedDefinition {
                means: Some(means(amount, currency)),
                purpose: format!("Budget from {from} to {until}"),
                needed_by: until.to_string(),
                ..NeedDefinition::default()
            });
        }
    }
}

fn means(amount: Decimal, currency: String) -> Means {
    Means { kind: Some(Kind::Money(Money { amount: amount.to_string(), currency })) }
}

/// The award that a commitment is. Its name in another system is that of the activity and the commitment's own, or
/// else one that follows from what it says.
fn award(planned: &Planned, committed: Transaction, used: &mut BTreeMap<String, u32>) -> PlannedAward {
    let Transaction { date, amount, currency, words, receiver, reference, .. } = committed;
    let own = match reference.as_str() {
        "" => {
            let said = format!("{date} {amount} {currency} {} {} {words}", receiver.0, receiver.1);
            Sha256::digest(said).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
        }
        reference => reference.to_owned(),
    };
    let nth = used.entry(own.clone()).and_modify(|nth| *nth += 1).or_insert(1);
    let again = if *nth > 1 { format!("/{nth}") } else { String::new() };
    let external_id = format!("{}/{own}{again}", planned.definition.external_id);
    let title = &planned.definition.title;
    let definition = AwardDefinition {
        recipient_name: if receiver.1.is_empty() { receiver.0.clone() } else { receiver.1 },
        means: Some(means(amount, currency)),
        award_date: date,
        purpose: cut(if words.is_empty() { title } else { &words }, PURPOSE).0,
        external_id: named(&external_id),
        ..AwardDefinition::default()
    };
    PlannedAward { definition, amount, recipient: receiver.0, paid: Vec::new() }
}

/// A name in another system that is not too long: of a long one the end is kept apart by a digest.
fn named(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    let digest: String = Sha256::digest(name).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}…{digest}", name.chars().take(NAME - 20).collect::<String>())
}

/// Pays a disbursement out of the only commitment to the same organization in the same currency; `false` where there is
/// not just one, or it does not suffice.
fn paid(planned: &mut Planned, disbursed: Transaction) -> bool {
    let name = if disbursed.receiver.1.is_empty() { &disbursed.receiver.0 } else { &disbursed.receiver.1 };
    let mut fitting = planned.awards.iter_mut().filter(|award| {
        let same = if award.recipient.is_empty() || disbursed.receiver.0.is_empty() {
            award.definition.recipient_name == *name
        } else {
            award.recipient == disbursed.receiver.0
        };
        same && award.currency() == disbursed.currency
    });
    let (Some(award), None) = (fitting.next(), fitting.next()) else { return false };
    let before: Decimal = award.paid.iter().filter_map(|part| part.amount.parse::<Decimal>().ok()).sum();
    if before + disbursed.amount > award.amount || award.paid.len() >= PARTS {
        return false;
    }
    award.paid.push(Disbursement {
        number: 0,
        state: DisbursementState::Paid.into(),
        amount: disbursed.amount.to_string(),
        date: disbursed.date,
        note: cut(&disbursed.words, NOTE).0,
    });
    true
}
