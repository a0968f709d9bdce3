//! Each kind of finding is found: the same books with one thing broken.

use uuid::Uuid;

use super::super::books::{Entry, Step};
use super::*;

const SPACE: &str = "initiative/members";
const HOME: &str = "alpha";

fn feed() -> Feed {
    (SPACE.to_owned(), HOME.to_owned(), 1)
}

fn mark(number: u64) -> Mark {
    Mark { node: 1, worker: 0, number }
}

/// Three messages of alpha's, told in three steps; the third takes back the second, when `taken_back`.
fn node(name: &'static str, id: &str, taken_back: bool) -> Books {
    let (mut order, mut entries, mut lines) = (BTreeMap::new(), Vec::new(), Vec::new());
    for number in 1..=3_u8 {
        let (sequence, event) = (i64::from(number), Uuid::from_u128(u128::from(number)));
        let (erased, erases) = (taken_back && number == 2, taken_back && number == 3);
        let mark = (!erased && !erases).then(|| mark(u64::from(number)));
        order.insert(sequence, Step { feed: feed(), range: (sequence, sequence), digest: vec![number] });
        let digest = vec![number];
        entries.push(Entry { sequence, digest, event: Some(event), accepted: true, erased, mark, forged: false });
        let type_name = if erases { TAKEN_BACK } else { "commonweal.messaging.v1.MessagePosted" };
        let message = if taken_back && number == 3 { 2 } else { number };
        lines.push(Line {
            room: "messaging",
            event,
            type_name: type_name.to_owned(),
            space: SPACE.to_owned(),
            resource: format!("{HOME}/{message}"),
            folded: true,
            accepted: Some(sequence),
            mark,
            forged: false,
        });
    }
    let orders = BTreeMap::from([(SPACE.to_owned(), order)]);
    Books { name, id: id.to_owned(), orders, feeds: BTreeMap::from([(feed(), entries)]), lines }
}

fn journal(taken_back: bool) -> Vec<Acknowledged> {
    let said = |number: u64| {
        let (kind, message) = if taken_back && number == 3 { (Kind::TakeBack, 2) } else { (Kind::Say, number) };
        let (within, resource) = ("members".to_owned(), format!("{HOME}/{message}"));
        Acknowledged { mark: mark(number), kind, node: 1, within, resource }
    };
    (1..=3).map(said).collect()
}

/// What is found once beta's books, or the backbone's, were changed.
fn found(taken_back: bool, change: impl FnOnce(&mut [Books; 3])) -> Found {
    let ids = [("backbone", "backbone"), ("alpha", HOME), ("beta", "beta")];
    let mut books = ids.map(|(name, id)| node(name, id, taken_back));
    change(&mut books);
    let spaces = [Held { space: SPACE.to_owned(), holders: vec![0, 1, 2] }];
    check(&books, &spaces, "initiative", &[journal(taken_back)])
}

fn counts(found: &Found) -> [usize; 5] {
    let Found { lost, doubled, out_of_order, forged, kept } = found;
    [lost, doubled, out_of_order, forged, kept].map(Vec::len)
}

fn entries(books: &mut Books) -> &mut Vec<Entry> {
    books.feeds.get_mut(&feed()).unwrap()
}

#[test]
fn books_that_are_right_have_nothing_wrong() {
    assert_eq!(counts(&found(false, |_| {})), [0; 5]);
    assert_eq!(counts(&found(true, |_| {})), [0; 5]);
}

#[test]
fn what_one_node_does_not_have_is_lost() {
    let line = found(false, |[_, _, beta]| drop(beta.lines.remove(1)));
    assert!(!line.lost.is_empty(), "no room has it");
    let entry = found(false, |[_, _, beta]| drop(entries(beta).remove(1)));
    assert!(!entry.lost.is_empty(), "the border has it not");
    let refused = found(false, |[_, _, beta]| entries(beta)[1].accepted = false);
    assert!(!refused.lost.is_empty(), "the verdict is another");
    let held = found(false, |[_, _, beta]| beta.lines[1].folded = false);
    assert!(!held.lost.is_empty(), "it is held");
    let place = found(false, |[_, _, beta]| beta.lines[2].accepted = Some(7));
    assert!(!place.lost.is_empty(), "its place is another");
    let everywhere = found(false, |books| {
        for node in books {
            node.lines.remove(2);
            entries(node).remove(2);
            node.orders.get_mut(SPACE).unwrap().remove(&3);
        }
    });
    assert!(!everywhere.lost.is_empty(), "it was acknowledged");
}

#[test]
fn what_counts_twice_is_doubled() {
    let line = found(false, |[_, _, beta]| beta.lines.push(beta.lines[0].clone()));
    assert!(!line.doubled.is_empty(), "applied twice");
    let judged = found(false, |books| {
        for node in books {
            let step = node.orders[SPACE][&3].clone();
            node.orders.get_mut(SPACE).unwrap().insert(4, step);
        }
    });
    assert!(!judged.doubled.is_empty(), "judged twice");
    let event = found(false, |[_, _, beta]| entries(beta)[2].event = entries(beta)[0].event);
    assert!(!event.doubled.is_empty(), "one event twice");
}

#[test]
fn what_is_turned_around_is_out_of_order() {
    let applied = found(false, |[_, _, beta]| beta.lines.swap(0, 1));
    assert!(!applied.out_of_order.is_empty(), "applied");
    let ordered = found(false, |[_, _, beta]| {
        let order = beta.orders.get_mut(SPACE).unwrap();
        let (one, two) = (order[&1].clone(), order[&2].clone());
        order.extend([(1, two), (2, one)]);
    });
    assert!(!ordered.out_of_order.is_empty(), "ordered");
    let told = found(false, |books| {
        for node in books {
            node.lines[0].mark = Some(mark(2));
            node.lines[1].mark = Some(mark(1));
            let resource = node.lines[0].resource.clone();
            node.lines[0].resource = std::mem::replace(&mut node.lines[1].resource, resource);
        }
    });
    assert!(!told.out_of_order.is_empty(), "told in another order than it was answered");
}

#[test]
fn what_nobody_said_is_forged() {
    let word = found(false, |[_, _, beta]| entries(beta)[0].forged = true);
    assert!(!word.forged.is_empty(), "a forged word was accepted");
    let line = found(false, |[_, _, beta]| {
        beta.lines.push(Line { event: Uuid::from_u128(99), mark: None, ..beta.lines[0].clone() });
    });
    assert!(!line.forged.is_empty(), "applied and never accepted");
}

#[test]
fn what_was_taken_back_and_is_still_somewhere_is_kept() {
    let line = found(true, |[_, _, beta]| beta.lines[1].mark = Some(mark(2)));
    assert!(!line.kept.is_empty(), "in a room's log");
    let entry = found(true, |[_, _, beta]| entries(beta)[1].mark = Some(mark(2)));
    assert!(!entry.kept.is_empty(), "at the border");
    let unknown = found(true, |[_, _, beta]| beta.lines[2].type_name.clear());
    assert!(!unknown.lost.is_empty(), "nobody there knows that it was taken back");
    let late = found(true, |[_, _, beta]| {
        entries(beta)[1].event = None;
        beta.lines.remove(1);
    });
    assert_eq!(counts(&late), [0; 5], "whoever came later never had it");
}
