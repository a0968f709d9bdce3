//! What must hold between the journal of the load and the books of the nodes. Pure: from books to findings.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::books::{Books, Feed, Line};
use super::command::{Kind, Mark};
use super::load::Acknowledged;
use super::settle::Held;

const TAKEN_BACK: &str = "commonweal.messaging.v1.MessageWithdrawn";

/// What was found, by kind.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Acknowledged or accepted, and not applied on a node that holds its space.
    pub lost: Vec<String>,
    /// Applied or accepted more than once.
    pub doubled: Vec<String>,
    /// Out of the order of its feed, its space or its author.
    pub out_of_order: Vec<String>,
    /// Applied although it was forged, or without having been accepted.
    pub forged: Vec<String>,
    /// Still there although it was taken back.
    pub kept: Vec<String>,
}

/// Checks everything.
pub fn check(books: &[Books], spaces: &[Held], initiative: &str, journal: &[Vec<Acknowledged>]) -> Found {
    let mut found = Found::default();
    for held in spaces {
        let holders: Vec<&Books> = held.holders.iter().filter_map(|at| books.get(*at)).collect();
        let Some((backbone, partners)) = holders.split_first() else { continue };
        for partner in partners {
            same_order(&held.space, backbone, partner, &mut found);
        }
        for holder in &holders {
            whole_feeds(&held.space, holder, &mut found);
        }
    }
    for node in books {
        applied_once(node, &mut found);
        applied_in_order(node, &mut found);
    }
    for worker in journal {
        acknowledged(books, spaces, initiative, worker, &mut found);
    }
    found
}

/// Every position of a space holds the same step, and every feed the same entries with the same verdicts.
fn same_order(space: &str, backbone: &Books, partner: &Books, found: &mut Found) {
    let (ours, theirs) = (backbone.orders.get(space), partner.orders.get(space));
    if ours != theirs {
        let differs = ours
            .into_iter()
            .flatten()
            .find(|(position, step)| theirs.and_then(|theirs| theirs.get(position)) != Some(*step));
        let at = differs.map_or(0, |(position, _)| *position);
        found.out_of_order.push(format!("{}'s order of {space} differs from the backbone's at {at}", partner.name));
    }
    for (feed, entries) in backbone.feeds.iter().filter(|((of, ..), _)| of == space) {
        let verdicts = |books: &Books| -> Vec<(i64, Vec<u8>, bool)> {
            let entries = books.feeds.get(feed).into_iter().flatten();
            entries.map(|entry| (entry.sequence, entry.digest.clone(), entry.accepted)).collect()
        };
        if verdicts(backbone) != verdicts(partner) {
            let (here, there) = (entries.len(), partner.feeds.get(feed).map_or(0, Vec::len));
            let words =
                format!("{} holds {there} entries of {feed:?}, the backbone {here}, or other verdicts", partner.name);
            found.lost.push(words);
        }
    }
}

/// The order and the feeds have no gaps, and every entry has one verdict, in the order of its feed.
fn whole_feeds(space: &str, holder: &Books, found: &mut Found) {
    let name = holder.name;
    let order = holder.orders.get(space).into_iter().flatten();
    let mut judged = BTreeMap::<&Feed, i64>::new();
    for (expected, (position, step)) in (1..).zip(order) {
        if expected != *position {
            found.lost.push(format!("{name}: {space} has no step {expected}"));
            break;
        }
        let last = judged.entry(&step.feed).or_default();
        match step.range.0 - 1 {
            before if before < *last => {
                found.doubled.push(format!("{name}: {:?} was judged twice at {position}", step.feed))
            }
            before if before > *last => {
                found.out_of_order.push(format!("{name}: {:?} was judged before its turn", step.feed))
            }
            _ => {}
        }
        *last = step.range.1;
    }
    for (feed, entries) in holder.feeds.iter().filter(|((of, ..), _)| of == space) {
        if let Some((expected, _)) = (1..).zip(entries).find(|(expected, entry)| entry.sequence != *expected) {
            found.lost.push(format!("{name}: {feed:?} has no entry {expected}"));
        }
        let last = judged.get(feed).copied().unwrap_or(0);
        if entries.last().is_some_and(|entry| entry.sequence > last) {
            found.lost.push(format!("{name}: entries of {feed:?} after {last} have no verdict"));
        }
    }
}

/// Every accepted entry is applied once, at its place; and nothing of a space is applied that was not accepted.
fn applied_once(node: &Books, found: &mut Found) {
    let name = node.name;
    let mut lines = BTreeMap::<Uuid, Vec<&Line>>::new();
    for line in &node.lines {
        lines.entry(line.event).or_default().push(line);
    }
    let mut accepted = BTreeSet::new();
    for (feed, entries) in &node.feeds {
        for entry in entries.iter().filter(|entry| entry.accepted) {
            let words = || format!("{name}: entry {} of {feed:?}", entry.sequence);
            if entry.forged {
                found.forged.push(format!("{} is forged and was accepted", words()));
            }
            let Some(event) = entry.event else {
                // Who came after it was taken back has its header alone.
                if entry.erased {
                    continue;
                }
                found.lost.push(format!("{} was accepted without its event", words()));
                continue;
            };
            if !accepted.insert(event) {
                found.doubled.push(format!("{}: the same event was accepted before", words()));
            }
            match lines.get(&event).map(Vec::as_slice) {
                // It was taken back before the rooms were told.
                None if entry.erased => {}
                Some([line]) if line.folded && line.accepted == node.step_of(feed, entry.sequence) => {}
                Some([line]) => found.lost.push(format!("{} is not applied at its place: {line:?}", words())),
                Some(_) => found.doubled.push(format!("{} is applied more than once", words())),
                None => found.lost.push(format!("{} is in no room", words())),
            }
        }
    }
    for line in node.lines.iter().filter(|line| line.folded && line.space != "local") {
        if line.forged {
            found.forged.push(format!("{name}: {line:?} is forged and applied"));
        } else if !accepted.contains(&line.event) {
            found.forged.push(format!("{name}: {line:?} is applied and was never accepted"));
        }
    }
}

/// What came from elsewhere is applied in the order of its space, room by room.
fn applied_in_order(node: &Books, found: &mut Found) {
    let mut last = BTreeMap::<(&str, &str), i64>::new();
    for line in &node.lines {
        let own = line.resource.starts_with(&node.id);
        let (false, Some(place)) = (own, line.accepted) else { continue };
        let last = last.entry((line.room, &line.space)).or_default();
        if place < *last {
            found.out_of_order.push(format!("{}: {line:?} was applied after what stands at {last}", node.name));
        }
        *last = place;
    }
}

/// What one worker was told is so: once on every node that holds it, and in the order in which it was told.
fn acknowledged(books: &[Books], spaces: &[Held], initiative: &str, worker: &[Acknowledged], found: &mut Found) {
    let marked: Vec<BTreeMap<Mark, Vec<&Line>>> = books
        .iter()
        .map(|node| {
            let mut marked = BTreeMap::<Mark, Vec<&Line>>::new();
            for line in node.lines.iter().filter(|line| line.folded) {
                if let Some(mark) = line.mark {
                    marked.entry(mark).or_default().push(line);
                }
            }
            marked
        })
        .collect();
    let sequences = books.iter().map(sequences).collect::<Vec<_>>();
    let mut last = BTreeMap::<(&str, &str), i64>::new();
    let taken_back: BTreeSet<&str> = worker
        .iter()
        .filter(|command| command.kind == Kind::TakeBack)
        .map(|command| command.resource.as_str())
        .collect();
    for command in worker {
        if taken_back.contains(command.resource.as_str()) {
            taken_back_everywhere(books, spaces, initiative, command, found);
            continue;
        }
        let space = format!("{initiative}/{}", command.within);
        let holders = spaces.iter().find(|held| held.space == space).map(|held| held.holders.as_slice());
        for at in holders.unwrap_or_default() {
            let (Some(node), Some(marked)) = (books.get(*at), marked.get(*at)) else { continue };
            let words = || format!("{}: {command:?}", node.name);
            match marked.get(&command.mark).map_or(&[][..], Vec::as_slice) {
                [line] if line.resource == command.resource && line.accepted.is_some() && line.space == space => {}
                [line] => found.lost.push(format!("{} became {line:?}", words())),
                [] => found.lost.push(format!("{} was acknowledged and is not there", words())),
                _ => found.doubled.push(format!("{} is there more than once", words())),
            }
        }
        let home = marked.get(command.node).and_then(|marked| marked.get(&command.mark)?.first().copied());
        let sequence = home.zip(sequences.get(command.node)).and_then(|(line, known)| known.get(&line.event));
        let Some(sequence) = sequence else { continue };
        let last = last.entry((command.kind.room(), &command.within)).or_default();
        if sequence < last {
            found
                .out_of_order
                .push(format!("{command:?} stands at {sequence} of its feed, what was told before at {last}"));
        }
        *last = *sequence;
    }
}

/// That a message was taken back is known once on every node that holds it, and what it said is nowhere.
fn taken_back_everywhere(
    books: &[Books],
    spaces: &[Held],
    initiative: &str,
    command: &Acknowledged,
    found: &mut Found,
) {
    let space = format!("{initiative}/{}", command.within);
    let holders = spaces.iter().find(|held| held.space == space).map(|held| held.holders.as_slice());
    for node in holders.unwrap_or_default().iter().filter_map(|at| books.get(*at)) {
        let words = format!("{}: {command:?}", node.name);
        if command.kind == Kind::TakeBack {
            let of_it = |line: &&Line| line.resource == command.resource && line.type_name == TAKEN_BACK;
            match node.lines.iter().filter(of_it).count() {
                0 => found.lost.push(format!("{words} was acknowledged and is not there")),
                1 => {}
                _ => found.doubled.push(format!("{words} is there more than once")),
            }
        }
        let in_log = node.lines.iter().any(|line| line.mark == Some(command.mark));
        if in_log || node.feeds.values().flatten().any(|entry| entry.mark == Some(command.mark)) {
            found.kept.push(format!("{words} was taken back and is still there"));
        }
    }
}

/// Where each event stands in its feed.
fn sequences(node: &Books) -> BTreeMap<Uuid, i64> {
    let entries = node.feeds.values().flatten();
    entries.filter_map(|entry| Some((entry.event.filter(|_| entry.accepted)?, entry.sequence))).collect()
}

#[cfg(test)]
mod tests;
