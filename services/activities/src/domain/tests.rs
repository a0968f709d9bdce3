//! Every step from every state: what may be taken, where it leads, and that a refused one changes nothing.

use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;
use rust_decimal::Decimal;
use time::macros::{date, datetime};

use super::*;

fn reference() -> Reference {
    Reference::born_on(&NodeId::of_key(&[7; 32]))
}

fn kept<C, S>(content: C, state: S) -> Kept<C, S> {
    let at = datetime!(2026-03-01 12:00 UTC);
    let stamp = Stamp { version: 1, created_at: at, updated_at: at };
    let space = Space::members(&reference());
    Kept { reference: reference(), space, content, state, reason: String::new(), stamp }
}

fn pounds(amount: u32) -> Means {
    Means::Money(Money { amount: amount.into(), currency: "GBP".to_owned() })
}

fn tutoring() -> activity::Definition {
    activity::Definition {
        lead: reference(),
        title: "Tutoring".to_owned(),
        description: String::new(),
        strategy: None,
        measures: Vec::new(),
        supporting: Vec::new(),
        funding: Vec::new(),
        places: Vec::new(),
        starts: None,
        ends: None,
        external_id: String::new(),
    }
}

fn grant(parts: Vec<award::Disbursement>) -> award::Grant {
    let definition = award::Definition {
        organization: reference(),
        recipient: None,
        recipient_name: "A village hall".to_owned(),
        means: pounds(100),
        date: date!(2026 - 03 - 01),
        purpose: "Heating".to_owned(),
        activity: None,
        need: None,
        external_id: String::new(),
    };
    award::Grant { definition, disbursements: parts }
}

fn part(paid: bool, amount: u32) -> award::Disbursement {
    award::Disbursement { paid, amount: amount.into(), date: date!(2026 - 04 - 01), note: String::new() }
}

/// Takes a step from every state of a resource; those not listed are refused and change nothing.
macro_rules! leads {
    ($state:ty, $content:expr, $step:expr, $may:expr) => {{
        let may: &[($state, $state)] = $may;
        for from in <$state>::ALL {
            let before = kept($content, *from);
            let mut after = before.clone();
            let taken = after.take($step);
            match may.iter().find(|(state, _)| state == from) {
                Some((_, to)) => assert_eq!((taken, after.state), (Ok(()), *to), "{} from {from}", stringify!($step)),
                None => {
                    assert!(matches!(taken, Err(Refusal::NotNow { .. })), "{} from {from}", stringify!($step));
                    assert_eq!(after, before);
                }
            }
        }
    }};
}

#[test]
fn every_step_leads_where_it_says_and_from_nowhere_else() {
    let why = || "Because".to_owned();
    {
        use activity::{State, State::*, Step};
        let content = tutoring();
        let revised = Step::Revised(Box::new(content.clone()));
        let any = &[(Planned, Planned), (UnderWay, UnderWay), (Completed, Completed)];
        leads!(State, content.clone(), revised.clone(), any);
        leads!(State, content.clone(), Step::Begun, &[(Planned, UnderWay)]);
        leads!(State, content.clone(), Step::Completed, &[(UnderWay, Completed)]);
        leads!(State, content.clone(), Step::Cancelled(why()), &[(Planned, Cancelled), (UnderWay, Cancelled)]);
    }
    {
        use commitment::{Definition, Evidence, Promise, State, State::*, Step};
        let (organization, activity) = (reference(), reference());
        let promise = "Ten tutors".to_owned();
        let content = Promise::made(Definition { organization, activity, promise, due: date!(2026 - 12 - 31) });
        let evidence = Evidence { description: "Eleven".to_owned(), link: String::new() };
        leads!(State, content.clone(), Step::Met(evidence.clone()), &[(Open, Met)]);
        leads!(State, content.clone(), Step::Missed(why()), &[(Open, Missed)]);
        leads!(State, content.clone(), Step::Withdrawn(why()), &[(Open, Withdrawn)]);
        for state in State::ALL {
            let commitment = kept(content.clone(), *state);
            assert!(!commitment.overdue(date!(2026 - 12 - 31)), "not on its last day");
            assert_eq!(commitment.overdue(date!(2027 - 01 - 01)), *state == Open, "{state}");
        }
    }
    {
        use need::{Definition, State, State::*, Step};
        let purpose = "Bus fares".to_owned();
        let means = pounds(5);
        let content = Definition { organization: reference(), activity: None, means, purpose, needed_by: None };
        leads!(State, content.clone(), Step::Closed(why()), &[(Open, Closed)]);
    }
    {
        use pledge::{Definition, State, State::*, Step};
        let (organization, need, means) = (reference(), reference(), pounds(5));
        let content = Definition { organization, need, means, note: String::new() };
        leads!(State, content.clone(), Step::Kept, &[(Open, Kept)]);
        leads!(State, content.clone(), Step::Withdrawn(why()), &[(Open, Withdrawn)]);
    }
    {
        use award::{State, State::*, Step};
        leads!(State, grant(vec![]), Step::Disbursed(1, part(true, 100)), &[(Standing, Standing)]);
        leads!(State, grant(vec![]), Step::Cancelled(why()), &[(Standing, Cancelled)]);
    }
}

#[test]
fn a_planned_part_may_be_replaced_and_a_paid_one_stays() {
    let parts = vec![part(true, 60), part(false, 60)];
    for (number, new, outcome) in [
        (2, part(true, 40), Ok(())),
        (2, part(false, 500), Ok(())),
        (3, part(true, 40), Ok(())),
        (2, part(true, 41), Err(Refusal::Overpaid { paid: Decimal::from(101), awarded: Decimal::from(100) })),
        (1, part(true, 1), Err(Refusal::PaidAlready(1))),
        (0, part(false, 1), Err(Refusal::NoSuchDisbursement(0))),
        (4, part(false, 1), Err(Refusal::NoSuchDisbursement(4))),
    ] {
        let before = kept(grant(parts.clone()), award::State::Standing);
        let mut after = before.clone();
        assert_eq!(after.take(award::Step::Disbursed(number, new)), outcome, "{number}");
        assert_eq!(after == before, outcome.is_err(), "a refused one changes nothing");
    }
    let mut full = kept(grant(vec![part(false, 1); 500]), award::State::Standing);
    assert_eq!(full.take(award::Step::Disbursed(501, part(false, 1))), Err(Refusal::TooManyDisbursements(500)));
}

#[test]
fn what_never_changes_of_an_activity_does_not() {
    let mut activity = kept(tutoring(), activity::State::Planned);
    let other = activity::Definition { lead: reference(), ..activity.content.clone() };
    let renamed = activity::Definition { external_id: "x".to_owned(), ..activity.content.clone() };
    for definition in [other, renamed] {
        let refused = activity.take(activity::Step::Revised(Box::new(definition)));
        assert!(matches!(refused, Err(Refusal::Fixed(_))), "{refused:?}");
    }
    assert_eq!(activity.content.external_id, "");
}
