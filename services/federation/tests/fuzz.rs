//! Bytes from another node, changed in every way: nothing panics, nothing takes long or much, and what is read as whole
//! reads back as it was written. The files in `golden` and `corpus` are tried every time, and changes to them by chance.
#![cfg(test)]

#[path = "../fuzz/parse.rs"]
mod parse;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use parse::parse;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Far more than any of it takes on a busy machine, and far less than what grows without bound.
const PATIENCE: Duration = Duration::from_secs(10);
const MEMORY_KIB: u64 = 512 * 1024;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let data = entries.filter(|path| path.extension().is_some_and(|extension| extension != "rs" && extension != "md"));
    let mut files: Vec<_> =
        data.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

static SEEDS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| [files("golden"), files("corpus")].concat().into_iter().map(|(_, bytes)| bytes).collect());

/// A length of protobuf that says that ever so much follows.
const FAR: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x0f];

/// Bytes within messages within messages.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(b"x".to_vec(), |inner, _| {
        let length = u16::try_from(inner.len()).unwrap_or(u16::MAX);
        let varint = [u8::try_from(length & 0x7f).unwrap() | 0x80, u8::try_from(length >> 7 & 0x7f).unwrap()];
        [&[0x0a], varint.as_slice(), &inner].concat()
    })
}

/// What the corpus is made of: each golden file, broken in each way at a place of its own.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let golden = files("golden");
    let next = |nth: usize| &golden[(nth + 1) % golden.len()].1;
    let mut made = vec![("nested.bin".to_owned(), nested(500)), ("empty.bin".to_owned(), Vec::new())];
    // Few bytes that name very many empty entries.
    made.push(("many_entries.bin".to_owned(), [[0x0a, 0x80, 0x10].as_slice(), &[0x0a, 0x00].repeat(1024)].concat()));
    for (nth, (name, bytes)) in golden.iter().enumerate() {
        let at = bytes.len() * (nth + 1) / (golden.len() + 1);
        let (before, after) = bytes.split_at(at);
        let flipped: Vec<u8> =
            bytes.iter().enumerate().map(|(i, byte)| if i == at { byte ^ 0x41 } else { *byte }).collect();
        let spliced = [before, next(nth).as_slice()].concat();
        let lying = [before, FAR.as_slice(), after].concat();
        for (way, broken) in [("cut", before.to_vec()), ("flip", flipped), ("splice", spliced), ("length", lying)] {
            made.push((format!("{}_{way}.bin", name.replace('.', "_")), broken));
        }
    }
    made
}

fn parsed_in_time(bytes: &[u8]) {
    let started = Instant::now();
    parse(bytes);
    assert!(started.elapsed() < PATIENCE, "{:?} for {} bytes", started.elapsed(), bytes.len());
}

/// The most memory that this process ever had, in KiB; `None` where the system does not say.
fn most_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
fn every_file_that_was_ever_found_is_read_or_refused() {
    if std::env::var_os("WRITE_CORPUS").is_some() {
        for (name, bytes) in corpus() {
            fs::write(folder("corpus").join(name), bytes).unwrap();
        }
    }
    let (golden, corpus) = (files("golden"), files("corpus"));
    assert!(golden.len() > 10 && corpus.len() > 50, "{} and {} files", golden.len(), corpus.len());
    for (_, bytes) in golden.iter().chain(&corpus) {
        parsed_in_time(bytes);
    }
}

#[test]
fn a_message_full_of_nothing_takes_little_time_and_memory() {
    let size = federation::hub::MAX_MESSAGE_BYTES;
    for one in
        [&[0x0a, 0x00][..], &[0x12, 0x00], &[0x1a, 0x00], &[0x22, 0x00], &[0xff], &[0x00], &[0x0a, 0x02, 0x0a, 0x00]]
    {
        let inner = one.repeat((size - 8) / one.len());
        parsed_in_time(&inner);
        // The same as the content of each kind of message.
        for tag in [0x0a, 0x12, 0x1a, 0x22] {
            let length = u32::try_from(inner.len()).unwrap();
            let varint = [7, 14].iter().fold(vec![u8::try_from(length & 0x7f).unwrap() | 0x80], |mut bytes, shift| {
                let more = if *shift == 14 { 0 } else { 0x80 };
                bytes.push(u8::try_from(length >> shift & 0x7f).unwrap() | more);
                bytes
            });
            parsed_in_time(&[&[tag], varint.as_slice(), &inner].concat());
        }
    }
    parsed_in_time(&nested(5000));
    assert!(most_memory().is_none_or(|kib| kib < MEMORY_KIB), "{:?} KiB", most_memory());
}

/// One change to some bytes.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index, usize),
    Insert(Index, Vec<u8>),
    Splice(Index, Index, Index),
    Length(Index),
    Nest(Index, usize),
    End(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 1..=255u8).prop_map(|(at, bits)| Change::Flip(at, bits)),
        (any::<Index>(), 1..300usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        any::<(Index, Index, Index)>().prop_map(|(at, seed, from)| Change::Splice(at, seed, from)),
        any::<Index>().prop_map(Change::Length),
        (any::<Index>(), 1..200usize).prop_map(|(at, depth)| Change::Nest(at, depth)),
        any::<Index>().prop_map(Change::End),
    ]
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        let place = |at: &Index| if bytes.is_empty() { 0 } else { at.index(bytes.len()) };
        match change {
            Change::Flip(at, bits) => {
                let at = place(at);
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bits);
            }
            Change::Cut(at, length) => {
                let at = place(at);
                bytes.drain(at..bytes.len().min(at + length));
            }
            Change::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Splice(at, seed, from) => {
                let (at, seed) = (place(at), &SEEDS[seed.index(SEEDS.len())]);
                let from = if seed.is_empty() { 0 } else { from.index(seed.len()) };
                bytes.splice(at.., seed[from..].iter().copied());
            }
            Change::Length(at) => {
                let at = place(at);
                bytes.splice(at..bytes.len().min(at + 1), FAR);
            }
            Change::Nest(at, depth) => {
                let at = place(at);
                bytes.splice(at..at, nested(*depth));
            }
            Change::End(at) => bytes.truncate(place(at)),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn whatever_comes_is_read_or_refused(seed in any::<Index>(), changes in vec(change(), 0..5)) {
        parsed_in_time(&changed(&SEEDS[seed.index(SEEDS.len())], &changes));
    }

    #[test]
    fn noise_is_read_or_refused(bytes in vec(any::<u8>(), 0..2000)) {
        parsed_in_time(&bytes);
    }
}
