//! What real archives add up to, and what is said of faulty ones.

use std::io::{self, BufReader, Read};

use super::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data");
const FIRST: &str = "From ann@example.org Mon Oct  5 04:41:25 2020\n";

fn read(name: &str, input: impl BufRead) -> Result<(Vec<Posting>, Found), Vec<Fault>> {
    let mut archives = Archives::default();
    archives.read("node/channel", name, Layout::of(name), input);
    plan(archives)
}

fn mbox(text: &str) -> (Vec<Posting>, Found) {
    read("list.mbox", text.as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// The only fault of an archive.
fn fault_of(bytes: &[u8]) -> Fault {
    let faults = read("list.mbox", bytes).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].clone()
}

/// A message of an archive, with these headers besides.
fn message(number: u8, headers: &str, body: &str) -> String {
    let date = format!("Date: Mon, {number:02} Oct 2020 04:41:21 +0200\n");
    format!("{FIRST}From: Ann Example <ann@example.org>\n{date}Message-ID: <{number}@x>\n{headers}\n{body}\n\n")
}

fn known(figure: &str) -> String {
    let known = std::fs::read(format!("{DATA}/r-mailing-lists/known-answers.json")).unwrap();
    let known: Vec<serde_json::Value> = serde_json::from_slice(&known).unwrap();
    let answer = known.iter().find(|answer| answer["figure"].as_str().unwrap().starts_with(figure)).unwrap();
    answer["value"].as_str().map_or_else(|| answer["value"].to_string(), str::to_owned)
}

#[test]
fn the_lists_of_the_r_project_add_up_to_the_known_figures() {
    for list in ["r-sig-epi", "r-sig-teaching"] {
        let file = std::fs::File::open(format!("{DATA}/r-mailing-lists/{list}.jsonl")).unwrap();
        let (postings, found) = read("list.jsonl", BufReader::new(file)).unwrap();
        assert_eq!(format!("{} / {}", found.messages, found.authors), known(&format!("{list} messages / authors")));
        assert_eq!(found.threads.to_string(), known(&format!("{list} threads")));
        let answers = if list == "r-sig-epi" { "r-sig-epi messages with" } else { "r-sig-teaching with" };
        assert_eq!(found.answers.to_string(), known(answers));
        let firsts = postings.iter().filter(|posting| posting.first.is_none()).count();
        assert_eq!((postings.len() as u64, firsts as u64), (found.messages, found.threads));
        for (nth, posting) in postings.iter().enumerate() {
            let first = posting.first.map(|first| (first, &postings[first]));
            assert!(first.is_none_or(|(place, first)| place < nth && first.first.is_none()), "{posting:?}");
            assert!(!posting.byline.contains("example"), "{posting:?}");
        }
    }
}

#[test]
fn archives_with_alternatives_and_encodings_are_read_as_their_plain_text() {
    let archive = |name: &str| {
        let file = std::fs::File::open(format!("{DATA}/apache-mbox/{name}")).unwrap();
        read(name, BufReader::new(file)).unwrap()
    };
    let (postings, found) = archive("users_ponymail_apache_org_2022-01.mbox");
    assert_eq!((found.messages, found.authors, found.threads, found.pages), (6, 4, 2, 0));
    assert_eq!(postings.iter().filter_map(|posting| posting.first).collect::<Vec<_>>(), [0, 0, 3, 3]);
    assert_eq!(postings[0].byline, "Daniel Sahlberg");
    assert!(postings[0].body.starts_with("External search form\n\nHi,\n\nOn behalf of the Subversion community."));
    assert!(
        postings[1].body.starts_with("You can read through") || !postings[1].body.contains("External search form\n\n")
    );
    assert!(postings.iter().all(|posting| !posting.body.contains('@') || !posting.body.contains("example.org")));
    assert_eq!(postings[0].written.to_string(), "2022-01-02 11:01:50.0 +00:00:00");
    let (postings, found) = archive("users_ponymail_apache_org_2019-09.mbox");
    assert_eq!((found.messages, found.threads, found.unanswered), (4, 1, 0));
    assert!(postings.iter().skip(1).all(|posting| posting.first == Some(0)), "an empty In-Reply-To answers nothing");
    let (postings, found) = archive("dev_ponymail_apache_org_2020-10.mbox");
    assert_eq!((found.messages, found.pseudonyms), (1, 1));
    assert!(postings[0].byline.starts_with("Writer "), "{:?}", postings[0].byline);
}

#[test]
fn a_message_is_decoded_and_loses_its_attachments_and_addresses() {
    let headers = "Subject: =?utf-8?Q?=3DGr=C3=BC=C3=9Fe?= from ann at example.org\nMIME-Version: 1.0\n\
                   Content-Type: multipart/mixed; boundary=b\n";
    let body = "--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
                Z=FCrich, ask ben@example.org\n>From here on\n>>quoted\n\n--b\nContent-Type: application/pdf\n\
                Content-Disposition: attachment; filename=a.pdf\nContent-Transfer-Encoding: base64\n\nAAAA\n\n--b--\n";
    let (postings, found) = mbox(&message(1, headers, body));
    assert_eq!(postings[0].body, "=Grüße from [address]\n\nZürich, ask [address]\nFrom here on\n>>quoted");
    assert_eq!((found.attachments, found.addresses, found.pseudonyms, found.unreadable), (1, 2, 0, 0));
    let page = "Content-Type: text/html; charset=utf-8\n";
    let (postings, found) = mbox(&message(
        1,
        page,
        "<html><HEAD><title>t</title></head><body><p>Hello <b>all</b></p><script>x</script><style>y",
    ));
    assert_eq!((postings[0].body.as_str(), found.pages), ("Hello all", 1));
    let base = "Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64\n";
    assert_eq!(mbox(&message(1, base, "8NLJ18XU")).0[0].body, "Привет");
    let unknown = "Content-Type: text/plain; charset=x-klingon\nContent-Transfer-Encoding: 8bit\n";
    let bytes = [message(1, unknown, "Q").as_bytes(), b"\xE9\n"].concat();
    let (postings, found) = read("list.mbox", &*bytes).unwrap();
    assert_eq!((found.unreadable, postings[0].body.contains('Q')), (1, true));
}

#[test]
fn sentences_that_begin_like_separators_are_text() {
    let body = "See:\n\nFrom what I hear, all is well.\n\nFrom 10:30 on we meet.\nFrom bob Mon Oct  5 04:41:25 2020";
    let (postings, found) = mbox(&message(1, "", body));
    assert_eq!((found.messages, postings[0].body.as_str()), (1, body));
    let (_, found) = mbox(&format!("\u{FEFF}{}", message(1, "", "x").replace('\n', "\r\n")));
    assert_eq!(found.messages, 1, "blank lines, a byte order mark and other line ends are no fault");
}

#[test]
fn threads_go_by_what_is_answered_and_stand_in_the_order_of_writing() {
    let archive = [
        message(4, "Subject: Re: Rooms\nReferences: <1@x>\n <3@x>\n", "last"),
        message(3, "Subject: Other rooms\nIn-Reply-To: <2@x>\n", "third"),
        message(1, "Subject: Rooms\n", "first"),
        message(2, "Subject: RE: Rooms\nIn-Reply-To: <gone@x>\nReferences: <1@x> <gone@x>\n", "second"),
        message(5, "Subject: Re: Lost\nIn-Reply-To: <lost@x>\n", "fifth"),
        message(1, "Subject: Rooms\n", "first"),
        message(6, "In-Reply-To: <7@x>\n", "six"),
        message(7, "In-Reply-To: <6@x>\n", "seven"),
        message(8, "In-Reply-To: <8@x>\n", "eight"),
        message(9, "In-Reply-To: <1@x>\n", ""),
    ];
    let (postings, found) = mbox(&archive.concat());
    let told: Vec<(&str, Option<usize>)> =
        postings.iter().map(|posting| (posting.body.as_str(), posting.first)).collect();
    let first = Some(0);
    assert_eq!(
        told,
        [
            ("Rooms\n\nfirst", None),
            ("second", first),
            ("Other rooms\n\nthird", first),
            ("last", first),
            ("Re: Lost\n\nfifth", None),
            ("six", None),
            ("seven", Some(5)),
            ("eight", None),
        ]
    );
    assert_eq!((found.twice, found.unanswered, found.empty, found.threads), (1, 3, 1, 4));
    let (postings, found) = mbox(&[message(1, "", "one"), message(1, "", "other"), message(1, "", "other")].concat());
    assert_eq!((postings.len(), found.shared_ids, found.twice), (2, 1, 1), "some programs use an id for many messages");
    assert_ne!(postings[0].id, postings[1].id);
}

#[test]
fn every_wrong_message_is_named_with_its_place() {
    let good = message(1, "", "good");
    let late = message(2, "", "two")
        .replace("Mon, 02 Oct 2020 04:41:21 +0200", "some day")
        .replace("04:41:25 2020", "at noon");
    let undated = fault_of(
        format!("{good}{}", late.replacen("From ann@example.org Mon Oct  5 at noon", "From x 04:99:25 0000", 1))
            .as_bytes(),
    );
    assert_eq!((undated.line, undated.column.as_str()), (8, "Date of message 2"), "{undated:?}");
    assert_eq!(undated.value, "some day");
    let nobody = b"Date: Mon, 05 Oct 2020 04:41:21 +0000\n\nx\n".as_slice();
    assert_eq!(read("one.eml", nobody).unwrap_err()[0].column, "From of message 1");
    let signed = [b"From x Mon Oct  5 04:41:25 2020\n".as_slice(), nobody].concat();
    assert_eq!(read("list.mbox", &*signed).unwrap().1.pseudonyms, 1, "the line before it says who sent it");
    let parted = "Content-Type: multipart/mixed; boundary=b\n";
    let cut = message(1, parted, "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8gd29");
    assert!(fault_of(cut.as_bytes()).reason.contains("cut short"), "{:?}", fault_of(cut.as_bytes()));
    let cut = message(1, parted, "--b\nContent-Type: text/plain\n\nHello wo");
    assert!(fault_of(cut.as_bytes()).reason.contains("cut short"));
    let nested = "Content-Type: message/rfc822\n\n".repeat(100_000);
    assert!(fault_of(message(1, "", &nested).as_bytes()).reason.contains("too often"));
    let deep = "Content-Type: message/rfc822\n\n".repeat(900);
    assert!(read("list.mbox", message(1, &deep, "x").as_bytes()).is_ok());
}

#[test]
fn what_is_no_archive_is_one_fault() {
    for other in ["id,title\n1,2\n", "{\"message_id\": 1}", "From here to there\n", "\0\u{1}", "", "\n\n"] {
        let fault = fault_of(other.as_bytes());
        assert!(fault.expected.contains("mbox"), "{other} {fault:?}");
    }
    let json = |line: &str| read("list.jsonl", line.as_bytes()).unwrap_err();
    let good = r#"{"message_id": "<1@x>", "from_name": "Ann", "date": "2005-11-11T11:16:11Z", "body": "x"}"#;
    assert_eq!(read("list.jsonl", good.as_bytes()).unwrap().1.messages, 1);
    assert_eq!(json(&good.replace("2005-11-11T", "2005-13-11T"))[0].column, "date of message 1");
    assert_eq!(json(&good.replace("Ann", " "))[0].column, "from_name of message 1");
    assert_eq!(json(&format!("{good}\n{}", &good[..40]))[0].line, 2, "cut short");
    assert_eq!(json(&"[".repeat(100_000)).len(), 1, "nested without end");
    assert_eq!(json("").len(), 1);
    let mut single = message(1, "", "one");
    single.drain(..FIRST.len());
    assert_eq!(read("one.eml", single.as_bytes()).unwrap().1.messages, 1);
}

/// Bytes without end of line, so many that nobody would want to hold them.
struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let many = self.0.min(into.len() as u64) as usize;
        into[..many].fill(b'x');
        self.0 -= many as u64;
        Ok(many)
    }
}

#[test]
fn a_line_without_end_is_a_fault_and_is_not_held() {
    let before = message(1, "", "good");
    let endless = || Endless(50 << 20);
    let faults = read("list.mbox", BufReader::new(before.as_bytes().chain(endless()))).unwrap_err();
    assert_eq!((faults.len(), faults[0].expected.as_str()), (1, "at most 32 MiB in one message"));
    let mut messages = Messages::of_archive(BufReader::new(before.as_bytes().chain(endless())));
    let raw = messages.next().unwrap().unwrap();
    assert!(raw.too_large && raw.bytes.capacity() <= 2 * MOST, "{}", raw.bytes.capacity());
    let faults = read("list.jsonl", BufReader::new(endless())).unwrap_err();
    assert_eq!(faults.len(), 1);
    let long = message(1, "", &"word ".repeat(5000));
    let (postings, found) = mbox(&long);
    assert_eq!((found.cut, postings[0].body.ends_with("\n[…]")), (1, true));
    assert!(postings[0].body.chars().count() <= 20_000);
}

#[test]
fn an_archive_cut_or_changed_anywhere_ends_no_import_in_a_crash() {
    let whole = std::fs::read(format!("{DATA}/apache-mbox/users_ponymail_apache_org_2019-09.mbox")).unwrap();
    let nested =
        message(1, "Content-Type: multipart/mixed; boundary=b\n", "--b\nContent-Type: message/rfc822\n\n--b\n\n--b--");
    for bytes in [whole, nested.into_bytes()] {
        for cut in (0..bytes.len()).step_by(3) {
            drop(read("list.mbox", &bytes[..cut]));
        }
        for flipped in (0..bytes.len()).step_by(5) {
            let mut bytes = bytes.clone();
            bytes[flipped] ^= 0x15;
            drop(read("list.mbox", &*bytes));
        }
    }
}
