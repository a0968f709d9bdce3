//! Which messages belong together, and the order in which they are posted.

use std::collections::{BTreeMap, BTreeSet};

use mail_parser::parsers::fields::thread::thread_name;
use time::OffsetDateTime;

use super::letter::Letter;
use super::{Archives, Found, Posting};
use crate::import::report::Fault;

/// Characters that a message may have.
const BODY: usize = 20_000;

/// What is to be posted, in the order in which it was written; the first message of a thread before its answers.
///
/// # Errors
/// Every fault of every file; nothing of them may be posted then.
pub fn plan(archives: Archives) -> Result<(Vec<Posting>, Found), Vec<Fault>> {
    let Archives { letters, by_id, mut found, faults, .. } = archives;
    if !faults.is_empty() {
        return Err(faults);
    }
    let firsts = firsts(&letters, &by_id, &mut found);
    let mut order: Vec<(OffsetDateTime, bool, usize)> = Vec::with_capacity(letters.len());
    for (nth, (first, (_, letter))) in firsts.iter().zip(&letters).enumerate() {
        let begun = letters.get(*first).map_or(letter.written, |(_, first)| first.written);
        order.push((letter.written.max(begun), *first != nth, nth));
    }
    order.sort_unstable();
    let mut places = BTreeMap::new();
    let (mut postings, mut authors) = (Vec::new(), BTreeSet::new());
    for (_, answers, nth) in order {
        let (Some((place, letter)), Some(first)) = (letters.get(nth), firsts.get(nth)) else { continue };
        // An answer to a message without a word begins a thread itself.
        let first = if answers { places.get(first).copied() } else { None };
        let above = letters.get(firsts.get(nth).copied().unwrap_or(nth)).filter(|_| first.is_some());
        let Some(body) = body(letter, above.map(|(_, above)| above), &mut found) else { continue };
        places.entry(nth).or_insert(postings.len());
        found.count(letter, first.is_none());
        authors.insert(letter.author.clone());
        let (byline, id) = (letter.author.clone(), letter.digest());
        postings.push(Posting { place: place.clone(), first, written: letter.written, byline, body, id });
    }
    found.authors = authors.len() as u64;
    Ok((postings, found))
}

impl Found {
    fn count(&mut self, letter: &Letter, first: bool) {
        let noted = letter.noted;
        self.messages += 1;
        self.threads += u64::from(first);
        self.answers += u64::from(!letter.answers.is_empty());
        self.attachments += noted.attachments;
        self.pages += noted.pages;
        self.addresses += noted.addresses;
        self.pseudonyms += noted.pseudonyms;
        self.unreadable += noted.unreadable;
    }
}

/// For each message the first one of its thread, which may be itself.
fn firsts(letters: &[(String, Letter)], by_id: &BTreeMap<String, usize>, found: &mut Found) -> Vec<usize> {
    let mut named = BTreeMap::<&str, usize>::new();
    for (nth, (_, letter)) in letters.iter().enumerate() {
        let Some(thread) = &letter.thread else { continue };
        let first = named.entry(thread).or_insert(nth);
        let before = letters.get(*first).map(|(_, first)| first.written);
        if before.is_some_and(|before| letter.written < before) {
            *first = nth;
        }
    }
    let above = |letter: &Letter| letter.answers.iter().find_map(|id| by_id.get(id)).copied();
    let mut firsts = Vec::with_capacity(letters.len());
    for (nth, (_, letter)) in letters.iter().enumerate() {
        let first = match &letter.thread {
            Some(thread) => named.get(thread.as_str()).copied().unwrap_or(nth),
            None => top(nth, letters, &firsts, above),
        };
        found.unanswered += u64::from(!letter.answers.is_empty() && first == nth);
        firsts.push(first);
    }
    firsts
}

/// Goes from answer to answer up to what answers nothing. Where they go round in a circle, the earliest in the archive
/// is taken for the first.
fn top(from: usize, letters: &[(String, Letter)], known: &[usize], above: impl Fn(&Letter) -> Option<usize>) -> usize {
    let (mut at, mut passed) = (from, BTreeSet::from([from]));
    while let Some(next) = letters.get(at).and_then(|(_, letter)| above(letter)) {
        if let Some(first) = known.get(next) {
            return *first;
        }
        if !passed.insert(next) {
            return circle(at, letters, above);
        }
        at = next;
    }
    at
}

fn circle(within: usize, letters: &[(String, Letter)], above: impl Fn(&Letter) -> Option<usize>) -> usize {
    let (mut at, mut earliest) = (within, within);
    while let Some(next) = letters.get(at).and_then(|(_, letter)| above(letter)).filter(|next| *next != within) {
        earliest = earliest.min(next);
        at = next;
    }
    earliest
}

/// What a message says: its subject where it begins a thread or changes the subject, and its text. `None` where there
/// is no word in it.
fn body(letter: &Letter, first: Option<&Letter>, found: &mut Found) -> Option<String> {
    let same = first.is_some_and(|first| thread_name(&first.subject) == thread_name(&letter.subject));
    let whole = if same || letter.subject.is_empty() {
        letter.text.clone()
    } else {
        format!("{}\n\n{}", letter.subject, letter.text)
    };
    let whole = whole.trim();
    if whole.is_empty() {
        found.empty += 1;
        return None;
    }
    if whole.chars().count() <= BODY {
        return Some(whole.to_owned());
    }
    found.cut += 1;
    let kept: String = whole.chars().take(BODY - 10).collect();
    Some(format!("{}\n[…]", kept.trim_end()))
}
